//! Sources of tokens: a key file, and the others.

mod beside;
mod client;
mod endpoint;
mod key;
mod self_signed;
mod signer;
mod supplier;

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use crate::support::World;

/// Writes a profile of these lines, and a rule for git with it.
fn profile(world: &World, lines: &str) {
    world.home.write_config(&format!(
        "[profiles.test]\nissuer = \"{}\"\n{lines}\n[hosts.\"git.acme.dev\"]\n",
        world.issuer.url()
    ));
}

/// Returns the output of a call, which must succeed with an empty stderr.
fn printed(world: &World, words: &[&str]) -> String {
    let output = world.zitadel(words).run();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words:?}: {stderr}");
    assert_eq!(stderr, "", "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the stderr of a call that exits with this code, and prints nothing.
fn refused(world: &World, words: &[&str], code: i32) -> String {
    let output = world.zitadel(words).run();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{words:?}: {stderr}");
    assert_eq!(output.stdout, b"", "{words:?}");
    stderr
}

/// Returns git's login for the host with a rule: the username and the password.
fn login(world: &World) -> (String, String) {
    let mut git = world.zitadel(["git", "get"]);
    git.write_stdin("protocol=https\nhost=git.acme.dev\n\n");
    let output = git.run();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    let text = String::from_utf8(output.stdout).unwrap();
    let value = |name: &str| {
        let mut lines = text.lines();
        let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_default().to_owned()
    };
    (value("username"), value("password"))
}

#[test]
fn a_file_that_every_user_can_write_is_refused_and_a_readable_one_gives_a_warning() {
    for (lines, name) in [
        ("token-file = \"~/secret\"\n", "token-file"),
        (
            "client-id = \"ci\"\nclient-secret-file = \"~/secret\"\n",
            "client-secret-file",
        ),
    ] {
        let world = World::new();
        world.issuer.set_name(&world.user.user_id, "ci");
        let secret = world.issuer.new_client_secret(&world.user.user_id);
        let file = world.home.write("secret", secret);
        profile(&world, lines);
        let set_mode = |mode| fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        set_mode(0o666);
        let said = refused(&world, &["token"], 1);
        assert!(said.contains(&format!("{name} ")), "{said}");
        assert!(said.contains("every user can write to it"), "{said}");
        set_mode(0o644);
        let output = world.zitadel(["token"]).run();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        assert!(
            said.contains("every user can read it (mode 0644)"),
            "{said}"
        );
        set_mode(0o600);
        printed(&world, &["token", "--no-cache"]);
    }
}
