//! A request gets a token only for the host that its index's URL starts with, or for
//! crates.io if the index is crates.io's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zitadel_credential::tools::cargo::protocol;
use zitadel_credential::tools::cargo::protocol::Kind;
use zitadel_credential_fuzz as plain;

fuzz_target!(|line: &[u8]| {
    let Some(question) = protocol::parse(line) else {
        return;
    };
    // A skipped field may contain a number or a surrogate that a `Value` cannot.
    let Ok(said) = serde_json::from_slice::<Value>(line) else {
        assert!(std::str::from_utf8(line).is_ok());
        return;
    };
    assert_eq!(said["v"], 1);
    assert_eq!(said["kind"] == "get", question.kind == Kind::Get);
    let args = said.get("args").and_then(Value::as_array);
    let args: Vec<_> = args
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(question.args, args);

    let Some(ask) = question.ask else {
        return;
    };
    let index = said["registry"]["index-url"].as_str().expect("a URL");
    let url = index.strip_prefix("sparse+").unwrap_or(index);
    let (scheme, authority, _) = plain::url(url).expect("a whole URL");
    let named = match authority.rsplit_once('@') {
        _ if scheme != "ssh" => plain::origin(scheme, authority),
        Some((_, host)) => plain::origin("https", host),
        None => plain::origin("https", authority),
    };
    let understood = plain::understood(&ask.origin);
    if named.as_ref() != Some(&understood) {
        assert_eq!(understood, "https://crates.io:443");
        assert!(named.expect("a host").starts_with("https://github.com:"));
    }
    assert_eq!(ask.username, None);
});
