//! Whose the files are, and stay.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use super::Fixture;

const NOBODY: u32 = 65534;
const PROFILE: &str = "profile prod --issuer ISSUER --key-file ~/key.json";

/// Only root can give a home away; nobody else could write in it.
fn gives_away(path: &Path) -> bool {
    chown(path, Some(NOBODY), None).is_ok()
}

/// `sudo -E`.
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
    // As /tmp is, open to everybody.
    let open = fs::Permissions::from_mode(0o1777);
    fs::set_permissions(&docker, open).unwrap();
    fixture.done("docker r.dev");
}
