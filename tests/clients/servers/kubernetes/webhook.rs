//! Opaque tokens, through the webhook.

use std::fs::File;
use std::process::Command;

use rcgen::ExtendedKeyUsagePurpose;
use serde_json::{Value, json};

use super::apiserver::ApiServer;
use super::{OTHER_PROJECT, PROJECT, scene, secret_part};
use crate::program::client;
use crate::servers::cast::{Scene, of_project};
use crate::support::{
    Ca, Client, ORGANIZATION_ID, OTHER_ORGANIZATION_ID, Running, TokenKind, Trouble, until,
};

/// The webhook, and the API server's options that name it.
struct Webhook {
    authority: Ca,
    /// The authority of the API server's client certificate.
    api_server: Ca,
    port: u16,
    options: Vec<String>,
    _running: Running,
}

impl Webhook {
    fn start(scene: &Scene) -> Option<Self> {
        let python = client("python3")?;
        let home = scene.home();
        let authority = Ca::new();
        home.write("ca.pem", authority.pem());
        let server = authority.server(&["localhost", "127.0.0.1"], |_| {});
        let api_server = authority.server(&["api-server"], |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        });
        for (name, certificate) in [("webhook", &server), ("api-server", &api_server)] {
            home.write(format!("{name}.pem"), certificate.pem());
            home.write(format!("{name}.key"), certificate.key_pem());
        }
        let issuer = &scene.world.issuer;
        let application = issuer.new_application(PROJECT);
        let at = |name: &str| home.path().join(name);
        let port = crate::support::ports::free_port();
        let config = json!({
            "issuer": issuer.url(),
            "introspection": format!("{}/oauth/v2/introspect", issuer.url()),
            "client_id": application.client_id,
            "client_secret": application.secret,
            "project": PROJECT,
            "organisation": ORGANIZATION_ID,
            "certificate": at("webhook.pem"),
            "key": at("webhook.key"),
            "client_ca": at("ca.pem"),
            "ca_file": at("issuer.pem"),
            "listen": format!("127.0.0.1:{port}"),
            "cache_seconds": 1,
        });
        let config = home.write("webhook.json", config.to_string());
        let example = |name: &str| {
            let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/servers/kubernetes");
            format!("{directory}/{name}")
        };
        let mut command = Command::new(python);
        let log = File::create(at("webhook.log")).unwrap();
        command.arg(example("webhook.py")).arg(config).stderr(log);
        let running = Running::start_as_given(command);
        until("the webhook listens", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        let kubeconfig = std::fs::read_to_string(example("webhook.yaml")).unwrap();
        let kubeconfig = kubeconfig
            .replace(
                "/etc/kubernetes/zitadel",
                &home.path().display().to_string(),
            )
            .replace("127.0.0.1:8443", &format!("127.0.0.1:{port}"));
        let kubeconfig = home.write("webhook.yaml", kubeconfig);
        Some(Self {
            authority,
            api_server,
            port,
            options: vec![
                format!(
                    "--authentication-token-webhook-config-file={}",
                    kubeconfig.display()
                ),
                "--authentication-token-webhook-version=v1".to_owned(),
                "--authentication-token-webhook-cache-ttl=1s".to_owned(),
            ],
            _running: running,
        })
    }
}

#[test]
fn an_opaque_token_has_its_users_current_roles() {
    let scene = scene(TokenKind::Opaque);
    let Some(webhook) = Webhook::start(&scene) else {
        return;
    };
    let Some(server) = ApiServer::start(&webhook.options) else {
        return;
    };
    let issuer = &scene.world.issuer;
    let known = |id: &str, groups: &[&str]| {
        let groups = groups
            .iter()
            .map(|group| format!("zitadel:{group}"))
            .collect();
        Some((format!("zitadel:{id}"), groups))
    };
    // Introspection returns roles without the scope.
    let deployer = scene.user("deployer", &format!("projects = [\"{PROJECT}\"]"));
    let token = scene.token("deployer");
    assert_eq!(server.who(&token), known(&deployer, &[]));
    issuer.add_role_of(ORGANIZATION_ID, &deployer, PROJECT, "deployer");
    until("a new role counts", || {
        server.who(&token) == known(&deployer, &["deployer"])
    });
    let foreign = scene.user_with_role("foreign", "deployer", OTHER_ORGANIZATION_ID);
    assert_eq!(server.who(&scene.token("foreign")), known(&foreign, &[]));
    scene.user("other", &of_project(OTHER_PROJECT));
    assert_eq!(server.who(&scene.token("other")), None);
    assert_eq!(server.who("garbage"), None);
    // A JWT is introspected as well.
    issuer.set_token_kind(TokenKind::Jwt);
    let jwt = scene.user_with_role("jwt", "viewer", ORGANIZATION_ID);
    let signed = scene.token("jwt");
    assert_eq!(server.who(&signed), known(&jwt, &["viewer"]));

    // While ZITADEL is down every request is refused; a while later all are accepted
    // again.
    issuer.set_trouble(Trouble::DatabaseDown);
    until("nobody gets in", || server.who(&token).is_none());
    let said = scene.home().read("webhook.log");
    assert!(
        said.contains("introspection failed: HTTPError 500"),
        "{said}"
    );
    issuer.set_trouble(None);
    until("it is up again", || server.who(&token).is_some());
    issuer.deactivate(&deployer);
    until("a deactivated user is out", || server.who(&token).is_none());
    for log in [server.log(), scene.home().read("webhook.log")] {
        for token in [&token, &signed] {
            assert!(!log.contains(secret_part(token)), "a token is in the log");
        }
    }
}

#[test]
fn the_webhook_answers_the_api_server_alone_and_only_reviews() {
    let scene = scene(TokenKind::Opaque);
    let Some(webhook) = Webhook::start(&scene) else {
        return;
    };
    let try_to_ask = |body: &str| {
        let config = webhook.authority.client_config_of(&webhook.api_server);
        let mut client = Client::https(webhook.port, &config);
        client.request("POST", "/", &[], body.as_bytes())
    };
    let ask = |body: &str| try_to_ask(body).unwrap();
    let review = |token: Value| {
        let review = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": { "token": token },
        });
        ask(&review.to_string())
    };
    let answer = review(json!("garbage"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["status"], json!({ "authenticated": false }));
    let nested = "[".repeat(200_000);
    for body in [
        "",
        "{",
        "[]",
        "{\"kind\":\"TokenReview\"}",
        "{\"kind\":\"TokenReview\",\"spec\":{\"token\":\"garbage\"}}",
        "null",
        &nested,
    ] {
        let answer = ask(body);
        assert_eq!(answer.status, 400, "{body:.80}");
        // The rest of a request is not parsed as another one.
        assert_eq!(answer.header("connection"), Some("close"));
    }
    assert_eq!(review(json!(5)).status, 400);
    // The request is not read to its end, so the response may be lost.
    let refused = try_to_ask(&"x".repeat(2 << 20));
    assert!(refused.is_err() || refused.is_ok_and(|answer| answer.status == 400));
    assert_eq!(review(json!("garbage")).status, 200);
    // The client has no certificate.
    let mut client = Client::https(webhook.port, &webhook.authority.client_config());
    assert!(client.request("POST", "/", &[], b"{}").is_err());
}
