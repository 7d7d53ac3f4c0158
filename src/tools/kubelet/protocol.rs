//! The kubelet's image credential provider protocol.
//!
//! Source: Kubernetes, "Configure a kubelet image credential provider", and the
//! API `credentialprovider.kubelet.k8s.io` in v1, v1beta1 and v1alpha1. The fields that
//! are used here are the same in all versions.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::host::Ask;
use crate::text::clock::UnixTime;
use crate::text::object::Object;
use crate::token::Login;

const KIND: &str = "CredentialProviderRequest";

/// The API version. The answer must have the version of the request.
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

/// The kubelet's request.
#[derive(Debug)]
pub struct Request {
    version: Version,
    image: String,
}

/// Parses a request. Ignores the pod's own token, and unknown fields, which later
/// versions may add.
///
/// # Errors
/// The request is not a `CredentialProviderRequest` of a known version.
pub fn parse(request: &[u8]) -> serde_json::Result<Request> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Message {
        api_version: Version,
        kind: String,
        image: String,
    }
    let Message {
        api_version: version,
        kind,
        image,
    } = Object::read(request)?;
    if kind != KIND {
        return Err(serde::de::Error::custom("another kind"));
    }
    Ok(Request { version, image })
}

impl Request {
    /// Returns the registry as the image names it; `None` for an image of Docker Hub,
    /// which has no path, or no host before its path (`distribution/reference`).
    fn registry(&self) -> Option<&str> {
        let (registry, _) = self.image.split_once('/')?;
        let is_host = registry.contains(['.', ':']) || registry == "localhost";
        is_host.then_some(registry)
    }

    /// Returns the registry's host; `None` if it is invalid.
    pub fn ask(&self) -> Option<Ask> {
        // A URL is not an image; its first part, `https:`, is invalid.
        Ask::of(self.registry()?)
    }

    /// Returns the answer with the credentials for the registry, or without credentials.
    /// The kubelet must not cache the latter, because a host rule may be added later.
    ///
    /// # Errors
    /// Infallible: string fields only.
    pub fn answer(&self, login: Option<Login<'_>>, now: UnixTime) -> serde_json::Result<String> {
        let left = login.map_or(Duration::ZERO, |login| login.token.duration_for_tools(now));
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
    /// A duration in Go's format; with zero, the kubelet does not cache.
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

    fn message(version: &str, image: &str) -> String {
        format!(
            r#"{{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/{version}","image":"{image}"}}"#
        )
    }

    fn request(image: &str) -> Request {
        parse(message("v1", image).as_bytes()).expect("a request")
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
            let ask = request(image).ask().expect("a host");
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
            assert_eq!(request(image).ask(), None, "{image}");
        }
    }

    #[test]
    fn a_malformed_request_is_an_error() {
        let good = message("v1", "a.dev/b");
        assert!(parse(good.as_bytes()).is_ok());
        for bad in [
            "",
            "{}",
            &format!("[\"credentialprovider.kubelet.k8s.io/v1\",\"{KIND}\",\"a.dev/b\"]"),
            &message("v2", "a.dev/b"),
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
    fn the_answer_has_the_version_of_the_request() {
        let now = UnixTime::from_secs(1_000_000);
        for version in ["v1", "v1beta1", "v1alpha1"] {
            let later = message(version, "a.dev/b").replace('}', r#","serviceAccountToken":"x"}"#);
            let request = parse(later.as_bytes()).expect("a request");
            let expected = format!(
                "{{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/{version}\",\"kind\":\"CredentialProviderResponse\",\"cacheKeyType\":\"Registry\",\"cacheDuration\":\"0s\",\"auth\":null}}\n"
            );
            assert_eq!(request.answer(None, now).expect("text"), expected);
        }
    }

    proptest! {
        #[test]
        fn any_request_parses_without_panic(request: Vec<u8>) {
            let _ = parse(&request);
        }

        #[test]
        fn the_host_is_the_beginning_of_the_image(image in "[a-c.:@/%]{1,12}") {
            if let Some(ask) = request(&image).ask() {
                prop_assert!(image.starts_with(ask.origin.host.as_str()), "{image}");
            }
        }
    }

    #[test]
    fn credentials_are_cached_as_long_as_the_token_is_valid() {
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
            // The lifetime is unknown.
            (None, now, "0s"),
        ] {
            let token = Token::new("abc".into(), lifespan).expect("a b64token");
            let login = Login {
                username: "ci",
                token: &token,
            };
            let answer = request("A.dev:443/b").answer(Some(login), now);
            let expected = format!(
                "{{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"kind\":\"CredentialProviderResponse\",\"cacheKeyType\":\"Registry\",\"cacheDuration\":\"{expected}\",\"auth\":{{\"A.dev:443\":{{\"username\":\"ci\",\"password\":\"abc\"}}}}}}\n"
            );
            assert_eq!(answer.expect("text"), expected);
        }
    }
}
