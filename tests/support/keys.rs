//! Service users with throwaway keys, and their key files as downloaded from ZITADEL.

use std::sync::OnceLock;

use getrandom::SysRng;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::{PrivateKey, PublicKey};
use serde::Serialize;

/// ZITADEL's own key size.
const BITS: usize = 2048;

/// A service user with one key.
#[derive(Clone)]
pub struct ServiceUser {
    pub key_id: String,
    pub user_id: String,
    pub private: PrivateKey,
}

impl ServiceUser {
    /// Creates a user with its own IDs. The key pair is made once per process and shared:
    /// users differ by ID, and making a key is slow.
    pub fn new() -> Self {
        static SHARED: OnceLock<PrivateKey> = OnceLock::new();
        Self::holding(SHARED.get_or_init(|| generate(BITS)).clone())
    }

    /// Creates a user with a new key pair that no other user has.
    pub fn with_bits(bits: usize) -> Self {
        Self::holding(generate(bits))
    }

    fn holding(private: PrivateKey) -> Self {
        Self {
            key_id: snowflake(),
            user_id: snowflake(),
            private,
        }
    }

    pub fn with_key_id(self, key_id: impl Into<String>) -> Self {
        Self {
            key_id: key_id.into(),
            ..self
        }
    }

    pub fn with_user_id(self, user_id: impl Into<String>) -> Self {
        Self {
            user_id: user_id.into(),
            ..self
        }
    }

    pub fn public(&self) -> PublicKey {
        self.private.to_public_key()
    }

    /// Returns the key file of a service user.
    pub fn key_json(&self) -> String {
        self.service_user_file(None)
    }

    /// Returns the key file of newer servers: with `expirationDate`, RFC 3339.
    pub fn key_json_expiring(&self, rfc3339: &str) -> String {
        self.service_user_file(Some(rfc3339))
    }

    /// Returns the key file of an application: the right form, but the wrong kind.
    pub fn application_key_json(&self) -> String {
        file(&KeyFile {
            kind: "application",
            key_id: &self.key_id,
            key: &self.pkcs1_pem(),
            expiration_date: None,
            user_id: None,
            app_id: Some(&snowflake()),
            client_id: Some(&snowflake()),
        })
    }

    fn service_user_file(&self, expiration_date: Option<&str>) -> String {
        file(&KeyFile {
            kind: "serviceaccount",
            key_id: &self.key_id,
            key: &self.pkcs1_pem(),
            expiration_date,
            user_id: Some(&self.user_id),
            app_id: None,
            client_id: None,
        })
    }

    /// Returns `BEGIN RSA PRIVATE KEY`, as in ZITADEL's key files.
    pub fn pkcs1_pem(&self) -> String {
        self.private
            .to_pkcs1_pem(LineEnding::LF)
            .unwrap()
            .to_string()
    }

    /// Returns `BEGIN PRIVATE KEY`, as `openssl genpkey` writes it.
    pub fn pkcs8_pem(&self) -> String {
        self.private
            .to_pkcs8_pem(LineEnding::LF)
            .unwrap()
            .to_string()
    }

    /// Returns `BEGIN PUBLIC KEY`, as uploaded to ZITADEL.
    pub fn public_pem(&self) -> String {
        self.public().to_public_key_pem(LineEnding::LF).unwrap()
    }
}

/// A key file, its fields in ZITADEL's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyFile<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    key_id: &'a str,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_date: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
}

fn file(key: &KeyFile) -> String {
    serde_json::to_string(key).unwrap()
}

pub(super) fn generate(bits: usize) -> PrivateKey {
    PrivateKey::new(&mut SysRng, bits).unwrap()
}

/// Returns an ID that looks like ZITADEL's: 18 digits.
pub(super) fn snowflake() -> String {
    fastrand::u64(310_000_000_000_000_000..330_000_000_000_000_000).to_string()
}
