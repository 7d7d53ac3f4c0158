//! Every way in which a key is not to be had from where it should be, as a
//! person reads it. None of them costs the issuer a request.

use std::fs;
use std::os::unix::fs::symlink;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use snapbox::{Data, str};

use crate::support::{Case, Run};

/// `token` with this in its profile.
#[track_caller]
fn profile(lines: &str, code: i32, stderr: impl Into<Data>) {
    let case = Case::with_profile(lines);
    case.run(["token", "--timeout", "1"])
        .fails(code, stderr)
        .soon();
    assert_eq!(case.requests(), 0);
}

#[test]
fn no_such_file() {
    let case = Case::new();
    fs::remove_file(&case.world.key_file).unwrap();
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: key file [HOME]/key.json: no such file or directory
  hint: --key-file, ZITADEL_CREDENTIAL_KEY_FILE or the profile's key-file must name a file that you can read

"#]]);
    assert_eq!(case.requests(), 0);
}

#[test]
fn a_directory() {
    profile(
        "key-file = \"~/\"",
        2,
        str![[r#"
zitadel-credential: error: key file [HOME]/: is a directory
  hint: --key-file, ZITADEL_CREDENTIAL_KEY_FILE or the profile's key-file must name a file that you can read

"#]],
    );
}

/// Unreadable for root as well.
#[test]
fn a_link_to_itself() {
    let case = Case::new();
    fs::remove_file(&case.world.key_file).unwrap();
    symlink("key.json", &case.world.key_file).unwrap();
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: key file [HOME]/key.json: too many levels of symbolic links
  hint: --key-file, ZITADEL_CREDENTIAL_KEY_FILE or the profile's key-file must name a file that you can read

"#]]);
}

#[test]
fn a_fifo_that_nobody_writes_to() {
    let case = Case::new();
    fs::remove_file(&case.world.key_file).unwrap();
    let mut mkfifo = case.world.home.command("mkfifo");
    assert!(mkfifo.arg("key.json").run().status.success());
    case.run(["token", "--timeout", "1"])
        .fails(
            75,
            str![[r#"
zitadel-credential: error: key file [HOME]/key.json: not complete within 1 s
  hint: it is a pipe: see what should write to it; --timeout waits longer

"#]],
        )
        .soon();
    assert_eq!(case.requests(), 0);
}

#[test]
fn a_bare_pem_without_ids() {
    let case = Case::new();
    case.world
        .home
        .write("key.pem", case.world.user.pkcs8_pem());
    let case_with = |more: &[&str]| {
        let arguments = ["token", "--key-file", "key.pem"].iter().chain(more);
        case.run(arguments)
    };
    case_with(&[]).fails(
        2,
        str![[r#"
zitadel-credential: error: key file key.pem: it is a bare PEM, which does not say whose key it is
  hint: give --key-id and --user-id too, or key-id and user-id in the profile: ZITADEL shows both at the service user

"#]],
    );
    case_with(&["--key-id", &case.world.user.key_id]).fails(
        2,
        str![[r#"
zitadel-credential: error: key file key.pem: it is a bare PEM, which does not say whose key it is
  hint: give --key-id and --user-id too, or key-id and user-id in the profile: ZITADEL shows both at the service user

"#]],
    );
    assert_eq!(case.requests(), 0);
}

#[test]
fn ids_that_disagree() {
    let case = Case::new();
    case.run(["token", "--key-id", "7"]).fails(2, str![[r#"
zitadel-credential: error: key file [HOME]/key.json: its keyId is [KEY_ID], but 7 was given beside it
  hint: leave --key-id and --user-id out: a key file names both itself

"#]]);
    case.run(["token", "--key-id", "7", "--user-id", "8"])
        .fails(2, str![[r#"
zitadel-credential: error: key file [HOME]/key.json: its keyId is [KEY_ID], but 7 was given beside it
  with: key ID 7, user ID 8, issuer [ISSUER]
  hint: leave --key-id and --user-id out: a key file names both itself

"#]]);
    case.run(["token", "--key-id", "../7"]).fails(
        2,
        str![[r#"
zitadel-credential: error: the key ID "../7" is not an id of ZITADEL's
  hint: ids are the long numbers that ZITADEL shows beside the key and the user

"#]],
    );
    assert_eq!(case.requests(), 0);
}

#[test]
fn a_key_in_two_places() {
    let case = Case::new();
    let mut command = case.world.zitadel(["token"]);
    command
        .env("ZITADEL_CREDENTIAL_KEY", case.world.user.key_json())
        .env("ZITADEL_CREDENTIAL_KEY_FILE", "key.json");
    case.end(command).fails(
        2,
        str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY and ZITADEL_CREDENTIAL_KEY_FILE are both set
  hint: unset one: they are two places for the same key

"#]],
    );
    case.profile("key-file = \"~/key.json\"\nkey-command = [\"cat\", \"key.json\"]");
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: profile test: key-file and key-command are both set
  hint: keep one: they are two places for the same key

"#]]);
    assert_eq!(case.requests(), 0);
}

/// As it happens where a CI system's secret is mapped to the wrong variable.
#[test]
fn a_key_in_place_of_its_files_name() {
    let case = Case::new();
    let (json, pem) = (case.world.user.key_json(), case.world.user.pkcs1_pem());
    case.run(["token", "--key-file", &pem]).fails(
        2,
        str![[r#"
error: unexpected argument '[…]

"#]],
    );
    let joined = format!("--key-file={pem}");
    case.run(["token", &joined]).fails(2, str![[r#"
zitadel-credential: error: --key-file looks like a key itself, not like a path
  hint: name the file; a key itself goes into ZITADEL_CREDENTIAL_KEY, from a secret of your CI system

"#]]);
    let base64 = BASE64_STANDARD.encode(&json);
    case.guard(&base64);
    for key in [json, base64] {
        let mut command = case.world.zitadel(["token"]);
        command.env("ZITADEL_CREDENTIAL_KEY_FILE", key);
        case.end(command).fails(2, str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY_FILE looks like a key itself, not like a path
  hint: name the file; a key itself goes into ZITADEL_CREDENTIAL_KEY, from a secret of your CI system

"#]]);
    }
    case.profile(&format!("key-file = '''{pem}'''"));
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: profile test: key-file looks like a key itself, not like a path
  hint: name the file; a key itself goes into ZITADEL_CREDENTIAL_KEY, from a secret of your CI system

"#]]);
}

/// Settings that are quoted when they are wrong.
#[test]
fn a_key_in_place_of_another_setting() {
    let case = Case::new();
    let pem = case.world.user.pkcs8_pem();
    // One with a slash is no id of any kind.
    let body = pem.lines().find(|line| line.contains('/')).unwrap();
    for flag in [
        "--issuer",
        "--key-id",
        "--user-id",
        "--profile",
        "--project",
        "--timeout",
        "--host",
    ] {
        for text in [&*pem, body] {
            let call = case.run(["token", &format!("{flag}={text}")]);
            assert_eq!(call.code, Some(2), "{flag}");
        }
    }
    for flag in ["--config", "--ca-file", "--cache-dir"] {
        let call = case.run(["token", &format!("{flag}={pem}")]);
        assert_eq!(call.code, Some(2), "{flag}");
    }
    for arguments in [
        ["token".to_owned(), format!("--write=/nowhere/{body}")],
        ["token".to_owned(), format!("--write={pem}")],
    ] {
        let call = case.run(arguments);
        assert_eq!(call.code, Some(1), "a token that cannot be written");
    }
    let call = case.run(["exec", "--env", &pem, "--", "true"]);
    assert_eq!(call.code, Some(2));
    let call = case.run(["exec", "--", &pem]);
    assert_eq!(call.code, Some(2));
    case.profile(&format!("key-file = \"~/key.json\"\nca-file = '''{pem}'''"));
    let call = case.run(["token"]);
    assert_eq!(call.code, Some(2));
    case.profile(&format!("key-command = ['''{pem}''']"));
    case.run(["token"]).fails(
        2,
        str![[r#"
zitadel-credential: error: key-command […]: [..]
  hint: key-command is a list: a program on PATH, then its arguments, each on its own

"#]],
    );
}

#[test]
fn the_environments_key_is_named_and_not_shown() {
    let case = Case::new();
    let mut command = case.world.zitadel(["token"]);
    let cut = case.world.user.key_json().split_off(100);
    command.env("ZITADEL_CREDENTIAL_KEY", cut);
    case.end(command).fails(
        1,
        str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY: it is neither JSON nor PEM (line 1, column 1)
  hint: in ZITADEL open the service user, choose Keys, New, JSON, and download the file

"#]],
    );
}

/// As it happens where the variable next to it was meant.
#[test]
fn another_thing_in_the_environments_key() {
    let case = Case::new();
    let in_base64 = BASE64_STANDARD.encode(case.world.user.key_json());
    case.guard(&in_base64);
    for (value, said) in [
        (
            in_base64.as_str(),
            str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY: it looks like a key in base64 (line 1, column 1)
  hint: decode it first

"#]],
        ),
        (
            "/run/secrets/key.json",
            str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY: it looks like a path (line 1, column 1)
  hint: a path goes into ZITADEL_CREDENTIAL_KEY_FILE

"#]],
        ),
    ] {
        let mut command = case.world.zitadel(["token"]);
        command.env("ZITADEL_CREDENTIAL_KEY", value);
        case.end(command).fails(1, said);
    }
}

#[test]
fn a_command_that_is_not_there() {
    profile(
        r#"key-command = ["no-such-vault", "read"]"#,
        2,
        str![[r#"
zitadel-credential: error: key-command no-such-vault: it is in no absolute directory of PATH
  hint: key-command is a list: a program on PATH, then its arguments, each on its own

"#]],
    );
    profile(
        "key-command = []",
        2,
        str![[r#"
zitadel-credential: error: key-command names no program
  hint: key-command is a list: a program on PATH, then its arguments, each on its own

"#]],
    );
}

#[test]
fn a_command_that_ends_badly() {
    profile(
        r#"key-command = ["false"]"#,
        1,
        str![[r#"
zitadel-credential: error: key-command false: it ended with exit status: 1
  hint: run it by hand: it must print the key and nothing else, and exit 0

"#]],
    );
    let killed = r#"key-command = ["sh", "-c", "kill -9 $$"]"#;
    profile(
        killed,
        1,
        str![[r#"
zitadel-credential: error: key-command sh: it ended with signal: 9 (SIGKILL)
  hint: run it by hand: it must print the key and nothing else, and exit 0

"#]],
    );
}

/// What the command itself says reaches the person; it is theirs.
#[test]
fn a_command_that_says_why() {
    let said = r#"key-command = ["sh", "-c", "echo vault: sealed >&2; exit 3"]"#;
    profile(
        said,
        1,
        str![[r#"
vault: sealed
zitadel-credential: error: key-command sh: it ended with exit status: 3
  hint: run it by hand: it must print the key and nothing else, and exit 0

"#]],
    );
}

#[test]
fn a_command_that_prints_nothing_or_too_much() {
    profile(
        r#"key-command = ["true"]"#,
        1,
        str![[r#"
zitadel-credential: error: key-command true: it printed nothing
  hint: run it by hand: it must print the key and nothing else, and exit 0

"#]],
    );
    profile(
        r#"key-command = ["yes"]"#,
        1,
        str![[r#"
zitadel-credential: error: key-command yes: larger than 65536 bytes
  hint: run it by hand: it must print the key and nothing else, and exit 0

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
  hint: run it by hand: it may wait for somebody to unlock something; --timeout waits longer

"#]],
    );
    let closed = r#"key-command = ["sh", "-c", "exec >&-; exec sleep 100"]"#;
    profile(
        closed,
        75,
        str![[r#"
zitadel-credential: error: key-command sh: it did not end within 1 s
  hint: run it by hand: it may wait for somebody to unlock something; --timeout waits longer

"#]],
    );
}
