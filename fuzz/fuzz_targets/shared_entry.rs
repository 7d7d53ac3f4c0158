//! A shared entry opens only if it is unchanged to the last bit, and its content is read
//! as it was written.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use zitadel_credential::cache::shared::entry;
use zitadel_credential::cache::shared::seal::{Opened, Seal};
use zitadel_credential::grant::{Grant, KeyId, UserId};
use zitadel_credential::scope::Scopes;
use zitadel_credential::text::clock::UnixTime;
use zitadel_credential::token::Token;
use zitadel_credential::url::IssuerUrl;

const TIMES: (UnixTime, UnixTime) = (UnixTime::from_secs(1000), UnixTime::from_secs(2000));

fuzz_target!(|bytes: &[u8]| {
    static SEAL: OnceLock<(Seal, Vec<u8>)> = OnceLock::new();
    let (seal, sealed) = SEAL.get_or_init(|| {
        let grant = Grant {
            issuer: Some(IssuerUrl::parse("https://id.acme.dev").expect("an issuer")),
            key_id: KeyId::parse("1").expect("a key ID"),
            user_id: UserId::parse("2").expect("a user ID"),
            scopes: Scopes::new(["openid"]).expect("a scope"),
        };
        let seal = Seal::derive(b"a secret", &grant).expect("a seal");
        let token = Token::new("abc".to_owned(), None).expect("a token");
        let content = entry::write(&token, None);
        let sealed = seal.seal("place", TIMES, &content).expect("sealed");
        (seal, sealed)
    });
    // The input changes the sealed bytes one by one, and their end.
    let mut changed = sealed.clone();
    for (byte, change) in changed.iter_mut().zip(bytes) {
        *byte ^= change;
    }
    changed.truncate(sealed.len() - usize::from(bytes.last().copied().unwrap_or_default() % 4));
    assert_eq!(seal.open("place", &changed).is_some(), changed == *sealed);
    assert!(seal.open("place", bytes).is_none());
    // A machine with the key may write any content.
    let opened = Opened {
        obtained_at: TIMES.0,
        expires_at: TIMES.1,
        generation: "0".to_owned(),
        content: bytes.to_vec(),
    };
    if let Some(shared) = entry::read(&opened, UnixTime::from_secs(1500)) {
        let written = entry::write(&shared.token, shared.endpoints.as_ref());
        assert_eq!(written, bytes);
    }
});
