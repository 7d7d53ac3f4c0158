//! The tokens that were given away.

use std::sync::OnceLock;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use rsa::PrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

use crate::support::{jwt, keys};

/// The project behind `urn:zitadel:iam:org:project:id:zitadel:aud`.
pub const ZITADEL_PROJECT_ID: &str = "310000000000000001";

const KEY_ID: &str = "310000000000000002";

/// *Access Token Type* in a service user's settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenKind {
    #[default]
    Opaque,
    Jwt,
}

/// What a token is issued for.
pub(super) struct Grant<'a> {
    pub(super) issuer: &'a str,
    pub(super) user_id: &'a str,
    pub(super) scopes: &'a str,
    /// The issuer's Unix time.
    pub(super) now: i64,
    pub(super) lifetime_seconds: i64,
}

/// Every token, in the order of issue.
#[derive(Default)]
pub(super) struct Tokens(Vec<Issued>);

struct Issued {
    token: String,
    user_id: String,
    expires_at: i64,
    revoked: bool,
}

impl Tokens {
    /// The token endpoint's answer.
    pub(super) fn issue(&mut self, kind: TokenKind, grant: &Grant) -> Value {
        let token = match kind {
            TokenKind::Opaque => random(64),
            TokenKind::Jwt => grant.access_token(),
        };
        self.0.push(Issued {
            token: token.clone(),
            user_id: grant.user_id.to_owned(),
            expires_at: grant.now + grant.lifetime_seconds,
            revoked: false,
        });
        let mut answer = json!({
            "access_token": token,
            "token_type": "Bearer",
            // a moment has passed, and the rest of that second is cut off
            "expires_in": grant.lifetime_seconds - 1,
        });
        if grant.scopes().any(|scope| scope == "openid") {
            answer["id_token"] = grant.id_token().into();
        }
        answer
    }

    /// Whose token it is, if it is good.
    pub(super) fn owner(&self, token: &str, now: i64) -> Option<&str> {
        let mut tokens = self.0.iter();
        tokens
            .find(|issued| issued.token == token && !issued.revoked && now < issued.expires_at)
            .map(|issued| issued.user_id.as_str())
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.iter().map(|issued| issued.token.clone()).collect()
    }

    pub(super) fn revoke(&mut self, which: impl Fn(&str) -> bool) {
        for issued in self.0.iter_mut().filter(|issued| which(&issued.token)) {
            issued.revoked = true;
        }
    }

    pub(super) fn age(&mut self, seconds: i64) {
        for issued in &mut self.0 {
            issued.expires_at -= seconds;
        }
    }
}

impl Grant<'_> {
    fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.split(' ').filter(|scope| !scope.is_empty())
    }

    /// The projects that the scopes name.
    fn audience(&self) -> Vec<&str> {
        self.scopes()
            .filter_map(|scope| scope.strip_prefix("urn:zitadel:iam:org:project:id:"))
            .filter_map(|project| project.strip_suffix(":aud"))
            .map(|project| match project {
                "zitadel" => ZITADEL_PROJECT_ID,
                project => project,
            })
            .collect()
    }

    fn access_token(&self) -> String {
        sign(&json!({
            "iss": self.issuer,
            "sub": self.user_id,
            "aud": self.audience(),
            "client_id": self.user_id,
            "iat": self.now,
            "nbf": self.now,
            "exp": self.now + self.lifetime_seconds,
            "jti": random(16),
        }))
    }

    /// Expired when it is born, as from many versions (zitadel#12779).
    fn id_token(&self) -> String {
        sign(&json!({
            "iss": self.issuer,
            "sub": self.user_id,
            "aud": [self.user_id],
            "client_id": self.user_id,
            "auth_time": self.now,
            "iat": self.now,
            "exp": self.now,
        }))
    }
}

/// The issuer's public key, for whoever verifies its JWTs (RFC 7517).
pub(super) fn key_set() -> Value {
    let encode = |number: &[u8]| {
        let zeros = number.iter().take_while(|&&byte| byte == 0).count();
        BASE64URL.encode(&number[zeros..])
    };
    json!({ "keys": [{
        "use": "sig",
        "kty": "RSA",
        "kid": KEY_ID,
        "alg": "RS256",
        "n": encode(&signing_key().n().to_be_bytes()),
        "e": encode(&signing_key().e().to_be_bytes()),
    }] })
}

fn sign(claims: &Value) -> String {
    let header = json!({ "alg": "RS256", "kid": KEY_ID, "typ": "JWT" });
    jwt::sign(signing_key(), &header, claims)
}

/// Made once per process: every issuer in it signs with the same key.
pub(super) fn signing_key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| keys::generate(2048))
}

/// So many random bytes, URL-safe.
fn random(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer).unwrap();
    BASE64URL.encode(buffer)
}
