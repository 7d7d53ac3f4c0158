//! A request gets a token only for the host that its URI starts with.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zitadel_credential::tools::bazel::protocol;
use zitadel_credential_fuzz as plain;

fuzz_target!(|input: &[u8]| {
    let Ok(ask) = protocol::parse(input) else {
        return;
    };
    // A skipped field may contain a number or a surrogate that a `Value` cannot.
    let Ok(question) = serde_json::from_slice::<Value>(input) else {
        assert!(std::str::from_utf8(input).is_ok());
        return;
    };
    let uri = question.get("uri").and_then(Value::as_str);
    let uri = uri.expect("a URI in an object");
    if let Some(ask) = ask {
        let (scheme, authority, rest) = plain::url(uri).expect("a whole URL");
        assert_eq!(
            plain::origin(scheme, authority),
            Some(plain::understood(&ask.origin))
        );
        assert!(rest.is_empty() || rest.starts_with(['/', '?']), "{rest:?}");
        assert_eq!(ask.username, None);
    }
});
