//! A prompt is only for the host in its URL, and never for a username that does not fit
//! on one line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::tools::askpass::parse;
use zitadel_credential_fuzz as plain;

fuzz_target!(|prompt: &str| {
    let Some(parsed) = parse(prompt) else {
        return;
    };
    let (_, url) = prompt.split_once(" for ").expect("git's words");
    let url = url.trim_start_matches(['\'', '"']);
    let url = url.strip_suffix("': ").or_else(|| url.strip_suffix('"'));
    let (scheme, rest) = url.expect("quoted").split_once("://").expect("a URL");
    let authority = rest.split('/').next().expect("an authority");
    let (user, host) = authority.split_once('@').unwrap_or(("", authority));
    assert_eq!(
        plain::origin(scheme, host),
        Some(plain::understood(&parsed.ask.origin))
    );
    match parsed.ask.username {
        None => assert!(user.is_empty()),
        Some(name) => {
            assert!(!name.is_empty() && !name.contains(char::is_control));
            assert!(user.contains('%') || name == user);
        }
    }
});
