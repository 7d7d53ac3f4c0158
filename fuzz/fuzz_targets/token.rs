//! The token endpoint's response is a token that fits every line protocol, with the
//! response's lifetime, or an error that shows no token. The first line has the status
//! and the headers' value, the rest is the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zitadel_credential::net::answer::Answer;
use zitadel_credential::source::issuer::{Exchange, exchanged};
use zitadel_credential::url::HttpUrl;
use zitadel_credential_fuzz as plain;

fuzz_target!(|input: &[u8]| {
    let (status, header, body) = plain::answer(input);
    let url = HttpUrl::parse("https://id.acme.dev/oauth/v2/token").expect("a URL");
    let answer = Answer::new(&url, status, |_| Some(header), body.to_vec());
    match exchanged(&answer) {
        Ok(Exchange::Granted(granted)) => {
            assert_eq!(status, 200);
            // A response that is refused here has an error in an unused field.
            let Ok(read) = serde_json::from_slice::<Value>(body) else {
                return;
            };
            assert_eq!(read["access_token"], granted.access_token.as_str());
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
            assert!(granted.access_token.bytes().all(is_plain));
            match granted.expires_in {
                Some(secs) => {
                    let said = read["expires_in"].as_f64().expect("a number");
                    assert_eq!(secs, (said as u64).min(u32::MAX.into()));
                    assert!(secs >= 1);
                }
                None => assert!(read["expires_in"].is_null()),
            }
        }
        Ok(Exchange::Refused(refusal)) => {
            assert_ne!(status, 200);
            let code = refusal.code.unwrap_or_default();
            let shown = format!("{code}: {}", refusal.description);
            plain::assert_shown(&zitadel_credential::error::Report::new(shown));
        }
        Err(error) => plain::assert_shown(error.report()),
    }
});
