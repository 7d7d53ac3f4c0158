//! An image gets a token only for the registry that it starts with; the response names
//! the registry by the same bytes, in the request's version.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use zitadel_credential::text::clock::UnixTime;
use zitadel_credential::token::Login;
use zitadel_credential::tools::kubelet::protocol;
use zitadel_credential_fuzz as plain;

fuzz_target!(|input: &[u8]| {
    let Ok(question) = protocol::parse(input) else {
        return;
    };
    // A skipped field may contain a number or a surrogate that a `Value` cannot.
    let Ok(said) = serde_json::from_slice::<Value>(input) else {
        assert!(std::str::from_utf8(input).is_ok());
        return;
    };
    assert_eq!(said["kind"], "CredentialProviderRequest");
    let image = said["image"].as_str().expect("an image");
    let Some(ask) = question.ask() else {
        return;
    };
    let (registry, _) = image.split_once('/').expect("a registry");
    assert_eq!(
        plain::origin("https", registry),
        Some(plain::understood(&ask.origin))
    );
    assert!(registry.contains(['.', ':']) || registry == "localhost");
    assert_eq!(ask.username, None);

    let token = plain::token();
    let login = Login {
        username: "ci",
        token: &token,
    };
    let now = UnixTime::from_secs(1_700_000_000);
    let answer = question.answer(Some(login), now).expect("text");
    assert_eq!(answer.matches('\n').count(), 1);
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["apiVersion"], said["apiVersion"]);
    let password = token.expose();
    assert_eq!(
        answer["auth"],
        json!({ registry: { "username": "ci", "password": password } })
    );
});
