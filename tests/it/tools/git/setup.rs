//! A git on PATH that makes other changes than the requested one.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use crate::setup::Fixture;
use crate::support::{Running, binary};

const PROFILE: &str = "[profiles.prod]\nissuer = \"ISSUER\"\nkey-file = \"~/key.json\"\n";

/// Returns a fixture whose git has no helper yet, and does this with the file to which it
/// should add one.
fn fixture(does: &str) -> Fixture {
    let fixture = Fixture::with_config(PROFILE);
    let script = format!("#!/bin/sh\n[ \"$4\" = --add ] || exit 1\n{does}\n");
    let program = fixture.home.write("bin/git", script);
    fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
    fixture.home.write(".gitconfig", "[user]\n\tname = x\n");
    fixture
}

#[test]
fn a_tools_file_is_refused_unless_it_is_regular_and_small() {
    let other = "not a regular file";
    for (does, why) in [
        ("rm \"$3\" && mkfifo \"$3\"", other),
        ("ln -sf /dev/zero \"$3\"", other),
        ("ln -sf ~/key.json \"$3\"", other),
        ("rm \"$3\"", other),
        (
            "head -c 5000000 /dev/zero > \"$3\"",
            "larger than 4194304 bytes",
        ),
        ("printf '\\377' > \"$3\"", "it is not UTF-8"),
    ] {
        let fixture = fixture(does);
        let before = fixture.files();
        let mut command = fixture.home.command(binary());
        command.args(["setup", "git", "g.dev"]);
        command.env("PATH", fixture.home.path_with_bin());
        let output = Running::start(command).output();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{does}: {said}");
        let what = format!(".gitconfig: rejected the change that git made: {why}\n");
        assert!(said.contains(&what), "{does}: {said}");
        assert_eq!(fixture.files(), before, "{does}");
    }
}

#[test]
fn no_message_of_git_that_may_quote_a_value_is_shown() {
    let fixture = Fixture::with_config(PROFILE);
    for (message, shown) in [
        (
            "fatal: bad numeric config value 'hunter2-Sommer' for 'http.postbuffer'",
            false,
        ),
        ("error: hunter2-Sommer: command not found", false),
        ("fatal: bad config line 3 in file /home/ci/.gitconfig", true),
    ] {
        let script = format!("#!/bin/sh\necho \"{message}\" >&2\nexit 128\n");
        let program = fixture.home.write("bin/git", script);
        fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
        let mut command = fixture.home.command(binary());
        command.args(["setup", "git", "g.dev"]);
        command.env("PATH", fixture.home.path_with_bin());
        let output = Running::start(command).output();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("git failed: "), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert_eq!(said.contains("bad config line 3"), shown, "{said}");
    }
}
