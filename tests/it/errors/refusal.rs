//! Explanations of a refusal: the issuer's text, and the local facts.

use serde_json::json;
use snapbox::str;

use crate::support::snapshot::assertions;
use crate::support::{Case, Endpoint, Fault, Response, Version};

#[test]
fn an_unknown_key() {
    for (version, said) in Version::ALL.into_iter().zip([str![[r#"
zitadel-credential: error: the issuer refused the assertion: server_error: Errors.Internal (HTTP 500)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key
  hint: check that neither the user nor the key was removed, and that both are of the instance [ISSUER] and not of another instance
  hint: check the clocks; if everything is right, try again later and read ZITADEL's log: ZITADEL gives the same answer for an internal error, such as a database that is down or read-only

"#]], str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_request: Errors.AuthNKey.NotFound (HTTP 404)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key

"#]], str![[r#"
zitadel-credential: error: the issuer refused the assertion: server_error: Errors.Internal (HTTP 500)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key
  hint: check that neither the user nor the key was removed, and that both are of the instance [ISSUER] and not of another instance
  hint: check the clocks; if everything is right, try again later and read ZITADEL's log: ZITADEL gives the same answer for an internal error, such as a database that is down or read-only

"#]], str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key
  hint: check that neither the user nor the key was removed, and that both are of the instance [ISSUER] and not of another instance
  hint: check the clocks; if everything is right, try again later and read ZITADEL's log: ZITADEL gives the same answer for an internal error, such as a database that is down or read-only

"#]], str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key
  hint: check that neither the user nor the key was removed, and that both are of the instance [ISSUER] and not of another instance
  hint: check the clocks; if everything is right, try again later and read ZITADEL's log: ZITADEL gives the same answer for an internal error, such as a database that is down or read-only

"#]], str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key
  hint: check that neither the user nor the key was removed, and that both are of the instance [ISSUER] and not of another instance
  hint: check the clocks; if everything is right, try again later and read ZITADEL's log: ZITADEL gives the same answer for an internal error, such as a database that is down or read-only

"#]]]) {
        let case = Case::new();
        case.world.issuer.set_version(version);
        case.world.issuer.remove_key(&case.world.user.key_id);
        case.run(["token"]).fails(1, said);
        // A 500 may be an internal error of the issuer.
        let is_500 = matches!(version, Version::Older | Version::V2025);
        let tries = if is_500 { 2 } else { 1 };
        assert_eq!(case.world.issuer.token_requests(), tries, "{version:?}");
    }
}

#[test]
fn a_deactivated_user() {
    for (version, said) in Version::ALL.into_iter().zip([str![], str![], str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_request: Errors.User.NotActive (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key

"#]], str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_request: Errors.User.NotActive (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key

"#]], str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_request: Errors.User.NotActive (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key

"#]], str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_request: Errors.User.NotActive (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key

"#]]]) {
        let case = Case::new();
        case.world.issuer.set_version(version);
        case.world.issuer.deactivate(&case.world.user.user_id);
        let call = case.run(["token"]);
        if version.refuses_inactive_users() {
            call.fails(1, said);
        } else {
            call.gives_a_token(said);
        }
    }
}

#[test]
fn a_key_with_a_date_is_refused() {
    let case = Case::new();
    let file = case.world.user.key_json_expiring("2099-01-01T00:00:00Z");
    case.world.home.write("key.json", file);
    case.world.issuer.expire_key(&case.world.user.key_id);
    case.run(["token"]).fails(1, str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file says that the key is valid until 2099-01-01T00:00:00Z
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key
  hint: check that neither the user nor the key was removed, and that both are of the instance [ISSUER] and not of another instance
  hint: check the clocks; if everything is right, try again later and read ZITADEL's log: ZITADEL gives the same answer for an internal error, such as a database that is down or read-only

"#]]);
}

#[test]
fn a_wrong_clock_is_reported_and_corrected() {
    for version in Version::ALL {
        for (seconds, said) in [
            (
                -90,
                str![[r#"
zitadel-credential: warning: the local clock is [OFFSET] ahead of the issuer's: synchronize it (NTP)

"#]],
            ),
            (
                -7200,
                str![[r#"
zitadel-credential: warning: the local clock is [OFFSET] ahead of the issuer's: synchronize it (NTP)

"#]],
            ),
            (
                7200,
                str![[r#"
zitadel-credential: warning: the local clock is [OFFSET] behind the issuer's: synchronize it (NTP)

"#]],
            ),
        ] {
            let case = Case::new();
            case.world.issuer.set_version(version);
            case.set_clock(seconds);
            case.run(["token"]).gives_a_token(said);
            assert_eq!(assertions(&case.world.issuer).len(), 2);
        }
    }
    let case = Case::new();
    case.world.issuer.set_date_offset(90);
    case.run(["token"]).gives_a_token("");
    assert_eq!(assertions(&case.world.issuer).len(), 1);
}

#[test]
fn a_clock_that_is_off_and_an_unknown_key() {
    let case = Case::new();
    case.set_clock(7200);
    case.world.issuer.remove_key(&case.world.user.key_id);
    case.run(["token"]).fails(1, str![[r#"
zitadel-credential: warning: the local clock is [OFFSET] behind the issuer's: synchronize it (NTP)
zitadel-credential: error: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the local clock is [OFFSET] behind the issuer's: synchronize it (NTP)
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key
  hint: check that neither the user nor the key was removed, and that both are of the instance [ISSUER] and not of another instance
  hint: check the clocks; if everything is right, try again later and read ZITADEL's log: ZITADEL gives the same answer for an internal error, such as a database that is down or read-only

"#]]);
}

#[test]
fn a_refusal_that_echoes_the_assertion() {
    let case = Case::new();
    let user = &case.world.user;
    let assertion = crate::support::exchange::assertion(user, &case.world.issuer);
    case.guard(&assertion);
    let echo = json!({
        "error": "invalid_grant\u{1b}]0;owned\u{7}",
        "error_description": format!("cannot parse \u{1b}[31m{assertion}\nerror: all is well\r\u{202e}"),
    });
    let fault = Fault::Answer(Response::json(400, &echo));
    case.world.issuer.fault(Endpoint::Token, fault, 1);
    case.run(["token"]).fails(1, str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_grant\u{1b}]0;owned\u{7}: cannot parse \u{1b}[[…].[…].[…]\nerror: all is well\r\u{202e} (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key

"#]]);
}
