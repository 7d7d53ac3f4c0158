//! Introspection: the recorded cases, and other observations.

use serde_json::{Value, json};

use super::cases::USEFUL_SCOPES;
use super::scene::{OTHER_PROJECT, PROJECT, Scene, header};
use crate::support::issuer::{Application, ORGANIZATION_ID, OTHER_ORGANIZATION_ID};
use crate::support::jwt::sign;
use crate::support::{Answer, Endpoint, Jwt, Version};

const ROLES: &str = "urn:zitadel:iam:org:projects:roles";

pub fn project_scope() -> String {
    format!("openid {}", audience(PROJECT))
}

fn audience(project: &str) -> String {
    format!("urn:zitadel:iam:org:project:id:{project}:aud")
}

fn claim(project: &str) -> String {
    format!("urn:zitadel:iam:org:project:{project}:roles")
}

impl Scene {
    pub fn introspected(&mut self, case: &str) -> Option<Answer> {
        let opaque = self.opaque.clone();
        let application = self.application.clone();
        let with_roles = format!("{} {ROLES}", project_scope());
        Some(match case {
            "introspect: opaque with the project's aud, Basic" => {
                let token = self.mint(&opaque, &with_roles);
                self.introspect(&token)
            }
            "introspect: opaque with the project's aud, client assertion" => {
                let token = self.mint(&opaque, &with_roles);
                let assertion = self.client_assertion(&application);
                self.post_with(
                    &[
                        ("token", &token),
                        ("client_assertion", &assertion),
                        (
                            "client_assertion_type",
                            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                        ),
                    ],
                    Endpoint::INTROSPECTION_PATH,
                    &[],
                )
            }
            "introspect: opaque without the project's aud" => {
                let token = self.mint(&opaque, "openid");
                self.introspect(&token)
            }
            "introspect: JWT with the project's aud" => {
                let scope = USEFUL_SCOPES.replace("PROJECT", PROJECT);
                let token = self.mint(&self.jwt.clone(), &scope);
                self.introspect(&token)
            }
            "introspect: other project's application" => {
                let token = self.mint(&opaque, &with_roles);
                self.introspect_by(&self.other_application.clone(), &token)
            }
            "introspect: garbage" => self.introspect("garbage"),
            _ => return None,
        })
    }

    pub fn introspect(&mut self, token: &str) -> Answer {
        self.introspect_by(&self.application.clone(), token)
    }

    fn introspect_by(&mut self, application: &Application, token: &str) -> Answer {
        let basic = application.basic();
        let headers = [("Authorization", basic.as_str())];
        self.post_with(&[("token", token)], Endpoint::INTROSPECTION_PATH, &headers)
    }

    fn client_assertion(&self, application: &Application) -> String {
        let key = &application.key;
        sign(&key.private, &header(key), &self.claims(key))
    }

    /// Returns the project's roles; null if the token has none there.
    fn introspected_roles(&mut self, token: &str) -> Value {
        let claims = self.introspect(token).json();
        assert_eq!(claims["active"], true, "{claims}");
        claims[claim(PROJECT)].clone()
    }
}

fn is_active(answer: &Answer) -> bool {
    assert_eq!(answer.status, 200);
    answer.json()["active"].as_bool().unwrap()
}

#[test]
fn introspection_gives_the_roles_without_their_scope_and_userinfo_does_not() {
    for version in Version::RECORDED {
        let mut scene = Scene::new(version);
        for user in [scene.jwt.clone(), scene.opaque.clone()] {
            let token = scene.mint(&user, &project_scope());
            assert!(scene.introspected_roles(&token)["deployer"].is_object());
            assert_eq!(scene.bearer(&token).json().get(claim(PROJECT)), None);
            if let Some(jwt) = Jwt::parse(&token) {
                assert_eq!(jwt.claims.get(claim(PROJECT)), None);
            }
        }
    }
}

#[test]
fn the_scopes_that_bring_roles_are_those_of_all_projects_and_of_one_role() {
    let mut scene = Scene::new(Version::V2026);
    let user = scene.jwt.clone();
    scene.issuer.add_role(&user.user_id, PROJECT, "viewer");
    for (scope, brings) in [
        (ROLES, true),
        ("urn:zitadel:iam:org:project:role:viewer", true),
        ("urn:zitadel:iam:org:project:roles", false),
    ] {
        let token = scene.mint(&user, &format!("{} {scope}", project_scope()));
        let userinfo = scene.bearer(&token).json();
        for claims in [Jwt::parse(&token).unwrap().claims, userinfo] {
            let roles = claims.get(claim(PROJECT)).and_then(Value::as_object);
            assert_eq!(roles.map(serde_json::Map::len), brings.then_some(2));
        }
    }
    let token = scene.mint(&user, ROLES);
    let claims = Jwt::parse(&token).unwrap().claims;
    assert_eq!(claims.get(claim(PROJECT)), None, "no project was named");
}

#[test]
fn roles_name_their_project_and_the_organisation_that_gave_them() {
    let mut scene = Scene::new(Version::V2025);
    let user = scene.rotator.clone();
    let [ours, theirs] = [ORGANIZATION_ID, OTHER_ORGANIZATION_ID];
    scene
        .issuer
        .add_role(&user.user_id, OTHER_PROJECT, "deployer");
    let scope = format!("{} {} {ROLES}", project_scope(), audience(OTHER_PROJECT));
    let token = scene.mint(&user, &scope);
    assert_eq!(scene.introspected_roles(&token), Value::Null);
    let userinfo = scene.bearer(&token).json();
    assert_eq!(userinfo.get(claim(PROJECT)), None);
    for name in [&claim(OTHER_PROJECT), ROLES] {
        let domain = &userinfo[name]["deployer"][ours];
        assert_eq!(domain, "acme.zitadel.example", "merged over all projects");
    }

    scene
        .issuer
        .add_role_of(theirs, &user.user_id, PROJECT, "deployer");
    let given = json!({ "deployer": { theirs: "other.zitadel.example" } });
    assert_eq!(scene.introspected_roles(&token), given, "shown at once");
    let merged = &scene.bearer(&token).json()[ROLES]["deployer"];
    assert_eq!(merged.as_object().unwrap().len(), 2);

    scene.issuer.remove_roles(&user.user_id);
    assert_eq!(scene.introspected_roles(&token), Value::Null);
}

#[test]
fn introspection_calls_a_token_inactive_that_has_expired_or_whose_user_is_deactivated() {
    for version in Version::RECORDED {
        let mut scene = Scene::new(version);
        for user in [scene.jwt.clone(), scene.opaque.clone()] {
            let token = scene.mint(&user, &project_scope());
            assert!(is_active(&scene.introspect(&token)));
            scene.issuer.deactivate(&user.user_id);
            assert!(!is_active(&scene.introspect(&token)));
            scene.issuer.reactivate(&user.user_id);
            assert!(!is_active(&scene.introspect(&token)), "ended for good");

            let token = scene.mint(&user, &project_scope());
            assert!(is_active(&scene.introspect(&token)));
            scene.issuer.remove_key(&user.key_id);
            assert!(is_active(&scene.introspect(&token)), "it outlives its key");
            scene.issuer.set_date_offset(13 * 3600);
            assert!(!is_active(&scene.introspect(&token)));
            scene.issuer.set_date_offset(0);
        }
    }
}

#[test]
fn introspection_takes_only_applications() {
    let mut scene = Scene::new(Version::V2026);
    let token = scene.mint(&scene.opaque.clone(), &project_scope());
    let mut wrong = scene.application.clone();
    wrong.secret = scene.other_application.secret.clone();
    let answer = scene.introspect_by(&wrong, &token);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"], "unauthorized_client");

    let key = scene.application.key.clone();
    let user = scene.opaque.clone();
    let without_kid = json!({ "alg": "RS256", "typ": "JWT" });
    for assertion in [
        sign(&key.private, &without_kid, &scene.claims(&key)),
        sign(&user.private, &header(&user), &scene.claims(&user)),
    ] {
        let form = [
            ("token", token.as_str()),
            ("client_assertion", &assertion),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
        ];
        let answer = scene.post_with(&form, Endpoint::INTROSPECTION_PATH, &[]);
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["error"], "unauthorized_client");
    }
    let answer = scene.post_with(&[("token", &token)], Endpoint::INTROSPECTION_PATH, &[]);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"], "invalid_request");
}

#[test]
fn an_application_gets_no_tokens_for_its_key() {
    let mut scene = Scene::new(Version::V2026);
    let assertion = scene.client_assertion(&scene.application.clone());
    assert_eq!(scene.exchange(&assertion).status, 400);
}

#[test]
fn an_answer_of_introspection_asks_not_to_be_cached() {
    let mut scene = Scene::new(Version::V2026);
    let answer = scene.introspect("garbage");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("set-cookie").is_some());
}
