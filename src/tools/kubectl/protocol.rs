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

/// Size limit of the request in bytes: Linux passes no longer variables. The certificates
/// of a cluster may need most of it.
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
/// kubectl passes with `provideClusterInfo: true`. Some clients write null for absent
/// fields.
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
    /// True to add the scope of the user's roles.
    pub roles: Option<bool>,
}

/// The request. Its `kind` is not read: clients differ in it, and only `apiVersion`
/// identifies the request.
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
            // Go's form of the list is an object.
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
/// correctly; a user wrote the extension.
fn wrong_type() -> Report {
    Report::new(format!("{VARIABLE}: value of the wrong type")).hint(
        "fix the cluster's extension client.authentication.k8s.io/exec in the kubeconfig: profile and issuer are strings, scopes and projects are lists of strings, roles is true or false",
    )
}

/// Parses the request.
///
/// # Errors
/// The request is not an `ExecCredential` of a known version, or the cluster's server
/// uses plain http.
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
mod tests;
