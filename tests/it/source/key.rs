//! Other users' access to the key file, and to the other trusted files.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::support::machine::is_root_or_skipped;
use crate::support::{Running, World, binary};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Returns the stderr of a call.
fn said(world: &World, words: &[&str], code: i32) -> String {
    let ended = world.zitadel(words).assert().code(code);
    String::from_utf8(ended.get_output().stderr.clone()).unwrap()
}

#[test]
fn a_key_that_every_user_can_write_is_refused() {
    for mode in [0o666, 0o602, 0o777, 0o622] {
        let world = World::new();
        set_mode(&world.key_file, mode);
        for words in [
            &["token"][..],
            &["kubectl"],
            &["agent", "--write", "token"],
            &["assertion"],
        ] {
            let text = said(&world, words, 1);
            let why = format!("every user can write to it (mode 0{mode:o})");
            assert!(text.contains(&why) && text.contains("chmod 600"), "{text}");
        }
        assert_eq!(world.issuer.total_requests(), 0);
        let link = world.home.path().join("link.json");
        symlink(&world.key_file, link).unwrap();
        let text = said(&world, &["token", "--key-file", "link.json"], 1);
        assert!(text.contains("every user can write to it"), "{text}");
    }
}

#[test]
fn a_key_that_others_can_read_causes_a_warning_only_at_each_mint() {
    for (mode, why) in [
        (0o644, "every user can read it (mode 0644)"),
        (0o664, "every user can read it (mode 0664)"),
        (0o660, "its group can write to it (mode 0660)"),
    ] {
        let world = World::new();
        set_mode(&world.key_file, mode);
        for words in [&["token"][..], &["token", "--refresh"], &["assertion"]] {
            let text = said(&world, words, 0);
            assert!(text.contains(why) && text.contains("chmod 600"), "{text}");
            assert_eq!(text.lines().count(), 1, "{text}");
        }
        assert_eq!(said(&world, &["token"], 0), "", "it comes from the cache");
    }
    for mode in [0o600, 0o400, 0o640, 0o440] {
        let world = World::new();
        set_mode(&world.key_file, mode);
        assert_eq!(said(&world, &["token"], 0), "", "{mode:o}");
    }
}

#[test]
fn doctor_warns_of_a_directory_in_which_every_user_can_replace_the_key() {
    let world = World::new();
    let key = world.home.write("keys/key.json", world.user.key_json());
    let dir = key.parent().unwrap();
    symlink(&key, world.home.path().join("link.json")).unwrap();
    for path in ["keys/key.json", "link.json"] {
        let words = ["doctor", "--key-file", path];
        for (mode, is_warned) in [(0o777, true), (0o1777, false), (0o755, false)] {
            set_mode(dir, mode);
            let ended = world.zitadel(words).assert();
            let text = String::from_utf8_lossy(&ended.get_output().stdout).into_owned();
            let why = "every user can replace it in";
            assert_eq!(text.contains(why), is_warned, "{text}");
        }
    }
}

/// A pipe has no meaningful mode.
#[test]
fn a_key_from_a_pipe_causes_no_warning() {
    let world = World::new();
    for source in ["<(cat key.json)", "/dev/stdin"] {
        let script = format!("umask 0; cat key.json | $0 token --no-cache --key-file {source}");
        let mut shell = world.home.command("bash");
        shell.args(["-c", &script]).arg(binary());
        let output = Running::start(shell).output();
        assert!(output.status.success());
        assert_eq!(output.stderr, b"", "{source}");
    }
}

/// Kubernetes mounts a secret like this: mode 0644 behind links, and nobody can change
/// it.
#[test]
fn a_key_on_a_read_only_mount_causes_no_warning() {
    if !is_root_or_skipped() {
        return;
    }
    let world = World::new();
    let path = world.home.path().join("secret");
    fs::create_dir(&path).unwrap();
    let script = "mount -t tmpfs none secret && mkdir -p secret/..2026_01_01 && \
        cp key.json secret/..2026_01_01/key.json && ln -s ..2026_01_01 secret/..data && \
        ln -s ..data/key.json secret/key.json && chmod \"$1\" secret/key.json && \
        chmod 777 secret secret/..data && mount -o remount,ro secret || exit 99; \
        exec \"$0\" token --no-cache --key-file secret/key.json";
    for mode in ["644", "444", "666"] {
        let mut shell = world.home.command("unshare");
        shell.args(["--mount", "sh", "-c", script]).arg(binary());
        let output = Running::start(shell.arg(mode)).output();
        if output.status.code() == Some(99) {
            return;
        }
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && text.is_empty(), "{mode}: {text}");
    }
}

#[test]
fn other_trusted_files_are_refused_if_every_user_can_write_them() {
    let world = World::new();
    let ca = world.home.write("ca.pem", "");
    set_mode(&ca, 0o666);
    let words = ["token", "--ca-file", "ca.pem"];
    let text = said(&world, &words, 2);
    assert!(
        text.contains("ca-file ca.pem: every user can write to it"),
        "{text}"
    );

    let program = world.home.write("vault", "#!/bin/sh\ncat key.json\n");
    world.home.write_config(&format!(
        "[profiles.p]\nissuer = \"{}\"\nkey-command = [\"{}\"]\n",
        world.issuer.url(),
        program.display()
    ));
    set_mode(&program, 0o777);
    let text = said(&world, &["token"], 2);
    assert!(text.contains("every user can write to "), "{text}");
    set_mode(&program, 0o755);
    assert_eq!(said(&world, &["token"], 0), "");
}

/// Some editors and shells on Windows write such files.
#[test]
fn a_byte_order_mark_is_skipped_and_utf_16_is_named() {
    let world = World::new();
    let (key, config) = (&world.key_file, world.home.config_path());
    for path in [key, &config] {
        let plain = fs::read_to_string(path).unwrap();
        fs::write(path, format!("\u{feff}{plain}")).unwrap();
        assert_eq!(said(&world, &["token", "--refresh"], 0), "");
        let wide = format!("\u{feff}{plain}");
        let wide: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
        fs::write(path, wide).unwrap();
        let code = if path == key { 1 } else { 2 };
        let text = said(&world, &["token", "--refresh"], code);
        assert!(text.contains("UTF-16, not UTF-8"), "{text}");
        fs::write(path, plain).unwrap();
    }
    let pem = format!("\u{feff}{}", world.user.pkcs8_pem());
    world.home.write("key.pem", pem);
    set_mode(&world.home.path().join("key.pem"), 0o600);
    let ids = [
        "--key-id",
        &world.user.key_id,
        "--user-id",
        &world.user.user_id,
    ];
    let words = [&["token", "--refresh", "--key-file", "key.pem"][..], &ids].concat();
    assert_eq!(said(&world, &words, 0), "");
}
