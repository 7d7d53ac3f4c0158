//! The cache.

use std::fs::{self, File};
use std::path::PathBuf;

use crate::support::Case;
use crate::support::entry::files;
use crate::support::machine::{NOBODY, is_root_or_skipped};
use crate::{examine, hold, mode};

fn cache_root(case: &Case) -> PathBuf {
    case.world.home.path().join(".cache/zitadel-credential")
}

#[test]
fn what_is_wrong_with_the_cache_is_named() {
    hold(&[
        (
            "a directory that all can write",
            |case| {
                fs::create_dir_all(cache_root(case)).unwrap();
                mode(&cache_root(case), 0o777);
            },
            &[],
            [
                "cache",
                "failed",
                "another user owns it or can write to it",
                "0700 is right",
            ],
        ),
        (
            "no directory",
            |case| drop(case.world.home.write(".cache", "")),
            &[],
            ["cache", "failed", "", "--cache-dir"],
        ),
    ]);
    let case = Case::new();
    case.world.zitadel(["token"]).assert().success();
    let found = examine(&case, &[], &[]);
    assert!(found.has("cache", "ok", "tokens: 1, of which good: 1", ""));
    fs::remove_file(&files(&case.world.home, "lock")[0]).unwrap();
    let found = examine(&case, &[], &[]);
    assert_eq!(found.status("cache"), "ok", "it makes no lock");
    case.world
        .zitadel(["token", "--refresh"])
        .assert()
        .success();
    let held = File::open(&files(&case.world.home, "lock")[0]).unwrap();
    fs2::FileExt::lock_exclusive(&held).unwrap();
    let found = examine(&case, &[], &[]);
    assert!(found.has(
        "cache",
        "warning",
        "another process holds the lock",
        "lslocks"
    ));
}

#[test]
fn a_cache_of_another_user_is_named() {
    if !is_root_or_skipped() {
        return;
    }
    let case = Case::new();
    fs::create_dir_all(cache_root(&case)).unwrap();
    std::os::unix::fs::chown(cache_root(&case), Some(NOBODY), None).unwrap();
    let found = examine(&case, &[], &[]);
    assert!(found.has("cache", "failed", "another user owns it", "see who owns it"));
}
