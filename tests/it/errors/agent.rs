//! Errors that prevent the start of an agent, and messages of a running one.

use snapbox::str;

use crate::support::{Case, Command, Endpoint, Fault, Times};

#[test]
fn an_agent_without_a_file_or_with_an_invalid_pid() {
    let case = Case::new();
    case.run(["agent"]).fails(
        2,
        str![[r#"
zitadel-credential: error: missing argument --write <FILE>
  hint: usage: zitadel-credential agent --write <FILE>
  hint: run zitadel-credential agent -h for the options

"#]],
    );
    case.run(["agent", "--write", "token", "--signal", "0"])
        .fails(
            2,
            str![[r#"
zitadel-credential: error: invalid value '0' for '--signal <PID>': 0 is not in 1..=2147483647
  hint: run zitadel-credential agent -h for the options

"#]],
        );
}

#[test]
fn a_process_that_does_not_exist() {
    let case = Case::new();
    case.run(["agent", "--write", "token", "--signal", "2147483647"])
        .fails(
            2,
            str![[r#"
zitadel-credential: error: --signal 2147483647: no such process
  hint: give the PID of a running process

"#]],
        );
    assert_eq!(case.requests(), 0);
}

#[test]
fn a_file_that_cannot_be_written() {
    Case::new()
        .run(["agent", "--write", "nowhere/token"])
        .fails(
            1,
            str![[r#"
zitadel-credential: error: nowhere/token: token not written: there is no directory nowhere
  hint: create it, or choose another directory

"#]],
        );
}

#[test]
fn a_key_that_can_be_read_only_once() {
    let case = Case::new();
    let mut command = case.world.home.command("bash");
    let script = "exec $ZITADEL agent --write token --key-file <(cat key.json)";
    command
        .args(["-c", script])
        .env("ZITADEL", crate::support::binary());
    case.end(Command::from(command)).fails(
        2,
        str![[r#"
zitadel-credential: error: key file /dev/fd/63: a pipe can be read only once
  hint: name a regular file, or set a command in the profile: the agent reads it for each token

"#]],
    );
    assert_eq!(case.requests(), 0);
}

#[test]
fn two_unwritable_files_and_a_busy_issuer() {
    let case = Case::new();
    let paths = ["--write", "nowhere/a", "--write", "."];
    case.run([&["agent", "--once"], &paths[..]].concat())
        .fails(1, str![[r#"
zitadel-credential: warning: .: token not written: not a regular file (give a file's name, in a directory that you can write to)
zitadel-credential: error: nowhere/a: token not written: there is no directory nowhere
  hint: create it, or choose another directory

"#]]);
    case.world
        .issuer
        .fault(Endpoint::Token, Fault::rate_limit(), Times::Forever);
    case.run(["agent", "--once", "--write", "token", "--refresh"])
        .fails(
            75,
            str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: HTTP 429: rate limit exceeded
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: try again in a minute: there were too many requests from here, a quota is exhausted, or the instance is blocked

"#]],
        );
}
