//! The tests' issuer responds like the recorded ZITADEL versions.

mod assertions;
mod cases;
mod clients;
mod introspection;
mod scene;
mod trouble;
mod user_keys;

use std::collections::BTreeSet;

use cases::Outcome;
use scene::Scene;
use serde_json::{Map, Value, json};

use crate::support::{Answer, Version};

/// The headers in the records of the token endpoint, if the response has them.
const HEADERS: [&str; 4] = [
    "Cache-Control",
    "Content-Type",
    "Pragma",
    "Www-Authenticate",
];

#[test]
fn each_recorded_case_has_the_same_answer() {
    for version in Version::RECORDED {
        let mut scene = Scene::new(version);
        let mut differences = Vec::new();
        let mut seen = BTreeSet::new();
        for recorded in records(version) {
            let case = recorded["case"].as_str().unwrap();
            assert!(seen.insert(case.to_owned()), "{case} comes twice");
            match scene.outcome(case) {
                None => differences.push(format!("{case}: no test asks it")),
                Some(outcome) => {
                    let (ours, theirs) = (scene.record(&outcome), facts(&recorded));
                    if ours != theirs {
                        differences.push(format!("{case}:\n  ours   {ours}\n  theirs {theirs}"));
                    }
                }
            }
        }
        assert!(
            differences.is_empty(),
            "{version:?}:\n{}",
            differences.join("\n")
        );
    }
}

fn records(version: Version) -> Vec<Value> {
    let text = match version {
        Version::V2025 => include_str!("recordings/2025-10/token-endpoint.json"),
        Version::V2026 => include_str!("recordings/2026-07/token-endpoint.json"),
        other => panic!("{other:?} has no recordings"),
    };
    serde_json::from_str(text).unwrap()
}

/// Returns the facts of a record that are the same in every run.
fn facts(recorded: &Value) -> Value {
    let mut facts = Map::new();
    for (name, value) in recorded.as_object().unwrap() {
        let (name, value) = match name.as_str() {
            "status" | "headers" | "header" | "exp_minus_iat" => (name.as_str(), value.clone()),
            "first_status" => ("status", value.clone()),
            "body" | "first_body" => ("body", body(value.as_str().unwrap())),
            "claims" => ("claims", timeless(value.clone())),
            "case" | "seconds_until_200" | "seconds_until_refused" => continue,
            other => panic!("{other} is new"),
        };
        facts.insert(name.to_owned(), value);
    }
    facts.into()
}

impl Scene {
    /// Returns the record of our outcome, limited to [`facts`].
    fn record(&self, outcome: &Outcome) -> Value {
        match outcome {
            Outcome::Answer(answer) => json!({
                "status": answer.status,
                "headers": headers(answer),
                "body": body(&self.named(&String::from_utf8_lossy(&answer.body))),
            }),
            Outcome::First(answer) => json!({
                "status": answer.status,
                "body": body(&self.named(&String::from_utf8_lossy(&answer.body))),
            }),
            Outcome::Claims(jwt) => json!({ "claims": self.recorded_claims(&jwt.claims) }),
            Outcome::HeaderAndClaims(jwt) => json!({
                "header": replaced(jwt.header.clone(), "kid", "<ID>"),
                "claims": self.recorded_claims(&jwt.claims),
            }),
            Outcome::LifeAndClaims(jwt) => {
                let of = |claim: &str| jwt.claims[claim].as_i64().unwrap();
                json!({
                    "exp_minus_iat": of("exp") - of("iat"),
                    "claims": self.recorded_claims(&jwt.claims),
                })
            }
        }
    }

    fn recorded_claims(&self, claims: &Value) -> Value {
        let named = self.named(&claims.to_string());
        timeless(serde_json::from_str(&named).unwrap())
    }
}

fn headers(answer: &Answer) -> Value {
    let mut noted = Map::new();
    for name in HEADERS {
        if let Some(value) = answer.header(name) {
            noted.insert(name.to_owned(), value.into());
        }
    }
    let date = answer.header("date").map_or("absent", |_| "present");
    noted.insert("Date".to_owned(), date.into());
    noted.into()
}

/// Returns a body without the texts that vary from run to run: JSON as such.
fn body(text: &str) -> Value {
    if let Ok(value) = serde_json::from_str(text) {
        return timeless(user_keys::unvarying(value));
    }
    without_names(text.trim_end())
}

/// Drops the host names of a text about an instance.
fn without_names(text: &str) -> Value {
    let Some((start, rest)) = text.split_once("&{") else {
        return text.into();
    };
    let (_, reason) = rest.split_once("): ").unwrap();
    format!("{start}HOST: {reason}").into()
}

/// Makes times relative to `iat`, and replaces random values by their form.
fn timeless(mut value: Value) -> Value {
    let Some(fields) = value.as_object_mut() else {
        return value;
    };
    let now = fields.get("iat").and_then(Value::as_i64);
    for (name, value) in fields.iter_mut() {
        match (name.as_str(), value.as_i64(), value.as_str()) {
            ("exp" | "iat" | "nbf" | "auth_time", Some(time), _) => {
                *value = (time - now.unwrap()).into();
            }
            ("updated_at", Some(_), _) => *value = "<TIME>".into(),
            ("jti", _, Some(_)) => *value = "<JTI>".into(),
            ("at_hash", _, Some(hash)) => *value = hash.len().into(),
            ("access_token" | "id_token", _, Some(token)) => *value = form(token).into(),
            _ => {}
        }
    }
    value
}

fn replaced(mut value: Value, field: &str, with: &str) -> Value {
    assert!(value[field].is_string(), "{value}");
    value[field] = with.into();
    value
}

/// Returns the placeholder of a token.
fn form(token: &str) -> String {
    let parts = token.split('.').count();
    match (token.starts_with("eyJ"), parts) {
        (true, 3) => "<JWT>",
        (true, 5) => "<OPAQUE JWE>",
        (false, 1) if !token.starts_with('<') => "<OPAQUE>",
        _ => token,
    }
    .to_owned()
}
