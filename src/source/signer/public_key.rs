//! An RSA public key, which checks the signatures of another program.

use ring::signature::{RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

use crate::net::der::{element, inside};

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 3;
const INTEGER: u8 = 2;

/// 1.2.840.113549.1.1.1, rsaEncryption.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];

/// An RSA public key.
#[derive(Debug)]
pub struct PublicKey {
    /// `RSAPublicKey` (RFC 8017, appendix A.1.1).
    der: Vec<u8>,
    size: usize,
}

impl PublicKey {
    /// Parses a PEM: `PUBLIC KEY` (RFC 5280, `SubjectPublicKeyInfo`) or `RSA PUBLIC KEY`.
    ///
    /// # Errors
    /// The reason why it is not an RSA public key.
    pub fn parse(pem: &str) -> Result<Self, &'static str> {
        let has = |label: &str| pem.contains(label);
        let is_info = has("BEGIN PUBLIC KEY-----");
        if has("PRIVATE KEY-----") {
            return Err("a private key, where the public half is wanted");
        } else if has("CERTIFICATE-----") {
            return Err("a certificate: openssl x509 -pubkey -noout prints its public key");
        } else if !is_info && !has("BEGIN RSA PUBLIC KEY-----") {
            return Err("not a public key in PEM");
        }
        // The PEM reader has no label for PKCS#1.
        let pem = pem.replace("RSA PUBLIC KEY-----", "PUBLIC KEY-----");
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes());
        let der = der.map_err(|_| "the PEM is damaged")?;
        let der = if is_info {
            of_info(&der).ok_or("not an RSA key: ZITADEL accepts only RSA keys")?
        } else {
            der.to_vec()
        };
        let size = modulus_size(&der).ok_or("not an RSA public key")?;
        Ok(Self { der, size })
    }

    /// Returns the modulus' size in bytes, which is also a signature's size.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// True if an RS256 signature of `input` is by this key.
    pub fn verifies(&self, input: &[u8], signature: &[u8]) -> bool {
        // ZITADEL accepts keys from 1024 bits on.
        let algorithm = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
        let key = UnparsedPublicKey::new(algorithm, &self.der);
        key.verify(input, signature).is_ok()
    }
}

/// Returns the key in a `SubjectPublicKeyInfo`; `None` if it is not RSA.
fn of_info(info: &[u8]) -> Option<Vec<u8>> {
    let (content, _) = inside(info, SEQUENCE)?;
    let (algorithm, rest) = inside(content, SEQUENCE)?;
    let (_, name, _) = element(algorithm)?;
    let (bits, _) = inside(rest, BIT_STRING)?;
    let (unused, key) = bits.split_first()?;
    (name == RSA && *unused == 0).then(|| key.to_owned())
}

fn modulus_size(key: &[u8]) -> Option<usize> {
    let (content, _) = inside(key, SEQUENCE)?;
    let (modulus, _) = inside(content, INTEGER)?;
    // A leading zero marks a positive number.
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    (!modulus.is_empty()).then_some(modulus.len())
}
