//! A key is parsed as its file has it, and no error contains a part of the key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zitadel_credential::grant::{KeyId, UserId};
use zitadel_credential::source::assertion;
use zitadel_credential::source::key::Key;
use zitadel_credential::text::clock::UnixTime;
use zitadel_credential_fuzz as plain;

const ISSUER: &str = "https://id.acme.dev";
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fuzz_target!(|text: &str| {
    let (id, user) = (KeyId::parse("1"), UserId::parse("2"));
    for beside in [(None, None), (id.as_ref(), user.as_ref())] {
        let key = match Key::parse(text, beside.0, beside.1) {
            Ok(key) => key,
            Err(error) => {
                plain::assert_shown(error.report());
                continue;
            }
        };
        let is_id = |b: u8| b.is_ascii_alphanumeric() || b"-_.@".contains(&b);
        assert!(
            key.id
                .as_str()
                .bytes()
                .chain(key.user.as_str().bytes())
                .all(is_id)
        );
        assert!(!key.id.as_str().contains(['.', '/', '@']));
        if let Ok(file) = serde_json::from_str::<Value>(text) {
            assert_eq!(file["keyId"], key.id.as_str());
            assert_eq!(file["userId"], key.user.as_str());
            assert_eq!(file["key"], key.pem.expose());
            assert_ne!(file["type"], "application");
        } else if !text.trim().starts_with('{') {
            assert_eq!(text.trim(), key.pem.expose());
        }
        if let Err(report) = assertion::sign(&key, ISSUER, NOW, assertion::LIFETIME) {
            plain::assert_shown(&report);
        }
    }
});
