//! `key-command`.

use snapbox::str;

use super::profile;

#[test]
fn a_missing_command() {
    profile(
        r#"key-command = ["no-such-vault", "read"]"#,
        2,
        str![[r#"
zitadel-credential: error: key-command no-such-vault: not found in any absolute directory of PATH
  hint: set key-command to a list of a program on PATH and its arguments, each a string of its own

"#]],
    );
    profile(
        "key-command = []",
        2,
        str![[r#"
zitadel-credential: error: key-command names no program
  hint: set key-command to a list of a program on PATH and its arguments, each a string of its own

"#]],
    );
}

#[test]
fn a_command_that_ends_badly() {
    profile(
        r#"key-command = ["false"]"#,
        1,
        str![[r#"
zitadel-credential: error: key-command false: failed with exit status: 1
  hint: run the command by hand: it must print only the key, and exit with 0

"#]],
    );
    let killed = r#"key-command = ["sh", "-c", "kill -9 $$"]"#;
    profile(
        killed,
        1,
        str![[r#"
zitadel-credential: error: key-command sh: failed with signal: 9 (SIGKILL)
  hint: run the command by hand: it must print only the key, and exit with 0

"#]],
    );
}

/// The command's own stderr is shown to the user, who may see it.
#[test]
fn a_command_that_says_why() {
    let said = r#"key-command = ["sh", "-c", "echo vault: sealed >&2; exit 3"]"#;
    profile(
        said,
        1,
        str![[r#"
vault: sealed
zitadel-credential: error: key-command sh: failed with exit status: 3
  hint: run the command by hand: it must print only the key, and exit with 0

"#]],
    );
}

#[test]
fn a_command_that_prints_nothing_or_too_much() {
    profile(
        r#"key-command = ["true"]"#,
        1,
        str![[r#"
zitadel-credential: error: key-command true: printed nothing
  hint: run the command by hand: it must print only the key, and exit with 0

"#]],
    );
    profile(
        r#"key-command = ["yes"]"#,
        1,
        str![[r#"
zitadel-credential: error: key-command yes: larger than 65536 bytes
  hint: run the command by hand: it must print only the key, and exit with 0

"#]],
    );
}

#[test]
fn a_command_that_hangs() {
    profile(
        r#"key-command = ["sleep", "100"]"#,
        75,
        str![[r#"
zitadel-credential: error: key-command sleep: not complete within 1 s
  hint: run the command by hand: it may be waiting for input or an unlock
  hint: give it more time with --timeout

"#]],
    );
    let closed = r#"key-command = ["sh", "-c", "exec >&-; exec sleep 100"]"#;
    profile(
        closed,
        75,
        str![[r#"
zitadel-credential: error: key-command sh: it did not end within 1 s
  hint: run the command by hand: it may be waiting for input or an unlock
  hint: give it more time with --timeout

"#]],
    );
}
