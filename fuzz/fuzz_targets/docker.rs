//! A server URL gets a token only for the host that it starts with; the response is
//! JSON with that URL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::token::Login;
use zitadel_credential::tools::docker::protocol;
use zitadel_credential_fuzz as plain;

fuzz_target!(|input: &str| {
    let Some(question) = protocol::parse(input) else {
        assert!(input.trim_ascii().is_empty());
        return;
    };
    let asked = input.trim_ascii();
    if let Some(ask) = &question.ask {
        let (scheme, authority, rest) = plain::url(asked).unwrap_or_else(|| {
            let host = asked.trim_start_matches("//");
            let end = host.find('/').unwrap_or(host.len());
            ("https", &host[..end], &host[end..])
        });
        assert_eq!(
            plain::origin(scheme, authority),
            Some(plain::understood(&ask.origin))
        );
        assert!(rest.is_empty() || rest.starts_with(['/', '?']), "{rest:?}");
        assert_eq!(ask.username, None);
    }

    let token = plain::token();
    let login = Login {
        username: asked,
        token: &token,
    };
    let answer = protocol::answer(question.server_url, login).expect("text");
    let read: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    let expected =
        serde_json::json!({"ServerURL": asked, "Username": asked, "Secret": token.expose()});
    assert_eq!(read, expected);
    assert_eq!(answer.matches('\n').count(), 1);
});
