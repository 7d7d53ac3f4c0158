//! A store's reply is interpreted as by a second parser, never depends on the number of
//! bytes received so far, and is never larger than its limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::cache::shared::resp::{Reply, parse};

fuzz_target!(|bytes: &[u8]| {
    let read = parse(bytes);
    let Ok(Some((reply, length))) = read else {
        return;
    };
    assert!(length <= bytes.len());
    // No prefix of a reply is a complete reply.
    for end in [length - 1, length / 2, 1] {
        assert_eq!(parse(&bytes[..end.min(length - 1)]), Ok(None));
    }
    let whole = &bytes[..length];
    match reply {
        Reply::Status(text) => assert_eq!(whole, format!("+{text}\r\n").as_bytes()),
        Reply::Error(code) => {
            assert!(whole.starts_with(format!("-{code}").as_bytes()));
            assert!(!code.contains(' '));
        }
        Reply::Number(number) => {
            let text = std::str::from_utf8(&whole[1..length - 2]).expect("digits");
            assert_eq!(text.parse(), Ok(number));
        }
        Reply::Value(value) => assert_eq!(second(whole), Some((Some(value), length))),
        Reply::Nothing => assert!(
            [b"$-1\r\n".as_slice(), b"*-1\r\n", b"_\r\n"]
                .iter()
                .any(|text| *text == whole || is_other_zero(whole))
        ),
        Reply::Values(values) => {
            assert!(values.len() <= 3);
            let mut at = whole
                .iter()
                .position(|byte| *byte == b'\n')
                .expect("a line")
                + 1;
            for value in values {
                let (again, size) = second(&whole[at..]).expect("a value");
                assert_eq!(again, value);
                at += size;
            }
            assert_eq!(at, length);
        }
    }
});

/// `-01` and similar texts, which also mean -1.
fn is_other_zero(whole: &[u8]) -> bool {
    let text = std::str::from_utf8(whole).unwrap_or_default();
    let number = text.get(1..).and_then(|rest| rest.strip_suffix("\r\n"));
    number.and_then(|number| number.parse::<i64>().ok()) == Some(-1)
}

/// Returns a bulk string, or `None` for null, and its length.
fn second(bytes: &[u8]) -> Option<(Option<Vec<u8>>, usize)> {
    let end = bytes.iter().position(|byte| *byte == b'\r')?;
    let line = std::str::from_utf8(&bytes[..end]).ok()?;
    if line == "_" {
        return Some((None, end + 2));
    }
    let length: i64 = line.strip_prefix('$')?.parse().ok()?;
    let Ok(length) = usize::try_from(length) else {
        return Some((None, end + 2));
    };
    let start = end + 2;
    Some((
        Some(bytes[start..start + length].to_vec()),
        start + length + 2,
    ))
}
