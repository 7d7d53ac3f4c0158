//! Client secrets, with the recorded responses of ZITADEL.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::cases::Outcome;
use super::facts;
use super::scene::Scene;
use crate::support::{Answer, Endpoint, Version};

#[test]
fn each_recorded_case_of_a_client_secret_has_the_same_answer() {
    for version in Version::RECORDED {
        let mut scene = Scene::new(version);
        for recorded in records(version) {
            let case = recorded["case"].as_str().unwrap();
            let answer = scene.client(case);
            let ours = scene.record(&Outcome::Answer(answer));
            let theirs = facts(&recorded);
            for (name, value) in theirs["headers"].as_object().unwrap() {
                assert_eq!(&ours["headers"][name], value, "{version:?}: {case}");
            }
            assert_eq!(ours["status"], theirs["status"], "{version:?}: {case}");
            assert_eq!(ours["body"], theirs["body"], "{version:?}: {case}");
        }
    }
}

fn records(version: Version) -> Vec<Value> {
    let texts = [
        include_str!("../recordings/2025-10/client-credentials.json"),
        include_str!("../recordings/2026-07/client-credentials.json"),
    ];
    let at = Version::RECORDED.iter().position(|known| *known == version);
    let text = texts[at.unwrap()];
    serde_json::from_str(text).unwrap()
}

impl Scene {
    fn client(&mut self, case: &str) -> Answer {
        let user = self.jwt.clone();
        self.issuer.set_token_kind(crate::support::TokenKind::Jwt);
        let secret = self.issuer.new_client_secret(&user.user_id);
        let grant = ("grant_type", "client_credentials");
        let scope = ("scope", "openid");
        match case {
            "Basic" => self.basic("jwt", &secret, &[grant, scope]),
            "in the form" => {
                let client = [("client_id", "jwt"), ("client_secret", &*secret)];
                self.post(&[grant, scope, client[0], client[1]])
            }
            "no scope" => self.basic("jwt", &secret, &[grant]),
            "wrong secret" => self.basic("jwt", "wrong", &[grant, scope]),
            "unknown client" => self.basic("nobody", &secret, &[grant, scope]),
            "client id = the user's ID" => self.basic(&user.user_id, &secret, &[grant, scope]),
            "no client" => self.post(&[grant, scope]),
            "inactive user" => {
                self.issuer.deactivate(&user.user_id);
                let answer = self.basic("jwt", &secret, &[grant, scope]);
                self.issuer.reactivate(&user.user_id);
                answer
            }
            "secret removed" => {
                self.issuer.remove_client_secret(&user.user_id);
                self.basic("jwt", &secret, &[grant, scope])
            }
            other => panic!("{other} is new"),
        }
    }

    fn basic(&mut self, id: &str, secret: &str, form: &[(&str, &str)]) -> Answer {
        let header = format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")));
        self.post_with(form, Endpoint::TOKEN_PATH, &[("Authorization", &header)])
    }
}
