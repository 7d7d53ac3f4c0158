//! Compact JWTs (RFC 7515), signed and verified with the `rsa` crate: a second
//! implementation beside the binary's.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use rsa::sha2::Sha256;
use rsa::{PrivateKey, PublicKey};
use serde_json::Value;

/// A parsed JWT that is not yet verified.
#[derive(Debug)]
pub struct Jwt {
    pub header: Value,
    pub claims: Value,
    signed: String,
    signature: Vec<u8>,
}

impl Jwt {
    /// Parses a token; `None` unless it is three parts of unpadded base64url, the first
    /// two of them JSON objects.
    pub fn parse(token: &str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Self {
            header: decode_object(header)?,
            claims: decode_object(claims)?,
            signed: signed.to_owned(),
            signature: BASE64URL.decode(signature).ok()?,
        })
    }

    pub fn algorithm(&self) -> Option<&str> {
        self.header["alg"].as_str()
    }

    pub fn key_id(&self) -> Option<&str> {
        self.header["kid"].as_str()
    }

    /// True if the signature is this key's, by the algorithm in the header; false for all
    /// but RS256 and PS256.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let (signed, signature) = (self.signed.as_bytes(), &self.signature);
        match self.algorithm() {
            Some("RS256") => key.pkcs1v15_verify::<Sha256>(signed, signature).is_ok(),
            Some("PS256") => key.pss_verify::<Sha256>(signed, signature).is_ok(),
            _ => false,
        }
    }
}

/// Signs with RS256, whatever the header says.
pub fn sign(key: &PrivateKey, header: &Value, claims: &Value) -> String {
    compact(header, claims, |signed| {
        key.pkcs1v15_sign::<Sha256>(signed).unwrap()
    })
}

/// Signs with PS256, whatever the header says.
pub fn sign_pss(key: &PrivateKey, header: &Value, claims: &Value) -> String {
    compact(header, claims, |signed| {
        key.pss_sign::<Sha256>(signed).unwrap()
    })
}

/// Returns `header.claims.signature`, with any kind of signature.
pub fn compact(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = BASE64URL.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn encode(part: &Value) -> String {
    BASE64URL.encode(part.to_string())
}

fn decode_object(part: &str) -> Option<Value> {
    let bytes = BASE64URL.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}
