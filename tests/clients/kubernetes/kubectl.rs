//! kubectl: its path, and its own properties.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use super::client::{FAILED, REFUSED};
use super::cluster::Cluster;
use crate::program::{clients, stderr_of_failure, stdout_of_success};
use crate::support::Home;

pub struct Kubectl {
    pub program: PathBuf,
    pub version: String,
    /// The `n` of 1.n.
    pub minor: u32,
    /// True for Google's, which asks for the server's version itself and becomes the
    /// kubectl of that version, in the same process.
    pub is_switch: bool,
}

impl Kubectl {
    fn at(program: PathBuf) -> Self {
        let mut command = Command::new(&program);
        command.args(["version", "--client", "--output=json"]);
        let said: Value = serde_json::from_str(&stdout_of_success(command)).unwrap();
        let text = |field: &str| said["clientVersion"][field].as_str().unwrap().to_owned();
        let version = text("gitVersion");
        Self {
            program,
            minor: text("minor").trim_end_matches('+').parse().unwrap(),
            is_switch: version.contains("dispatcher"),
            version,
        }
    }

    pub fn get_version(&self, home: &Home) -> Command {
        let mut command = home.command(&self.program);
        command.args(["get", "--raw", "/version"]);
        command
    }

    /// Returns the result of [`Self::get_version`].
    pub fn answer(output: &Output) -> String {
        if output.status.success() {
            let version: Value = serde_json::from_slice(&output.stdout).unwrap();
            return version["minor"].as_str().unwrap().to_owned();
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let is_refused = said.contains("You must be logged in");
        if is_refused { REFUSED } else { FAILED }.to_owned()
    }
}

/// Returns every kubectl on `PATH`, and the other versions beside one, as in Google's
/// package.
pub fn kubectls() -> Vec<Kubectl> {
    let mut found = clients("kubectl");
    let directories = found.clone();
    for directory in directories.iter().filter_map(|program| program.parent()) {
        let mut beside: Vec<_> = directory
            .read_dir()
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| {
                let name = path.file_name().and_then(OsStr::to_str);
                name.is_some_and(|name| name.starts_with("kubectl.1."))
            })
            .collect();
        beside.sort();
        found.append(&mut beside);
    }
    found.into_iter().map(Kubectl::at).collect()
}

/// client-go dropped it in 1.24, so that newer ones do not even run the binary.
#[test]
fn v1alpha1_is_refused_by_kubectl_itself_or_by_the_binary() {
    for kubectl in kubectls() {
        let cluster = Cluster::new();
        cluster.configure("client.authentication.k8s.io/v1alpha1", None);
        let said = stderr_of_failure(kubectl.get_version(&cluster.world.home));
        assert!(said.contains("v1alpha1"), "{said}");
        let is_ours = said.contains("the kubeconfig asks for apiVersion");
        assert_eq!(is_ours, kubectl.minor < 24, "{said}");
        assert_eq!(cluster.gateway.take_seen(), []);
        assert_eq!(cluster.world.issuer.total_requests(), 0);
    }
}
