//! The fields of a Secret that the agent owns, as a patch of server-side apply. Pure.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::token::Token;

/// The content of the Secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Only the token, under the key `token`
    #[default]
    Token,
    /// A login to registries, as pods pull images with
    Dockerconfigjson,
}

/// The login to a registry.
#[derive(Debug, PartialEq, Eq)]
pub struct Login {
    /// The registry's `host[:port]`.
    pub registry: String,
    /// The username for the token.
    pub username: String,
}

impl Kind {
    /// Returns the key of a Secret's data that the agent owns.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Dockerconfigjson => ".dockerconfigjson",
        }
    }
}

/// Returns the patch: the Secret's identity, and the fields that the agent owns. The type
/// is left out if it is the default, `Opaque`: an existing Secret keeps its own type.
pub fn patch(namespace: &str, name: &str, kind: Kind, token: &Token, logins: &[Login]) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Patch<'a> {
        api_version: &'a str,
        kind: &'a str,
        metadata: Value,
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        kind_of_secret: Option<&'a str>,
        data: Map<String, Value>,
    }
    let (kind_of_secret, value) = match kind {
        Kind::Token => (None, BASE64.encode(token.expose())),
        Kind::Dockerconfigjson => (
            Some("kubernetes.io/dockerconfigjson"),
            BASE64.encode(dockerconfigjson(token, logins)),
        ),
    };
    let patch = Patch {
        api_version: "v1",
        kind: "Secret",
        metadata: json!({ "namespace": namespace, "name": name }),
        kind_of_secret,
        data: Map::from_iter([(kind.key().to_owned(), value.into())]),
    };
    // Infallible: string fields only.
    serde_json::to_vec(&patch).unwrap_or_default()
}

/// Returns docker's login file, as `kubectl create secret docker-registry` writes it.
fn dockerconfigjson(token: &Token, logins: &[Login]) -> String {
    let entry = |login: &Login| {
        let pair = format!("{}:{}", login.username, token.expose());
        let entry = json!({
            "username": login.username,
            "password": token.expose(),
            "auth": BASE64.encode(pair),
        });
        (login.registry.clone(), entry)
    };
    let auths: Map<_, _> = logins.iter().map(entry).collect();
    json!({ "auths": auths }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: Kind, logins: &[Login]) -> String {
        let token = Token::new("t0k3n".to_owned(), None).expect("a token");
        let patch = patch("ci", "zitadel-token", kind, &token, logins);
        String::from_utf8(patch.clone()).expect("text")
    }

    #[test]
    fn a_token_is_one_key_and_no_type() {
        assert_eq!(
            shown(Kind::Token, &[]),
            r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"zitadel-token","namespace":"ci"},"data":{"token":"dDBrM24="}}"#
        );
    }

    #[test]
    fn a_login_is_dockers_file_with_its_type() {
        let login = |registry: &str| Login {
            registry: registry.to_owned(),
            username: "ci".to_owned(),
        };
        let logins = [login("registry.acme.dev"), login("[::1]:5000")];
        let config = r#"{"auths":{"[::1]:5000":{"auth":"Y2k6dDBrM24=","password":"t0k3n","username":"ci"},"registry.acme.dev":{"auth":"Y2k6dDBrM24=","password":"t0k3n","username":"ci"}}}"#;
        assert_eq!(
            shown(Kind::Dockerconfigjson, &logins),
            format!(
                r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"zitadel-token","namespace":"ci"}},"type":"kubernetes.io/dockerconfigjson","data":{{".dockerconfigjson":"{}"}}}}"#,
                BASE64.encode(config)
            )
        );
    }
}
