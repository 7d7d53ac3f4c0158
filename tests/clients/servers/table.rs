//! The table of status codes: a server's response to each kind of token, requested by
//! curl.

use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::cast::{Cast, Who, basic, unsigned, with_another_subject};
use crate::program::{client, output_of};
use crate::support::TokenKind::{Jwt, Opaque};

/// A row: the credentials, and the status for a read and for a write.
pub type Row = (&'static str, u16, u16);

/// The responses of a gate that introspects, with a viewer who may only read.
pub const INTROSPECTION: &[Row] = &[
    ("nothing", 401, 401),
    ("garbage", 401, 401),
    ("garbage by Basic", 401, 401),
    ("empty Basic", 401, 401),
    ("no base64 by Basic", 401, 401),
    ("deployer, Basic without a colon", 401, 401),
    ("deployer, the token as the user name", 401, 401),
    ("two tokens", 401, 401),
    ("changed payload", 401, 401),
    ("alg: none", 401, 401),
    ("expired JWT", 401, 401),
    ("expired, opaque", 401, 401),
    ("deployer, JWT", 200, 200),
    ("deployer, JWT by Basic", 200, 200),
    ("deployer, opaque by Basic", 200, 200),
    ("deployer, opaque", 200, 200),
    ("deployer, JWT without the roles' scope", 200, 200),
    ("deployer, opaque without the roles' scope", 200, 200),
    ("viewer, JWT", 200, 403),
    ("viewer, opaque", 200, 403),
    ("role-less, JWT", 403, 403),
    ("role-less, opaque", 403, 403),
    ("another project's role, JWT", 403, 403),
    ("another project's role, opaque", 403, 403),
    ("another organisation's role, JWT", 403, 403),
    ("another organisation's role, opaque", 403, 403),
    ("another project's JWT", 401, 401),
    ("another project's, opaque", 401, 401),
];

/// Returns the responses of a gate that verifies JWTs itself: no opaque token is
/// accepted, and no role that was not requested.
pub fn of_jwts() -> Vec<Row> {
    let changed = |row: &Row| match row.0 {
        name if name.contains("opaque") => (name, 401, 401),
        name if name.contains("without the roles' scope") => (name, 403, 403),
        name @ "another project's JWT" => (name, 403, 403),
        _ => *row,
    };
    INTROSPECTION.iter().map(changed).collect()
}

/// The credentials that curl sends to a server.
pub struct Shown {
    pub name: &'static str,
    /// The value of the `Authorization` header.
    pub authorization: Option<String>,
}

impl Shown {
    fn new(name: &'static str, authorization: String) -> Self {
        Self {
            name,
            authorization: Some(authorization),
        }
    }
}

/// Returns all kinds of credentials. The tokens are new, so that no server has cached
/// them.
pub fn all_shown(cast: &Cast) -> Vec<Shown> {
    let bearer = |token: String| format!("Bearer {token}");
    let password = |token: &str| format!("Basic {}", basic("ci", token));
    let jwt = cast.token(Who::Deployer, Jwt);
    let viewer = cast.user(Who::Viewer).user_id.clone();
    cast.issuer().set_lifetime(-60);
    let [expired_jwt, expired] = [Jwt, Opaque].map(|kind| cast.token(Who::Deployer, kind));
    cast.issuer().set_lifetime(12 * 3600);
    let mut all = vec![
        Shown {
            name: "nothing",
            authorization: None,
        },
        Shown::new("garbage", bearer("garbage".to_owned())),
        Shown::new("garbage by Basic", password("garbage")),
        Shown::new("empty Basic", password("")),
        Shown::new("no base64 by Basic", "Basic %%%".to_owned()),
        Shown::new(
            "deployer, Basic without a colon",
            format!("Basic {}", BASE64_STANDARD.encode(&jwt)),
        ),
        Shown::new(
            "deployer, the token as the user name",
            format!("Basic {}", basic(&cast.token(Who::Deployer, Opaque), "")),
        ),
        Shown::new("two tokens", bearer(format!("{jwt} {jwt}"))),
        Shown::new(
            "changed payload",
            bearer(with_another_subject(&jwt, &viewer)),
        ),
        Shown::new("alg: none", bearer(unsigned(&jwt))),
        Shown::new("expired JWT", bearer(expired_jwt)),
        Shown::new("expired, opaque", bearer(expired)),
        Shown::new("deployer, JWT", bearer(jwt)),
        Shown::new(
            "deployer, JWT by Basic",
            password(&cast.token(Who::Deployer, Jwt)),
        ),
        Shown::new(
            "deployer, opaque by Basic",
            password(&cast.token(Who::Deployer, Opaque)),
        ),
    ];
    for (name, token) in [
        ("deployer, opaque", cast.token(Who::Deployer, Opaque)),
        (
            "deployer, JWT without the roles' scope",
            cast.token_without_roles(Who::Deployer, Jwt),
        ),
        (
            "deployer, opaque without the roles' scope",
            cast.token_without_roles(Who::Deployer, Opaque),
        ),
        ("viewer, JWT", cast.token(Who::Viewer, Jwt)),
        ("viewer, opaque", cast.token(Who::Viewer, Opaque)),
        ("role-less, JWT", cast.token(Who::Nobody, Jwt)),
        ("role-less, opaque", cast.token(Who::Nobody, Opaque)),
        (
            "another project's role, JWT",
            cast.token(Who::OtherProject, Jwt),
        ),
        (
            "another project's role, opaque",
            cast.token(Who::OtherProject, Opaque),
        ),
        (
            "another organisation's role, JWT",
            cast.token(Who::OtherOrganisation, Jwt),
        ),
        (
            "another organisation's role, opaque",
            cast.token(Who::OtherOrganisation, Opaque),
        ),
        ("another project's JWT", cast.token_of_another_project(Jwt)),
        (
            "another project's, opaque",
            cast.token_of_another_project(Opaque),
        ),
    ] {
        all.push(Shown::new(name, bearer(token)));
    }
    all
}

/// Sends all kinds of credentials, and compares the responses with the table.
pub fn assert_table(cast: &Cast, asks: impl Fn(&Shown) -> (u16, u16), expected: &[Row]) {
    let actual: Vec<Row> = all_shown(cast)
        .iter()
        .map(|shown| {
            let (read, write) = asks(shown);
            (shown.name, read, write)
        })
        .collect();
    let differences: Vec<_> = actual
        .iter()
        .filter(|row| !expected.contains(row))
        .collect();
    let names = |rows: &[Row]| rows.iter().map(|row| row.0).collect::<Vec<_>>();
    assert!(differences.is_empty(), "{differences:#?}");
    assert_eq!(names(&actual), names(expected));
}

/// The real curl.
pub struct Curl(PathBuf);

impl Curl {
    pub fn new() -> Option<Self> {
        client("curl").map(Self)
    }

    /// Returns the status and all `WWW-Authenticate` headers of the response; the
    /// arguments are curl's.
    pub fn ask(
        &self,
        cast: &Cast,
        method: &str,
        url: &str,
        authorization: Option<&str>,
        arguments: &[String],
    ) -> (u16, Vec<String>) {
        let mut command = cast.world.home.command(&self.0);
        command
            .args(["--silent", "--show-error", "--output", "/dev/null"])
            .args(["--path-as-is", "--max-time", "30", "--header", "@-"])
            .args(["--write-out", "%{http_code} %{header_json}"])
            .arg("--cacert")
            .arg(cast.world.home.path().join("ca.pem"))
            .args(["--request", method, url])
            .args(arguments);
        let header = authorization.map(|value| format!("Authorization: {value}\n"));
        let output = output_of(command, header.unwrap_or_default().as_bytes());
        // Status 0 means no response: Apache cuts that of a git http-backend that exited
        // early, or sends none; HAProxy closes while a refused request is still being
        // sent.
        let is_cut = matches!(output.status.code(), Some(18 | 52 | 55 | 56));
        assert!(
            output.status.success() || is_cut,
            "{method} {url} {output:?}"
        );
        let written = String::from_utf8(output.stdout).unwrap();
        let (status, headers) = written.split_once(' ').unwrap();
        let headers: serde_json::Value = serde_json::from_str(headers).unwrap();
        let challenges = headers["www-authenticate"].as_array();
        let text = |challenge: &serde_json::Value| challenge.as_str().unwrap().to_owned();
        let challenges = challenges.into_iter().flatten().map(text);
        (status.parse().unwrap(), challenges.collect())
    }
}
