//! Signs the JWT assertion of the service user (RFC 7523, section 3). The only file
//! that uses the crypto library's key types.

use std::time::Duration;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, KeyUtils};
use jsonwebtoken::errors::{Error as JwtError, ErrorKind};
use jsonwebtoken::signature::{Error as SignatureError, Signer};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::error::Report;
use crate::secret::{Secret, on_wiped_stack};
use crate::source::key::{Key, not_private};
use crate::text::clock::UnixTime;

/// How far `iat` is backdated: the server refuses an `iat` more than about a
/// second ahead of its own clock.
const BACKDATED: Duration = Duration::from_secs(60);

/// Default lifetime of an assertion.
pub const LIFETIME: Duration = Duration::from_secs(600);

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: UnixTime,
    exp: UnixTime,
}

/// Returns a signed assertion for `audience` that expires `lifetime` after `now`.
///
/// # Errors
/// The key cannot sign; the error contains no byte of the key.
pub fn sign(
    key: &Key,
    audience: &str,
    now: UnixTime,
    lifetime: Duration,
) -> Result<Secret, Report> {
    on_wiped_stack(|| signed(key, audience, now, lifetime))
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

fn signed(key: &Key, audience: &str, now: UnixTime, lifetime: Duration) -> Result<Secret, Report> {
    let der = read(key)?;
    let claims = Claims {
        iss: key.user.as_str(),
        sub: key.user.as_str(),
        aud: audience,
        iat: now.minus(BACKDATED),
        exp: now.plus(lifetime),
    };
    let header = Header {
        kid: Some(key.id.as_str().to_owned()),
        ..Header::new(Algorithm::RS256)
    };
    // A second call fails, with the same provider installed.
    let _ = PROVIDER.install_default();
    jsonwebtoken::encode(
        &header,
        &claims,
        &EncodingKey::from_rsa_der(der.secret_der()),
    )
    .map(Secret::new)
    .map_err(|_| cannot_sign(parse(&der).err().unwrap_or("the signature failed")))
}

fn read(key: &Key) -> Result<Zeroizing<PrivateKeyDer<'static>>, Report> {
    PrivateKeyDer::from_pem_slice(key.pem.expose().as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| {
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

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, key| {
        let der = key.as_bytes();
        let pair = RsaKeyPair::from_der(der).or_else(|_| RsaKeyPair::from_pkcs8(der));
        match pair {
            Ok(pair) => Ok(Box::new(Rs256(pair))),
            Err(_) => Err(JwtError::from(ErrorKind::InvalidKeyFormat)),
        }
    },
    verifier_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    key_utils: KeyUtils::new_unimplemented(),
};

struct Rs256(RsaKeyPair);

impl Signer<Vec<u8>> for Rs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| SignatureError::new())?;
        Ok(signature)
    }
}

impl JwtSigner for Rs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}
