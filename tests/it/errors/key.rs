//! All errors of a file without a key, as the user reads them. None of them causes a
//! request to the issuer.

use rcgen::KeyPair;
use serde_json::{Value, json};
use snapbox::{Data, str};

use crate::support::{Case, ServiceUser};

/// Runs `token` with this content of the key file.
#[track_caller]
fn key_file(contents: impl AsRef<[u8]>, code: i32, stderr: impl Into<Data>) {
    let case = Case::with_key_file(contents);
    case.run(["token"]).fails(code, stderr);
    assert_eq!(case.requests(), 0);
}

/// Runs `token` with one field of the key file changed, or removed by null.
#[track_caller]
fn field(name: &str, value: Value, code: i32, stderr: impl Into<Data>) {
    let case = Case::new();
    let mut file: Value = serde_json::from_str(&case.world.user.key_json()).unwrap();
    file[name] = value;
    case.world.home.write("key.json", file.to_string());
    case.run(["token"]).fails(code, stderr);
    assert_eq!(case.requests(), 0);
}

#[test]
fn an_empty_file() {
    key_file(
        "\n",
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: empty
  hint: in ZITADEL open the service user, choose Keys, New, JSON, and download the file

"#]],
    );
}

#[test]
fn ten_megabytes() {
    key_file(
        vec![b' '; 10 * 1024 * 1024],
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: larger than 65536 bytes
  hint: name the key file that you downloaded from ZITADEL: it has about 2 KiB

"#]],
    );
}

#[test]
fn neither_json_nor_pem() {
    key_file(
        "TOPSECRET\n",
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: neither JSON nor PEM (line 1, column 1)
  hint: in ZITADEL open the service user, choose Keys, New, JSON, and download the file

"#]],
    );
    key_file(
        [0xff, 0xfe, 0x30],
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: binary data, not text
  hint: use the JSON file from ZITADEL, or PEM; DER is not supported

"#]],
    );
}

#[test]
fn json_that_is_not_a_key_file() {
    key_file(
        "[]",
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: JSON, but not a key file (line 1, column 2)
  hint: in ZITADEL open the service user, choose Keys, New, JSON, and download the file

"#]],
    );
    key_file(
        r#"{"key": 5}"#,
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: JSON, but not a key file (line 1, column 9)
  hint: in ZITADEL open the service user, choose Keys, New, JSON, and download the file

"#]],
    );
}

#[test]
fn json_that_is_cut_off_or_unescaped() {
    let case = Case::new();
    let whole = case.world.user.key_json();
    case.world.home.write("key.json", &whole[..1000]);
    case.run(["token"]).fails(
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: truncated JSON (line 1, column 1000)
  hint: use the downloaded file unchanged; if it is lost, create a new key in ZITADEL

"#]],
    );
    // A shell makes this of the variable's
    // .
    let unescaped = whole.replace("\\n", "\n");
    case.world.home.write("key.json", unescaped);
    case.run(["token"]).fails(
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: invalid JSON (line 2, column 0)
  hint: use the downloaded file unchanged; if it is lost, create a new key in ZITADEL

"#]],
    );
}

#[test]
fn an_application_key() {
    let case = Case::new();
    let application = case.world.user.application_key_json();
    case.world.home.write("key.json", application);
    case.run(["token"]).fails(1, str![[r#"
zitadel-credential: error: key file [HOME]/key.json: an application's key, not a service user's
  hint: in ZITADEL open the service user, choose Keys, New, JSON, and download the file: an application key authenticates an API or a client, not a user

"#]]);
    assert_eq!(case.requests(), 0);
}

#[test]
fn another_type() {
    field(
        "type",
        json!("user"),
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: type is "user", not "serviceaccount"
  hint: in ZITADEL open the service user, choose Keys, New, JSON, and download the file

"#]],
    );
}

#[test]
fn no_key_id() {
    field(
        "keyId",
        Value::Null,
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: keyId is missing
  hint: in ZITADEL open the service user, choose Keys, New, JSON, and download the file

"#]],
    );
}

#[test]
fn no_user_id() {
    field(
        "userId",
        Value::Null,
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: userId is missing
  hint: in ZITADEL open the service user, choose Keys, New, JSON, and download the file

"#]],
    );
}

#[test]
fn no_key() {
    field(
        "key",
        Value::Null,
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: key is missing
  hint: in ZITADEL open the service user, choose Keys, New, JSON, and download the file

"#]],
    );
}

#[test]
fn an_id_that_would_be_a_path() {
    field(
        "keyId",
        json!("../../etc/\u{1b}[31m"),
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: invalid keyId: "../../etc/\u{1b}[31m"
  hint: in ZITADEL open the service user, choose Keys, New, JSON, and download the file

"#]],
    );
}

#[test]
fn a_key_that_is_not_pem() {
    field(
        "key",
        json!("TOPSECRET"),
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: the key is not a valid PEM private key
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: use an RSA key in PEM, PKCS#1 or PKCS#8, without a passphrase

"#]],
    );
    let garbage = "-----BEGIN RSA PRIVATE KEY-----\n!!!\n-----END RSA PRIVATE KEY-----\n";
    field(
        "key",
        json!(garbage),
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: the key is not a valid PEM private key
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: use an RSA key in PEM, PKCS#1 or PKCS#8, without a passphrase

"#]],
    );
    let noise = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    field(
        "key",
        json!(noise),
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: the key cannot sign: the PEM is damaged
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: use an RSA key of 2048 to 4096 bits: create one in ZITADEL with the service user's Keys, New, JSON

"#]],
    );
}

#[test]
fn a_public_key() {
    let public = ServiceUser::new().public_pem();
    field(
        "key",
        json!(public),
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: the key is a public key, which cannot sign
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: use the private key that belongs to it, or the JSON file from ZITADEL

"#]],
    );
    let case = Case::new();
    case.world.home.write("key.json", public);
    case.run(["token"]).fails(
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: the key is a public key, which cannot sign
  hint: use the private key that belongs to it, or the JSON file from ZITADEL

"#]],
    );
}

#[test]
fn other_text_pasted_as_a_key() {
    let jwt = format!("eyJ{0}.eyJ{0}.{0}", "aB3_-".repeat(20));
    let personal = "dEnGhIFs3VnqcQU5D2zRSeiarB1nwH6goIKY0J8MWZbsnWcTuu1C59lW9DgCq1y096GYdXA";
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let ssh = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    for (pasted, said) in [
        (&*jwt, "looks like a token (a JWT), not like a key"),
        (
            personal,
            "looks like a token, perhaps a personal access token",
        ),
        (locked, "the private key has a passphrase"),
        (certificate, "the PEM is a certificate, not a private key"),
        (ssh, "the key is one of SSH"),
    ] {
        let case = Case::new();
        case.world.home.write("key.json", pasted);
        let output = case.world.zitadel(["token"]).run();
        assert_eq!(output.status.code(), Some(1), "{said}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.contains(said) && stderr.contains("hint: "),
            "{stderr}"
        );
        assert_eq!(case.requests(), 0);
    }
}

#[test]
fn an_rsa_key_that_is_too_short() {
    let short = ServiceUser::with_bits(1024).pkcs1_pem();
    field(
        "key",
        json!(short),
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: the key cannot sign: it has fewer than 2048 bits
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: use an RSA key of 2048 to 4096 bits: create one in ZITADEL with the service user's Keys, New, JSON

"#]],
    );
}

#[test]
fn an_ec_key() {
    let pkcs8 = KeyPair::generate().unwrap().serialize_pem();
    field(
        "key",
        json!(pkcs8),
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: the key cannot sign: it is not an RSA key
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: use an RSA key of 2048 to 4096 bits: create one in ZITADEL with the service user's Keys, New, JSON

"#]],
    );
    let sec1 = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
    field(
        "key",
        json!(sec1),
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: the key cannot sign: it is not an RSA key
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: use an RSA key of 2048 to 4096 bits: create one in ZITADEL with the service user's Keys, New, JSON

"#]],
    );
}

#[test]
fn an_expired_key() {
    field(
        "expirationDate",
        json!("2020-01-01T00:00:00Z"),
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: the key expired at 2020-01-01T00:00:00Z
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the local clock says [..]
  hint: create a new key in ZITADEL (the service user's Keys, New, JSON) and replace the key file

"#]],
    );
}

#[test]
fn an_invalid_date() {
    field(
        "expirationDate",
        json!("soon"),
        1,
        str![[r#"
zitadel-credential: error: key file [HOME]/key.json: invalid expirationDate: "soon"
  hint: write expirationDate like 2027-01-01T00:00:00Z

"#]],
    );
}

#[test]
fn a_key_that_expires_soon_is_used_with_a_warning() {
    let case = Case::new();
    let tomorrow = crate::support::exchange::now() + 86_400;
    let date = time::OffsetDateTime::from_unix_timestamp(tomorrow).unwrap();
    let rfc3339 = time::format_description::well_known::Rfc3339;
    let date = date.format(&rfc3339).unwrap();
    let file = case.world.user.key_json_expiring(&date);
    case.hide("[TOMORROW]", date);
    case.world.home.write("key.json", file);
    case.run(["token"]).gives_a_token(str![[r#"
zitadel-credential: warning: key file [HOME]/key.json: the key expires at [TOMORROW]: run zitadel-credential key rotate before then

"#]]);
}

#[test]
fn keys_of_every_size_and_form_work() {
    for bits in [3072, 4096] {
        let case = Case::new();
        let user = ServiceUser::with_bits(bits);
        case.world.issuer.register(&user);
        case.world.home.write("key.json", user.key_json());
        case.run(["token"]).gives_a_token("");
    }
    let case = Case::new();
    case.world
        .home
        .write("key.pem", case.world.user.pkcs8_pem());
    let (key_id, user_id) = (&case.world.user.key_id, &case.world.user.user_id);
    case.run(["token", "--key-file", "key.pem"].iter().chain(&[
        "--key-id",
        key_id,
        "--user-id",
        user_id,
    ]))
    .gives_a_token("");
}
