//! The API server's response to an apply is about the requested Secret, or an error that
//! shows no part of a secret. The first line has the status and the headers' value, the
//! rest is the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zitadel_credential::agent::kubernetes::content::Kind;
use zitadel_credential::agent::kubernetes::refusal::{Asked, passing, read};
use zitadel_credential::error::Error;
use zitadel_credential::net::answer::Answer;
use zitadel_credential::token::Token;
use zitadel_credential::url::HttpUrl;
use zitadel_credential_fuzz as plain;

fuzz_target!(|input: &[u8]| {
    let (status, header, body) = plain::answer(input);
    let url = HttpUrl::parse("https://10.0.0.1/api/v1/namespaces/ci/secrets/token");
    let url = url.expect("a URL");
    let answer = Answer::new(&url, status, |_| Some(header), body.to_vec());
    let account = Token::new("e30.e30.c2ln".to_owned(), None).expect("a token");
    for kind in [Kind::Token, Kind::Dockerconfigjson] {
        let asked = Asked {
            namespace: "ci",
            name: "token",
            kind,
            account: &account,
        };
        if let Some(error) = passing(&answer, &asked) {
            assert!(matches!(error, Error::Passing(_)));
            assert!(matches!(status, 408 | 409 | 425 | 429 | 500..));
            plain::assert_shown(error.report());
        }
        match read(&answer, &asked) {
            Ok(()) => {
                assert!(matches!(status, 200 | 201));
                // A document that is refused here has an error in an unused field.
                let Ok(read) = serde_json::from_slice::<Value>(body) else {
                    return;
                };
                assert_eq!(read["metadata"]["name"], "token");
                assert_eq!(read["metadata"]["namespace"], "ci");
            }
            Err(error) => {
                assert!(matches!(error, Error::Final(_)));
                plain::assert_shown(error.report());
            }
        }
    }
});
