//! A program's output in any form is a signature of the key's size, or an error that
//! shows no byte of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::error::Report;
use zitadel_credential::source::signer::signature;
use zitadel_credential_fuzz as plain;

/// Returns the bytes of base64 text of either alphabet, letter by letter.
fn decoded(printed: &[u8]) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in printed {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count).expect("8 bits"));
            bits &= (1 << count) - 1;
        }
    }
    bytes
}

fuzz_target!(|printed: &[u8]| {
    for size in [None, Some(128), Some(256), Some(512)] {
        match signature::parse(printed, size) {
            Ok(signature) => {
                assert!((128..=1024).contains(&signature.len()));
                assert!(size.is_none_or(|size| signature.len() == size));
                let is_raw = printed.starts_with(&signature);
                assert!(is_raw || decoded(printed) == signature);
            }
            Err(objection) => plain::assert_shown(&Report::new(objection.to_string())),
        }
    }
});
