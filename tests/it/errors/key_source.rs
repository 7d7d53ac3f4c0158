//! All errors of a missing key, as the user reads them. None of them causes a request to
//! the issuer.

mod command;

use std::fs;
use std::os::unix::fs::symlink;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use snapbox::{Data, str};

use crate::support::{Case, Run};

/// Runs `token` with these lines in its profile.
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
  hint: set --key-file, ZITADEL_CREDENTIAL_KEY_FILE or the profile's key-file to a file that you can read

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
  hint: set --key-file, ZITADEL_CREDENTIAL_KEY_FILE or the profile's key-file to a file that you can read

"#]],
    );
}

/// The link is unreadable even for root.
#[test]
fn a_link_to_itself() {
    let case = Case::new();
    fs::remove_file(&case.world.key_file).unwrap();
    symlink("key.json", &case.world.key_file).unwrap();
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: key file [HOME]/key.json: too many levels of symbolic links
  hint: set --key-file, ZITADEL_CREDENTIAL_KEY_FILE or the profile's key-file to a file that you can read

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
  hint: check the program that writes to this pipe
  hint: give it more time with --timeout

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
zitadel-credential: error: key file key.pem: a bare PEM key without its key ID and user ID
  hint: give --key-id and --user-id, or set key-id and user-id in the profile: ZITADEL shows both on the service user's page

"#]],
    );
    case_with(&["--key-id", &case.world.user.key_id]).fails(
        2,
        str![[r#"
zitadel-credential: error: key file key.pem: a bare PEM key without its key ID and user ID
  hint: give --key-id and --user-id, or set key-id and user-id in the profile: ZITADEL shows both on the service user's page

"#]],
    );
    assert_eq!(case.requests(), 0);
}

#[test]
fn ids_that_disagree() {
    let case = Case::new();
    case.run(["token", "--key-id", "7"]).fails(2, str![[r#"
zitadel-credential: error: key file [HOME]/key.json: keyId is [KEY_ID] in the key file, but 7 was given
  hint: remove --key-id and --user-id: a key file contains both IDs

"#]]);
    case.run(["token", "--key-id", "7", "--user-id", "8"])
        .fails(2, str![[r#"
zitadel-credential: error: key file [HOME]/key.json: keyId is [KEY_ID] in the key file, but 7 was given
  with: key ID 7, user ID 8, issuer [ISSUER]
  hint: remove --key-id and --user-id: a key file contains both IDs

"#]]);
    case.run(["token", "--key-id", "../7"]).fails(
        2,
        str![[r#"
zitadel-credential: error: invalid key ID: "../7"
  hint: use the ID that ZITADEL shows beside the key or the user: a long number

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
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY_FILE and ZITADEL_CREDENTIAL_KEY are both set
  hint: leave one of them out: a call has one key, or one other source of tokens

"#]],
    );
    case.profile("key-file = \"~/key.json\"\nkey-command = [\"cat\", \"key.json\"]");
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: profile test: key-file and key-command are both set
  hint: remove one of them: a profile has one key, or one other source of tokens

"#]]);
    assert_eq!(case.requests(), 0);
}

/// This happens if a CI system's secret is mapped to the wrong variable.
#[test]
fn a_key_in_place_of_its_files_name() {
    let case = Case::new();
    let (json, pem) = (case.world.user.key_json(), case.world.user.pkcs1_pem());
    case.run(["token", "--key-file", &pem]).fails(
        2,
        str![[r#"
zitadel-credential: error: unexpected argument '[…]
  hint: usage: zitadel-credential token [OPTIONS]
  hint: run zitadel-credential token -h for the options

"#]],
    );
    let joined = format!("--key-file={pem}");
    case.run(["token", &joined]).fails(2, str![[r#"
zitadel-credential: error: --key-file must be a path, but looks like a private key
  hint: give the path of the key file, or set ZITADEL_CREDENTIAL_KEY to the key, from a secret of your CI system

"#]]);
    let base64 = BASE64_STANDARD.encode(&json);
    case.guard(&base64);
    for key in [json, base64] {
        let mut command = case.world.zitadel(["token"]);
        command.env("ZITADEL_CREDENTIAL_KEY_FILE", key);
        case.end(command).fails(2, str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY_FILE must be a path, but looks like a private key
  hint: give the path of the key file, or set ZITADEL_CREDENTIAL_KEY to the key, from a secret of your CI system

"#]]);
    }
    case.profile(&format!("key-file = '''{pem}'''"));
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: profile test: key-file must be a path, but looks like a private key
  hint: give the path of the key file, or set ZITADEL_CREDENTIAL_KEY to the key, from a secret of your CI system

"#]]);
}

#[test]
fn another_secret_in_place_of_its_files_path() {
    let case = Case::new();
    let token = "{\"access_token\": \"c2VjcmV0\"}";
    case.run(["token", &format!("--token-file={token}")]).fails(
        2,
        str![[r#"
zitadel-credential: error: --token-file must be a path, but looks like a token
  hint: write the token into a file that only you can read, and give the path of that file

"#]],
    );
    let mut command = case.world.zitadel(["token"]);
    command.env("ZITADEL_CREDENTIAL_TOKEN_FILE", token);
    case.end(command).fails(
        2,
        str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_TOKEN_FILE must be a path, but looks like a token
  hint: write the token into a file that only you can read, and give the path of that file

"#]],
    );
    case.run(["token", "--client-secret-file", "s3cret\n"]).fails(2, str![[r#"
zitadel-credential: error: --client-secret-file must be a path, but looks like a client secret
  hint: give the path of the secret's file, or set ZITADEL_CREDENTIAL_CLIENT_SECRET to the secret, from a secret of your CI system

"#]]);
    case.run(["token", "--cache-dir", "a\nb"]).fails(
        2,
        str![[r#"
zitadel-credential: error: --cache-dir must be a path, but looks like the content of a file
  hint: give the path: the content is neither read nor shown here

"#]],
    );
    let pem = case.world.user.public_pem();
    case.profile(&format!(
        "sign-command = [\"true\"]\npublic-key-file = '''{pem}'''"
    ));
    case.run(["token"]).fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: profile test: public-key-file must be a path, but looks like a public key
  hint: give the path: the content is neither read nor shown here

"#]]);
}

/// Errors about these settings quote them.
#[test]
fn a_key_in_place_of_another_setting() {
    let case = Case::new();
    let pem = case.world.user.pkcs8_pem();
    // With a slash it is not an ID of any kind, and with one at its end not a file's
    // name.
    let is_path = |line: &&str| line.contains('/') && !line.ends_with('/');
    let body = pem.lines().find(is_path).unwrap();
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
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let mut command = case.world.zitadel(["token"]);
    command.env("ZITADEL_CREDENTIAL_CA_FILE", certificate);
    case.end(command).fails(
        2,
        str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_CA_FILE must be a path, but is a certificate itself
  hint: write the certificate into a file, and give the path of that file

"#]],
    );
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
    // A name of more than 255 bytes before the first slash would cause another error.
    let pasted = pem.replacen('M', "M/", 1);
    case.profile(&format!("key-command = ['''{pasted}''']"));
    case.run(["token"]).fails(
        2,
        str![[r#"
zitadel-credential: error: key-command [HOME]/.config/zitadel-credential/[…]: no such file or directory
  hint: set key-command to a list of a program on PATH and its arguments, each a string of its own

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
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY: neither JSON nor PEM (line 1, column 1)
  hint: in ZITADEL open the service user, choose Keys, New, JSON, and download the file

"#]],
    );
}

/// This happens if the other variable was meant.
#[test]
fn another_thing_in_the_environments_key() {
    let case = Case::new();
    let in_base64 = BASE64_STANDARD.encode(case.world.user.key_json());
    case.guard(&in_base64);
    for (code, value, said) in [
        (
            1,
            in_base64.as_str(),
            str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY: looks like a key in base64 (line 1, column 1)
  hint: decode it first

"#]],
        ),
        (
            2,
            "/run/secrets/key.json",
            str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY: looks like a path, not like a key (line 1, column 1)
  hint: set ZITADEL_CREDENTIAL_KEY_FILE to a path

"#]],
        ),
        (
            2,
            "/run/secrets/zitadel",
            str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY: looks like a path, not like a key (line 1, column 1)
  hint: set ZITADEL_CREDENTIAL_KEY_FILE to a path

"#]],
        ),
        (
            2,
            "~/zitadel.pem",
            str![[r#"
zitadel-credential: error: ZITADEL_CREDENTIAL_KEY: looks like a path, not like a key (line 1, column 1)
  hint: set ZITADEL_CREDENTIAL_KEY_FILE to a path

"#]],
        ),
    ] {
        let mut command = case.world.zitadel(["token"]);
        command.env("ZITADEL_CREDENTIAL_KEY", value);
        case.end(command).fails(code, said);
    }
}
