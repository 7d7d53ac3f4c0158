//! Refusals of Go's helper and its setup, with their reasons.

use std::fs;

use snapbox::str;

use crate::errors::{refused, ruled};
use crate::support::Case;

#[test]
fn go_goes_on_without_a_host_whose_token_is_refused() {
    let case = refused();
    case.world.allow("go.acme.test");
    case.ask(["go"], "").answers(0, "", str![[r#"
zitadel-credential: warning: no token for git.acme.test, go.acme.test: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)

"#]]);
}

#[test]
fn a_too_large_response_of_go_is_an_error() {
    let response = format!("HTTP/1.1 404 {}\n\n", "x".repeat(65536));
    ruled()
        .ask(["go", "https://git.acme.test/x"], &response)
        .fails(
            2,
            str![[r#"
zitadel-credential: error: Go's response on stdin is larger than 65536 bytes
  hint: add </dev/null to call this by hand

"#]],
        );
}

#[test]
fn unreadable_settings_of_go() {
    let case = Case::new();
    fs::create_dir_all(case.world.home.path().join(".config/go/env")).unwrap();
    case.run(["setup", "go", "a.dev"]).fails(
        2,
        str![[r#"
zitadel-credential: error: [HOME]/.config/go/env: is a directory
  hint: Go cannot read it either: correct it by hand

"#]],
    );
}
