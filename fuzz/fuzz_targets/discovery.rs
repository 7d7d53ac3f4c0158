//! A discovery document is accepted only from the configured issuer, with exactly its
//! endpoints. The first line has the status and the headers' values, the rest is the
//! body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zitadel_credential::net::answer::Answer;
use zitadel_credential::source::issuer::endpoints;
use zitadel_credential::url::IssuerUrl;
use zitadel_credential_fuzz as plain;

const ISSUER: &str = "https://id.acme.dev";

fuzz_target!(|input: &[u8]| {
    let (status, header, body) = plain::answer(input);
    let issuer = IssuerUrl::parse(ISSUER).expect("an issuer");
    let url = issuer.discovery();
    let answer = Answer::new(&url, status, |_| Some(header), body.to_vec());
    match endpoints(&issuer, &answer) {
        Ok(endpoints) => {
            assert_eq!(status, 200);
            // A document that is refused here has an error in an unused field.
            let Ok(document) = serde_json::from_slice::<Value>(body) else {
                return;
            };
            assert_eq!(document["issuer"], ISSUER);
            assert_eq!(document["token_endpoint"], endpoints.token.as_str());
            assert_eq!(document["userinfo_endpoint"], endpoints.userinfo.as_str());
        }
        Err(error) => plain::assert_shown(error.report()),
    }
});
