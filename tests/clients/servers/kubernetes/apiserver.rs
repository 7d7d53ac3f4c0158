//! The real kube-apiserver, with a separate etcd.

use std::fs;
use std::fs::File;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{installed, output};
use crate::support::{Answer, Ca, Client, Running, ServiceUser, until};

/// The token of an administrator, for the tests' own requests to the server.
const ADMIN: &str = "administrators-token-for-the-tests-alone";

pub struct ApiServer {
    directory: TempDir,
    ca: Ca,
    port: u16,
    command: Command,
    // The server stops first: it would complain about a missing etcd.
    server: Option<Running>,
    _etcd: Running,
}

impl ApiServer {
    /// Starts a server with these options and waits until it is ready; `None` if it or
    /// etcd is not installed.
    pub fn start(options: &[String]) -> Option<Self> {
        let etcd = installed("etcd", "etcd/etcd")?;
        let server = installed("kube-apiserver", "kube-apiserver/kube-apiserver")?;
        let directory = TempDir::new().unwrap();
        let at = |name: &str| directory.path().join(name);
        let ca = Ca::new();
        let own = ca.server(&["localhost", "127.0.0.1", "::1"], |_| {});
        fs::write(at("server.pem"), own.pem()).unwrap();
        fs::write(at("server.key"), own.key_pem()).unwrap();
        let accounts = ServiceUser::new();
        fs::write(at("accounts.key"), accounts.pkcs1_pem()).unwrap();
        fs::write(
            at("tokens.csv"),
            format!("{ADMIN},admin,1,system:masters\n"),
        )
        .unwrap();

        let [store, peers, port] = crate::support::ports::free_ports();
        let mut command = Command::new(etcd);
        command
            .arg("--data-dir")
            .arg(at("etcd"))
            .arg(format!("--listen-client-urls=http://127.0.0.1:{store}"))
            .arg(format!("--advertise-client-urls=http://127.0.0.1:{store}"))
            .arg(format!("--listen-peer-urls=http://127.0.0.1:{peers}"))
            .arg("--unsafe-no-fsync");
        let etcd = started(&mut command, &at("etcd.log"));
        let mut command = Command::new(server);
        command
            .arg(format!("--etcd-servers=http://127.0.0.1:{store}"))
            .arg("--bind-address=127.0.0.1")
            .arg(format!("--secure-port={port}"))
            .arg(option("--tls-cert-file", &at("server.pem")))
            .arg(option("--tls-private-key-file", &at("server.key")))
            .arg(option("--cert-dir", &at("certificates")))
            .arg(option("--service-account-key-file", &at("accounts.key")))
            .arg(option(
                "--service-account-signing-key-file",
                &at("accounts.key"),
            ))
            .arg("--service-account-issuer=https://kubernetes.default.svc")
            .arg("--service-cluster-ip-range=10.0.0.0/24")
            .arg(option("--token-auth-file", &at("tokens.csv")))
            .args(["--authorization-mode=RBAC", "--v=2"])
            .args(options);
        let mut server = Self {
            directory,
            ca,
            port,
            command,
            server: None,
            _etcd: etcd,
        };
        server.serve();
        Some(server)
    }

    /// Starts the server, again after [`ApiServer::stop`].
    pub fn serve(&mut self) {
        let log = self.directory.path().join("server.log");
        let mut server = started(&mut self.command, &log);
        until("the API server is ready", || {
            assert!(!server.is_over(), "{}", self.log());
            thread::sleep(Duration::from_millis(100));
            let answer = ask(&self.ca, self.port, "GET", "/readyz", ADMIN, b"");
            answer.is_some_and(|answer| answer.status == 200)
        });
        self.server = Some(server);
    }

    /// Stops the server; etcd keeps its data.
    pub fn stop(&mut self) {
        self.server = None;
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the authority that signed the server's certificate.
    pub const fn ca(&self) -> &Ca {
        &self.ca
    }

    /// Returns a token of a service account, requested like a kubelet's.
    pub fn account_token(&self, namespace: &str, account: &str) -> String {
        let target = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let request = json!({ "spec": { "expirationSeconds": 600 } }).to_string();
        let answer = ask(
            &self.ca,
            self.port,
            "POST",
            &target,
            ADMIN,
            request.as_bytes(),
        )
        .unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, 201, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["status"]["token"].as_str().unwrap().to_owned()
    }

    /// Returns a Secret; `None` if there is none.
    pub fn secret(&self, namespace: &str, name: &str) -> Option<Value> {
        let target = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
        let answer = ask(&self.ca, self.port, "GET", &target, ADMIN, b"")?;
        let found = (answer.status == 200).then(|| serde_json::from_slice(&answer.body).unwrap());
        assert!(found.is_some() || answer.status == 404);
        found
    }

    /// Returns a command of kubectl as an administrator.
    pub fn kubectl(&self, kubectl: &Path) -> Command {
        let config = self.directory.path().join("admin.yaml");
        fs::write(&config, self.kubeconfig(&json!({ "token": ADMIN }))).unwrap();
        let mut command = Command::new(kubectl);
        command.env("KUBECONFIG", config);
        command
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Returns the whole log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("server.log")).unwrap()
    }

    /// Applies manifests as an administrator.
    pub fn apply(&self, kubectl: &Path, manifests: &str) {
        let file = self.directory.path().join("manifests.yaml");
        fs::write(&file, manifests).unwrap();
        let mut command = self.kubectl(kubectl);
        command.args(["apply", "--validate=false", "-f"]).arg(file);
        let applied = output(command);
        assert!(applied.status.success(), "{applied:?}");
    }

    /// Returns a kubeconfig with this user.
    pub fn kubeconfig(&self, user: &Value) -> String {
        let pem = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, self.ca.pem());
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "acme", "cluster": {
                "server": self.url(),
                "certificate-authority-data": pem,
            } }],
            "users": [{ "name": "nobody", "user": user }],
            "contexts": [{ "name": "acme", "context": { "cluster": "acme", "user": "nobody" } }],
            "current-context": "acme",
        })
        .to_string()
    }

    /// Returns the token's user according to the server: name and groups, without those
    /// of all users. `None` for 401.
    pub fn who(&self, token: &str) -> Option<(String, Vec<String>)> {
        let review = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "SelfSubjectReview",
        });
        let target = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        let body = review.to_string();
        let answer = ask(&self.ca, self.port, "POST", target, token, body.as_bytes()).unwrap();
        if answer.status == 401 {
            return None;
        }
        assert_eq!(
            answer.status,
            201,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        let review: Value = serde_json::from_slice(&answer.body).unwrap();
        let user = &review["status"]["userInfo"];
        let groups = user["groups"].as_array().unwrap().iter();
        let groups = groups.map(|group| group.as_str().unwrap().to_owned());
        let groups = groups.filter(|group| group != "system:authenticated");
        let name = user["username"].as_str().unwrap().to_owned();
        Some((name, groups.collect()))
    }
}

/// Returns the status of a request with this token; `None` if the server does not listen
/// yet.
fn ask(ca: &Ca, port: u16, method: &str, target: &str, token: &str, body: &[u8]) -> Option<Answer> {
    std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    let mut client = Client::https(port, &ca.client_config());
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("accept", "application/json"),
    ];
    client.request(method, target, &headers, body).ok()
}

fn option(name: &str, path: &Path) -> String {
    format!("{name}={}", path.display())
}

fn started(command: &mut Command, log: &PathBuf) -> Running {
    let file = File::options().create(true).append(true).open(log).unwrap();
    command.stdout(file.try_clone().unwrap()).stderr(file);
    Running::start_as_given(command)
}
