//! What must not be found, in every form that it could be found in.

use std::collections::HashSet;
use std::sync::OnceLock;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use rsa::PrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use rsa::traits::PrivateKeyParts;

use crate::support::ServiceUser;

/// As long a piece of a secret is one.
const PIECE: usize = 24;

type Piece = [u8; PIECE];

/// The pieces of some secrets.
#[derive(Clone)]
pub struct Needles {
    pieces: HashSet<Piece>,
    /// Which two bytes a piece begins with: most places are told apart by that.
    starts: Vec<bool>,
}

impl Default for Needles {
    fn default() -> Self {
        Self {
            pieces: HashSet::new(),
            starts: vec![false; 1 << 16],
        }
    }
}

impl Needles {
    /// The pieces of the key that the users of all worlds share. They are many, and
    /// are cut once.
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

    /// A private key: its DER in both forms, as bytes and as a PEM's base64,
    /// and its numbers as a crypto library holds them.
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

    /// A JWT but for its header, which is public, or any other token.
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

    /// Both alphabets of base64, wherever in a longer text it began, and hex.
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
        for piece in bytes.windows(PIECE).filter(|piece| is_telling(piece)) {
            self.starts[start(piece)] = true;
            self.pieces.insert(piece.try_into().unwrap());
        }
    }

    /// Where in these bytes the first piece lies, if there is one.
    pub fn find(&self, bytes: &[u8]) -> Option<usize> {
        bytes
            .windows(PIECE)
            .position(|piece| self.starts[start(piece)] && self.pieces.contains(piece))
    }

    /// As [`Self::find`], also where the text broke it into lines or escaped it.
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

/// Each byte in other letters.
pub fn each(bytes: &[u8], written: impl Fn(&u8) -> String) -> String {
    bytes.iter().map(written).collect::<Vec<_>>().concat()
}

/// Without the escapes of URLs (`%41`) and of JSON (`\u0041`).
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

fn start(piece: &[u8]) -> usize {
    usize::from(piece[0]) << 8 | usize::from(piece[1])
}

/// Not a run of padding, which is everywhere.
fn is_telling(piece: &[u8]) -> bool {
    piece.windows(2).filter(|pair| pair[0] != pair[1]).count() > 4
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
