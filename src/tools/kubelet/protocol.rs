//! The kubelet's image credential provider protocol.
//!
//! Source: Kubernetes, "Configure a kubelet image credential provider", and the
//! API `credentialprovider.kubelet.k8s.io` in v1, v1beta1 and v1alpha1, which
//! have the same shape as far as they are used here.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::host::Ask;
use crate::text::clock::UnixTime;
use crate::text::object::Object;
use crate::token::Login;

const KIND: &str = "CredentialProviderRequest";

/// Which version of the API is spoken: the answer must be in the asked one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Version {
    /// Since Kubernetes 1.26.
    #[serde(rename = "credentialprovider.kubelet.k8s.io/v1")]
    V1,
    /// Since Kubernetes 1.24.
    #[serde(rename = "credentialprovider.kubelet.k8s.io/v1beta1")]
    V1beta1,
    /// Since Kubernetes 1.20.
    #[serde(rename = "credentialprovider.kubelet.k8s.io/v1alpha1")]
    V1alpha1,
}

/// What the kubelet asks.
#[derive(Debug)]
pub struct Question {
    version: Version,
    image: String,
}

/// Reads the question. Fields that a later version adds are passed over, and so
/// is a pod's own token.
///
/// # Errors
/// It is no `CredentialProviderRequest` of a known version.
pub fn parse(question: &[u8]) -> serde_json::Result<Question> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Request {
        api_version: Version,
        kind: String,
        image: String,
    }
    let Request {
        api_version: version,
        kind,
        image,
    } = Object::read(question)?;
    if kind != KIND {
        return Err(serde::de::Error::custom("another kind"));
    }
    Ok(Question { version, image })
}

impl Question {
    /// The registry as the image names it. Without a path, or with a first part
    /// that is no host, the image is one of Docker Hub's (`distribution/reference`).
    fn registry(&self) -> Option<&str> {
        let (registry, _) = self.image.split_once('/')?;
        let is_host = registry.contains(['.', ':']) || registry == "localhost";
        is_host.then_some(registry)
    }

    /// Whom the kubelet wants to pull from; none for what is no host that could
    /// have a rule.
    pub fn ask(&self) -> Option<Ask> {
        // A URL is no image: its first part would be `https:`.
        Ask::of(self.registry()?)
    }

    /// Writes the login for the registry; without one, that there is none, which
    /// is not to be kept: a rule may be added.
    ///
    /// # Errors
    /// None that can happen: it is all text.
    pub fn answer(&self, login: Option<Login<'_>>, now: UnixTime) -> serde_json::Result<String> {
        let left = login.map_or(Duration::ZERO, |login| login.token.told_duration(now));
        let auth = self.registry().zip(login).map(|(registry, login)| {
            let Login { username, token } = login;
            let password = token.expose();
            [(registry, Auth { username, password })].into()
        });
        serde_json::to_string(&Answer {
            api_version: self.version,
            kind: "CredentialProviderResponse",
            cache_key_type: "Registry",
            cache_duration: format!("{}s", left.as_secs()),
            auth,
        })
        .map(|json| json + "\n")
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    api_version: Version,
    kind: &'a str,
    cache_key_type: &'a str,
    /// As Go writes one; zero keeps nothing.
    cache_duration: String,
    auth: Option<BTreeMap<&'a str, Auth<'a>>>,
}

#[derive(Serialize)]
struct Auth<'a> {
    username: &'a str,
    password: &'a str,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::token::{Lifespan, Token};

    fn request(version: &str, image: &str) -> String {
        format!(
            r#"{{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/{version}","image":"{image}"}}"#
        )
    }

    fn question(image: &str) -> Question {
        parse(request("v1", image).as_bytes()).expect("a question")
    }

    #[test]
    fn an_image_names_its_registry() {
        for (image, expected) in [
            ("registry.acme.dev/team/app:1", "https://registry.acme.dev"),
            (
                "registry.acme.dev:5000/app@sha256:00",
                "https://registry.acme.dev:5000",
            ),
            ("localhost/app", "https://localhost"),
            ("localhost:5000/app", "https://localhost:5000"),
            ("docker.io/library/nginx", "https://docker.io"),
        ] {
            let ask = question(image).ask().expect("a host");
            assert_eq!(ask.origin.to_string(), expected, "{image}");
        }
        for image in [
            "",
            "nginx",
            "nginx:8080",
            "registry.acme.dev",
            "team/app",
            "/registry.acme.dev/app",
            "https://registry.acme.dev/app",
            "ci@registry.acme.dev/app",
            "registry.acme.dev./app",
        ] {
            assert_eq!(question(image).ask(), None, "{image}");
        }
    }

    #[test]
    fn what_is_no_question_is_an_error() {
        let good = request("v1", "a.dev/b");
        assert!(parse(good.as_bytes()).is_ok());
        for bad in [
            "",
            "{}",
            &format!("[\"credentialprovider.kubelet.k8s.io/v1\",\"{KIND}\",\"a.dev/b\"]"),
            &request("v2", "a.dev/b"),
            &good.replace("Request", "Response"),
            &good.replace("image", "images"),
            &good.replace("\"a.dev/b\"", "null"),
            &good.replace("\"image\"", "\"image\":\"c.dev/d\",\"image\""),
            &format!("{good}{good}"),
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_answer_is_in_the_version_that_was_asked() {
        let now = UnixTime::from_secs(1_000_000);
        for version in ["v1", "v1beta1", "v1alpha1"] {
            let later = request(version, "a.dev/b").replace('}', r#","serviceAccountToken":"x"}"#);
            let question = parse(later.as_bytes()).expect("a question");
            let expected = format!(
                "{{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/{version}\",\"kind\":\"CredentialProviderResponse\",\"cacheKeyType\":\"Registry\",\"cacheDuration\":\"0s\",\"auth\":null}}\n"
            );
            assert_eq!(question.answer(None, now).expect("text"), expected);
        }
    }

    proptest! {
        #[test]
        fn any_question_is_read_or_refused(question: Vec<u8>) {
            let _ = parse(&question);
        }

        #[test]
        fn the_host_that_is_asked_for_begins_the_image(image in "[a-c.:@/%]{1,12}") {
            if let Some(ask) = question(&image).ask() {
                prop_assert!(image.starts_with(ask.origin.host.as_str()), "{image}");
            }
        }
    }

    #[test]
    fn a_login_is_kept_for_as_long_as_its_token_is_good() {
        let obtained_at = UnixTime::from_secs(1_000_000);
        let lifespan = Lifespan {
            obtained_at,
            expires_at: obtained_at.plus(Duration::from_secs(3600)),
        };
        let short = Lifespan {
            obtained_at,
            expires_at: obtained_at.plus(Duration::from_secs(1)),
        };
        let now = obtained_at.plus(Duration::from_secs(100));
        for (lifespan, now, expected) in [
            (Some(lifespan), now, "3470s"),
            (Some(lifespan), lifespan.expires_at, "0s"),
            (Some(short), obtained_at, "0s"),
            // Nobody knows how long it is good.
            (None, now, "0s"),
        ] {
            let token = Token::new("abc".into(), lifespan).expect("a b64token");
            let login = Login {
                username: "ci",
                token: &token,
            };
            let answer = question("A.dev:443/b").answer(Some(login), now);
            let expected = format!(
                "{{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"kind\":\"CredentialProviderResponse\",\"cacheKeyType\":\"Registry\",\"cacheDuration\":\"{expected}\",\"auth\":{{\"A.dev:443\":{{\"username\":\"ci\",\"password\":\"abc\"}}}}}}\n"
            );
            assert_eq!(answer.expect("text"), expected);
        }
    }
}
