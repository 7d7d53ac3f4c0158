//! `agent --kubernetes-secret` at the real kube-apiserver, as in a pod: the service
//! account's files at their paths, its token from the real server, RBAC on.

mod manifests;
mod outages;
mod pulls;
mod refusals;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::apiserver::ApiServer;
use crate::program::{client, output};
use crate::support::http::Reply;
use crate::support::machine::behind_mounts;
use crate::support::{Client, Response, Running, Server, World, binary, until};

const NAMESPACE: &str = "ci";
const NAME: &str = "zitadel-token";
const ACCOUNT: &str = "minter";

/// The lifetime of tokens that are renewed about every two seconds.
const SHORT: i64 = 4;

/// Puts the service account at its usual path in a pod.
const POD: &str = r#"
    mount -t tmpfs tmpfs /run
    mkdir -p /run/secrets/kubernetes.io
    ln -s "$HOME/account" /run/secrets/kubernetes.io/serviceaccount
    exec "$@""#;

/// An API server with a namespace and a service account in it, and a user of ZITADEL.
struct Pod {
    server: ApiServer,
    kubectl: PathBuf,
    world: World,
    /// The port to which the agent connects.
    port: u16,
}

impl Pod {
    /// Creates a pod; `None` if a program is missing.
    fn new() -> Option<Self> {
        let kubectl = client("kubectl")?;
        let server = ApiServer::start(&[])?;
        let world = World::new();
        behind_mounts(&world.home, "true")?;
        let pod = Self {
            port: server.port(),
            server,
            kubectl,
            world,
        };
        pod.apply(&json!([
            { "kind": "Namespace", "apiVersion": "v1", "metadata": { "name": NAMESPACE } },
            account(),
        ]));
        pod.mount_account();
        Some(pod)
    }

    /// Creates a pod as [`Pod::new`], with the rights of the documentation.
    fn with_rights() -> Option<Self> {
        let pod = Self::new()?;
        pod.allow(&["create", "patch"]);
        Some(pod)
    }

    /// Writes the service account's files, with a new token.
    fn mount_account(&self) {
        let home = &self.world.home;
        home.write(
            "account/token",
            self.server.account_token(NAMESPACE, ACCOUNT),
        );
        home.write("account/ca.crt", self.server.ca().pem());
        home.write("account/namespace", NAMESPACE);
    }

    /// Applies manifests as an administrator.
    fn apply(&self, items: &Value) {
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
        self.server.apply(&self.kubectl, &list.to_string());
    }

    /// Gives the service account these verbs for the one Secret.
    fn allow(&self, verbs: &[&str]) {
        let metadata = json!({ "name": "minter", "namespace": NAMESPACE });
        let api = "rbac.authorization.k8s.io/v1";
        self.apply(&json!([
            { "kind": "Role", "apiVersion": api, "metadata": metadata, "rules": [{
                "apiGroups": [""], "resources": ["secrets"], "resourceNames": [NAME], "verbs": verbs,
            }] },
            { "kind": "RoleBinding", "apiVersion": api, "metadata": metadata,
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "minter" },
                "subjects": [{ "kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE }] },
        ]));
        // The authorizer gets the change a moment later.
        for verb in verbs {
            let who = format!("--as=system:serviceaccount:{NAMESPACE}:{ACCOUNT}");
            until("the role counts", || {
                let what = format!("secrets/{NAME}");
                let may = self.kubectl(&["auth", "can-i", verb, &what, "-n", NAMESPACE, &who]);
                output(may).stdout.starts_with(b"yes")
            });
        }
    }

    /// Returns a command of kubectl as an administrator.
    fn kubectl(&self, arguments: &[&str]) -> Command {
        let mut command = self.server.kubectl(&self.kubectl);
        command.args(arguments);
        command
    }

    /// Runs a shell's line with kubectl in it, as in an error's hint.
    fn runs(&self, line: &str) {
        let mut command = self.server.kubectl(&PathBuf::from("sh"));
        let output = output({
            command.args(["-ec", line]);
            command
        });
        assert!(output.status.success(), "{line}: {output:?}");
    }

    /// Returns the agent's command in a pod.
    fn agent(&self, arguments: &[&str]) -> Command {
        let mut command = behind_mounts(&self.world.home, POD).unwrap();
        command.arg(binary()).arg("agent").args(arguments);
        command
            .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .env("KUBERNETES_SERVICE_PORT", self.port.to_string());
        command
    }

    /// Returns the exit code and the error of one attempt.
    fn once(&self, arguments: &[&str]) -> (i32, String) {
        let output = output(self.agent(&[&["--once"], arguments].concat()));
        assert_eq!(output.stdout, b"");
        let stderr = String::from_utf8(output.stderr).unwrap();
        self.assert_no_secret_in(&stderr);
        (output.status.code().unwrap(), stderr)
    }

    /// Returns the value of a key of the Secret; empty without it.
    fn value(&self, key: &str) -> String {
        let secret = self.server.secret(NAMESPACE, NAME).unwrap_or_default();
        let value = secret["data"][key].as_str().unwrap_or_default();
        String::from_utf8(BASE64.decode(value).unwrap()).unwrap()
    }

    /// Waits until the Secret had two tokens that are not among these: after the second,
    /// all messages about the first were logged.
    fn until_renewed_beyond(&self, issued: &[String]) {
        let mut seen = BTreeSet::new();
        until("the Secret has new tokens", || {
            let token = self.value("token");
            if !token.is_empty() && !issued.contains(&token) {
                assert!(self.world.issuer.accepts(&token));
                seen.insert(token);
            }
            seen.len() == 2
        });
    }

    /// Stops an agent, and returns its stderr.
    fn stop(&self, agent: Running) -> String {
        agent.signal(Signal::TERM);
        let output = agent.output();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        self.assert_no_secret_in(&stderr);
        stderr
    }

    fn assert_no_secret_in(&self, text: &str) {
        let account = self.world.home.read("account/token");
        let ours = self.world.issuer.issued_tokens();
        for secret in ours.iter().chain([&account]) {
            for secret in [super::secret_part(secret), &BASE64.encode(secret)[..20]] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}

fn account() -> Value {
    json!({ "kind": "ServiceAccount", "apiVersion": "v1",
        "metadata": { "name": ACCOUNT, "namespace": NAMESPACE } })
}

const SECRET: [&str; 2] = ["--kubernetes-secret", "ci/zitadel-token"];

#[test]
fn a_secret_is_made_and_kept_fresh_beside_a_file() {
    let Some(pod) = Pod::with_rights() else {
        return;
    };
    let World { issuer, home, .. } = &pod.world;
    issuer.set_lifetime(SHORT);
    let running = Running::start(pod.agent(&[&SECRET[..], &["--write", "token"]].concat()));
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let token = pod.value("token");
        if !token.is_empty() && !seen.contains(&token) {
            assert!(issuer.accepts(&token));
            assert!(issuer.issued_tokens().contains(&token));
            seen.push(token);
        }
    }
    until("the file has it too", || {
        home.read("token") == pod.value("token")
    });
    let secret = pod.server.secret(NAMESPACE, NAME).unwrap();
    assert_eq!(secret["type"], "Opaque");
    assert_eq!(secret["data"].as_object().unwrap().len(), 1);
    // A Secret that another user removes is created again.
    let output = output(pod.kubectl(&["-n", NAMESPACE, "delete", "secret", NAME]));
    assert!(output.status.success());
    until("it is made again", || !pod.value("token").is_empty());
    assert_eq!(pod.stop(running), "");
}

#[test]
fn once_applies_it_in_the_pods_own_namespace_and_needs_no_file() {
    let Some(pod) = Pod::with_rights() else {
        return;
    };
    assert_eq!(pod.once(&["--kubernetes-secret", NAME]), (0, String::new()));
    assert!(pod.world.issuer.accepts(&pod.value("token")));
    let before = pod.server.secret(NAMESPACE, NAME).unwrap();
    assert_eq!(pod.once(&SECRET), (0, String::new()));
    let after = pod.server.secret(NAMESPACE, NAME).unwrap();
    let version = |secret: &Value| secret["metadata"]["resourceVersion"].clone();
    assert_eq!(version(&before), version(&after), "nothing has changed");
}

#[test]
fn fields_of_other_managers_stay() {
    let Some(pod) = Pod::with_rights() else {
        return;
    };
    pod.apply(
        &json!([{ "kind": "Secret", "apiVersion": "v1", "type": "acme.dev/own",
        "metadata": { "name": NAME, "namespace": NAMESPACE, "labels": { "team": "ci" } },
        "data": { "other": "c3RheXM=" } }]),
    );
    assert_eq!(pod.once(&SECRET), (0, String::new()));
    let secret = pod.server.secret(NAMESPACE, NAME).unwrap();
    assert_eq!(pod.value("other"), "stays");
    assert_eq!(secret["metadata"]["labels"]["team"], "ci");
    assert_eq!(secret["type"], "acme.dev/own");
    assert!(pod.world.issuer.accepts(&pod.value("token")));
    let managers = secret["metadata"]["managedFields"].as_array().unwrap();
    let ours = managers
        .iter()
        .find(|entry| entry["manager"] == "zitadel-credential");
    let ours = ours.unwrap();
    assert_eq!(ours["operation"], "Apply");
    assert_eq!(ours["fieldsV1"], json!({ "f:data": { "f:token": {} } }));
    // Applying the others' manifests again does no harm.
    pod.apply(
        &json!([{ "kind": "Secret", "apiVersion": "v1", "type": "acme.dev/own",
        "metadata": { "name": NAME, "namespace": NAMESPACE, "labels": { "team": "cd" } },
        "data": { "other": "bW92ZXM=" } }]),
    );
    assert_eq!(pod.once(&SECRET), (0, String::new()));
    assert_eq!(pod.value("other"), "moves");
}

#[test]
fn a_token_of_the_service_account_that_was_rotated_is_read_again() {
    let Some(pod) = Pod::with_rights() else {
        return;
    };
    pod.world.issuer.set_lifetime(SHORT);
    let running = Running::start(pod.agent(&SECRET));
    until("it is made", || !pod.value("token").is_empty());
    // The account's token has expired.
    let good = pod.world.home.read("account/token");
    pod.world.home.write("account/token", format!("{good}x"));
    let asked = pod.world.issuer.token_requests();
    until("two renewals have not arrived", || {
        pod.world.issuer.token_requests() > asked + 2
    });
    let held = pod.value("token");
    pod.mount_account();
    until("it is renewed", || pod.value("token") != held);
    let said = pod.stop(running);
    assert!(
        said.contains("HTTP 401: the API server refuses the service account's token"),
        "{said}"
    );
}

#[test]
fn a_busy_server_is_asked_again_when_it_says() {
    let Some(mut pod) = Pod::with_rights() else {
        return;
    };
    let tls = pod.server.ca().server_config(&["127.0.0.1"]);
    let authority = pod.server.ca().client_config();
    let (behind, asked) = (pod.port, std::sync::Mutex::new(Vec::new()));
    let asked = std::sync::Arc::new(asked);
    let seen = std::sync::Arc::clone(&asked);
    // The real server's response to too many requests, then the real server.
    let busy = Server::https(tls, move |request| {
        let mut seen = seen.lock().unwrap();
        seen.push(std::time::Instant::now());
        if seen.len() <= 2 {
            let text = "Too many requests, please try again later.\n";
            return Reply::from(Response::text(429, text)).with_header("Retry-After", "1");
        }
        let headers = request.headers.iter();
        let headers = headers.filter(|(name, _)| {
            !["host", "content-length"].contains(&name.to_ascii_lowercase().as_str())
        });
        let headers: Vec<_> = headers.map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let mut client = Client::https(behind, &authority);
        let answer = client.request(&request.method, &request.target, &headers, &request.body);
        let answer = answer.unwrap();
        Reply::from(Response {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
        })
    });
    pod.port = busy.port();
    assert_eq!(pod.once(&SECRET), (0, String::new()));
    let asked = asked.lock().unwrap();
    let pauses: Vec<_> = asked.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(pauses.len(), 2);
    assert!(
        pauses.iter().all(|pause| *pause >= Duration::from_secs(1)),
        "{pauses:?}"
    );
}
