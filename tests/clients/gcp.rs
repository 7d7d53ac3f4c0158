//! Python's google-auth: it runs the binary by a credential configuration, and exchanges
//! the token at a token service that accepts the project's JWTs.
//!
//! A token service is not one of the gates of `docs/servers.md`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::program::{installed, stderr_of_failure, stdout_of_success};
use crate::support::{Issuer, Jwt, Reply, Request, Response, Server, TokenKind, World};

const PROJECT: &str = "317240000000000001";
const POOL: &str =
    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/acme/providers/zitadel";
/// A pool of users: only for these can a client be interactive.
const WORKFORCE_POOL: &str =
    "//iam.googleapis.com/locations/global/workforcePools/acme/providers/zitadel";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Google's token service (RFC 8693), for two pools.
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
            let token = request.form_value("subject_token").unwrap();
            let is_good = is_exchange(request) && is_for_the_project(&token, &issuer);
            seen.lock().unwrap().push(token);
            Reply::from(if is_good {
                Response::json(200, &granted())
            } else {
                Response::json(400, &json!({ "error": "invalid_grant" }))
            })
        });
        Self { server, shown }
    }

    fn take_shown(&self) -> Vec<String> {
        std::mem::take(&mut self.shown.lock().unwrap())
    }
}

fn granted() -> Value {
    json!({
        "access_token": "of-google",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": 3600,
    })
}

fn is_exchange(request: &Request) -> bool {
    let has = |name, value: &str| request.form_value(name).as_deref() == Some(value);
    has(
        "grant_type",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ) && (has("audience", POOL) || has("audience", WORKFORCE_POOL))
        && has("subject_token_type", JWT)
}

fn is_for_the_project(token: &str, issuer: &Issuer) -> bool {
    Jwt::parse(token).is_some_and(|jwt| {
        jwt.is_signed_by(&Issuer::public_key())
            && jwt.claims["iss"] == issuer.url()
            && jwt.claims["aud"] == json!([PROJECT])
    })
}

/// Returns a world with google-auth's permission to run programs, and its token service.
fn world(kind: TokenKind) -> (World, TokenService) {
    let world = World::new();
    world.issuer.set_token_kind(kind);
    world.home.link("zitadel-credential");
    let service = TokenService::start(&world.issuer);
    (world, service)
}

/// Runs google-auth with a credential configuration for the workload pool.
fn client(python: &Path, world: &World, service: &TokenService) -> Command {
    client_of(python, world, service, POOL, json!({}))
}

/// Runs google-auth for another pool, with these words after the command.
fn client_of(
    python: &Path,
    world: &World,
    service: &TokenService,
    pool: &str,
    mut executable: Value,
) -> Command {
    executable["command"] = format!("zitadel-credential gcp --project {PROJECT}").into();
    let configuration = json!({
        "type": "external_account",
        "audience": pool,
        "subject_token_type": JWT,
        "token_url": format!("http://127.0.0.1:{}/v1/token", service.server.port()),
        "credential_source": { "executable": executable },
    });
    world.home.write("google.json", configuration.to_string());
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/python");
    let mut command = world.home.command(python);
    command
        .arg(here.join("google_client.py"))
        .arg("google.json")
        .env("PATH", world.home.path_with_bin())
        .env("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
        // A log would be mixed into the response.
        .env("ZITADEL_CREDENTIAL_LOG", "debug");
    command
}

fn python() -> Option<PathBuf> {
    installed("google-auth", "clouds/bin/python")
}

#[test]
fn google_auth_exchanges_a_jwt_for_the_pool() {
    let Some(python) = python() else { return };
    let (world, service) = world(TokenKind::Jwt);
    for _ in 0..2 {
        let token = stdout_of_success(client(&python, &world, &service));
        assert_eq!(token, "of-google\n");
    }
    let shown = service.take_shown();
    assert_eq!(shown, [&*shown[0], &*shown[0]]);
    assert_eq!(world.issuer.issued_tokens(), shown[..1]);
}

/// Only the address of Google's own service is changed.
#[test]
fn google_auth_uses_the_file_that_setup_gcp_writes() {
    let Some(python) = python() else { return };
    let (world, service) = world(TokenKind::Jwt);
    world
        .home
        .append_config(&format!("projects = [\"{PROJECT}\"]\n"));
    let mut setup = world.home.zitadel(["setup", "gcp", "--audience", POOL]);
    setup.env("PATH", world.home.path_with_bin());
    let output = setup.args(["--output", "written.json"]).run();
    assert!(output.status.success(), "{output:?}");
    let mut client = client(&python, &world, &service);
    let ours = format!("http://127.0.0.1:{}/v1/token", service.server.port());
    let written = world.home.read("written.json");
    let written = written.replace("https://sts.googleapis.com/v1/token", &ours);
    world.home.write("google.json", written);
    client.env_remove("ZITADEL_CREDENTIAL_LOG");
    assert_eq!(stdout_of_success(client), "of-google\n");
}

#[test]
fn google_auth_says_where_an_opaque_token_becomes_a_jwt() {
    let Some(python) = python() else { return };
    let (world, service) = world(TokenKind::Opaque);
    let said = stderr_of_failure(client(&python, &world, &service));
    assert!(said.contains("code: FAILED, message: "), "{said}");
    assert!(said.contains("set its Access Token Type to JWT"), "{said}");
    assert_eq!(service.take_shown(), [""; 0]);
}

#[test]
fn google_auth_uses_the_output_file_only_interactively() {
    let Some(python) = python() else { return };
    let (world, service) = world(TokenKind::Jwt);
    let client = |pool| {
        let beside = json!({ "output_file": "answer.json", "interactive_timeout_millis": 30_000 });
        client_of(&python, &world, &service, pool, beside)
    };
    let file = world.home.path().join("answer.json");
    assert_eq!(stdout_of_success(client(POOL)), "of-google\n");
    assert!(!file.exists());

    let mut interactive = client(WORKFORCE_POOL);
    interactive.arg("interactive");
    // The user sees all output of the binary.
    assert_eq!(stdout_of_success(interactive), "of-google\n");
    let answer: Value = serde_json::from_str(&world.home.read("answer.json")).unwrap();
    assert_eq!(answer["id_token"], *service.take_shown()[1]);
}
