//! The tokens that were given away.

use std::sync::OnceLock;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use rsa::PrivateKey;
use rsa::sha2::{Digest, Sha256};
use rsa::traits::PublicKeyParts;
use serde_json::{Map, Value, json};

use super::answers::Version;
use super::users::User;
use crate::support::{jwt, keys};

/// The project behind `urn:zitadel:iam:org:project:id:zitadel:aud`.
pub const ZITADEL_PROJECT_ID: &str = "310000000000000001";

/// The organisation of all users.
pub const ORGANIZATION_ID: &str = "310000000000000003";
const ORGANIZATION: &str = "ACME";
const DOMAIN: &str = "acme.zitadel.example";

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
    pub(super) user: User,
    pub(super) scopes: &'a str,
    pub(super) version: Version,
    /// The issuer's Unix time.
    pub(super) now: i64,
    pub(super) lifetime_seconds: i64,
}

/// Every token, in the order of issue.
#[derive(Default)]
pub(super) struct Tokens(Vec<Issued>);

pub(super) struct Issued {
    pub(super) token: String,
    pub(super) user_id: String,
    userinfo: Value,
    expires_at: i64,
    revoked: bool,
}

impl Tokens {
    /// The token endpoint's answer.
    pub(super) fn issue(&mut self, kind: TokenKind, grant: &Grant) -> Value {
        let token = match kind {
            TokenKind::Opaque if grant.version == Version::V2026 => encrypted(),
            TokenKind::Opaque => random(64),
            TokenKind::Jwt => grant.access_token(),
        };
        self.0.push(Issued {
            token: token.clone(),
            user_id: grant.user.id.clone(),
            userinfo: grant.userinfo(),
            expires_at: grant.now + grant.lifetime_seconds,
            revoked: false,
        });
        let mut answer = json!({
            "access_token": token,
            "token_type": "Bearer",
            // a moment has passed, and the rest of that second is cut off
            "expires_in": grant.lifetime_seconds - 1,
        });
        if grant.asks_for("openid") {
            answer["id_token"] = grant.id_token(&token).into();
        }
        answer
    }

    /// Returns userinfo's claims; `None` if the token is not good.
    pub(super) fn userinfo(&self, token: &str, now: i64) -> Option<&Value> {
        let mut tokens = self.0.iter();
        tokens
            .find(|issued| issued.token == token && !issued.revoked && now < issued.expires_at)
            .map(|issued| &issued.userinfo)
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.iter().map(|issued| issued.token.clone()).collect()
    }

    pub(super) fn revoke(&mut self, which: impl Fn(&Issued) -> bool) {
        for issued in self.0.iter_mut().filter(|issued| which(issued)) {
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

    fn asks_for(&self, scope: &str) -> bool {
        self.scopes().any(|asked| asked == scope)
    }

    fn access_token(&self) -> String {
        let mut claims = json!({
            "iss": self.issuer,
            "sub": self.user.id,
            "aud": self.audience(),
            "client_id": self.user.username,
            "iat": self.now,
            "nbf": self.now,
            "exp": self.now + self.lifetime_seconds,
            "jti": random(16),
        });
        if self.audience().is_empty() {
            claims["aud"] = json!([self.user.username]);
        }
        self.assert_more(&mut claims);
        sign(&claims)
    }

    /// Expired when it is born, as from many versions (zitadel#12779).
    fn id_token(&self, access_token: &str) -> String {
        let hash = Sha256::digest(access_token);
        sign(&json!({
            "iss": self.issuer,
            "sub": self.user.id,
            "aud": [self.user.username],
            "azp": self.user.username,
            "client_id": self.user.username,
            "at_hash": BASE64URL.encode(&hash[..16]),
            "auth_time": self.now,
            "iat": self.now,
            "exp": self.now,
        }))
    }

    fn userinfo(&self) -> Value {
        let mut claims = json!({ "sub": self.user.id });
        if self.asks_for("profile") {
            claims["name"] = self.user.name.clone().into();
            claims["preferred_username"] = self.user.username.clone().into();
            claims["updated_at"] = self.now.into();
        }
        self.assert_more(&mut claims);
        claims
    }

    /// The claims that both a JWT and userinfo have if the scopes ask for them.
    fn assert_more(&self, claims: &mut Value) {
        if self.asks_for("urn:zitadel:iam:org:projects:roles") {
            for project in self.audience() {
                let Some(roles) = self.user.roles.get(project) else {
                    continue;
                };
                let owned = |role: &String| (role.clone(), json!({ ORGANIZATION_ID: DOMAIN }));
                let roles: Value = roles.iter().map(owned).collect::<Map<_, _>>().into();
                if self.version != Version::V2026 {
                    claims["urn:zitadel:iam:org:projects:roles"] = roles.clone();
                }
                claims[format!("urn:zitadel:iam:org:project:{project}:roles")] = roles;
            }
        }
        if self.asks_for("urn:zitadel:iam:user:resourceowner") {
            for (name, value) in [
                ("id", ORGANIZATION_ID),
                ("name", ORGANIZATION),
                ("primary_domain", DOMAIN),
            ] {
                claims[format!("urn:zitadel:iam:user:resourceowner:{name}")] = value.into();
            }
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
