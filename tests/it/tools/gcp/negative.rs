//! Google's clients: a response without a token for an unsupported type.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use serde_json::Value;

use crate::negative::Bait;
use crate::support::issuer::TokenKind;

const TYPE: &str = "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE";
const INTERACTIVE: &str = "GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE";

#[track_caller]
fn refused(bait: &Bait, variables: &[(&str, &OsStr)], what: &str) {
    let call = bait.call(&["gcp"], variables, b"");
    let stdout = String::from_utf8_lossy(&call.output.stdout).into_owned();
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(answer["success"], false, "{what}");
    assert_eq!(answer["code"], "CONFIGURATION", "{what}");
    assert!(stdout.contains("\\n  hint: "), "{what}: {stdout}");
    call.gets_nothing_but(0, &stdout, what).silently();
}

#[test]
fn a_request_gets_the_token_for_any_audience() {
    let bait = Bait::with(TokenKind::Jwt);
    for audience in ["//iam.googleapis.com/x", "https://evil.test", "", "\u{1b}"] {
        let audience = [("GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", OsStr::new(audience))];
        bait.call(&["gcp"], &audience, b"")
            .gets_the_token("an audience");
    }
}

#[test]
fn a_type_other_than_jwt_gets_nothing() {
    let bait = Bait::with(TokenKind::Jwt);
    let large = "x".repeat(100 * 1024);
    for wanted in [
        "",
        "jwt",
        "urn:ietf:params:oauth:token-type:saml2",
        "urn:ietf:params:oauth:token-type:access_token",
        "urn:ietf:params:aws:token-type:aws4_request",
        "urn:ietf:params:oauth:token-type:jwt ",
        "\u{1b}[31m",
        &large,
    ] {
        refused(&bait, &[(TYPE, OsStr::new(wanted))], "a type");
    }
    refused(&bait, &[(TYPE, OsStr::from_bytes(b"\xff"))], "no UTF-8");
}

#[test]
fn a_user_at_a_terminal_is_shown_no_token() {
    let bait = Bait::with(TokenKind::Jwt);
    let on = (INTERACTIVE, OsStr::new("1"));
    refused(&bait, &[on], "no file");
    let empty = ("GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE", OsStr::new(""));
    refused(&bait, &[on, empty], "an empty name");
}
