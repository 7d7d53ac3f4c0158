//! The user API's responses: a key is listed only if it is the user's own and has an ID
//! and two dates, and no error shows a secret. The first line has the status and the
//! headers' value, the rest is the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zitadel_credential::grant::UserId;
use zitadel_credential::net::answer::Answer;
use zitadel_credential::source::issuer::user_keys::{added, listed, removed};
use zitadel_credential::url::HttpUrl;
use zitadel_credential_fuzz as plain;

const USER: &str = "7";

fuzz_target!(|input: &[u8]| {
    let (status, header, body) = plain::answer(input);
    let url = HttpUrl::parse("https://id.acme.dev/v2/users/7/keys").expect("a URL");
    let user = UserId::parse(USER).expect("an ID");
    let answer = Answer::new(&url, status, |_| Some(header), body.to_vec());
    // A response that is refused here has an error in an unused field.
    let read = serde_json::from_slice::<Value>(body).unwrap_or_default();
    match listed(&answer, &user) {
        Ok(page) => {
            assert_eq!(status, 200);
            assert!(page.keys.len() <= page.found);
            if let Some(all) = read["result"].as_array() {
                let own = all.iter().filter(|key| key["userId"] == USER);
                assert!(
                    own.map(|key| &key["id"])
                        .eq(page.keys.iter().map(|key| key.id.as_str()))
                );
            }
        }
        Err(error) => plain::assert_shown(error.report()),
    }
    match added(&answer) {
        Ok(Ok(id)) => {
            assert_eq!(status, 200);
            assert!(read.is_null() || read["keyId"] == id.as_str());
            // The ID becomes a part of a URL and the name of a directory.
            let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
            assert!(id.as_str().bytes().all(is_plain));
        }
        Ok(Err(error)) | Err(error) => plain::assert_shown(error.report()),
    }
    match removed(&answer) {
        Ok(is_new) => assert_eq!(status, if is_new { 200 } else { 404 }),
        Err(error) => plain::assert_shown(error.report()),
    }
});
