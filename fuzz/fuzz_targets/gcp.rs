//! The variables of a client are parsed exactly; a refusal is a response too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zitadel_credential::error::Error;
use zitadel_credential::tools::gcp::protocol;
use zitadel_credential::tools::gcp::protocol::Request;
use zitadel_credential_fuzz as plain;

const NAMES: [&str; 4] = ["TOKEN_TYPE", "REVOKE", "INTERACTIVE", "OUTPUT_FILE"];

// One line for each variable; missing lines are unset variables.
fuzz_target!(|input: &str| {
    let values: Vec<_> = input.split('\n').collect();
    let variable = |name: &str| {
        let name = name
            .strip_prefix("GOOGLE_EXTERNAL_ACCOUNT_")
            .expect("one of its");
        let place = NAMES.iter().position(|known| *known == name)?;
        values.get(place).map(Into::into)
    };
    let [wanted, revoke, interactive, file] = [0, 1, 2, 3].map(|place| values.get(place).copied());
    let answer = match protocol::parse(variable) {
        Ok(Request::Revoke) => {
            assert_eq!(revoke, Some("1"));
            protocol::revoked()
        }
        Ok(Request::Token(kind)) => {
            assert_ne!(revoke, Some("1"));
            assert_eq!(
                wanted.unwrap_or("urn:ietf:params:oauth:token-type:jwt"),
                kind
            );
            assert!(interactive != Some("1") || file.is_some_and(|file| !file.is_empty()));
            protocol::token(kind, &plain::token())
        }
        Err(report) => protocol::failure(&Error::Usage(report)),
    };
    let answer = answer.expect("text");
    assert_eq!(answer.matches('\n').count(), 1);
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["version"], 1);
    assert_eq!(
        answer["success"].as_bool(),
        Some(answer.get("code").is_none())
    );
    if let Some(named) = protocol::output_file(variable) {
        assert_eq!((interactive, file), (Some("1"), named.to_str()));
        assert!(revoke != Some("1") && file != Some(""));
    }
});
