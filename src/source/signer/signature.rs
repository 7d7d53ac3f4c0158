//! The signature that a program prints: raw, or as base64 text. Pure.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// The sizes in bytes of an RSA signature: those of keys of 1024 to 8192 bits in steps of
/// 8 bits. ZITADEL accepts keys from 1024 to 4096 bits.
const SIZES: std::ops::RangeInclusive<usize> = 128..=1024;

/// The reason why a text is not one signature.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// Neither bytes of a signature's size nor base64.
    #[error("printed no signature: neither {0} raw bytes nor their base64 text")]
    NoSignature(String),
    /// Bytes, but not the number that the key's size needs.
    #[error("printed a signature of {found} bytes, but the public key's have {expected}")]
    WrongSize {
        /// The printed size.
        found: usize,
        /// The key's size.
        expected: usize,
    },
    /// Digits that are base64 too, of another value.
    #[error("printed hexadecimal digits, not raw bytes or base64")]
    Hexadecimal,
    /// A message, a label, a document.
    #[error("printed text that is not one base64 signature")]
    Text,
    /// Base64 twice.
    #[error("printed more than one signature")]
    Several,
}

/// Parses a program's output. `size` is the key's size in bytes, if it is known.
///
/// # Errors
/// [`Objection`]; it contains no byte of the output.
pub fn parse(printed: &[u8], size: Option<usize>) -> Result<Vec<u8>, Objection> {
    let fits = |length: usize| match size {
        Some(size) => length == size,
        None => SIZES.contains(&length),
    };
    if is_hexadecimal(printed) {
        return Err(Objection::Hexadecimal);
    }
    if let Some(signature) = decoded(printed) {
        return match signature {
            Decoded::One(bytes) if is_text(&bytes) => Err(Objection::Text),
            Decoded::One(bytes) if size.is_none() && is_twice(&bytes) => Err(Objection::Several),
            Decoded::One(bytes) if fits(bytes.len()) => Ok(bytes),
            Decoded::One(bytes) if size.is_some_and(|size| bytes.len() == 2 * size) => {
                Err(Objection::Several)
            }
            Decoded::One(bytes) => Err(wrong_size(bytes.len(), size)),
            Decoded::Several => Err(Objection::Several),
        };
    }
    if is_text(printed) {
        return Err(Objection::Text);
    }
    if let Some(size) = size {
        return match printed.len() {
            found if found == size => Ok(printed.to_owned()),
            // `echo` and others end their output with a line break.
            found if found == size + 1 && printed.ends_with(b"\n") => {
                Ok(printed[..size].to_owned())
            }
            found if found == 2 * size => Err(Objection::Several),
            found => Err(wrong_size(found, Some(size))),
        };
    }
    // A multiple of 64 bytes, as for all keys in use.
    let length = match printed.len() % 64 {
        1 if printed.ends_with(b"\n") => printed.len() - 1,
        _ => printed.len(),
    };
    if is_twice(&printed[..length]) {
        Err(Objection::Several)
    } else if fits(length) && length % 64 == 0 {
        Ok(printed[..length].to_owned())
    } else {
        Err(wrong_size(length, None))
    }
}

/// True for a text. A signature of text bytes only is as unlikely as a guessed key.
fn is_text(bytes: &[u8]) -> bool {
    let is_printable = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    !bytes.is_empty() && bytes.iter().all(is_printable)
}

/// True for the output of `openssl dgst` and `xxd`, with and without colons.
fn is_hexadecimal(bytes: &[u8]) -> bool {
    let letters = bytes
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace() && **byte != b':');
    letters.clone().count() >= 2 * SIZES.start() && letters.clone().all(u8::is_ascii_hexdigit)
}

/// True for the same signature twice, which has the size of a longer key's signature.
fn is_twice(bytes: &[u8]) -> bool {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    !first.is_empty() && first == second
}

fn wrong_size(found: usize, size: Option<usize>) -> Objection {
    match size {
        Some(expected) if SIZES.contains(&found) => Objection::WrongSize { found, expected },
        Some(expected) => Objection::NoSignature(expected.to_string()),
        None => Objection::NoSignature(format!("{} to {}", SIZES.start(), SIZES.end())),
    }
}

enum Decoded {
    One(Vec<u8>),
    Several,
}

/// Decodes base64 (RFC 4648, sections 4 and 5), with or without padding and line breaks;
/// `None` for anything else.
fn decoded(printed: &[u8]) -> Option<Decoded> {
    let letters: Vec<_> = printed
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let body = letters.trim_ascii_end();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
    if body.is_empty() || !body.iter().all(is_word) {
        return None;
    }
    let unpadded = body.strip_suffix(b"==").or_else(|| body.strip_suffix(b"="));
    if unpadded.unwrap_or(body).contains(&b'=') {
        return Some(Decoded::Several);
    }
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if body.iter().any(|byte| b"-_".contains(byte)) {
        alphabet::URL_SAFE
    } else {
        alphabet::STANDARD
    };
    let decoded = GeneralPurpose::new(&alphabet, config).decode(body).ok()?;
    Some(Decoded::One(decoded))
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    fn signature() -> Vec<u8> {
        (0..=255).collect()
    }

    #[test]
    fn all_encodings_give_one_signature() {
        let raw = signature();
        let standard = BASE64_STANDARD.encode(&raw);
        let lines: Vec<_> = standard.as_bytes().chunks(64).collect();
        let wrapped = lines.join(&b"\r\n"[..]);
        let url = BASE64_URL_SAFE_NO_PAD.encode(&raw);
        let with_end = [&raw[..], b"\n"].concat();
        for printed in [
            &raw[..],
            &with_end,
            standard.as_bytes(),
            standard.trim_end_matches('=').as_bytes(),
            &wrapped,
            url.as_bytes(),
            format!("{url}\n").as_bytes(),
        ] {
            for size in [None, Some(256)] {
                assert_eq!(
                    parse(printed, size).as_ref(),
                    Ok(&raw),
                    "{printed:?} {size:?}"
                );
            }
        }
    }

    #[test]
    fn other_output_is_refused() {
        let raw = signature();
        let twice = [&raw[..], &raw[..]].concat();
        let text = BASE64_STANDARD.encode(&raw);
        let several = Err(Objection::Several);
        assert_eq!(parse(&twice, Some(256)), several);
        assert_eq!(
            parse(format!("{text}\n{text}\n").as_bytes(), Some(256)),
            several
        );
        assert_eq!(parse(format!("{text}\n{text}\n").as_bytes(), None), several);
        let long = BASE64_STANDARD.encode(&twice);
        assert_eq!(parse(long.as_bytes(), Some(256)), several);
        let size = Err(Objection::WrongSize {
            found: 128,
            expected: 256,
        });
        assert_eq!(parse(&raw[..128], Some(256)), size);
        assert_eq!(
            parse(BASE64_STANDARD.encode(&raw[..128]).as_bytes(), Some(256)),
            size
        );
        for printed in [
            &b"error: no such key\n"[..],
            b"abc",
            b"\xff",
            b"=",
            &raw[..200],
        ] {
            for size in [None, Some(256)] {
                assert!(parse(printed, size).is_err(), "{printed:?}");
            }
        }
    }

    #[test]
    fn unsupported_signature_encodings_are_named() {
        let raw = signature();
        let text = BASE64_STANDARD.encode(&raw);
        let digits: Vec<_> = raw.iter().map(|byte| format!("{byte:02x}")).collect();
        let digits = digits.concat();
        let colons: Vec<_> = digits.as_bytes().chunks(2).collect();
        let hexadecimal = [
            digits.clone().into_bytes(),
            digits.to_uppercase().into_bytes(),
            colons.join(&b":"[..]),
        ];
        let texts = [
            format!("\"{text}\""),
            format!("{{\"signature\": \"{text}\"}}"),
            format!("vault:v1:{text}"),
            format!("Signature: {text}"),
            format!("{text}\nWARNING: the PIN is old\n"),
            BASE64_STANDARD.encode(&text),
            // This text is as long as a signature.
            "error ".repeat(60)[..256].to_owned(),
        ];
        let twice = [&raw[..], &raw[..]].concat();
        for size in [None, Some(256)] {
            for printed in &hexadecimal {
                assert_eq!(parse(printed, size), Err(Objection::Hexadecimal));
            }
            for printed in &texts {
                assert_eq!(
                    parse(printed.as_bytes(), size),
                    Err(Objection::Text),
                    "{printed}"
                );
            }
            assert_eq!(parse(&twice, size), Err(Objection::Several));
            let twice = BASE64_STANDARD.encode(&twice);
            assert_eq!(parse(twice.as_bytes(), size), Err(Objection::Several));
        }
    }

    proptest! {
        #[test]
        fn any_output_is_a_signature_or_an_error(printed: Vec<u8>, size in 100_usize..600) {
            let _ = parse(&printed, None);
            if let Ok(signature) = parse(&printed, Some(size)) {
                prop_assert_eq!(signature.len(), size);
            }
        }
    }
}
