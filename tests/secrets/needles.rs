//! Texts that must not be found, in every form that they could have.

use std::collections::HashMap;
use std::sync::OnceLock;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use rsa::PrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::traits::PrivateKeyParts;

use crate::support::ServiceUser;

/// Length of a piece of a secret that counts as a finding.
const PIECE: usize = 24;

/// Length of the searched parts, at every ninth byte of each secret, so that each piece
/// contains one.
const PART: usize = 16;
const STEP: usize = PIECE - PART + 1;

type Part = [u8; PART];

/// The parts of some secrets.
#[derive(Clone)]
pub struct Needles {
    secrets: Vec<Vec<u8>>,
    /// The secrets with each part, and the part's offset in them.
    parts: HashMap<Part, Vec<(usize, usize)>>,
    /// The first two bytes of all parts: they exclude most places.
    starts: Vec<bool>,
}

impl Default for Needles {
    fn default() -> Self {
        Self {
            secrets: Vec::new(),
            parts: HashMap::new(),
            starts: vec![false; 1 << 16],
        }
    }
}

impl Needles {
    /// Returns the key that the users of all worlds share: its many parts are cut once.
    pub fn of_the_shared_key(user: &ServiceUser) -> Self {
        static SHARED: OnceLock<(PrivateKey, Needles)> = OnceLock::new();
        let (key, needles) = SHARED.get_or_init(|| {
            let mut needles = Self::default();
            needles.add_key(user);
            (user.private.clone(), needles)
        });
        assert!(*key == user.private, "a key of its own");
        needles.clone()
    }

    /// Adds a private key: its DER in both forms, as bytes and as a PEM's base64, and its
    /// numbers in a crypto library's form.
    pub fn add_key(&mut self, user: &ServiceUser) {
        self.add_encoded(user.private.to_pkcs1_der().unwrap().as_bytes());
        self.add_encoded(user.private.to_pkcs8_der().unwrap().as_bytes());
        let private = &user.private;
        for prime in private.primes() {
            self.add_number(&prime.to_be_bytes());
        }
        for exponent in [private.dp(), private.dq()] {
            self.add_number(&exponent.unwrap().to_be_bytes());
        }
        self.add_number(&private.d().to_be_bytes());
    }

    fn add_number(&mut self, big_endian: &[u8]) {
        let little_endian: Vec<u8> = big_endian.iter().rev().copied().collect();
        self.add(big_endian);
        self.add(&little_endian);
    }

    /// Adds a JWT without its header, which is public, or any other token.
    pub fn add_token(&mut self, token: &str) {
        let parts = match token.split_once('.') {
            Some((_, parts)) => parts,
            None => token,
        };
        for part in parts.split('.') {
            self.add(part.as_bytes());
            self.add_encoded(part.as_bytes());
        }
    }

    /// Adds both alphabets of base64, at every offset in a longer text, and hex.
    fn add_encoded(&mut self, bytes: &[u8]) {
        self.add(bytes);
        for bytes in (0..3).filter_map(|start| bytes.get(start..)) {
            self.add(BASE64_STANDARD.encode(bytes).as_bytes());
            self.add(BASE64_URL_SAFE_NO_PAD.encode(bytes).as_bytes());
        }
        let hex = each(bytes, |byte| format!("{byte:02x}"));
        self.add(hex.as_bytes());
        self.add(hex.to_uppercase().as_bytes());
    }

    fn add(&mut self, bytes: &[u8]) {
        let parts = bytes.windows(PART).enumerate().step_by(STEP);
        for (place, part) in parts.filter(|(_, part)| is_telling(part)) {
            self.starts[start(part)] = true;
            let places = self.parts.entry(part.try_into().unwrap()).or_default();
            places.push((self.secrets.len(), place));
        }
        self.secrets.push(bytes.to_vec());
    }

    /// Returns the offset of the first piece in these bytes.
    pub fn find(&self, bytes: &[u8]) -> Option<usize> {
        bytes.windows(PART).enumerate().find_map(|(at, part)| {
            if !self.starts[start(part)] {
                return None;
            }
            let mut places = self.parts.get(part)?.iter();
            places.find_map(|&(secret, place)| {
                let secret = self.secrets[secret].split_at(place);
                let bytes = bytes.split_at(at);
                let before = same(secret.0.iter().rev(), bytes.0.iter().rev());
                let length = before + same(secret.1.iter(), bytes.1.iter());
                (length >= PIECE).then_some(at - before)
            })
        })
    }

    /// As [`Self::find`], even in a text that is wrapped or escaped.
    pub fn find_in_text(&self, bytes: &[u8]) -> Option<String> {
        let joined = |bytes: &[u8]| -> Vec<u8> {
            let text = String::from_utf8_lossy(bytes);
            let text = text
                .replace("\\n", "")
                .replace("\\r", "")
                .replace("\\/", "/");
            text.bytes().filter(|b| !b.is_ascii_whitespace()).collect()
        };
        let unescaped = unescape(bytes);
        [bytes.to_vec(), joined(bytes), joined(&unescaped), unescaped]
            .iter()
            .find_map(|form| {
                let at = self.find(form)?;
                let around = &form[at.saturating_sub(40)..form.len().min(at + PIECE + 40)];
                Some(String::from_utf8_lossy(around).into_owned())
            })
    }
}

/// Returns each byte in another form.
pub fn each(bytes: &[u8], written: impl Fn(&u8) -> String) -> String {
    bytes.iter().map(written).collect::<Vec<_>>().concat()
}

/// Removes the escapes of URLs (`%41`) and of JSON (`\u0041`).
fn unescape(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let hex = |range: std::ops::Range<usize>| {
            let digits = std::str::from_utf8(rest.get(range)?).ok()?;
            u8::from_str_radix(digits, 16).ok()
        };
        let escaped = match first {
            b'%' => hex(1..3).map(|byte| (byte, 3)),
            b'\\' if rest.starts_with(b"\\u00") => hex(4..6).map(|byte| (byte, 6)),
            _ => None,
        };
        let (byte, length) = escaped.unwrap_or((first, 1));
        plain.push(byte);
        rest = match escaped {
            Some(_) => &rest[length..],
            None => after,
        };
    }
    plain
}

/// Returns the number of equal bytes.
fn same<'b>(one: impl Iterator<Item = &'b u8>, other: impl Iterator<Item = &'b u8>) -> usize {
    one.zip(other).take_while(|(a, b)| a == b).count()
}

fn start(part: &[u8]) -> usize {
    usize::from(part[0]) << 8 | usize::from(part[1])
}

/// False for a run of padding, which is everywhere.
fn is_telling(part: &[u8]) -> bool {
    part.windows(2).filter(|pair| pair[0] != pair[1]).count() > 4
}

#[test]
fn a_piece_is_found_in_every_form() {
    let mut needles = Needles::default();
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIzMTAwMDAwMDAwMDAwMDAwMDEifQ.c2lnbmF0dXJlLW9mLXRoZS1hc3NlcnRpb24tYnl0ZXM";
    needles.add_token(token);
    let claims = token.split('.').nth(1).unwrap();
    let percent = each(claims.as_bytes(), |byte| format!("%{byte:02X}"));
    let json = each(claims.as_bytes(), |byte| format!("\\u{byte:04x}"));
    for form in [
        claims[3..28].to_owned(),
        format!("{}\n  {}", &claims[..13], &claims[13..30]),
        format!("{}\\n{}", &claims[..13], &claims[13..30]),
        percent,
        json,
        BASE64_STANDARD.encode(format!("x{token}")),
        BASE64_STANDARD.encode(format!("xy{token}")),
        each(claims.as_bytes(), |byte| format!("{byte:02x}")),
    ] {
        assert!(needles.find_in_text(form.as_bytes()).is_some(), "{form}");
    }
    for other in ["", &claims[..23], token.split('.').next().unwrap()] {
        assert_eq!(needles.find_in_text(other.as_bytes()), None, "{other}");
    }
}
