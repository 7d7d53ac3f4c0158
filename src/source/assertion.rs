//! Signs the JWT assertion of the service user (RFC 7523, section 3). The only file
//! that uses the crypto library's private keys.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde::Serialize;

use crate::error::Report;
use crate::grant::{KeyId, UserId};
use crate::secret::{Secret, on_wiped_stack};
use crate::source::key::{Key, not_private};
use crate::text::clock::UnixTime;

/// Time by which `iat` is backdated: the server refuses an `iat` more than about a second
/// ahead of its own clock.
const BACKDATED: Duration = Duration::from_secs(60);

/// Default lifetime of an assertion.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// The JOSE header (RFC 7515, section 4.1).
#[derive(Serialize)]
struct Header<'a> {
    typ: &'static str,
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

/// The claims (RFC 7523, section 3).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: UnixTime,
    exp: UnixTime,
}

/// The subject, audience and expiry of an assertion.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// The signing key; `None` for a reader that finds it by the user ID only.
    pub key: Option<&'a KeyId>,
    /// The issuer and subject.
    pub user: &'a UserId,
    /// The audience.
    pub audience: &'a str,
    /// The time of signing.
    pub now: UnixTime,
    /// The validity period.
    pub lifetime: Duration,
}

impl Statement<'_> {
    /// Returns the text to sign: header and claims (RFC 7515, section 5.1, the JWS
    /// Signing Input).
    ///
    /// # Errors
    /// Infallible: string and number fields only.
    pub fn input(&self) -> Result<String, Report> {
        let user = self.user.as_str();
        let header = Header {
            typ: "JWT",
            alg: "RS256",
            kid: self.key.map(KeyId::as_str),
        };
        let claims = Claims {
            iss: user,
            sub: user,
            aud: self.audience,
            iat: self.now.minus(BACKDATED),
            exp: self.now.plus(self.lifetime),
        };
        let header = encoded(&header)?;
        Ok(format!("{header}.{}", encoded(&claims)?))
    }
}

fn encoded(part: &impl Serialize) -> Result<String, Report> {
    let json = serde_json::to_vec(part);
    json.map(|json| BASE64_URL_SAFE_NO_PAD.encode(json))
        .map_err(|error| Report::new(format!("cannot serialize the assertion: {error}")))
}

/// Returns the assertion of a signing input and its signature.
pub fn with_signature(input: &str, signature: &[u8]) -> Secret {
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
    Secret::new(format!("{input}.{signature}"))
}

/// Returns a signed assertion.
///
/// # Errors
/// The key cannot sign; the error contains no byte of the key.
pub fn sign(key: &Key, statement: &Statement<'_>) -> Result<Secret, Report> {
    let input = statement.input()?;
    let signature = on_wiped_stack(|| signature(key, input.as_bytes()))?;
    Ok(with_signature(&input, &signature))
}

/// Returns the deterministic RS256 signature of a message (RFC 8017, section 8.2).
///
/// # Errors
/// As [`sign`].
pub fn signature_of(key: &Key, message: &[u8]) -> Result<Vec<u8>, Report> {
    on_wiped_stack(|| signature(key, message))
}

/// Returns the size of a key in bits.
///
/// # Errors
/// As [`sign`].
pub fn bits(key: &Key) -> Result<usize, Report> {
    on_wiped_stack(|| {
        let der = read(key)?;
        let pair = parse(&der).map_err(cannot_sign)?;
        Ok(pair.public().modulus_len() * 8)
    })
}

/// Returns the RS256 signature (RFC 7518, section 3.3).
fn signature(key: &Key, input: &[u8]) -> Result<Vec<u8>, Report> {
    let der = read(key)?;
    let pair = parse(&der).map_err(cannot_sign)?;
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        input,
        &mut signature,
    )
    .map_err(|_| cannot_sign("the signature failed"))?;
    Ok(signature)
}

fn read(key: &Key) -> Result<PrivateKeyDer<'static>, Report> {
    PrivateKeyDer::from_pem_slice(key.pem.expose().as_bytes()).map_err(|_| {
        not_private(key.pem.expose()).unwrap_or_else(|| {
            Report::new("the key is not a valid PEM private key")
                .hint("use an RSA key in PEM, PKCS#1 or PKCS#8, without a passphrase")
        })
    })
}

fn cannot_sign(objection: &str) -> Report {
    Report::new(format!("the key cannot sign: {objection}")).hint(
        "use an RSA key of 2048 to 4096 bits: create one in ZITADEL with the service user's Keys, New, JSON",
    )
}

/// Returns the key pair, or the reason why the key cannot sign.
fn parse(der: &PrivateKeyDer<'_>) -> Result<RsaKeyPair, &'static str> {
    let parsed = match der {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        _ => return Err("it is not an RSA key"),
    };
    parsed.map_err(|error| match error.to_string().as_str() {
        "TooSmall" => "it has fewer than 2048 bits",
        "TooLarge" => "it has more than 4096 bits",
        "WrongAlgorithm" => "it is not an RSA key",
        "PrivateModulusLenNotMultipleOf512Bits" => "its length is not a multiple of 512 bits",
        _ => "the PEM is damaged",
    })
}
