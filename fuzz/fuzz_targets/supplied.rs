//! A supplied token fits every line protocol and has the expiry in its text, or is an
//! error that shows no token.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zitadel_credential::error::Report;
use zitadel_credential::source::supplier::text;
use zitadel_credential::text::clock::UnixTime;
use zitadel_credential_fuzz as plain;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fuzz_target!(|input: &str| {
    let supplied = match text::parse(input, NOW) {
        Ok(supplied) => supplied,
        Err(objection) => return plain::assert_shown(&Report::new(objection.to_string())),
    };
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    assert!(!supplied.token.is_empty() && supplied.token.bytes().all(is_plain));
    let text = input.trim();
    if !text.starts_with('{') {
        assert_eq!(supplied.token, text);
        return;
    }
    // A text that is refused here has an error in an unused field.
    let Ok(read) = serde_json::from_str::<Value>(text) else {
        return;
    };
    assert_eq!(read["access_token"], supplied.token.as_str());
    if let Some(secs) = read["expires_in"].as_u64() {
        let end = supplied.expires_at.expect("an expiry");
        assert!(end.as_secs() <= NOW.as_secs().saturating_add(secs));
    }
});
