//! Seals the values for a store. The key of the seal, the names and the check value come
//! from a secret that the store does not have: a signature of the private key, or a file.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::Report;
use crate::grant::Grant;
use crate::secret::on_wiped_stack;
use crate::text::clock::UnixTime;
use crate::text::digest::hex;
use crate::url::IssuerUrl;

/// The first bytes of the signed message. Its NUL never occurs in the input of a JWT.
const LABEL: &[u8] = b"zitadel-credential/shared/v1\0";

/// The first bytes of each sealed value: its format, and the suite HKDF-SHA256 with
/// ChaCha20-Poly1305.
const MAGIC: &[u8] = b"ZC1\x01";

const CHECK: usize = 8;

/// The header's length: magic, check value, two times, nonce.
const HEADER: usize = MAGIC.len() + CHECK + 8 + 8 + NONCE_LEN;

const TAG: usize = 16;

/// The sealed content is padded to a multiple of this length.
const BLOCK: usize = 256;

/// Returns the message that the private key signs, or that a file's secret is bound to:
/// the label and the grant's parts, each with its length.
pub fn message(grant: &Grant) -> Vec<u8> {
    let issuer = grant.issuer.as_ref().map_or("", IssuerUrl::as_str);
    let parts = [issuer, grant.key_id.as_str(), grant.user_id.as_str()];
    let mut message = LABEL.to_vec();
    for part in parts.into_iter().chain(grant.scopes.iter()) {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(part.as_bytes());
    }
    message
}

/// The seal of one grant's values.
pub struct Seal {
    key: Vec<u8>,
    check: Vec<u8>,
    name: String,
    message: Vec<u8>,
}

/// The plain header of a sealed value, and its opened content.
pub struct Opened {
    /// The time of the token's request, by the issuer's clock.
    pub obtained_at: UnixTime,
    /// The expiry, by the issuer's clock.
    pub expires_at: UnixTime,
    /// The nonce in hex: the name of the generation.
    pub generation: String,
    /// The content.
    pub content: Vec<u8>,
}

impl Seal {
    /// Derives the seal from a signature of [`message`], or from the secret of a file.
    ///
    /// # Errors
    /// Infallible: the lengths are fixed.
    pub fn derive(secret: &[u8], grant: &Grant) -> Result<Self, Report> {
        let message = message(grant);
        let derived = on_wiped_stack(|| {
            let key = Salt::new(HKDF_SHA256, &message).extract(secret);
            Some((
                expand::<32>(&key, b"seal")?,
                expand::<CHECK>(&key, b"check")?,
                expand::<16>(&key, b"name")?,
            ))
        });
        let (key, check, name) = derived.ok_or_else(failed)?;
        Ok(Self {
            key,
            check,
            name: hex(&name),
            message,
        })
    }

    /// Returns the grant's name in the store, which reveals nothing about the grant.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seals a content for one place in the store.
    ///
    /// # Errors
    /// The operating system has no random numbers.
    pub fn seal(
        &self,
        place: &str,
        (obtained_at, expires_at): (UnixTime, UnixTime),
        content: &[u8],
    ) -> Result<Vec<u8>, Report> {
        let mut nonce = [0; NONCE_LEN];
        let random = SystemRandom::new();
        random.fill(&mut nonce).map_err(|_| failed())?;
        let header = [
            MAGIC,
            &self.check,
            &obtained_at.as_secs().to_be_bytes(),
            &expires_at.as_secs().to_be_bytes(),
            &nonce,
        ]
        .concat();
        let length = u32::try_from(content.len()).map_err(|_| failed())?;
        let size = (content.len() + 4).next_multiple_of(BLOCK);
        // The content is sealed in place, with room for the tag, so that no copy is left.
        let mut sealed = Vec::with_capacity(size + TAG);
        sealed.extend_from_slice(&length.to_be_bytes());
        sealed.extend_from_slice(content);
        sealed.resize(size, 0);
        let aad = self.aad(&header, place);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let key = self.key()?;
        key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut sealed)
            .map_err(|_| failed())?;
        Ok([header.as_slice(), &sealed].concat())
    }

    /// Opens a value from a place in the store; `None` if it was not sealed by this seal
    /// for this place.
    pub fn open(&self, place: &str, value: &[u8]) -> Option<Opened> {
        let (header, sealed) = value.split_at_checked(HEADER)?;
        let rest = header.strip_prefix(MAGIC)?.strip_prefix(&*self.check)?;
        let (obtained_at, rest) = rest.split_first_chunk()?;
        let (expires_at, nonce) = rest.split_first_chunk()?;
        let generation = hex(nonce);
        let aad = self.aad(header, place);
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let key = self.key().ok()?;
        let opened = key.open_in_place(nonce, Aad::from(aad), &mut sealed).ok()?;
        let (length, rest) = opened.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (content, padding) = rest.split_at_checked(length)?;
        let is_padded = padding.len() < BLOCK && padding.iter().all(|byte| *byte == 0);
        is_padded.then(|| Opened {
            obtained_at: UnixTime::from_secs(u64::from_be_bytes(*obtained_at)),
            expires_at: UnixTime::from_secs(u64::from_be_bytes(*expires_at)),
            generation,
            content: content.to_vec(),
        })
    }

    fn key(&self) -> Result<LessSafeKey, Report> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.key);
        key.map(LessSafeKey::new).map_err(|_| failed())
    }

    /// Returns the authenticated data beside the content: the header, the place with its
    /// length, and the grant.
    fn aad(&self, header: &[u8], place: &str) -> Vec<u8> {
        let length = u64::try_from(place.len()).unwrap_or(u64::MAX);
        let parts = [
            header,
            &length.to_be_bytes(),
            place.as_bytes(),
            &self.message,
        ];
        parts.concat()
    }
}

/// The length of derived bytes.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(key: &Prk, purpose: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = vec![0; N];
    let purpose = [purpose];
    let derived = key.expand(&purpose, Length(N)).ok()?;
    derived.fill(&mut bytes).ok()?;
    Some(bytes)
}

fn failed() -> Report {
    Report::new("cannot seal an entry for the shared cache")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::grant::{KeyId, UserId};
    use crate::scope::Scopes;

    fn grant(key: &str, user: &str, scopes: &str) -> Grant {
        Grant {
            issuer: IssuerUrl::parse("https://acme.zitadel.cloud"),
            key_id: KeyId::parse(key).expect("an ID"),
            user_id: UserId::parse(user).expect("an ID"),
            scopes: Scopes::new([scopes]).expect("scopes"),
        }
    }

    fn seal(secret: &[u8]) -> Seal {
        Seal::derive(secret, &grant("1", "2", "openid")).expect("a seal")
    }

    const TIMES: (UnixTime, UnixTime) = (UnixTime::from_secs(1000), UnixTime::from_secs(2000));

    #[test]
    fn the_format_is_fixed() {
        let seal = seal(&[7; 256]);
        // These values are from HKDF by Python's hmac and hashlib.
        assert_eq!(seal.name(), "19dc58cbc663f74e4e4158e67ca8314b");
        let value = seal.seal("zc1:{x}:t", TIMES, b"content").expect("sealed");
        assert_eq!(value.len(), 40 + 256 + 16);
        assert_eq!(value[..4], *b"ZC1\x01");
        assert_eq!(value[12..20], 1000_u64.to_be_bytes());
        assert_eq!(value[20..28], 2000_u64.to_be_bytes());
        let opened = seal.open("zc1:{x}:t", &value).expect("opened");
        assert_eq!(opened.content.as_slice(), b"content");
        assert_eq!((opened.obtained_at, opened.expires_at), TIMES);
        assert_eq!(opened.generation, hex(&value[28..40]));
    }

    #[test]
    fn an_altered_moved_or_foreign_value_does_not_open() {
        let ours = seal(&[7; 256]);
        let value = ours.seal("place", TIMES, b"content").expect("sealed");
        for bit in 0..value.len() * 8 {
            let mut flipped = value.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(ours.open("place", &flipped).is_none(), "bit {bit}");
        }
        for end in 0..value.len() {
            assert!(ours.open("place", &value[..end]).is_none(), "{end} bytes");
        }
        assert!(ours.open("place2", &value).is_none());
        assert!(seal(&[8; 256]).open("place", &value).is_none());
        for other in [
            grant("12", "2", "openid"),
            grant("1", "3", "openid"),
            grant("1", "2", "openid profile"),
        ] {
            let other = Seal::derive(&[7; 256], &other).expect("a seal");
            assert_ne!(other.name(), ours.name());
            assert!(other.open("place", &value).is_none());
        }
    }

    #[test]
    fn a_content_of_any_length_is_padded() {
        let seal = seal(&[7; 32]);
        for (length, blocks) in [(0, 1), (252, 1), (253, 2), (508, 2)] {
            let content = vec![b'x'; length];
            let value = seal.seal("place", TIMES, &content).expect("sealed");
            assert_eq!(value.len(), HEADER + blocks * BLOCK + TAG);
            let opened = seal.open("place", &value).expect("opened");
            assert_eq!(*opened.content, content);
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_open(bytes: Vec<u8>) {
            let header = [MAGIC, &seal(b"x").check, &bytes].concat();
            prop_assert!(seal(b"x").open("place", &header).is_none());
        }
    }
}
