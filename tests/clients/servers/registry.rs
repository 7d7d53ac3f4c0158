//! docker-registry behind nginx's gate.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::cast::{Cast, Who};
use super::nginx::{Asks, Nginx};
use super::table::{INTROSPECTION, Row, Shown, assert_table};
use crate::docker::write_image;
use crate::gateway::Gateway;
use crate::program::{client, output_of, stderr_of_failure, stdout_of_success};
use crate::support::TokenKind::{Jwt, Opaque};
use crate::support::ports::free_port;
use crate::support::{Response, Running, Server, Trouble, entry, until};

const LOGINS: &str = ".docker/config.json";
const IMAGE: &str = "team/app:1.0";

/// docker-registry with the files of `examples/servers`, and skopeo.
struct Registry<'a> {
    nginx: Nginx<'a>,
    skopeo: PathBuf,
}

impl<'a> Registry<'a> {
    /// Starts the registry; `None` if a program is missing.
    fn new(cast: &'a Cast, asks: Asks) -> Option<Self> {
        let skopeo = client("skopeo")?;
        let mut nginx = behind_nginx(cast, asks)?;
        nginx.start()?;

        let home = &cast.world.home;
        home.link("docker-credential-zitadel");
        let host = format!("localhost:{}", nginx.port);
        let logins = json!({ "credHelpers": { &host: "zitadel" } });
        home.write(LOGINS, logins.to_string());
        home.append_config(&format!("[hosts.\"{host}\"]\n"));
        write_image(home, "image");
        Some(Self { nginx, skopeo })
    }

    fn command(&self, program: &PathBuf, who: Who) -> Command {
        let home = &self.nginx.cast.world.home;
        let mut command = home.command(program);
        command
            .env("PATH", home.path_with_bin())
            .env("SSL_CERT_FILE", home.path().join("ca.pem"))
            .env("REGISTRY_AUTH_FILE", home.path().join(LOGINS))
            .env("ZITADEL_CREDENTIAL_PROFILE", who.profile())
            // as root it would keep a cache outside of this home
            .env("_CONTAINERS_ROOTLESS_UID", "1000");
        command
    }

    fn image(&self) -> String {
        format!("localhost:{}/{IMAGE}", self.nginx.port)
    }

    fn push(&self, who: Who) -> Command {
        let mut command = self.command(&self.skopeo, who);
        let image = format!("docker://{}", self.image());
        command.args(["--insecure-policy", "copy", "oci:image:1.0", &image]);
        command
    }

    fn inspect(&self, who: Who) -> Command {
        let mut command = self.command(&self.skopeo, who);
        command.args(["inspect", &format!("docker://{}", self.image())]);
        command
    }

    /// Returns the statuses for the list of tags, and for the start of an upload.
    fn both(&self, shown: &Shown) -> (u16, u16) {
        let authorization = shown.authorization.as_deref();
        let ask = |method, path| self.nginx.ask(method, path, authorization, None);
        (
            ask("GET", "/v2/team/app/tags/list"),
            ask("POST", "/v2/team/app/blobs/uploads/"),
        )
    }
}

/// Returns docker-registry, and the gate in front of it, which is not started yet.
fn behind_nginx(cast: &Cast, asks: Asks) -> Option<Nginx<'_>> {
    let registry = client("docker-registry")?;
    let port = free_port();
    let mut nginx = gate(cast, asks, port)?;
    let config = "/etc/docker/registry/config.yml";
    let config = nginx.files.copy("registry/registry.yml", config);
    let mut command = cast.world.home.command(registry);
    command.arg("serve").arg(config);
    let mut running = Running::start(command);
    until("docker-registry listens", || {
        assert!(!running.is_over(), "docker-registry ended");
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    nginx.keep(running);
    Some(nginx)
}

/// Starts docker-registry behind nginx, and records the credentials of each request.
pub fn watched(cast: &Cast) -> Option<(Nginx<'_>, Gateway)> {
    let mut nginx = behind_nginx(cast, Asks::Introspection)?;
    let gateway = nginx.start_watched("registry")?;
    Some((nginx, gateway))
}

/// Returns the gate, before its start, of a registry at this port of loopback.
fn gate(cast: &Cast, asks: Asks, port: u16) -> Option<Nginx<'_>> {
    let upstream = format!("127.0.0.1:{port}");
    let placeholders = [
        ("registry.acme.dev", "localhost"),
        ("127.0.0.1:5000", &upstream),
    ];
    let nginx = Nginx::new(cast, asks, &placeholders)?;
    let site = "/etc/nginx/sites-enabled/registry.conf";
    nginx.files.copy("registry/registry.conf", site);
    nginx.certificate("registry");
    Some(nginx)
}

fn for_each_registry(test: impl Fn(&Registry)) {
    for asks in Asks::BOTH {
        for kind in [Jwt, Opaque] {
            let cast = Cast::new();
            cast.issuer().set_token_kind(kind);
            let Some(registry) = Registry::new(&cast, asks) else {
                return;
            };
            test(&registry);
        }
    }
}

#[test]
fn the_registry_answers_by_the_same_table_as_git() {
    let cast = Cast::new();
    let Some(registry) = Registry::new(&cast, Asks::Introspection) else {
        return;
    };
    stdout_of_success(registry.push(Who::Deployer));
    let uploads = |row: &Row| match *row {
        (name, read, 200) => (name, read, 202),
        other => other,
    };
    let expected: Vec<_> = INTROSPECTION.iter().map(uploads).collect();
    assert_table(&cast, |shown| registry.both(shown), &expected);
    registry.nginx.assert_no_secret_written("registry");
}

#[test]
fn skopeo_pushes_and_inspects_by_role() {
    for_each_registry(|registry| {
        stdout_of_success(registry.push(Who::Deployer));
        let inspected = stdout_of_success(registry.inspect(Who::Viewer));
        let inspected: Value = serde_json::from_str(&inspected).unwrap();
        assert_eq!(inspected["RepoTags"], json!(["1.0"]));
        for refused in [
            registry.push(Who::Viewer),
            registry.push(Who::Nobody),
            registry.inspect(Who::Nobody),
            registry.inspect(Who::OtherOrganisation),
        ] {
            let said = stderr_of_failure(refused);
            assert!(said.contains("403"), "{said}");
        }
        registry.nginx.assert_no_secret_written("registry");
    });
}

#[test]
fn docker_logs_in_and_reads_a_manifest() {
    let Some(docker) = client("docker") else {
        return;
    };
    for_each_registry(|registry| {
        stdout_of_success(registry.push(Who::Deployer));
        let docker = |arguments: &[&str]| {
            let mut command = registry.command(&docker, Who::Viewer);
            command
                .args(arguments)
                .env("DOCKER_HOST", "unix:///nowhere/docker.sock");
            command
        };
        let manifest = docker(&["manifest", "inspect", &registry.image()]);
        let manifest: Value = serde_json::from_str(&stdout_of_success(manifest)).unwrap();
        assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);

        let host = format!("localhost:{}", registry.nginx.port);
        let login = ["login", "--username", "ci", "--password-stdin", &host];
        let token = registry.nginx.cast.token(Who::Viewer, Jwt);
        let login = output_of(docker(&login), token.as_bytes());
        assert!(login.status.success(), "{login:?}");
    });
}

#[test]
fn skopeo_says_401_of_a_deactivated_user_and_500_while_zitadel_is_down() {
    for_each_registry(|registry| {
        stdout_of_success(registry.push(Who::Deployer));
        let cast = registry.nginx.cast;
        let mut token = cast.world.zitadel(["token"]);
        token.env("ZITADEL_CREDENTIAL_PROFILE", Who::Viewer.profile());
        assert!(token.run().status.success());
        let kept = entry::files(&cast.world.home, "json");
        cast.issuer().set_trouble(Trouble::DatabaseDown);
        let said = stderr_of_failure(registry.inspect(Who::Viewer));
        assert!(said.contains("500"), "{said}");
        cast.issuer().set_trouble(None);
        assert_eq!(entry::files(&cast.world.home, "json"), kept);

        cast.issuer().deactivate(&cast.user(Who::Viewer).user_id);
        let said = stderr_of_failure(registry.inspect(Who::Viewer));
        assert!(said.contains("authentication required"), "{said}");
    });
}

#[test]
fn the_registry_is_not_shown_the_token() {
    let cast = Cast::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let remembered = Arc::clone(&seen);
    let registry = Server::http(move |request| {
        remembered.lock().unwrap().push(request.headers.clone());
        Response::new(200).into()
    });
    let Some(mut nginx) = gate(&cast, Asks::Introspection, registry.port()) else {
        return;
    };
    let Some(()) = nginx.start() else {
        return;
    };
    let token = cast.token(Who::Deployer, Opaque);
    let bearer = format!("Bearer {token}");
    assert_eq!(nginx.ask("GET", "/v2/", Some(&bearer), None), 200);
    let seen = format!("{:?}", seen.lock().unwrap());
    assert!(seen.contains("X-Forwarded-Proto"), "{seen}");
    assert!(!seen.contains(&token), "{seen}");
}
