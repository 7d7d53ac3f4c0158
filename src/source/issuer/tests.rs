use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;

const ISSUER: &str = "https://id.acme.dev";

fn asked<T>(
    status: u16,
    body: &[u8],
    read: impl Fn(&Answer<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let url = HttpUrl::parse("https://id.acme.dev/x").expect("a URL");
    read(&Answer::new(&url, status, |_| None, body.to_vec()))
}

fn discovered(document: &Value) -> Result<Endpoints, Error> {
    let issuer = IssuerUrl::parse(ISSUER).expect("an issuer");
    asked(200, document.to_string().as_bytes(), |answer| {
        endpoints(&issuer, answer)
    })
}

#[test]
fn a_busy_issuer_says_how_long_to_wait() {
    let url = HttpUrl::parse("https://id.acme.dev/x").expect("a URL");
    let wait = |header: Option<&str>| {
        let headers = |name: &str| header.filter(|_| name.eq_ignore_ascii_case("retry-after"));
        let answer = Answer::new(&url, 429, headers, Vec::new());
        passing(&answer).report().retry_after()
    };
    assert_eq!(wait(Some("120")), Some(Duration::from_secs(120)));
    assert_eq!(wait(None), None);
}

#[test]
fn a_response_with_a_token_is_never_quoted() {
    let shown = |status: u16, body: &str| match asked(status, body.as_bytes(), exchanged) {
        Ok(Exchange::Refused(refusal)) => format!("{refusal:?}"),
        Ok(Exchange::Granted(_)) => "granted".to_owned(),
        Err(error) => error.to_string(),
    };
    for status in [201, 400, 401, 404, 500, 503] {
        for body in [
            r#"{"access_token":"hunter2-Sommer"}"#,
            r#"{"error":"invalid_grant","error_description":"hunter2-Sommer","access_token":"x"}"#,
            r#"{"error":"hunter2-Sommer","access_token":"x"}"#,
            r#"{"a":[{"access\u005ftoken":"hunter2-Sommer"}]}"#,
            r#"{"accessToken":"hunter2-Sommer"}"#,
            "access_token=hunter2-Sommer&token_type=Bearer",
            "ACCESS-TOKEN: hunter2-Sommer",
            "{\"id_token\": \"hunter2-Sommer",
            "client_secret=hunter2-Sommer",
            "POST /oauth/v2/token Authorization: Basic hunter2-Sommer",
            r#"{"headers":{"authorization":"Bearer hunter2-Sommer"}}"#,
        ] {
            let shown = shown(status, body);
            assert!(!shown.contains("hunter2"), "{status} {body}: {shown}");
        }
        let usual = r#"{"error":"invalid_grant","error_description":"key is gone"}"#;
        assert!(shown(status, usual).contains("key is gone"), "{status}");
    }
    let both = r#"{"error":"invalid_grant","error_description":"x","access_token":"y"}"#;
    assert!(shown(400, both).contains("invalid_grant"), "the code stays");
}

#[test]
fn a_lifetime_is_any_number_of_at_least_a_second() {
    for (number, secs) in [
        (json!(1), 1),
        (json!(3600.5), 3600),
        (json!(8_999_999_999_u64), LONGEST.as_secs()),
        (json!(1e300), LONGEST.as_secs()),
    ] {
        assert_eq!(lifetime(&number), Some(secs), "{number}");
    }
    for none in [
        json!(0),
        json!(-1),
        json!(0.9),
        json!(-1e300),
        json!("3600"),
    ] {
        assert_eq!(lifetime(&none), None, "{none}");
    }
}

proptest! {
    #[test]
    fn any_answer_parses_without_panic(status in 100_u16..600, body: Vec<u8>) {
        let issuer = IssuerUrl::parse(ISSUER).expect("an issuer");
        let _ = asked(status, &body, |answer| endpoints(&issuer, answer));
        let _ = asked(status, &body, exchanged);
    }

    #[test]
    fn only_our_issuers_document_is_valid(
        start in prop::sample::select(vec![ISSUER, "HTTPS://id.acme.dev", "http://id.acme.dev"]),
        end in "[/:. ]?",
    ) {
        let issuer = format!("{start}{end}");
        let document = json!({
            "issuer": issuer, "token_endpoint": "https://id.acme.dev/t", "userinfo_endpoint": "https://id.acme.dev/u",
        });
        prop_assert_eq!(discovered(&document).is_ok(), issuer == ISSUER);
    }

    #[test]
    fn an_endpoint_is_taken_from_the_document(token in "(https?://)?[a-c.:/@?# ]{0,8}") {
        let document = json!({
            "issuer": ISSUER, "token_endpoint": token, "userinfo_endpoint": "https://id.acme.dev/u",
        });
        if let Ok(found) = discovered(&document) {
            prop_assert_eq!(found.token.as_str(), token);
        }
    }

    #[test]
    fn a_token_is_returned_unchanged_and_is_in_no_error(
        secret in "[A-Za-z0-9._~+/-]{40,60}[ \n\u{e9}]?",
        kind in "(Bearer|bearer|mac)",
        lifetime in prop_oneof![-2_i64..=(1 << 33), Just(8_999_999_999), any::<i64>()],
    ) {
        let body = json!({"access_token": secret, "token_type": kind, "expires_in": lifetime});
        let good = !secret.contains([' ', '\n', '\u{e9}']) && kind != "mac" && lifetime >= 1;
        match asked(200, body.to_string().as_bytes(), exchanged) {
            Ok(Exchange::Granted(granted)) => {
                prop_assert!(good);
                prop_assert_eq!(granted.access_token, secret);
                prop_assert_eq!(granted.expires_in, u64::try_from(lifetime.min(u32::MAX.into())).ok());
            }
            Ok(Exchange::Refused(_)) => prop_assert!(false, "it was no refusal"),
            Err(error) => {
                prop_assert!(!good);
                prop_assert!(!error.to_string().contains(&secret[..20]), "{error}");
            }
        }
    }
}
