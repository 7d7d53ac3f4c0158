//! The issued tokens.

use std::sync::OnceLock;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use rsa::PrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

use super::answers::Version;
use super::claims::Grant;
use super::users::User;
use crate::support::{jwt, keys};

/// The IDs of the keys that can sign JWTs.
const KEY_IDS: [&str; 2] = ["310000000000000002", "310000000000000005"];

/// *Access Token Type* in a service user's settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenKind {
    #[default]
    Opaque,
    Jwt,
}

/// Every token, in the order of issue, and the keys that signed them.
#[derive(Default)]
pub(super) struct Tokens {
    issued: Vec<Issued>,
    key: Key,
}

/// The key that signs.
#[derive(Clone, Copy, Default)]
pub(super) enum Key {
    #[default]
    First,
    /// A second key, after which the first is still published.
    Second,
}

pub(super) struct Issued {
    pub(super) token: String,
    pub(super) grant: Grant,
    expires_at: i64,
    revoked: bool,
}

impl Tokens {
    /// Returns the token endpoint's answer.
    pub(super) fn issue(
        &mut self,
        kind: TokenKind,
        grant: Grant,
        user: &User,
        version: Version,
    ) -> Value {
        let token = match kind {
            TokenKind::Opaque if version == Version::V2026 => encrypted(),
            TokenKind::Opaque => random(64),
            TokenKind::Jwt => self.sign(&grant.access_token(user, version)),
        };
        let mut answer = json!({
            "access_token": token,
            "token_type": "Bearer",
            // a moment has passed, and the rest of that second is cut off
            "expires_in": grant.lifetime_seconds - 1,
        });
        if grant.asks_for("openid") {
            answer["id_token"] = self.sign(&grant.id_token(user, &token)).into();
        }
        self.issued.push(Issued {
            token,
            expires_at: grant.expires_at(),
            grant,
            revoked: false,
        });
        answer
    }

    /// Returns the grant of a token; `None` if the token is invalid.
    pub(super) fn good(&self, token: &str, now: i64) -> Option<&Grant> {
        let mut tokens = self.issued.iter();
        tokens
            .find(|issued| issued.token == token && !issued.revoked && now < issued.expires_at)
            .map(|issued| &issued.grant)
    }

    /// Signs with another key from now on.
    pub(super) fn rotate_key(&mut self) {
        self.key = Key::Second;
    }

    /// Returns the issuer's public keys, for verifiers of its JWTs (RFC 7517).
    pub(super) fn key_set(&self) -> Value {
        let shown = match self.key {
            Key::First => vec![Key::First],
            Key::Second => vec![Key::Second, Key::First],
        };
        json!({ "keys": shown.into_iter().map(public_jwk).collect::<Vec<_>>() })
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "RS256", "kid": KEY_IDS[self.key as usize], "typ": "JWT" });
        jwt::sign(signing_key(self.key), &header, claims)
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.issued
            .iter()
            .map(|issued| issued.token.clone())
            .collect()
    }

    pub(super) fn revoke(&mut self, which: impl Fn(&Issued) -> bool) {
        for issued in self.issued.iter_mut().filter(|issued| which(issued)) {
            issued.revoked = true;
        }
    }

    pub(super) fn age(&mut self, seconds: i64) {
        for issued in &mut self.issued {
            issued.expires_at -= seconds;
        }
    }
}

/// A JWE in its compact form (RFC 7516, section 3.1): five parts, of which only the issuer
/// can read more than the first.
fn encrypted() -> String {
    let header = BASE64URL.encode(r#"{"alg":"A256GCMKW","enc":"A256GCM"}"#);
    let parts = [32, 12, 64, 16].map(random);
    format!("{header}.{}", parts.join("."))
}

fn public_jwk(key: Key) -> Value {
    let encode = |number: &[u8]| {
        let zeros = number.iter().take_while(|&&byte| byte == 0).count();
        BASE64URL.encode(&number[zeros..])
    };
    let public = signing_key(key);
    json!({
        "use": "sig",
        "kty": "RSA",
        "kid": KEY_IDS[key as usize],
        "alg": "RS256",
        "n": encode(&public.n().to_be_bytes()),
        "e": encode(&public.e().to_be_bytes()),
    })
}

/// Returns a key that is made once per process: every issuer in it signs with the same
/// keys.
pub(super) fn signing_key(key: Key) -> &'static PrivateKey {
    static KEYS: [OnceLock<PrivateKey>; 2] = [const { OnceLock::new() }; 2];
    KEYS[key as usize].get_or_init(|| keys::generate(2048))
}

/// Returns so many random bytes, URL-safe.
pub(super) fn random(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer).unwrap();
    BASE64URL.encode(buffer)
}
