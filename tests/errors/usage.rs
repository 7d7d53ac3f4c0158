//! What is misspelt on the command line, and the spelling that it is told.

use snapbox::{Data, str};

use crate::support::Case;

/// The binary with these arguments.
#[track_caller]
fn usage(arguments: &[&str], stderr: impl Into<Data>) {
    let case = Case::new();
    case.run(arguments).fails(2, stderr);
    assert_eq!(case.requests(), 0);
}

/// The binary by the name that a tool calls it by.
#[track_caller]
fn by_name(name: &str, arguments: &[&str], stderr: impl Into<Data>) {
    let case = Case::new();
    let mut command = case.world.home.command(case.world.home.link(name));
    command.args(arguments);
    case.end(assert_cmd::Command::from_std(command))
        .fails(2, stderr);
}

#[test]
fn a_misspelt_command() {
    usage(
        &["tokn"],
        str![[r#"
error: unrecognized subcommand 'tokn'

  tip: a similar subcommand exists: 'token'

Usage: zitadel-credential [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]],
    );
    usage(
        &["cache", "lst"],
        str![[r#"
error: unrecognized subcommand 'lst'

  tip: a similar subcommand exists: 'list'

Usage: zitadel-credential cache <COMMAND>

For more information, try '--help'.

"#]],
    );
    usage(
        &["help", "tokn"],
        str![[r#"
error: unrecognized subcommand 'tokn'

  tip: a similar subcommand exists: 'token'

Usage: zitadel-credential [OPTIONS] <COMMAND>

For more information, try '--help'.

"#]],
    );
    usage(
        &["help", "cache", "lst"],
        str![[r#"
error: unrecognized subcommand 'lst'

  tip: a similar subcommand exists: 'list'

Usage: zitadel-credential cache <COMMAND>

For more information, try '--help'.

"#]],
    );
}

#[test]
fn a_misspelt_option() {
    usage(
        &["--porfile", "prod", "token"],
        str![[r#"
error: unexpected argument '--porfile' found

  tip: a similar argument exists: '--profile'

Usage: zitadel-credential --profile <NAME> <COMMAND>

For more information, try '--help'.

"#]],
    );
    usage(
        &["token", "--outptu", "json"],
        str![[r#"
error: unexpected argument '--outptu' found

  tip: a similar argument exists: '--output'

Usage: zitadel-credential token --output <raw|header|json>

For more information, try '--help'.

"#]],
    );
    usage(
        &["cache", "clear", "--expird"],
        str![[r#"
error: unexpected argument '--expird' found

  tip: a similar argument exists: '--expired'

Usage: zitadel-credential cache clear --expired

For more information, try '--help'.

"#]],
    );
}

#[test]
fn a_misspelt_option_of_a_helper_by_name() {
    by_name(
        "git-credential-zitadel",
        &["--porfile", "ci", "get"],
        str![[r#"
error: unexpected argument '--porfile' found

  tip: a similar argument exists: '--profile'

Usage: zitadel-credential git --profile <NAME> <OPERATION>

For more information, try '--help'.

"#]],
    );
    by_name(
        "docker-credential-zitadel",
        &["--confg", "x", "get"],
        str![[r#"
error: unexpected argument '--confg' found

  tip: a similar argument exists: '--config'

Usage: zitadel-credential docker --config <FILE> <OPERATION>

For more information, try '--help'.

"#]],
    );
}

#[test]
fn a_misspelt_value() {
    usage(
        &["token", "--output", "jsn"],
        str![[r#"
error: invalid value 'jsn' for '--output <raw|header|json>'
  [possible values: raw, header, json]

  tip: a similar value exists: 'json'

For more information, try '--help'.

"#]],
    );
    usage(
        &["completions", "bsh"],
        str![[r#"
error: invalid value 'bsh' for '<SHELL>'
  [possible values: bash, elvish, fish, powershell, zsh]

  tip: a similar value exists: 'bash'

For more information, try '--help'.

"#]],
    );
}

#[test]
fn what_is_missing() {
    usage(
        &["git"],
        str![[r#"
error: the following required arguments were not provided:
  <OPERATION>

Usage: zitadel-credential git <OPERATION>

For more information, try '--help'.

"#]],
    );
    usage(
        &["exec"],
        str![[r#"
error: the following required arguments were not provided:
  <CMD>...

Usage: zitadel-credential exec -- <CMD>...

For more information, try '--help'.

"#]],
    );
    usage(
        &["completions"],
        str![[r#"
error: the following required arguments were not provided:
  <SHELL>

Usage: zitadel-credential completions <SHELL>

For more information, try '--help'.

"#]],
    );
}

#[test]
fn what_is_too_much() {
    usage(
        &["token", "now"],
        str![[r#"
error: unexpected argument 'now' found

Usage: zitadel-credential token [OPTIONS]

For more information, try '--help'.

"#]],
    );
    usage(
        &["token", "--profile"],
        str![[r#"
error: a value is required for '--profile <NAME>' but none was supplied

For more information, try '--help'.

"#]],
    );
}
