//! A cache entry is used only for its own grant, and is written as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zitadel_credential::cache::record;
use zitadel_credential::grant::{Grant, KeyId, UserId};
use zitadel_credential::scope::Scopes;
use zitadel_credential::url::IssuerUrl;

fuzz_target!(|bytes: &[u8]| {
    let grant = Grant {
        issuer: Some(IssuerUrl::parse("https://id.acme.dev").expect("an issuer")),
        key_id: KeyId::parse("1").expect("a key ID"),
        user_id: UserId::parse("2").expect("a user ID"),
        scopes: Scopes::new(["openid"]).expect("a scope"),
    };
    let Some(entry) = record::read(&grant, bytes) else {
        return;
    };
    // An entry that is refused here has an error in an unused field.
    let Ok(mut file) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    assert_eq!(file["issuer"], "https://id.acme.dev");
    assert_eq!(file["key_id"], "1");
    assert_eq!(file["user_id"], "2");
    assert_eq!(file["scopes"], "openid");
    assert!(entry.lifespan.obtained_at < entry.lifespan.expires_at);
    let written = record::write(&grant, &entry).expect("text");
    let written: Value = serde_json::from_str(written.expose()).expect("JSON");
    let fields = written.as_object().expect("an object");
    // Other fields of the file are ignored.
    file.as_object_mut()
        .expect("an object")
        .retain(|key, _| fields.contains_key(key));
    assert_eq!(file, written);
});
