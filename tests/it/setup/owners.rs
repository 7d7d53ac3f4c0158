//! The owners of files, which setup keeps.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::Path;

use super::{CONFIG, Fixture};
use crate::support::{Run, binary, trace};

const NOBODY: u32 = 65534;
const PROFILE: &str = "profile prod --issuer ISSUER --key-file ~/key.json";

/// Changes a home's owner, which only root can do; no other user could write in it.
fn gives_away(path: &Path) -> bool {
    chown(path, Some(NOBODY), None).is_ok()
}

/// `sudo -E` runs like this.
#[test]
fn root_makes_nothing_in_the_home_of_another_user() {
    let fixture = Fixture::new();
    if !gives_away(fixture.path()) {
        return;
    }
    let why = "~ is owned by another user, who could not use files that root creates there";
    for words in [PROFILE, "docker r.dev"] {
        for mode in ["", " --dry-run"] {
            let said = fixture.refused(2, &format!("{words}{mode}"));
            assert!(said.contains(why), "{said}");
        }
    }
}

#[test]
fn root_makes_no_file_in_a_directory_of_another_user() {
    let fixture =
        Fixture::with_config("[profiles.prod]\nissuer = \"ISSUER\"\nkey-file = \"~/key.json\"\n");
    let docker = fixture.path().join(".docker");
    fs::create_dir(&docker).unwrap();
    if !gives_away(&docker) {
        return;
    }
    let said = fixture.refused(2, "docker r.dev");
    assert!(
        said.contains(".docker/config.json: ~/.docker is owned by another user"),
        "{said}"
    );
    // Everybody can write to the directory, like /tmp.
    let open = fs::Permissions::from_mode(0o1777);
    fs::set_permissions(&docker, open).unwrap();
    fixture.done("docker r.dev");
}

/// With a link in a directory like /tmp, another user could get our files changed.
#[test]
fn a_link_of_another_user_where_all_may_write_is_not_followed() {
    let fixture =
        Fixture::with_config("[profiles.prod]\nissuer = \"ISSUER\"\nkey-file = \"~/key.json\"\n");
    fixture.home.write("mine.json", "{}");
    let shared = fixture.path().join("shared");
    fs::create_dir(&shared).unwrap();
    symlink("shared", fixture.path().join("way")).unwrap();
    symlink("../mine.json", shared.join("auth.json")).unwrap();
    symlink("..", shared.join("up")).unwrap();
    for link in ["auth.json", "up"] {
        if lchown(shared.join(link), Some(NOBODY), None).is_err() {
            return;
        }
    }
    let words = ["auth.json", "up/mine.json", "up/way/up/shared/auth.json"];
    for mode in [0o1777, 0o777] {
        fs::set_permissions(&shared, fs::Permissions::from_mode(mode)).unwrap();
        for file in words {
            let said = fixture.refused(2, &format!("docker r.dev --authfile way/{file}"));
            let why = "is a symbolic link of another user";
            assert!(said.contains(why), "{said}");
        }
    }
    // Only the directory's owner can write to it, as usual.
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
    fixture.done("docker r.dev --authfile way/auth.json");
    fixture.done("docker r.dev --authfile way/auth.json --undo");
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).unwrap();
    lchown(
        shared.join("auth.json"),
        Some(rustix::process::getuid().as_raw()),
        None,
    )
    .unwrap();
    fixture.done("docker r.dev --authfile way/auth.json");
}

/// FUSE, some network file systems and some sandboxes do this: a new file cannot get a
/// file's mode or group.
#[test]
fn a_files_mode_and_group_are_kept_where_they_cannot_be_set() {
    for (call, mode) in [("fchmod", 0o640), ("fchmod", 0o644), ("fchown", 0o660)] {
        let fixture = Fixture::with_config(
            "[profiles.prod]\nissuer = \"ISSUER\"\nkey-file = \"~/key.json\"\n",
        );
        let file = fixture.home.write(".docker/config.json", "{\"zeta\": 1}");
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let config = fixture.path().join(CONFIG);
        fs::set_permissions(&config, fs::Permissions::from_mode(mode)).unwrap();
        if call == "fchown" && chown(&file, None, Some(NOBODY)).is_err() {
            return;
        }
        let group = fs::metadata(&file).unwrap().gid();
        let before = fs::read(&config).unwrap();
        for undo in [&[][..], &["--undo"]] {
            let inject = format!("{call}:error=EPERM");
            let Some(mut command) = trace::injecting(&fixture.home, &inject) else {
                return;
            };
            command.arg(binary()).args(["setup", "docker", "r.dev"]);
            let output = command.args(undo).run();
            assert!(output.status.success(), "{output:?}");
            let text = fs::read_to_string(&file).unwrap();
            assert_eq!(text.contains("r.dev"), undo.is_empty(), "{text}");
            for file in [&file, &config] {
                let meta = fs::metadata(file).unwrap();
                assert_eq!(meta.permissions().mode() & 0o7777, mode, "{call}");
            }
            assert_eq!(fs::metadata(&file).unwrap().gid(), group);
        }
        assert_eq!(fs::read(&config).unwrap(), before);
        assert_eq!(fs::read(&file).unwrap(), b"{\"zeta\": 1}");
    }
}
