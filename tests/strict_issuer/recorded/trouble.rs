//! The failing issuer responds like the recorded ZITADEL versions in the same failure.

use serde_json::Value;

use super::introspection::project_scope;
use super::scene::Scene;
use super::without_names;
use crate::support::{Answer, Endpoint, Trouble, Version};

/// The headers in these records, if the response has them.
const HEADERS: [&str; 3] = ["Content-Type", "X-Content-Type-Options", "Set-Cookie"];

const PATHS: [(&str, &str); 6] = [
    ("discovery", Endpoint::DISCOVERY_PATH),
    ("token", Endpoint::TOKEN_PATH),
    ("userinfo", Endpoint::USERINFO_PATH),
    ("userinfo, a good token", Endpoint::USERINFO_PATH),
    ("introspection, a good token", Endpoint::INTROSPECTION_PATH),
    ("keys", Endpoint::KEYS_PATH),
];

fn trouble(name: &str) -> Trouble {
    match name {
        "database down" => Trouble::DatabaseDown,
        "database down, instance cache on" => Trouble::DatabaseDownCached,
        "database read-only" => Trouble::ReadOnly,
        "quota used up" => Trouble::QuotaUsed,
        "instance blocked" => Trouble::Blocked,
        other => panic!("{other} is new"),
    }
}

fn version(name: &str) -> Version {
    match name {
        "2025-10" => Version::V2025,
        "2026-07" => Version::V2026,
        other => panic!("{other} is new"),
    }
}

fn records() -> Vec<Value> {
    serde_json::from_str(include_str!("../recordings/trouble.json")).unwrap()
}

impl Scene {
    /// Sends a request with a valid assertion or a valid token.
    fn endpoint(&mut self, path: &str, token: &str) -> Answer {
        match path {
            Endpoint::TOKEN_PATH => self.scoped(&self.opaque.clone(), "openid"),
            Endpoint::USERINFO_PATH => self.bearer(token),
            Endpoint::INTROSPECTION_PATH => self.introspect(token),
            path => self.ask("GET", path, &[]),
        }
    }
}

#[test]
fn each_recorded_trouble_has_the_same_answer() {
    for recorded in records() {
        let text = |name: &str| recorded[name].as_str().unwrap();
        let mut scene = Scene::new(version(text("version")));
        let token = scene.mint(&scene.opaque.clone(), &project_scope());
        let mut paths = PATHS.iter();
        let (_, path) = paths.find(|(name, _)| *name == text("path")).unwrap();
        let healthy = scene.endpoint(path, &token);
        scene.issuer.set_trouble(trouble(text("trouble")));
        let answer = scene.endpoint(path, &token);
        assert_eq!(answer.status, recorded["status"], "{recorded}");
        for name in HEADERS {
            let noted = recorded["headers"].get(name).and_then(Value::as_str);
            assert_eq!(answer.header(name), noted, "{recorded}");
        }
        let body = scene.named(&String::from_utf8_lossy(&answer.body));
        if text("body") == "as in health" {
            assert_eq!(answer.body, healthy.body, "{recorded}");
        } else {
            assert_eq!(without_names(&body), without_names(text("body")));
        }
        scene.issuer.set_trouble(None);
        let again = scene.endpoint(path, &token);
        assert_eq!(again.status, 200, "the token outlives it: {recorded}");
    }
}

#[test]
fn endpoints_without_trouble_answer_as_usual() {
    for version in Version::RECORDED {
        for (trouble, paths) in [
            (Trouble::ReadOnly, &["discovery", "userinfo", "keys"][..]),
            (Trouble::QuotaUsed, &["discovery", "keys"]),
        ] {
            let mut scene = Scene::new(version);
            let token = scene.mint(&scene.opaque.clone(), "openid");
            scene.issuer.set_trouble(trouble);
            for (_, path) in PATHS.iter().filter(|(name, _)| paths.contains(name)) {
                let answer = scene.endpoint(path, &token);
                assert_eq!(answer.status, 200, "{version:?} {trouble:?} {path}");
            }
        }
    }
}
