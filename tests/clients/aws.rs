//! Python's botocore below `exec --write-web-identity`, at a token service that gives its
//! role to the project's JWTs.
//!
//! A token service is not one of the gates of `docs/servers.md`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::program::{installed, stderr_of_failure, stdout_of_success};
use crate::support::{Issuer, Jwt, Reply, Request, Response, Server, TokenKind, World, binary};

const PROJECT: &str = "317240000000000001";
const ROLE: &str = "arn:aws:iam::123456789012:role/ci";

/// AWS's token service. It issues credentials for a JWT, and recognises them.
struct TokenService {
    server: Server,
    /// The tokens that it received.
    shown: Arc<Mutex<Vec<String>>>,
}

impl TokenService {
    fn start(issuer: &Issuer) -> Self {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (seen, issuer) = (Arc::clone(&shown), issuer.clone());
        let server = Server::http(move |request| {
            Reply::from(match request.form_value("Action").as_deref() {
                Some("AssumeRoleWithWebIdentity") => {
                    let token = request.form_value("WebIdentityToken").unwrap();
                    let role = request.form_value("RoleArn").unwrap();
                    let is_good = role == ROLE && is_for_the_project(&token, &issuer);
                    seen.lock().unwrap().push(token);
                    if is_good { credentials() } else { refusal() }
                }
                Some("GetCallerIdentity") if is_by_those(request) => identity(),
                _ => refusal(),
            })
        });
        Self { server, shown }
    }

    fn take_shown(&self) -> Vec<String> {
        std::mem::take(&mut self.shown.lock().unwrap())
    }
}

fn is_for_the_project(token: &str, issuer: &Issuer) -> bool {
    // The file has no byte beside the token, such as a line break.
    Jwt::parse(token).is_some_and(|jwt| {
        jwt.is_signed_by(&Issuer::public_key())
            && jwt.claims["iss"] == issuer.url()
            && jwt.claims["aud"] == json!([PROJECT])
    })
}

/// True if a request is signed with the issued credentials.
fn is_by_those(request: &Request) -> bool {
    let signed = request.header("authorization").unwrap_or_default();
    signed.contains("Credential=ASIAGIVEN/")
        && request.header("x-amz-security-token") == Some("of-aws")
}

fn answer(action: &str, result: &str) -> Response {
    let body = format!(
        r#"<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>{result}</{action}Result></{action}Response>"#
    );
    Response::new(200).with_body("text/xml", body)
}

fn credentials() -> Response {
    answer(
        "AssumeRoleWithWebIdentity",
        "<Credentials><AccessKeyId>ASIAGIVEN</AccessKeyId>\
         <SecretAccessKey>secret</SecretAccessKey><SessionToken>of-aws</SessionToken>\
         <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>",
    )
}

fn identity() -> Response {
    answer("GetCallerIdentity", &format!("<Arn>{ROLE}</Arn>"))
}

fn refusal() -> Response {
    let body = "<ErrorResponse><Error><Code>InvalidIdentityToken</Code>\
                <Message>no JWT of the project</Message></Error></ErrorResponse>";
    Response::new(400).with_body("text/xml", body)
}

/// Returns botocore in a world, run by `exec` with these options, and its service.
fn client(python: &Path, world: &World, service: &TokenService, options: &[&str]) -> Command {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/python");
    let endpoint = format!("http://127.0.0.1:{}", service.server.port());
    let mut command = world.home.command(binary());
    command
        .args(["exec", "--write-web-identity", "--project", PROJECT])
        .args(options)
        .arg("--")
        .arg(python)
        .arg(here.join("aws_client.py"))
        .env("AWS_ROLE_ARN", ROLE)
        .env("AWS_DEFAULT_REGION", "eu-central-1")
        .env("AWS_ENDPOINT_URL_STS", endpoint)
        .env("AWS_MAX_ATTEMPTS", "1");
    command
}

fn world(kind: TokenKind) -> (World, TokenService) {
    let world = World::new();
    world.issuer.set_token_kind(kind);
    let service = TokenService::start(&world.issuer);
    (world, service)
}

fn python() -> Option<PathBuf> {
    installed("botocore", "clouds/bin/python")
}

#[test]
fn botocore_takes_its_role_with_the_file() {
    let Some(python) = python() else { return };
    let (world, service) = world(TokenKind::Jwt);
    for options in [[].as_slice(), &[], &["--refresh"]] {
        let said = stdout_of_success(client(&python, &world, &service, options));
        assert_eq!(said, format!("{ROLE}\n"));
    }
    let issued = world.issuer.issued_tokens();
    assert_eq!(issued.len(), 2);
    assert_eq!(
        service.take_shown(),
        [&*issued[0], &*issued[0], &*issued[1]]
    );
}

#[test]
fn botocore_is_not_run_with_an_opaque_token() {
    let Some(python) = python() else { return };
    let (world, service) = world(TokenKind::Opaque);
    let said = stderr_of_failure(client(&python, &world, &service, &[]));
    assert!(said.contains("set its Access Token Type to JWT"), "{said}");
    assert_eq!(service.take_shown(), [""; 0]);
}
