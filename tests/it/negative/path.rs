//! `PATH`: a user who can write to its directories, or to the directory of a tool's call,
//! cannot get a program run.

use std::ffi::OsString;
use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::negative::{Bait, GOOD, exited};

/// Names of programs that a helper or its libraries might call.
const FAKES: [&str; 9] = [
    "zitadel-credential",
    "git-credential-zitadel",
    "git",
    "kubectl",
    "docker",
    "sh",
    "curl",
    "security",
    "fetch-key",
];

/// Puts programs that leave `ran` behind in directories that anybody can write to, and
/// names these in every way before the system's directories.
fn hostile_path(bait: &Bait) -> OsString {
    let home = &bait.world.home;
    let ran = home.path().join("ran");
    for directory in ["", "near", "open"] {
        for name in FAKES {
            let script = format!(
                "#!/bin/sh\ntouch '{}'\ncat '{}'\n",
                ran.display(),
                bait.world.key_file.display()
            );
            let fake = home.write(Path::new(directory).join(name), script);
            fs::set_permissions(fake, Permissions::from_mode(0o755)).unwrap();
        }
    }
    let open = home.path().join("open");
    fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
    let mut path = OsString::from(":.:near:./open/../near:");
    path.push(open);
    path.push(":");
    path.push(home.path_with_bin());
    path
}

#[test]
fn a_helper_starts_no_program_of_path() {
    let bait = Bait::new();
    let path = hostile_path(&bait);
    let variables = [("PATH", path.as_os_str())];
    let git = format!("protocol=https\nhost={GOOD}\n\n");
    for (arguments, input) in [
        (["kubectl"].as_slice(), ""),
        (&["git", "get"], &git),
        (&["docker", "get"], GOOD),
        (&["token"], ""),
    ] {
        let what = format!("{arguments:?}");
        bait.call(arguments, &variables, input.as_bytes())
            .gets_the_token(&what);
    }
    let erase = format!("password={}\n{git}", bait.token);
    let login = format!("{{\"ServerURL\":\"{GOOD}\"}}");
    for (arguments, input) in [
        (["docker", "list"].as_slice(), ""),
        (&["docker", "store"], &login),
        (&["git", "store"], &git),
        (&["git", "capability"], ""),
        (&["whoami"], ""),
        (&["assertion"], ""),
        (&["cache", "list"], ""),
        (&["git", "erase"], &erase),
        (&["docker", "erase"], GOOD),
        // Without an entry, the call mints.
        (&["kubectl"], ""),
        (&["token", "--refresh"], ""),
    ] {
        let call = bait.call(arguments, &variables, input.as_bytes());
        assert_eq!(call.output.status, exited(0), "{arguments:?}");
        if let Some(seen) = &call.seen {
            assert_eq!(seen.starts().len(), 1, "{arguments:?}");
        }
    }
    assert!(!bait.world.home.path().join("ran").exists());
}

/// Go also refuses such a program (`exec.ErrDot`).
#[test]
fn a_key_command_is_looked_for_in_absolute_directories_alone() {
    let bait = Bait::new();
    let hostile = hostile_path(&bait);
    let home = &bait.world.home;
    fs::remove_file(home.path().join("open/fetch-key")).unwrap();
    home.append_config("[profiles.vault]\nkey-command = [\"fetch-key\"]\n");
    let arguments = ["assertion", "--profile", "vault", "--audience", "x"];
    let ran = home.path().join("ran");
    let said = "zitadel-credential: error: key-command fetch-key: not found in any absolute directory of PATH\n";
    let call = bait.call(&arguments, &[("PATH", &hostile)], b"");
    let stderr = String::from_utf8_lossy(&call.output.stderr);
    assert_eq!(call.output.status, exited(2), "{stderr}");
    assert!(stderr.starts_with(said), "{stderr}");
    assert!(call.output.stdout.is_empty() && !ran.exists());
    if let Some(seen) = &call.seen {
        assert_eq!(seen.starts().len(), 1);
    }
    fs::rename(home.path().join("near"), home.path().join("bin")).unwrap();
    let absolute = home.path_with_bin();
    let call = bait.call(&arguments, &[("PATH", &absolute)], b"");
    assert_eq!(call.output.status, exited(0));
    assert!(
        ran.exists(),
        "the user's own directories are as good as any"
    );
}
