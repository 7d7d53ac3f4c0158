//! Issuers that return parts of the request, or a token in a wrong field.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::hunt::Hunt;
use crate::needles::each;
use crate::support::http::{Request, Response};
use crate::support::issuer::{Endpoint, Fault, Times, Version};
use crate::support::side_by_side;

/// Returns the assertion, or the token, of a request.
fn secret_of(request: &Request) -> String {
    let token = request.bearer().map(ToOwned::to_owned);
    token
        .or_else(|| request.form_value("assertion"))
        .unwrap_or_default()
}

/// All encodings in which a server may repeat a text.
const FORMS: &[fn(&str) -> String] = &[
    |secret| secret.to_owned(),
    |secret| format!("the assertion '{secret}' is no good"),
    |secret| each(secret.as_bytes(), |byte| format!("%{byte:02X}")),
    |secret| each(secret.as_bytes(), |byte| format!("\\u{byte:04x}")),
    |secret| each(secret.as_bytes(), |byte| format!("{byte:02x}")),
    |secret| BASE64_STANDARD.encode(secret),
    |secret| BASE64_STANDARD.encode(format!("assertion={secret}")),
    |secret| lines(secret, 64),
    |secret| lines(secret, 28),
    |secret| secret.split('.').skip(1).collect::<Vec<_>>().join(" "),
    |secret| secret.chars().take(60).collect(),
    |secret| {
        secret
            .chars()
            .rev()
            .take(30)
            .collect::<Vec<_>>()
            .iter()
            .rev()
            .collect()
    },
];

fn lines(text: &str, width: usize) -> String {
    let lines = text.as_bytes().chunks(width);
    let lines = lines.map(|line| String::from_utf8_lossy(line).into_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns refusals as JSON, and in the forms of a proxy or a broken server.
fn answers(said: &str) -> Vec<Response> {
    let page = format!("<html><body><pre>{said}</pre></body></html>");
    let oauth = json!({ "error": "invalid_grant", "error_description": said });
    let in_code = json!({ "error": said });
    let by_hand = format!(r#"{{"error":"invalid_grant","error_description":"{said}"}}"#);
    vec![
        Response::json(400, &oauth),
        Response::json(401, &in_code),
        Response::new(400).with_body("application/json", by_hand),
        Response::text(400, said),
        Response::text(500, said),
        Response::new(500).with_body("text/html", page.clone()),
        Response::new(400).with_body("text/plain", page),
        Response::new(400).with_body(&format!("text/{said}").replace('\n', ""), "x"),
        Response::new(302).with_header("Location", format!("/{said}").replace('\n', "")),
        Response::new(200).with_body("text/plain", said),
    ]
}

/// Runs one command with much output, for everything that is echoed.
fn hunt_at(endpoint: Endpoint, words: &str, version: Version) {
    side_by_side(FORMS, |form| {
        let mut hunt = Hunt::new();
        hunt.world.issuer.set_version(version);
        for n in 0..answers("").len() {
            let answer =
                move |request: &Request| answers(&form(&secret_of(request))).swap_remove(n);
            let issuer = &hunt.world.issuer;
            issuer.clear_faults();
            issuer.fault(endpoint, Fault::echo(answer), Times::Forever);
            hunt.run_only(words);
        }
    });
}

#[test]
fn a_refusal_that_echoes_the_assertion() {
    hunt_at(Endpoint::Token, "docker get", Version::V2026);
}

#[test]
fn a_refusal_that_echoes_the_token() {
    // Opaque tokens differ between versions.
    for version in Version::RECORDED {
        hunt_at(Endpoint::Userinfo, "whoami", version);
    }
}

#[test]
fn every_command_where_the_assertion_is_echoed() {
    let mut hunt = Hunt::new();
    hunt.in_each_form = true;
    let answer = |request: &Request| Response::text(400, secret_of(request));
    let issuer = &hunt.world.issuer;
    issuer.fault(Endpoint::Token, Fault::echo(answer), Times::Forever);
    assert_eq!(hunt.run_with_key(), 1, "the assertion, by its own command");
}

#[test]
fn claims_that_hold_the_token() {
    let mut hunt = Hunt::new();
    hunt.in_each_form = true;
    let answer = |request: &Request| {
        let token = secret_of(request);
        Response::json(
            200,
            &json!({ "sub": "1", "token": token, "said": format!("x {token}") }),
        )
    };
    let issuer = &hunt.world.issuer;
    issuer.fault(Endpoint::Userinfo, Fault::echo(answer), Times::Forever);
    hunt.run_with_key();
}

#[test]
fn a_token_in_an_invalid_answer() {
    let edits: [fn(&mut Value); 6] = [
        |answer| answer["token_type"] = answer["access_token"].clone(),
        |answer| answer["expires_in"] = answer["access_token"].clone(),
        |answer| answer["access_token"] = json!({ "is": answer["access_token"] }),
        |answer| answer["access_token"] = format!("{} x", answer["access_token"]).into(),
        |answer| *answer = answer["access_token"].clone(),
        |answer| *answer = json!([answer]),
    ];
    side_by_side(edits, |edit| {
        let mut hunt = Hunt::new();
        let issuer = &hunt.world.issuer;
        issuer.fault(Endpoint::Token, Fault::edit(edit), Times::Forever);
        assert_eq!(hunt.run_with_key(), 1, "the assertion, by its own command");
    });
}
