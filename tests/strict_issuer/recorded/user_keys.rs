//! A user's own keys at user API v2: the recorded cases, and other observations.

use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SignatureAlgorithm};
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use serde_json::{Map, Value, json};

use super::scene::{Scene, header};
use crate::support::jwt::sign;
use crate::support::{Answer, Endpoint, ServiceUser, Version};

/// The cases that this issuer cannot reproduce, each with the reason.
const LEFT_OUT: [(&str, &str); 3] = [
    ("own personal access token: add", "it has none"),
    ("own secret: add", "its users have none"),
    (
        "own user: read",
        "it knows a user's keys, and at the auth API its name",
    ),
];

const API: &str = "openid urn:zitadel:iam:org:project:id:zitadel:aud";
/// The expiry of the user's first key, and of the keys that it adds.
const FIRST_END: i64 = 1_830_297_600;
const END: &str = "2027-06-01T00:00:00Z";

/// The user `opaque` and its added keys.
struct Owner {
    scene: Scene,
    user: ServiceUser,
    token: String,
    /// The IDs of the added keys.
    added: Vec<String>,
    /// The elapsed milliseconds.
    passed: i64,
}

impl Owner {
    fn new(version: Version) -> Self {
        let mut scene = Scene::new(version);
        let user = scene.opaque.clone();
        scene.issuer.set_key_expiry(&user.key_id, FIRST_END);
        let token = scene.mint(&user, API);
        Self {
            scene,
            user,
            token,
            added: Vec::new(),
            passed: 0,
        }
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
            ("body", body),
        ];
        self.scene.ask(method, path, &headers)
    }

    fn add_to(&mut self, user_id: &str, body: &Value) -> Answer {
        self.passed += 1;
        let now = self.scene.second * 1000 + self.passed;
        self.scene.issuer.stop_clock(now);
        let path = format!("/v2/users/{user_id}/keys");
        let answer = self.ask("POST", &path, &body.to_string());
        if answer.status == 200 {
            let id = answer.json()["keyId"].as_str().unwrap().to_owned();
            self.added.push(id);
        }
        answer
    }

    fn add(&mut self, public_key: &str, end: &str) -> Answer {
        let user_id = self.user.user_id.clone();
        let body = json!({ "publicKey": BASE64.encode(public_key), "expirationDate": end });
        self.add_to(&user_id, &body)
    }

    fn remove_of(&mut self, user_id: &str, key_id: &str) -> Answer {
        let path = format!("/v2/users/{user_id}/keys/{key_id}");
        self.ask("DELETE", &path, "")
    }

    fn remove(&mut self, key_id: &str) -> Answer {
        let user_id = self.user.user_id.clone();
        self.remove_of(&user_id, key_id)
    }

    fn list(&mut self, body: &Value) -> Answer {
        self.ask("POST", Endpoint::LIST_KEYS_PATH, &body.to_string())
    }

    fn list_of(&mut self, user_id: &str) -> Answer {
        self.list(&json!({ "filters": [{ "userIdFilter": { "id": user_id } }] }))
    }

    fn mint_with(&mut self, key: &ServiceUser) -> Answer {
        let key = key
            .clone()
            .with_user_id(&self.user.user_id)
            .with_key_id(self.added.last().unwrap());
        self.scene.scoped(&key, "openid")
    }

    /// Registers users until all users have this many keys in total.
    fn fill_up(&self, keys: usize) {
        while self.scene.issuer.key_count() < keys {
            self.scene.issuer.new_user();
        }
    }

    /// Returns the response; `None` for a case without a request here.
    fn outcome(&mut self, case: &str) -> Option<Answer> {
        let own = self.user.user_id.clone();
        let pem = shared(2048).public_pem();
        if let Some(bits) = case.strip_prefix("own key: add, RSA ") {
            let pem = shared(bits.parse().unwrap()).public_pem();
            return Some(self.add(&pem, END));
        }
        if let Some(bits) = case.strip_prefix("own key: mint with RSA ") {
            return Some(self.mint_with(shared(bits.parse().unwrap())));
        }
        Some(match case {
            "own key: add with publicKey"
            | "own key: add the same public key twice (1)"
            | "own key: add the same public key twice (2)"
            | "own key: add with the token left" => self.add(&pem, END),
            "own key: first mint" => self.mint_with(shared(2048)),
            "own key: add, no expirationDate" => {
                self.add_to(&own, &json!({ "publicKey": BASE64.encode(pem) }))
            }
            "own key: add, expirationDate passed" => self.add(&pem, "2020-01-01T00:00:00Z"),
            "own key: add, expirationDate year 9999" => self.add(&pem, "9999-12-31T23:59:59Z"),
            "own key: add, publicKey not a key" => self.add("not a key", END),
            "own key: add, publicKey PKCS#1 PEM" => {
                let pem = shared(2048).public().to_pkcs1_pem(LineEnding::LF).unwrap();
                self.add(&pem, END)
            }
            "own key: add, publicKey SPKI DER" => {
                let der = shared(2048).public().to_public_key_der().unwrap();
                let body =
                    json!({ "publicKey": BASE64.encode(der.as_bytes()), "expirationDate": END });
                self.add_to(&own, &body)
            }
            "own key: add, EC" => self.add(&public_pem(&PKCS_ECDSA_P256_SHA256), END),
            "own key: add, Ed25519" => self.add(&public_pem(&PKCS_ED25519), END),
            "own key: add without publicKey" => {
                self.add_to(&own, &json!({ "expirationDate": END }))
            }
            "own keys: list" => self.list(&json!({
                "filters": [{ "userIdFilter": { "id": own } }],
                "sortingColumn": "KEY_FIELD_NAME_KEY_EXPIRATION_DATE",
            })),
            "own keys: list, no filter" => {
                self.fill_up(10);
                self.list(&json!({}))
            }
            "own keys: list another user's" => {
                let other = self.scene.jwt.user_id.clone();
                self.list_of(&other)
            }
            "own keys: list at the end" | "own keys: the token lives on?" => self.list_of(&own),
            "own key: remove the new one, asked with the old" => {
                let added = self.added.last().unwrap().clone();
                self.remove(&added)
            }
            "own key: remove it again" | "own key: clean" => {
                let added = self.added.pop().unwrap();
                self.remove(&added)
            }
            "own key: remove the one in use" => {
                let in_use = self.user.key_id.clone();
                self.remove(&in_use)
            }
            "unknown key: remove" => self.remove("123"),
            _ => return self.refused(case),
        })
    }

    fn refused(&mut self, case: &str) -> Option<Answer> {
        let own = self.user.user_id.clone();
        let other = self.scene.jwt.clone();
        let body = json!({ "publicKey": BASE64.encode(other.public_pem()), "expirationDate": END });
        Some(match case {
            "own key: add, no token" => {
                let path = format!("/v2/users/{own}/keys");
                self.scene.ask("POST", &path, &[("body", "{}")])
            }
            "own key: add, token without the API's scope" => {
                let usual = self.scene.mint(&self.user.clone(), "openid");
                let token = std::mem::replace(&mut self.token, usual);
                let answer = self.add_to(&own, &body);
                self.token = token;
                answer
            }
            "another's key: add" => self.add_to(&other.user_id, &body),
            "another's key: remove" => self.remove_of(&other.user_id, &other.key_id),
            "unknown user: add" => self.add_to("123", &body),
            "v1 management: add for oneself" => {
                let path = format!("/management/v1/users/{own}/keys");
                self.ask("POST", &path, &body.to_string())
            }
            _ => return None,
        })
    }
}

/// Returns a key pair of this size, made once.
fn shared(bits: usize) -> &'static ServiceUser {
    static KEYS: [OnceLock<ServiceUser>; 4] = [const { OnceLock::new() }; 4];
    let at = [1024, 2048, 3072, 4096].iter().position(|&it| it == bits);
    KEYS[at.unwrap()].get_or_init(|| ServiceUser::with_bits(bits))
}

fn public_pem(algorithm: &'static SignatureAlgorithm) -> String {
    KeyPair::generate_for(algorithm).unwrap().public_key_pem()
}

#[test]
fn each_recorded_case_of_the_users_keys_has_the_same_answer() {
    for version in Version::RECORDED {
        let mut owner = Owner::new(version);
        let mut differences = Vec::new();
        for recorded in records(version) {
            let case = recorded["case"].as_str().unwrap();
            let is_left_out = LEFT_OUT.iter().any(|(name, _)| *name == case);
            let Some(answer) = owner.outcome(case) else {
                if !is_left_out {
                    differences.push(format!("{case}: no test asks it"));
                }
                continue;
            };
            assert!(!is_left_out, "{case}: it can be had");
            let ours = owner.record(&answer, &recorded);
            let theirs = facts(&recorded);
            if ours != theirs {
                differences.push(format!("{case}:\n  ours   {ours}\n  theirs {theirs}"));
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
        Version::V2025 => include_str!("../recordings/2025-10/user-keys-api.json"),
        Version::V2026 => include_str!("../recordings/2026-07/user-keys-api.json"),
        other => panic!("{other:?} has no recordings"),
    };
    serde_json::from_str(text).unwrap()
}

/// Returns the facts of a record that are the same in every run.
fn facts(recorded: &Value) -> Value {
    let mut facts = Map::new();
    for (name, value) in recorded.as_object().unwrap() {
        match name.as_str() {
            "status" | "first_status" => facts.insert("status".to_owned(), value.clone()),
            "body" => {
                let body = serde_json::from_str(value.as_str().unwrap()).unwrap();
                facts.insert("body".to_owned(), unvarying(body))
            }
            "case" | "method" | "path" | "seconds_until_200" => continue,
            other => panic!("{other} is new"),
        };
    }
    facts.into()
}

impl Owner {
    /// Returns the record of our response, limited to [`facts`].
    fn record(&self, answer: &Answer, recorded: &Value) -> Value {
        let mut record = json!({ "status": answer.status });
        if recorded.get("body").is_some() {
            let named = self.scene.named(&String::from_utf8_lossy(&answer.body));
            record["body"] = unvarying(serde_json::from_str(&named).unwrap());
        }
        record
    }
}

/// Replaces times, IDs and keys by placeholders.
pub fn unvarying(value: Value) -> Value {
    match value {
        Value::Array(all) => all.into_iter().map(unvarying).collect(),
        Value::Object(fields) => {
            let replaced = |(name, value): (String, Value)| {
                let value = match name.as_str() {
                    "creationDate" | "changeDate" | "deletionDate" => "<TIME>".into(),
                    "keyId" => "<ID>".into(),
                    "id" if value.as_str().is_some_and(is_number) => "<ID>".into(),
                    "keyContent" => {
                        let text = value.as_str().unwrap();
                        let is_base64 = text == "<BASE64>" || BASE64.decode(text).is_ok();
                        is_base64.to_string().into()
                    }
                    _ => unvarying(value),
                };
                (name, value)
            };
            Value::Object(fields.into_iter().map(replaced).collect())
        }
        value => value,
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Scene {
    /// Returns the response to a case of the token endpoint's records.
    pub fn api(&mut self, case: &str) -> Option<Answer> {
        let opaque = self.opaque.clone();
        let leaver = self.leaver.clone();
        let (path, token) = match case.strip_prefix("api: ") {
            Some(asked) => {
                let (path, whose) = asked.split_once(' ')?;
                let (path, whose) = match path {
                    "auth/v1/users/me" => (Endpoint::OWN_USER_PATH, whose),
                    _ => (
                        Endpoint::LIST_KEYS_PATH,
                        whose.strip_prefix("keys search ")?,
                    ),
                };
                let token = match whose {
                    "with zitadel's aud" => self.mint(&opaque, API),
                    "without zitadel's aud" => self.mint(&opaque, "openid"),
                    "garbage" => "garbage".to_owned(),
                    _ => return None,
                };
                (path, token)
            }
            None if case == "user deactivated: api with a living token" => {
                self.issuer.reactivate(&leaver.user_id);
                let token = self.mint(&leaver, API);
                self.issuer.deactivate(&leaver.user_id);
                (Endpoint::OWN_USER_PATH, token)
            }
            None => return None,
        };
        self.issuer.set_key_expiry(&opaque.key_id, FIRST_END);
        while self.issuer.key_count() < 7 {
            self.issuer.new_user();
        }
        let bearer = format!("Bearer {token}");
        let method = match path {
            Endpoint::OWN_USER_PATH => "GET",
            _ => "POST",
        };
        let headers = [("Authorization", bearer.as_str()), ("body", "{}")];
        Some(self.ask(method, path, &headers))
    }
}

#[test]
fn a_key_of_another_kind_than_rsa_is_taken_and_never_works() {
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519] {
        let mut owner = Owner::new(Version::V2026);
        assert_eq!(owner.add(&public_pem(algorithm), END).status, 200);
        let key = shared(2048);
        assert_eq!(owner.mint_with(key).json()["error"], "invalid_grant");
    }
}

#[test]
fn a_new_key_may_need_a_moment_and_a_role_may_be_wanted() {
    let mut owner = Owner::new(Version::V2026);
    let issuer = owner.scene.issuer.clone();
    issuer.set_key_delay(Duration::from_secs(5));
    let key = shared(2048);
    assert_eq!(owner.add(&key.public_pem(), END).status, 200);
    assert_eq!(owner.mint_with(key).status, 400);
    issuer.stop_clock((owner.scene.second + 6) * 1000);
    assert_eq!(owner.mint_with(key).status, 200);

    issuer.forbid_own_keys(true);
    for answer in [
        owner.add(&key.public_pem(), END),
        owner.remove("1"),
        owner.list(&json!({})),
    ] {
        assert_eq!((answer.status, &answer.json()["code"]), (403, &7.into()));
    }
    issuer.forbid_own_keys(false);
    issuer.translate(true);
    let answer = owner.remove("1");
    assert_eq!((answer.status, &answer.json()["code"]), (404, &5.into()));
    let text = "Maschinenschlüssel nicht gefunden (COMMAND-4m77G)";
    assert_eq!(answer.json()["message"], text);
}

#[test]
fn keys_end_and_other_users_keys_are_neither_seen_nor_removed() {
    let mut owner = Owner::new(Version::V2026);
    let other = owner.scene.jwt.clone();
    let answer = owner.remove(&other.key_id);
    assert_eq!((answer.status, &answer.json()["code"]), (404, &5.into()));
    assert_eq!(owner.scene.scoped(&other, "openid").status, 200);

    let expiry = owner.scene.second + 100;
    let key = owner.user.clone();
    owner.scene.issuer.set_key_expiry(&key.key_id, expiry);
    owner.scene.issuer.stop_clock((expiry - 1) * 1000);
    let mint = |owner: &mut Owner| {
        let assertion = sign(&key.private, &header(&key), &owner.scene.claims(&key));
        owner.scene.exchange(&assertion).status
    };
    assert_eq!(mint(&mut owner), 200);
    owner.scene.issuer.stop_clock(expiry * 1000);
    assert_eq!(mint(&mut owner), 400);
}

#[test]
fn many_keys_come_in_several_answers() {
    let mut owner = Owner::new(Version::V2026);
    let pem = shared(2048).public_pem();
    for _ in 0..120 {
        assert_eq!(owner.add(&pem, END).status, 200);
    }
    let mut seen = Vec::new();
    for offset in [0, 100, 200] {
        let answer = owner
            .list(&json!({ "pagination": { "offset": offset } }))
            .json();
        let page = answer["result"].as_array().cloned().unwrap_or_default();
        seen.push(page.len());
    }
    assert_eq!(seen, [100, 21, 0]);
}
