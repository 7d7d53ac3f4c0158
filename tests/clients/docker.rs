//! docker's protocol: skopeo and docker at a real registry.

mod flows;
mod hostile;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rsa::sha2::{Digest, Sha256};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Scheme, Shown};
use crate::program::{client, output_of, stderr_of_failure, stdout_of_success};
use crate::registry::Registry;
use crate::servers::cast::{Cast, Who};
use crate::servers::registry::watched;
use crate::support::{Ca, Home, World};

const LOGINS: &str = ".docker/config.json";
const IMAGE: &str = "team/app:1.0";
const BASIC: &[Scheme] = &[Scheme::Basic];

#[test]
fn skopeo_pushes_an_image_and_inspects_it() {
    at_gate(|store| {
        store.allow();
        store.pushes();
        let inspected: Value = serde_json::from_str(&stdout_of_success(store.inspect())).unwrap();
        assert_eq!(inspected["Architecture"], "amd64");
        assert_eq!(inspected["RepoTags"], json!(["1.0"]));
        let shown = store.gateway.take_shown();
        assert_eq!(shown, [Shown::Nothing, Shown::Basic("ci".to_owned())]);
        assert_eq!(store.world.issuer.token_requests(), 1);
    });
}

#[test]
fn skopeo_goes_on_without_a_login_where_there_is_no_rule() {
    at_gate(|store| {
        let said = stderr_of_failure(store.inspect());
        assert!(said.contains("authentication required"), "{said}");
        assert_eq!(store.gateway.take_shown(), [Shown::Nothing]);
        assert_eq!(store.world.issuer.total_requests(), 0);
    });
}

#[test]
fn skopeo_says_why_there_is_no_token_and_stops() {
    at_gate(|store| {
        store.allow();
        store.world.issuer.remove_key(&store.world.user.key_id);
        let said = stderr_of_failure(store.inspect());
        let quoted = said.trim_end().lines().last().unwrap();
        assert!(
            quoted.contains("the issuer refused the assertion"),
            "{said}"
        );
        assert_eq!(store.gateway.take_seen(), []);
    });
}

#[test]
fn docker_logs_in_and_reads_a_manifest_without_an_engine() {
    let Some(docker) = client("docker") else {
        return;
    };
    at_gate(|store| store.logs_in_and_reads_a_manifest(&docker));
}

#[test]
fn docker_logout_removes_a_refused_token() {
    let (Some(docker), Some(store)) = (client("docker"), Store::new()) else {
        return;
    };
    store.allow();
    store.pushes();
    let issuer = &store.world.issuer;
    issuer.revoke_all();
    let said = stderr_of_failure(store.inspect());
    assert!(said.contains("unauthorized"), "{said}");
    stdout_of_success(store.docker(&docker, &["logout", &store.gateway.host()]));
    assert_eq!(issuer.token_requests(), 1);
    stdout_of_success(store.inspect());
    assert_eq!(issuer.token_requests(), 2);
}

/// A registry behind a gateway, and its user.
struct Store {
    ca: Arc<Ca>,
    gateway: Gateway,
    // dropped first, so that it stops before its files are removed
    _registry: Option<Registry>,
    world: World,
    skopeo: PathBuf,
}

/// Runs a test at the registry of `docs/servers.md`, unless a program is missing.
fn at_gate(test: impl FnOnce(&Store)) {
    let cast = Cast::new();
    if let Some(skopeo) = client("skopeo")
        && let Some((_nginx, gateway)) = watched(&cast)
    {
        let world = cast.home_of(Who::Deployer);
        test(&Store::at(skopeo, world, &cast.ca, gateway));
    }
}

impl Store {
    /// Creates our own gateway, which asks the issuer each time: nginx keeps its response
    /// for 10 seconds. `None` if a program is missing.
    fn new() -> Option<Self> {
        let (skopeo, registry) = (client("skopeo")?, client("docker-registry")?);
        let (world, ca) = (World::new(), Arc::new(Ca::new()));
        let registry = Registry::start(&registry, &world.home);
        let upstream = registry.upstream;
        let gateway = Gateway::start(&ca, &world.issuer, BASIC, move |request| {
            upstream.answer(request)
        });
        Some(Self {
            _registry: Some(registry),
            ..Self::at(skopeo, world, &ca, gateway)
        })
    }

    /// Creates a user of an existing registry.
    fn at(skopeo: PathBuf, world: World, ca: &Arc<Ca>, gateway: Gateway) -> Self {
        let ca = Arc::clone(ca);
        world.home.link("docker-credential-zitadel");
        world.home.write("ca.pem", ca.pem());
        let logins = json!({ "credHelpers": { gateway.host(): "zitadel" } });
        world.home.write(LOGINS, logins.to_string());
        Self {
            ca,
            gateway,
            _registry: None,
            world,
            skopeo,
        }
    }

    /// Adds the host rule.
    fn allow(&self) {
        self.world.allow(&self.gateway.host());
        self.world.home.append_config("username = \"ci\"\n");
    }

    /// Returns a program of the user, which finds the helper and trusts the gateway.
    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = self.world.home.command(program);
        command
            .args(arguments)
            .env("PATH", self.world.home.path_with_bin())
            .env("SSL_CERT_FILE", self.world.home.path().join("ca.pem"));
        command
    }

    fn skopeo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&self.skopeo, &["--insecure-policy"]);
        command
            .args(arguments)
            .env("REGISTRY_AUTH_FILE", self.world.home.path().join(LOGINS))
            // as root it would keep a cache outside of this home
            .env("_CONTAINERS_ROOTLESS_UID", "1000");
        command
    }

    fn docker(&self, docker: &Path, arguments: &[&str]) -> Command {
        let mut command = self.command(docker, arguments);
        command.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
        command
    }

    fn pushes(&self) {
        write_image(&self.world.home, "image");
        stdout_of_success(self.skopeo(&["copy", "oci:image:1.0", &self.url()]));
    }

    fn logs_in_and_reads_a_manifest(&self, docker: &Path) {
        self.allow();
        self.pushes();
        let ci = Shown::Basic("ci".to_owned());
        let host = self.gateway.host();

        let token = self.world.issuer.issued_tokens().remove(0);
        let login = ["login", "--username", "ci", "--password-stdin", &host];
        self.gateway.take_shown();
        let login = output_of(self.docker(docker, &login), token.as_bytes());
        assert_eq!(String::from_utf8_lossy(&login.stdout), "Login Succeeded\n");
        assert_eq!(self.gateway.take_shown(), [Shown::Nothing, ci.clone()]);
        assert!(!self.world.home.read(LOGINS).contains(&token));

        let image = format!("{host}/{IMAGE}");
        let manifest = self.docker(docker, &["manifest", "inspect", &image]);
        let manifest: Value = serde_json::from_str(&stdout_of_success(manifest)).unwrap();
        assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
        assert_eq!(self.gateway.take_shown(), [Shown::Nothing, ci]);
        assert_eq!(self.world.issuer.token_requests(), 1);
    }

    fn inspect(&self) -> Command {
        self.skopeo(&["inspect", &self.url()])
    }

    fn url(&self) -> String {
        format!("docker://{}/{IMAGE}", self.gateway.host())
    }
}

/// Writes an image of one empty layer, in OCI's layout.
pub fn write_image(home: &Home, directory: &str) {
    const OCI: &str = "application/vnd.oci.image";
    let blob = |kind: &str, content: &[u8]| {
        let digest = Sha256::digest(content);
        let digits: Vec<_> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let digest = digits.concat();
        home.write(format!("{directory}/blobs/sha256/{digest}"), content);
        json!({
            "mediaType": format!("{OCI}.{kind}"),
            "digest": format!("sha256:{digest}"),
            "size": content.len(),
        })
    };
    // a tar archive without files is only its end
    let layer = blob("layer.v1.tar", &[0; 1024]);
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [layer["digest"]] },
    });
    let config = blob("config.v1+json", config.to_string().as_bytes());
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [layer] });
    let mut manifest = blob("manifest.v1+json", manifest.to_string().as_bytes());
    manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": "1.0" });
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    home.write(format!("{directory}/index.json"), index.to_string());
    let layout = json!({ "imageLayoutVersion": "1.0.0" });
    home.write(format!("{directory}/oci-layout"), layout.to_string());
}
