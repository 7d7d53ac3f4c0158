//! A key equals that in its file, and no error contains a part of the key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zitadel_credential::grant::{KeyId, UserId};
use zitadel_credential::source::assertion;
use zitadel_credential::source::assertion::Statement;
use zitadel_credential::source::key::{Key, Owner};
use zitadel_credential::text::clock::UnixTime;
use zitadel_credential_fuzz as plain;

const ISSUER: &str = "https://id.acme.dev";
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fuzz_target!(|text: &str| {
    let (id, user) = (KeyId::parse("1"), UserId::parse("2"));
    let owners = [Owner::User, Owner::UserOrApplication];
    let besides = [(None, None), (id.as_ref(), user.as_ref())];
    for (owner, beside) in owners
        .into_iter()
        .flat_map(|owner| besides.map(|beside| (owner, beside)))
    {
        let key = match Key::parse(text, owner, beside.0, beside.1) {
            Ok(key) => key,
            Err(error) => {
                plain::assert_shown(error.report());
                continue;
            }
        };
        let is_id = |b: u8| b.is_ascii_alphanumeric() || b"-_.@+".contains(&b);
        assert!(
            key.id
                .as_str()
                .bytes()
                .chain(key.user.as_str().bytes())
                .all(is_id)
        );
        assert!(!key.id.as_str().contains(['.', '/', '@', '+']));
        if let Ok(file) = serde_json::from_str::<Value>(text) {
            assert_eq!(file["keyId"], key.id.as_str());
            let is_application = file["type"] == "application" || !file["clientId"].is_null();
            let user = if is_application { "clientId" } else { "userId" };
            assert_eq!(file[user], key.user.as_str());
            assert_eq!(file["key"], key.pem.expose());
            assert!(!is_application || owner == Owner::UserOrApplication);
        } else if !text.trim().starts_with('{') {
            assert_eq!(text.trim(), key.pem.expose());
        }
        let statement = Statement {
            key: Some(&key.id),
            user: &key.user,
            audience: ISSUER,
            now: NOW,
            lifetime: assertion::LIFETIME,
        };
        if let Err(report) = assertion::sign(&key, &statement) {
            plain::assert_shown(&report);
        }
    }
});
