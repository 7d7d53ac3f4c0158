//! The encoding of a text file: UTF-8, with or without a byte order mark.

use thiserror::Error;

/// The reason why bytes are not text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotText {
    /// The bytes are UTF-16, which some editors and shells on Windows write.
    #[error("UTF-16, not UTF-8")]
    Utf16,
    /// The bytes are not UTF-8.
    #[error("not UTF-8")]
    Other,
}

/// Returns the bytes after a byte order mark of UTF-8, which some editors write.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// True if these bytes begin like a text in UTF-16, with or without a byte order mark.
pub fn is_utf16(bytes: &[u8]) -> bool {
    match bytes {
        // Our texts begin with ASCII, which in UTF-16 has one zero byte per character.
        [0xff, 0xfe, a, 0, ..] | [0xfe, 0xff, 0, a, ..] => *a != 0,
        [0, a, 0, b, ..] | [a, 0, b, 0, ..] => *a != 0 && *b != 0,
        _ => false,
    }
}

/// Returns the text without a byte order mark.
///
/// # Errors
/// [`NotText`]: another encoding.
pub fn text(bytes: &[u8]) -> Result<&str, NotText> {
    if is_utf16(bytes) {
        return Err(NotText::Utf16);
    }
    std::str::from_utf8(without_mark(bytes)).map_err(|_| NotText::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bom_is_skipped_once_and_utf_16_is_named() {
        assert_eq!(text(b"\xef\xbb\xbf{}"), Ok("{}"));
        assert_eq!(text(b"{}"), Ok("{}"));
        assert_eq!(text(b""), Ok(""));
        assert_eq!(text(b"\xff\xfe{\0}\0"), Err(NotText::Utf16));
        assert_eq!(text(b"\xfe\xff\0{\0}"), Err(NotText::Utf16));
        assert_eq!(text(b"{\0}\0"), Err(NotText::Utf16));
        assert_eq!(text(b"\0{\0}"), Err(NotText::Utf16));
        assert_eq!(text(b"\x30\x82\xff"), Err(NotText::Other));
    }
}
