//! A URL gets a token only for the host that it starts with, over https; the response
//! is one block, for exactly the URL that Go passed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::tools::go::protocol;
use zitadel_credential_fuzz as plain;

// The first line is the URL; the status line begins on the second one.
fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|b| *b == b'\n');
    let (url, status) = input.split_at(end.unwrap_or(input.len()));
    if protocol::is_refusal(status) {
        assert!(status.windows(4).any(|four| four == b" 401"));
    }
    let Some(question) = std::str::from_utf8(url).ok().and_then(protocol::parse) else {
        return;
    };
    let url = std::str::from_utf8(url).expect("text");
    let (scheme, authority, _) = plain::url(url).expect("a whole URL");
    assert_eq!(question.authority, authority);
    let understood = plain::understood(&question.ask.origin);
    assert!(understood.starts_with("https://"));
    assert_eq!(plain::origin(scheme, authority), Some(understood));
    assert_eq!(question.ask.username, None);

    let token = plain::token();
    let block = protocol::block(authority, &token);
    let lines: Vec<_> = block.split('\n').collect();
    let header = format!("Authorization: Bearer {}", token.expose());
    assert_eq!(
        lines,
        [&format!("https://{authority}"), "", &header, "", ""]
    );
});
