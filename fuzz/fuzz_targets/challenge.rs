//! A scheme counts as offered if a challenge starts with it, and never inside a
//! parameter or a quoted string.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::tools::git::protocol::challenge;

fuzz_target!(|header: &str| {
    assert_eq!(
        challenge::offers(header, "Bearer"),
        offers(header),
        "{header:?}"
    );
});

/// Replaces quoted strings by spaces, then checks each part between commas.
fn offers(header: &str) -> bool {
    let mut outside = String::new();
    let mut chars = header.chars();
    while let Some(c) = chars.next() {
        if c != '"' {
            outside.push(c);
            continue;
        }
        outside.push('"');
        loop {
            match chars.next() {
                None | Some('"') => break,
                Some('\\') => drop(chars.next()),
                Some(_) => {}
            }
        }
    }
    outside.split(',').any(|piece| {
        let piece = piece.trim();
        let Some(name) = piece
            .get(..6)
            .filter(|name| name.eq_ignore_ascii_case("bearer"))
        else {
            return false;
        };
        let rest = &piece[name.len()..];
        let goes_on =
            rest.starts_with(|c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c));
        !goes_on && !rest.trim_start().starts_with('=')
    })
}
