//! A service gets a token only for the host that its URL starts with; the response has
//! exactly one line for each part.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use zitadel_credential::tools::keyring::protocol;
use zitadel_credential::tools::keyring::protocol::Credential;
use zitadel_credential_fuzz as plain;

// The first line is the service, a second line the username.
fuzz_target!(|input: &str| {
    let (service, username) = match input.split_once('\n') {
        Some((service, username)) => (service, Some(username)),
        None => (input, None),
    };
    let Some(ask) = protocol::parse(service, username) else {
        return;
    };
    let (scheme, authority, _) = plain::url(service).expect("a whole URL");
    let (user, host) = match authority.split_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    assert_eq!(
        plain::origin(scheme, host),
        Some(plain::understood(&ask.origin))
    );
    // An empty username counts as missing; only URLs are percent-encoded.
    let given = username.filter(|name| !name.is_empty());
    let username = ask.username.as_deref();
    match (given, user) {
        (Some(given), _) => assert_eq!(username, Some(given)),
        (None, Some(user)) if !user.contains('%') => assert_eq!(username, Some(user)),
        (None, Some(_)) => assert!(username.is_some()),
        (None, None) => assert_eq!(username, None),
    }
    assert!(username.is_none_or(|name| !name.starts_with('-') && !name.contains('\n')));

    let token = plain::token();
    let login = Credential {
        username,
        token: &token,
    };
    let lines: Vec<_> = username.into_iter().chain([token.expose(), ""]).collect();
    assert_eq!(login.plain().split('\n').collect::<Vec<_>>(), lines);
    let answer = login.json().expect("text");
    assert_eq!(answer.matches('\n').count(), 1);
    let mut expected = json!({ "password": token.expose() });
    if let Some(name) = username {
        expected["username"] = name.into();
    }
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer, expected);
});
