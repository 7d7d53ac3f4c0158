//! Ways around a gate that an attacker tries: none of them works.

use super::cast::{Who, basic};
use super::gate::{Gate, RECEIVE, UPLOAD};
use crate::program::{client, stdout_of_success};
use crate::support::TokenKind::Jwt;

/// Headers in which servers and proxies pass on a user's name.
const NAMES: [&str; 9] = [
    "X-Forwarded-User: 1",
    "X_Forwarded_User: 1",
    "X-Zitadel-User: 1",
    "X_Zitadel_User: 1",
    "X-Remote-User: 1",
    "Remote-User: 1",
    "Remote_User: 1",
    "X-Auth-Request-User: 1",
    "OIDC_CLAIM_sub: 1",
];

/// Headers that change the request for a server behind a gate, after the gate's check.
const OTHER_REQUESTS: [&str; 6] = [
    "X-HTTP-Method-Override: POST",
    "X-Original-URL: /app.git/git-receive-pack",
    "X-Rewrite-URL: /app.git/git-receive-pack",
    "X-Original-URI: /app.git/HEAD",
    "X-Original-Method: GET",
    "X-Forwarded-Method: GET",
];

impl Gate<'_> {
    /// Asserts that nobody reads without a valid and whole token in the right place, and
    /// that no viewer pushes.
    pub fn assert_no_way_around(&self) {
        let [deployer, viewer] = [Who::Deployer, Who::Viewer].map(|who| self.cast.token(who, Jwt));
        let header = |header: &str| ["--header".to_owned(), header.to_owned()];
        let read = |arguments: &[String], authorization: Option<&str>| {
            self.ask_with("GET", &self.url(UPLOAD), authorization, arguments)
        };
        let garbage = Some("Bearer garbage");
        for name in NAMES.iter().chain(&OTHER_REQUESTS) {
            for authorization in [None, garbage] {
                assert_eq!(read(&header(name), authorization), 401, "{name}");
            }
        }
        // The token is in a place that is logged, or is another server's.
        for place in [
            format!("Proxy-Authorization: Bearer {deployer}"),
            format!("X-Forwarded-Access-Token: {deployer}"),
            format!("Cookie: access_token={deployer}; mod_auth_openidc_session={deployer}"),
            format!("Authentication: Bearer {deployer}"),
            format!("X-Authorization: Bearer {deployer}"),
        ] {
            assert_eq!(read(&header(&place), None), 401, "{place}");
        }
        let in_query = format!("{}&access_token={deployer}", self.url(UPLOAD));
        assert_eq!(self.ask_with("GET", &in_query, None, &[]), 401);
        // The token has another scheme, or is changed.
        for value in [
            format!("DPoP {deployer}"),
            format!("Token {deployer}"),
            deployer.clone(),
            format!("Bearer ={deployer}"),
            format!("Bearer %20{deployer}"),
            format!("Basic {}", basic("ci", &format!("{deployer}:x"))),
            format!("Basic {}", basic("ci", &format!("x{deployer}"))),
        ] {
            let status = read(&[], Some(&value));
            assert!(matches!(status, 400 | 401), "{status} {value}");
        }
        // There are two headers: the gate reads one, and the server behind it might read
        // the other.
        for (first, second) in [
            ("Bearer garbage", "Bearer other"),
            ("Basic Og==", "Bearer garbage"),
            ("", "Bearer garbage"),
        ] {
            let second = header(&format!("Authorization: {second}"));
            let status = read(&second, Some(first));
            assert!(matches!(status, 400 | 401), "{status} {first:?}");
        }
        let two = header(&format!("Authorization: Bearer {viewer}"));
        let push = |arguments: &[String], authorization: &str| {
            let kind = "Content-Type: application/x-git-receive-pack-request";
            let body = ["--header", kind, "--data-binary", "0000"].map(str::to_owned);
            let arguments = [body.as_slice(), arguments].concat();
            self.ask_with("POST", &self.url(RECEIVE), Some(authorization), &arguments)
        };
        let bearer = format!("Bearer {viewer}");
        assert_ne!(push(&two, &bearer), 200);
        for name in NAMES.iter().chain(&OTHER_REQUESTS) {
            assert_eq!(push(&header(name), &bearer), 403, "{name}");
        }
        for method in [
            "post", "Post", "PUT", "PATCH", "DELETE", "PROPFIND", "CONNECT", "XPOST",
        ] {
            let arguments =
                ["--data-binary", "0000", "--request-target", RECEIVE].map(str::to_owned);
            let status = self.ask_with(method, &self.url(RECEIVE), Some(&bearer), &arguments);
            assert!(status >= 400, "{method}: {status}");
        }
        for target in [
            format!("https://localhost:{}{RECEIVE}", self.port),
            format!("http://localhost{RECEIVE}"),
            format!("https://other.example{RECEIVE}"),
            format!("//localhost{RECEIVE}"),
        ] {
            let target = ["--request-target".to_owned(), target];
            assert_ne!(push(&target, &bearer), 200, "{target:?}");
            let nothing = self.ask_with("GET", &self.url("/"), None, &target);
            assert!(nothing >= 400, "{target:?}: {nothing}");
        }
        for version in ["--http1.0", "--http1.1", "--http2"] {
            let version = [version, "--no-alpn"].map(str::to_owned);
            assert_eq!(read(&version, None), 401, "{version:?}");
            assert_eq!(push(&version, &bearer), 403, "{version:?}");
        }
        // A scheme in any case and a token of any length get a response.
        for value in ["bEARER", "BEARER"] {
            assert_eq!(
                read(&[], Some(&format!("{value} {viewer}"))),
                200,
                "{value}"
            );
        }
        for length in [40_000, 60_000, 120_000] {
            let status = read(&[], Some(&format!("Bearer {}", "a".repeat(length))));
            assert!(matches!(status, 0 | 400..500), "{length}: {status}");
        }
        self.assert_a_connection_remembers_nobody(&deployer);
    }

    /// Asserts that a request without a token fails after one with a token, on the same
    /// connection.
    fn assert_a_connection_remembers_nobody(&self, token: &str) {
        let Some(curl) = client("curl") else { return };
        let mut command = self.cast.world.home.command(curl);
        let ca = self.cast.world.home.path().join("ca.pem");
        let url = self.url(UPLOAD);
        let good = format!("Authorization: Bearer {token}");
        let shown = [
            Some(&*good),
            None,
            Some("Authorization: Bearer x"),
            Some(&*good),
        ];
        for (number, header) in shown.into_iter().enumerate() {
            if number > 0 {
                command.arg("--next");
            }
            command
                .args(["--silent", "--output", "/dev/null", "--max-time", "30"])
                .args(["--write-out", "%{http_code} %{num_connects}\n", "--cacert"])
                .arg(&ca)
                .args(header.iter().flat_map(|header| ["--header", header]))
                .arg(&url);
        }
        let said = stdout_of_success(command);
        let codes: Vec<_> = said.lines().map(|line| &line[..3]).collect();
        assert_eq!(codes, ["200", "401", "401", "200"], "{said}");
    }
}
