//! The cache.

use std::fs;
use std::fs::File;
use std::path::PathBuf;

use snapbox::str;

use crate::doctor::{case, examine, hold, mode};
use crate::support::Case;
use crate::support::entry::files;
use crate::support::machine::{NOBODY, is_root_or_skipped};

fn cache_root(case: &Case) -> PathBuf {
    case.world.home.path().join(".cache/zitadel-credential")
}

#[test]
fn cache_problems_are_named() {
    hold([
        (
            "a directory that all can write",
            |case| {
                fs::create_dir_all(cache_root(case)).unwrap();
                mode(&cache_root(case), 0o777);
            },
            &[],
            str![[r#"
failed cache: [HOME]/.cache/zitadel-credential: another user owns it or can write to it; without the cache, each call requests a new token
    make the directory yours, with mode 0700, or choose another with --cache-dir

"#]],
        ),
        (
            "no directory",
            |case| drop(case.world.home.write(".cache", "")),
            &[],
            str![[r#"
failed cache: [HOME]/.cache/zitadel-credential: not a directory; without the cache, each call requests a new token
    make the directory yours, with mode 0700, or choose another with --cache-dir

"#]],
        ),
    ]);
    let case = case();
    case.world.zitadel(["token"]).assert().success();
    let found = examine(&case, &[], &[]);
    case.matches(
        &found.of("cache"),
        str![[r#"
ok cache: [HOME]/.cache/zitadel-credential: private, tokens: 1, valid: 1

"#]],
    );
    fs::remove_file(&files(&case.world.home, "lock")[0]).unwrap();
    let found = examine(&case, &[], &[]);
    assert_eq!(found.status("cache"), "ok", "it makes no lock");
    case.world
        .zitadel(["token", "--refresh"])
        .assert()
        .success();
    let lock = files(&case.world.home, "lock").remove(0);
    let held = File::open(&lock).unwrap();
    case.hide("[LOCK]", lock.display().to_string());
    fs2::FileExt::lock_exclusive(&held).unwrap();
    let found = examine(&case, &[], &[]);
    case.matches(
        &found.of("cache"),
        str![[r#"
warning cache: another process holds the lock [LOCK]
    run doctor again: a process that requests a token holds the lock for a moment; if it stays locked, find the process (lslocks, fuser)

"#]],
    );
}

#[test]
fn a_cache_of_another_user_is_named() {
    if !is_root_or_skipped() {
        return;
    }
    let case = case();
    fs::create_dir_all(cache_root(&case)).unwrap();
    std::os::unix::fs::chown(cache_root(&case), Some(NOBODY), None).unwrap();
    let found = examine(&case, &[], &[]);
    case.matches(&found.of("cache"), str![[r#"
failed cache: [HOME]/.cache/zitadel-credential: another user owns it or can write to it; without the cache, each call requests a new token
    make the directory yours, with mode 0700, or choose another with --cache-dir

"#]]);
}
