//! The signed JWT that stands for the service user (RFC 7523, section 3). The
//! only file that knows the crypto library's keys.

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
use crate::secret::Secret;
use crate::source::key::Key;
use crate::text::clock::UnixTime;

/// How far back `iat` is set: the server refuses one that lies more than about
/// a second ahead of its own clock.
const BACKDATED: Duration = Duration::from_secs(60);

/// How long an assertion lasts unless it is said otherwise.
pub const LIFETIME: Duration = Duration::from_secs(600);

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: UnixTime,
    exp: UnixTime,
}

/// Signs an assertion for `audience` that lasts `lifetime` from `now`.
///
/// # Errors
/// What is wrong with the key, without a byte of it.
pub fn sign(
    key: &Key,
    audience: &str,
    now: UnixTime,
    lifetime: Duration,
) -> Result<Secret, Report> {
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
    // A second call finds the same provider in place.
    let _ = PROVIDER.install_default();
    jsonwebtoken::encode(
        &header,
        &claims,
        &EncodingKey::from_rsa_der(der.secret_der()),
    )
    .map(Secret::new)
    .map_err(|_| cannot_sign(parse(&der).err().unwrap_or("the signature failed")))
}

/// The size of a key that can sign, in bits.
///
/// # Errors
/// As [`sign`].
pub fn bits(key: &Key) -> Result<usize, Report> {
    let der = read(key)?;
    let pair = parse(&der).map_err(cannot_sign)?;
    Ok(pair.public().modulus_len() * 8)
}

fn read(key: &Key) -> Result<Zeroizing<PrivateKeyDer<'static>>, Report> {
    PrivateKeyDer::from_pem_slice(key.pem.expose().as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| {
            Report::new("its key is no PEM of a private key that can be read")
                .hint("PEM of an RSA key is wanted, PKCS#1 or PKCS#8, without a passphrase")
        })
}

fn cannot_sign(objection: &str) -> Report {
    Report::new(format!("its key cannot sign: {objection}")).hint(
        "an RSA key of 2048 to 4096 bits is wanted: in ZITADEL, the service user's Keys, New, JSON makes one",
    )
}

/// The key, or why it cannot sign.
fn parse(der: &PrivateKeyDer<'_>) -> Result<RsaKeyPair, &'static str> {
    let parsed = match der {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        _ => return Err("not an RSA key"),
    };
    parsed.map_err(|error| match error.to_string().as_str() {
        "TooSmall" => "an RSA key of fewer than 2048 bits",
        "TooLarge" => "an RSA key of more than 4096 bits",
        "WrongAlgorithm" => "not an RSA key",
        "PrivateModulusLenNotMultipleOf512Bits" => {
            "an RSA key whose length is no multiple of 512 bits"
        }
        _ => "what its PEM holds is damaged",
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
