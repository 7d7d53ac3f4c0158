//! Properties of all tools' helpers.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::support::program::client;
use crate::support::tools::{CALLS, HOST, Row};
use crate::support::{Run, Running, TokenKind, World, binary};

fn world() -> World {
    let world = World::new();
    world.issuer.set_token_kind(TokenKind::Jwt);
    world.allow(HOST);
    world
}

/// A tool may show stderr as an error, or read it as a part of the response.
#[test]
fn a_helper_that_answers_writes_nothing_to_stderr_unless_it_is_asked_to() {
    let world = world();
    let cache = world.home.path().join(".cache/zitadel-credential");
    fs::create_dir_all(&cache).unwrap();
    fs::set_permissions(&cache, Permissions::from_mode(0o777)).unwrap();
    let mut warnings = 0;
    for row in CALLS {
        let run = |more: &[&str]| {
            // The options come before the helper, as later arguments may be the tool's.
            let words = more.iter().map(ToString::to_string).chain(row.words());
            let mut command = world.home.command(binary());
            command.args(words.collect::<Vec<_>>());
            let output = command.run_with(row.input.as_bytes());
            (
                output.status.success(),
                String::from_utf8(output.stderr).unwrap(),
            )
        };
        let (is_answered, stderr) = run(&[]);
        assert!(!is_answered || stderr.is_empty(), "{row:?}: {stderr}");
        let (_, stderr) = run(&["-v"]);
        warnings += usize::from(stderr.contains("warning: continuing without the cache"));
    }
    assert!(warnings > 10, "{warnings}");
    // The user's own calls are unchanged.
    let token = world.zitadel(["token"]).run();
    assert!(
        String::from_utf8(token.stderr)
            .unwrap()
            .contains("warning: ")
    );
}

/// True if the helper reads its request from stdin.
fn reads(row: &Row) -> bool {
    !row.input.is_empty() && !row.words.starts_with("keyring")
}

#[test]
fn at_a_terminal_a_helper_that_reads_its_request_says_how_to_pipe_one_in() {
    let Some(script) = client("script") else {
        return;
    };
    let world = world();
    world.home.link("zitadel-credential");
    for host in ["files", "registry", "cargo", "proxy", "app"] {
        world.allow(&format!("{host}.acme.dev"));
    }
    let mut helpers = 0;
    for row in CALLS.iter().filter(|row| reads(row)) {
        let call = format!("'{}' {}", binary().display(), row.words);
        let mut command = world.home.command(&script);
        command
            .args(["-qec", &call, "/dev/null"])
            .env("ZITADEL_CREDENTIAL_TIMEOUT", "1");
        let (running, stdin) = Running::start_open(command, "");
        let output = running.output_within(Duration::from_secs(20));
        drop(stdin);
        let shown = String::from_utf8(output.stdout).unwrap();
        let (_, example) = shown
            .split_once("or pipe it in:\r\n  ")
            .unwrap_or_else(|| panic!("{}: {shown}", row.words));
        let example = example.lines().next().unwrap();

        let mut command = world.home.command("sh");
        command
            .args(["-c", example])
            .env("PATH", world.home.path_with_bin());
        let output = command.run();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let is_refused = stderr.contains("store is not supported");
        assert!(
            is_refused || (output.status.success() && stderr.is_empty()),
            "{stderr}"
        );
        helpers += 1;
    }
    assert!(helpers > 10, "{helpers}");
}
