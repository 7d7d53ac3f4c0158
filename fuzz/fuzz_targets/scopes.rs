//! Scopes are the words of their texts, each once, and their output parses to the same
//! scopes. Only a `b64token` is a token.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use zitadel_credential::scope::Scopes;
use zitadel_credential::token::Token;

fuzz_target!(|text: &str| {
    if let Ok(scopes) = Scopes::new(text.split(';')) {
        let shown = scopes.to_string();
        assert_eq!(Scopes::new([shown.as_str()]), Ok(scopes));
        let words = |text: &str| -> BTreeSet<String> {
            let words = text.split(|c: char| c == ';' || c.is_ascii_whitespace());
            words
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(words(&text.replace(';', " ")), words(&shown));
        assert!(
            shown
                .bytes()
                .all(|b| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\')
        );
    }
    if let Some(token) = Token::new(text.to_owned(), None) {
        let (body, padding) = text.split_at(text.find('=').unwrap_or(text.len()));
        assert!(!body.is_empty() && padding.bytes().all(|b| b == b'='));
        assert!(
            body.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
        );
        assert_eq!(token.expose(), text);
    }
});
