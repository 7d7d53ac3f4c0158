//! kubectl, whose kubeconfig runs the binary for a token.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::gateway::{Gateway, Scheme, Seen, Shown};
use crate::program::{clients, output, stderr_of_failure, stdout_of_success};
use crate::support::http::Response;
use crate::support::{Ca, Endpoint, Jwt, World, binary};

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

#[test]
fn kubectl_gets_in_and_the_next_one_asks_the_issuer_nothing() {
    for kubectl in kubectls() {
        for &version in versions(&kubectl) {
            let cluster = Cluster::new(&kubectl);
            let issuer = &cluster.world.issuer;
            cluster.configure(version, None);
            cluster.gets_in();
            assert_eq!(issuer.token_requests(), 1);
            let asked = issuer.total_requests();
            cluster.gets_in();
            assert_eq!(issuer.total_requests(), asked);
            assert_eq!(cluster.gateway.take_shown(), [Shown::Bearer]);
        }
    }
}

#[test]
fn the_clusters_extension_names_the_profile() {
    for kubectl in kubectls() {
        for &version in versions(&kubectl) {
            let cluster = Cluster::new(&kubectl);
            let World { issuer, home, .. } = &cluster.world;
            let user = issuer.new_user();
            home.write("staging.json", user.key_json());
            home.append_config(&format!(
                "[profiles.staging]\nissuer = \"{}\"\nkey-file = \"~/staging.json\"\n",
                issuer.url()
            ));
            cluster.configure(version, Some("staging"));
            cluster.gets_in();
            let assertion = issuer.last_token_request().form_value("assertion").unwrap();
            let claims = Jwt::parse(&assertion).unwrap().claims;
            assert_eq!(claims["sub"], *user.user_id);
        }
    }
}

#[test]
fn a_call_that_is_refused_for_a_revoked_token_heals_the_next() {
    for kubectl in kubectls() {
        let cluster = Cluster::new(&kubectl);
        let World { issuer, .. } = &cluster.world;
        cluster.configure(versions(&kubectl)[0], None);
        cluster.world.zitadel(["token"]).assert().success();
        issuer.revoke_all();

        let refused = output(cluster.get_version());
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(said.contains("revoked: minting another"), "{said}");
        let seen = cluster.gateway.take_seen();
        assert_eq!((&seen[0].shown, seen[0].status), (&Shown::Bearer, 401));
        // Google's switch asks for the version itself, and becomes the kubectl
        // that it picks: the same process, for which the token is new already.
        if !cluster.is_switch() {
            assert!(!refused.status.success());
            assert!(said.contains("You must be logged in"), "{said}");
            assert_eq!(seen.len(), 1);
        }
        assert_eq!(issuer.requests(Endpoint::Userinfo), 1);
        assert_eq!(issuer.token_requests(), 2);

        cluster.gets_in();
        let seen = cluster.gateway.take_seen();
        assert!(seen.iter().all(|seen| *seen == GOT_IN), "{seen:?}");
        assert_eq!(issuer.token_requests(), 2);
    }
}

#[test]
fn an_error_reaches_the_person_through_kubectl() {
    for kubectl in kubectls() {
        let cluster = Cluster::new(&kubectl);
        cluster.configure(versions(&kubectl)[0], Some("absent"));
        let said = stderr_of_failure(cluster.get_version());
        assert!(said.contains("no profile is called \"absent\""), "{said}");
        assert!(said.contains("exit code 2"), "{said}");
        assert_eq!(cluster.gateway.take_seen(), []);
        assert_eq!(cluster.world.issuer.total_requests(), 0);
    }
}

/// client-go dropped it in 1.24, so that the binary is not even run since.
#[test]
fn v1alpha1_is_refused_by_kubectl_itself_or_by_the_binary() {
    for kubectl in kubectls() {
        let cluster = Cluster::new(&kubectl);
        cluster.configure("client.authentication.k8s.io/v1alpha1", None);
        let said = stderr_of_failure(cluster.get_version());
        assert!(said.contains("v1alpha1"), "{said}");
        let is_ours = said.contains("the kubeconfig asks for apiVersion");
        assert_eq!(is_ours, minor(&kubectl) < 24, "{said}");
        assert_eq!(cluster.gateway.take_seen(), []);
        assert_eq!(cluster.world.issuer.total_requests(), 0);
    }
}

const GOT_IN: Seen = Seen {
    shown: Shown::Bearer,
    status: 200,
};

/// A cluster behind a gateway.
struct Cluster<'a> {
    world: World,
    gateway: Gateway,
    ca: Ca,
    kubectl: &'a Path,
}

impl<'a> Cluster<'a> {
    fn new(kubectl: &'a Path) -> Self {
        let (world, ca) = (World::new(), Ca::new());
        let gateway = Gateway::start(
            &ca,
            &world.issuer,
            &[Scheme::Bearer],
            |request| match request.path() {
                "/version" => Response::json(200, &json!({ "major": "1", "minor": "33" })),
                _ => Response::json(404, &json!({ "kind": "Status" })),
            },
        );
        Self {
            world,
            gateway,
            ca,
            kubectl,
        }
    }

    /// The kubeconfig of a user whose `exec` entry is the binary. A profile
    /// stands in the cluster's extension and is handed on.
    fn configure(&self, version: &str, profile: Option<&str>) {
        let extensions = profile.map(|profile| {
            json!([{
                "name": "client.authentication.k8s.io/exec",
                "extension": { "profile": profile },
            }])
        });
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "test", "cluster": {
                "server": format!("https://{}", self.gateway.host()),
                "certificate-authority-data": BASE64_STANDARD.encode(self.ca.pem()),
                "extensions": extensions,
            } }],
            "users": [{ "name": "test", "user": { "exec": {
                "apiVersion": version,
                "command": binary(),
                "args": ["kubectl"],
                "interactiveMode": "Never",
                "provideClusterInfo": profile.is_some(),
            } } }],
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
            "current-context": "test",
        });
        self.world.home.write(".kube/config", config.to_string());
    }

    fn get_version(&self) -> Command {
        let mut command = self.world.home.command(self.kubectl);
        command.args(["get", "--raw", "/version"]);
        command
    }

    fn gets_in(&self) {
        let answer = stdout_of_success(self.get_version());
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["minor"], "33");
    }

    /// Whether this kubectl picks another by the server's version.
    fn is_switch(&self) -> bool {
        let mut command = self.world.home.command(self.kubectl);
        command.args(["version", "--client"]);
        stdout_of_success(command).contains("dispatcher")
    }
}

/// The versions of the API that a kubectl speaks; v1 came with 1.22.
fn versions(kubectl: &Path) -> &'static [&'static str] {
    if minor(kubectl) < 22 {
        &[V1BETA1]
    } else {
        &[V1, V1BETA1]
    }
}

/// The `n` of 1.n.
fn minor(kubectl: &Path) -> u32 {
    let mut command = Command::new(kubectl);
    command.args(["version", "--client", "--output=json"]);
    let version: Value = serde_json::from_str(&stdout_of_success(command)).unwrap();
    let minor = version["clientVersion"]["minor"].as_str().unwrap();
    minor.trim_end_matches('+').parse().unwrap()
}

/// Every kubectl on `PATH`, and those of other versions that Google's lies
/// beside.
fn kubectls() -> Vec<PathBuf> {
    let mut found = clients("kubectl");
    let beside = found.first().and_then(|first| first.parent());
    if let Some(Ok(files)) = beside.map(Path::read_dir) {
        let mut others: Vec<_> = files
            .map(|file| file.unwrap().path())
            .filter(|path| {
                let name = path.file_name().and_then(OsStr::to_str);
                name.is_some_and(|name| name.starts_with("kubectl.1."))
            })
            .collect();
        others.sort();
        found.append(&mut others);
    }
    found
}
