//! `ExecCredential`: kubectl and every client-go program.
//!
//! Source: Kubernetes, "client-go credential plugins", and the API
//! `client.authentication.k8s.io` in v1 and v1beta1, which have the same shape.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Report;
use crate::text::object::Object;
use crate::text::quote::quoted;
use crate::token::Token;
use crate::url::Origin;

/// The variable with the request.
pub const VARIABLE: &str = "KUBERNETES_EXEC_INFO";

/// Size limit of the request in bytes: Linux passes no longer variable. The
/// certificates of a cluster may need most of it.
pub const LIMIT: usize = 128 * 1024;

const KIND: &str = "ExecCredential";

/// Name of the cluster extension with our settings.
const EXTENSION: &str = "client.authentication.k8s.io/exec";

/// The API version. The answer must have the version of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
pub enum Version {
    /// Since Kubernetes 1.22; also the default for a call by hand.
    #[default]
    #[serde(rename = "client.authentication.k8s.io/v1")]
    #[value(alias = "client.authentication.k8s.io/v1")]
    V1,
    /// Since Kubernetes 1.11.
    #[serde(rename = "client.authentication.k8s.io/v1beta1")]
    #[value(name = "v1beta1", alias = "client.authentication.k8s.io/v1beta1")]
    V1beta1,
}

impl Version {
    /// Parses an `apiVersion`; `None` if it is not supported.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "client.authentication.k8s.io/v1" => Some(Self::V1),
            "client.authentication.k8s.io/v1beta1" => Some(Self::V1beta1),
            _ => None,
        }
    }

    /// Returns the version without its group: the value of `--api-version`.
    pub const fn short(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1beta1 => "v1beta1",
        }
    }
}

/// The client's request.
#[derive(Debug, Default)]
pub struct Request {
    /// The API version of request and answer.
    pub version: Version,
    /// The cluster's extension.
    pub cluster: Extension,
}

/// The cluster extension `client.authentication.k8s.io/exec` of a kubeconfig, which
/// kubectl passes with `provideClusterInfo: true`. Some clients write null for what is
/// absent.
#[derive(Debug, Default, Deserialize)]
pub struct Extension {
    /// The profile.
    pub profile: Option<String>,
    /// The issuer.
    pub issuer: Option<String>,
    /// The scopes.
    pub scopes: Option<Vec<String>>,
    /// Projects to add to the audience.
    pub projects: Option<Vec<String>>,
}

/// The request. Its `kind` is not read: clients differ in it, and `apiVersion` alone
/// says what the request is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    api_version: String,
    spec: Option<Object<Spec>>,
}

#[derive(Default, Deserialize)]
struct Spec {
    cluster: Option<Object<Cluster>>,
}

#[derive(Deserialize)]
struct Cluster {
    server: Option<String>,
    config: Option<Object<Extension>>,
    /// The kubeconfig's own list, which some clients pass instead of `config`.
    extensions: Option<Value>,
}

impl Cluster {
    /// Returns our settings, from `config` or else from the list of extensions.
    ///
    /// # Errors
    /// A value has the wrong type, or the list has our extension more than once.
    fn extension(config: Option<Object<Extension>>, listed: &Value) -> Result<Extension, Report> {
        if let Some(Object(config)) = config {
            return Ok(config);
        }
        let named = listed.as_array().into_iter().flatten();
        let mut ours = named
            .filter(|entry| entry["name"] == EXTENSION)
            .map(|entry| &entry["extension"])
            // Go's own form of the list.
            .chain(listed.get(EXTENSION));
        let Some(extension) = ours.next() else {
            return Ok(Extension::default());
        };
        if ours.next().is_some() {
            let what = format!("{VARIABLE}: the cluster has two extensions {EXTENSION}");
            return Err(Report::new(what).hint("remove one of them from the kubeconfig"));
        }
        let read: serde_json::Result<Option<Object<Extension>>> =
            Deserialize::deserialize(extension);
        let read = read.map_err(|_| wrong_type())?;
        Ok(read.unwrap_or_default().0)
    }
}

/// Returns the error for a value of the wrong type. Clients write their own fields
/// correctly; a person wrote the extension.
fn wrong_type() -> Report {
    Report::new(format!("{VARIABLE}: value of the wrong type")).hint(
        "fix the cluster's extension client.authentication.k8s.io/exec in the kubeconfig: profile and issuer are strings, scopes and projects are lists of strings",
    )
}

/// Parses the request.
///
/// # Errors
/// It is not an `ExecCredential` of a known version, or the cluster's server uses plain
/// http.
pub fn parse(info: &str) -> Result<Request, Report> {
    let Object(info): Object<Info> = serde_json::from_str(info).map_err(|error| {
        if error.is_data() && error.to_string().starts_with("invalid type") {
            return wrong_type();
        }
        Report::new(format!("{VARIABLE}: not an ExecCredential"))
            .hint("unset it to call this by hand: it is for kubectl and other clients")
    })?;
    let version = Version::parse(&info.api_version).ok_or_else(|| {
        let what = format!(
            "unsupported apiVersion in the kubeconfig: {}",
            quoted(&info.api_version)
        );
        Report::new(what)
            .hint("set the user's exec apiVersion to client.authentication.k8s.io/v1 (or v1beta1)")
    })?;
    let Some(Object(cluster)) = info.spec.unwrap_or_default().0.cluster else {
        return Ok(Request {
            version,
            cluster: Extension::default(),
        });
    };
    let Cluster {
        server,
        config,
        extensions,
    } = cluster;
    let server = server.unwrap_or_default();
    // Refuses every server that is not clearly https or loopback: the client may
    // use http for it, as for `10.0.0.1:8080`.
    let is_https = server
        .get(..8)
        .is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    let is_loopback = Origin::parse_url(&server).is_some_and(|(origin, _)| !origin.is_exposed());
    if !server.is_empty() && !is_https && !is_loopback {
        let what = format!("the cluster's server {} is plain http", quoted(&server));
        return Err(Report::new(what).hint(
            "set the cluster's server to https: with plain http, others on the network can read the token",
        ));
    }
    Ok(Request {
        version,
        cluster: Cluster::extension(config, &extensions.unwrap_or_default())?,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    kind: &'a str,
    api_version: Version,
    status: Status<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_timestamp: Option<String>,
    token: &'a str,
}

/// Returns the answer in this version.
///
/// # Errors
/// Infallible: string fields only.
pub fn answer(version: Version, token: &Token) -> serde_json::Result<String> {
    serde_json::to_string(&Answer {
        kind: KIND,
        api_version: version,
        status: Status {
            expiration_timestamp: token.expiry_for_tools().map(|end| end.to_string()),
            token: token.expose(),
        },
    })
    .map(|json| json + "\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::text::clock::UnixTime;
    use crate::token::Lifespan;

    fn parsed(version: &str, spec: &str) -> Result<Request, Report> {
        parse(&format!(
            r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/{version}","spec":{spec}}}"#
        ))
    }

    #[test]
    fn both_versions_are_read_and_others_refused() {
        let version = |v| parsed(v, r#"{"interactive":false}"#).map(|q| q.version);
        assert_eq!(version("v1").ok(), Some(Version::V1));
        assert_eq!(version("v1beta1").ok(), Some(Version::V1beta1));
        let said = version("v1alpha1").expect_err("refused").to_string();
        assert!(said.contains("v1alpha1") && said.contains("/v1 "), "{said}");
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"kind":"ExecCredential"}"#,
            r#"{"apiVersion":null}"#,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_clusters_extension_is_read_and_other_fields_are_ignored() {
        let request = parsed(
            "v1",
            r#"{"interactive":false,"cluster":{"server":"https://k8s.acme.dev:6443","config":
            {"apiVersion":"x","profile":"prod","issuer":"https://a.dev","scopes":["openid"],
            "projects":["1"],"more":{}}}}"#,
        )
        .expect("a request");
        assert_eq!(request.cluster.profile.as_deref(), Some("prod"));
        assert_eq!(request.cluster.issuer.as_deref(), Some("https://a.dev"));
        assert_eq!(request.cluster.scopes, Some(vec!["openid".to_owned()]));
        assert_eq!(request.cluster.projects, Some(vec!["1".to_owned()]));
        assert!(parsed("v1", r#"{"cluster":{"server":"https://a","config":null}}"#).is_ok());
    }

    #[test]
    fn the_api_version_alone_decides_and_null_is_absent() {
        for info in [
            r#"{"apiVersion":"client.authentication.k8s.io/v1"}"#,
            r#"{"kind":null,"apiVersion":"client.authentication.k8s.io/v1","spec":null}"#,
            r#"{"kind":"ExecCredentials","apiVersion":"client.authentication.k8s.io/v1"}"#,
            r#"{"kind":7,"apiVersion":"client.authentication.k8s.io/v1","spec":{}}"#,
        ] {
            let request = parse(info).unwrap_or_else(|error| panic!("{info}: {error}"));
            assert_eq!(request.version, Version::V1);
        }
        for spec in [
            "null",
            r#"{"cluster":null}"#,
            r#"{"cluster":{"server":null,"config":null,"extensions":null}}"#,
            r#"{"cluster":{"config":{"profile":null,"issuer":null,"scopes":null,"projects":null}}}"#,
        ] {
            let cluster = parsed("v1beta1", spec).expect("a request").cluster;
            assert!(
                cluster.profile.is_none() && cluster.projects.is_none(),
                "{spec}"
            );
        }
    }

    #[test]
    fn the_extension_is_read_from_the_kubeconfigs_own_list_too() {
        let profile = |cluster: &str| {
            let spec = format!(r#"{{"cluster":{{"server":"https://a",{cluster}}}}}"#);
            parsed("v1", &spec).map(|request| request.cluster.profile)
        };
        let ours = r#"{"name":"client.authentication.k8s.io/exec","extension":{"profile":"b"}}"#;
        let other = r#"{"name":"minikube.sigs.k8s.io","extension":["profile",1]}"#;
        let b = Some("b".to_owned());
        for list in [
            format!(r#""extensions":[{ours}]"#),
            format!(r#""extensions":[{other},{ours}],"config":null"#),
            r#""extensions":{"client.authentication.k8s.io/exec":{"profile":"b"}}"#.to_owned(),
            r#""extensions":[],"config":{"profile":"b"}"#.to_owned(),
        ] {
            assert_eq!(profile(&list).ok(), Some(b.clone()), "{list}");
        }
        let none = r#"[{"name":"client.authentication.k8s.io/exec","extension":null}]"#;
        for list in [none, "[]", "null", "7", &format!("[{other}]")] {
            assert_eq!(
                profile(&format!(r#""extensions":{list}"#)).ok(),
                Some(None),
                "{list}"
            );
        }
        for list in [
            format!("[{ours},{ours}]"),
            r#"[{"name":"client.authentication.k8s.io/exec","extension":{"profile":7}}]"#
                .to_owned(),
            r#"[{"name":"client.authentication.k8s.io/exec","extension":["b"]}]"#.to_owned(),
        ] {
            assert!(
                profile(&format!(r#""extensions":{list}"#)).is_err(),
                "{list}"
            );
        }
    }

    #[test]
    fn a_server_of_plain_http_gets_nothing() {
        let server = |url: &str| parsed("v1", &format!(r#"{{"cluster":{{"server":"{url}"}}}}"#));
        assert!(server("http://k8s.acme.dev").is_err());
        assert!(server("http://127.0.0.1:8001").is_ok());
        assert!(server("https://k8s.acme.dev").is_ok());
        assert!(server("HTTPS://k8s.acme.dev./x").is_ok());
        assert!(server("").is_ok());
        for unclear in [
            "http://user@10.0.0.1:8080",
            "http://k8s.acme.dev.",
            "http://10.0.0.1:",
            "10.0.0.1:8080",
            "ws://10.0.0.1",
            " http://10.0.0.1",
        ] {
            assert!(server(unclear).is_err(), "{unclear}");
        }
    }

    #[test]
    fn the_answer_is_these_bytes() {
        let obtained_at = UnixTime::from_secs(1_798_761_600);
        let lifespan = Lifespan {
            obtained_at,
            expires_at: obtained_at.plus(Duration::from_secs(3600)),
        };
        let token = |lifespan| Token::new("abc".into(), lifespan).expect("a b64token");
        assert_eq!(
            answer(Version::V1, &token(Some(lifespan))).expect("text"),
            "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\
             \"status\":{\"expirationTimestamp\":\"2027-01-01T00:59:30Z\",\"token\":\"abc\"}}\n"
        );
        assert_eq!(
            answer(Version::V1beta1, &token(None)).expect("text"),
            "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\
             \"status\":{\"token\":\"abc\"}}\n"
        );
    }

    proptest! {
        #[test]
        fn any_request_is_read_or_refused(info: String) {
            let _ = parse(&info);
        }

        #[test]
        fn a_remote_server_gets_a_token_only_over_https(
            server in "(http://|https?://|ws://|http:/)?(127\\.0\\.0\\.1|localhost|a@)?[a-c.@:/ 1]{0,4}",
        ) {
            let spec = serde_json::json!({"cluster": {"server": server}}).to_string();
            if parsed("v1", &spec).is_ok() {
                let server = server.to_ascii_lowercase();
                let host = server.strip_prefix("http://").and_then(|rest| rest.split([':', '/']).next());
                let is_number = |host: &str| host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                let is_local = host.is_some_and(|host| {
                    host == "localhost" || (host.starts_with("127.") && is_number(host))
                });
                prop_assert!(server.is_empty() || server.starts_with("https://") || is_local, "{server}");
            }
        }

        #[test]
        fn an_answer_parses_in_the_requested_version(beta: bool, secret in "[A-Za-z0-9._~+/-]{1,40}") {
            let version = if beta { "v1beta1" } else { "v1" };
            let request = parsed(version, "{}").expect("a request");
            let token = Token::new(secret.clone(), None).expect("a b64token");
            let answer = answer(request.version, &token).expect("text");
            let read: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
            let expected = serde_json::json!({
                "kind": "ExecCredential",
                "apiVersion": format!("client.authentication.k8s.io/{version}"),
                "status": {"token": secret},
            });
            prop_assert_eq!(read, expected);
        }
    }
}
