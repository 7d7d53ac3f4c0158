//! cargo at a registry that requires a login for everything, with the binary as its
//! credential provider.
//!
//! `servers/nginx/tools.rs` tests the gate of `docs/servers.md`. The server here asks the
//! issuer each time; nginx keeps a response for 10 seconds.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::gateway::{Gateway, Scheme, Shown};
use crate::program::{cargo, stderr_of_failure, stdout_of_success};
use crate::support::http::{Request, Response};
use crate::support::{Ca, World};

pub const OWNERS: &[&str] = &["owner", "--list", "greeter"];

#[test]
fn cargo_publishes_fetches_yanks_and_lists_owners() {
    let Some(cargo) = cargo() else { return };
    let acme = Acme::new(&cargo);
    acme.world.allow(&acme.gateway.host());
    let shown = |directory: &str, arguments: &[&str]| {
        let mut command = acme.cargo(arguments);
        command.current_dir(acme.world.home.path().join(directory));
        stdout_of_success(command);
        acme.gateway.take_shown()
    };
    let first = shown("greeter", &["publish", "--no-verify"]);
    assert_eq!(first, [Shown::Nothing, Shown::Bearer]);
    // From now on cargo knows that the registry requires a login.
    assert_eq!(shown("app", &["fetch"]), [Shown::Bearer]);
    let lock = acme.world.home.read("app/Cargo.lock");
    let (entry, file) = acme.published("greeter");
    assert!(lock.contains(entry["cksum"].as_str().unwrap()), "{lock}");
    assert!(!file.is_empty());
    assert_eq!(shown("", &["yank", "greeter@1.0.0"]), [Shown::Bearer]);
    assert_eq!(acme.published("greeter").0["yanked"], true);
    assert_eq!(shown("", OWNERS), [Shown::Bearer]);
    assert_eq!(acme.world.issuer.token_requests(), 1);
}

#[test]
fn a_registry_without_a_rule_is_shown_nothing() {
    let Some(cargo) = cargo() else { return };
    let acme = Acme::new(&cargo);
    let said = stderr_of_failure(acme.cargo(OWNERS));
    assert!(
        said.contains("no credential providers could handle"),
        "{said}"
    );
    assert_eq!(acme.gateway.take_shown(), [Shown::Nothing]);
    assert_eq!(acme.world.issuer.total_requests(), 0);
}

#[test]
fn cargo_shows_why_there_is_no_token_and_what_to_do() {
    let Some(cargo) = cargo() else { return };
    let acme = Acme::new(&cargo);
    acme.world.allow(&acme.gateway.host());
    acme.world.issuer.remove_key(&acme.world.user.key_id);
    let said = stderr_of_failure(acme.cargo(OWNERS));
    let with = format!("with: key ID {}", acme.world.user.key_id);
    for part in [&with, "hint: check in ZITADEL that"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("failed with status"), "{said}");
}

#[test]
fn cargo_sends_no_token_to_the_host_of_a_redirect() {
    let Some(cargo) = cargo() else { return };
    let (world, ca) = (World::new(), Ca::new());
    let nothing = |_: &Request| Response::new(404);
    let other = Gateway::start(&ca, &world.issuer, &[Scheme::Bearer], nothing);
    let port = other.port();
    let led = move |request: &Request| {
        let target = format!("https://127.0.0.1:{port}{}", request.target);
        Response::new(302).with_header("Location", target)
    };
    let acme = Acme::serving(&cargo, world, &ca, Index::default(), led);
    acme.world.allow(&acme.gateway.host());
    stderr_of_failure(acme.cargo(OWNERS));
    assert_eq!(acme.gateway.take_shown(), [Shown::Nothing, Shown::Bearer]);
    assert_eq!(other.take_shown(), [Shown::Nothing]);
}

/// A package may name any index, even one among the files that a host with a rule serves
/// for its users, and whose `config.json` names the receiver of the token.
#[test]
fn an_index_named_by_a_package_gets_a_token_only_from_the_global_list() {
    let Some(cargo) = cargo() else { return };
    let (world, ca) = (World::new(), Ca::new());
    let nothing = |_: &Request| Response::new(404);
    let other = Gateway::start(&ca, &world.issuer, &[Scheme::Bearer], nothing);
    let dl = format!("https://{}/dl", other.host());
    let files = move |request: &Request| match request.path() {
        "/mallory/raw/config.json" => {
            Response::json(200, &json!({ "dl": dl, "auth-required": true }))
        }
        "/mallory/raw/ev/il/evil" => {
            let cksum = "0".repeat(64);
            let evil = json!({
                "name": "evil", "vers": "1.0.0", "deps": [], "features": {},
                "cksum": cksum, "yanked": false,
            });
            Response::text(200, format!("{evil}\n"))
        }
        _ => Response::new(404),
    };
    let acme = Acme::serving(&cargo, world, &ca, Index::default(), files);
    let host = acme.gateway.host();
    acme.world.allow(&host);
    let package = "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    let evil = format!(
        "[dependencies]\n\
         evil = {{ version = \"1\", registry-index = \"sparse+https://{host}/mallory/raw/\" }}\n"
    );
    let home = &acme.world.home;
    home.write("app/Cargo.toml", format!("{package}{evil}"));
    let fetch = || {
        let mut fetch = acme.cargo(&["fetch"]);
        fetch.current_dir(home.path().join("app"));
        fetch
    };
    stderr_of_failure(fetch());
    assert_eq!(acme.gateway.take_shown(), [Shown::Nothing]);
    assert_eq!(acme.world.issuer.total_requests(), 0);

    // README.md warns of this.
    let provider = home.link("cargo-credential-zitadel");
    let mut global = fetch();
    global.env("CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS", provider);
    stderr_of_failure(global);
    assert_eq!(other.take_shown(), [Shown::Bearer]);
}

#[test]
fn a_token_that_was_revoked_is_replaced_after_logout() {
    let Some(cargo) = cargo() else { return };
    let acme = Acme::new(&cargo);
    acme.world.allow(&acme.gateway.host());
    stdout_of_success(acme.cargo(OWNERS));
    acme.world.issuer.revoke_all();
    stderr_of_failure(acme.cargo(OWNERS));
    let said = stderr_of_failure(acme.cargo(&["logout"]));
    assert!(said.contains("operation not supported"), "{said}");
    stdout_of_success(acme.cargo(OWNERS));
    assert_eq!(acme.world.issuer.token_requests(), 2);
}

/// The index line of each crate, and its file.
pub type Index = Arc<Mutex<BTreeMap<String, (Value, Vec<u8>)>>>;

/// A registry behind a gateway, and a package to publish there and to depend on.
pub struct Acme<'a> {
    pub world: World,
    pub gateway: Gateway,
    index: Index,
    cargo: &'a Path,
}

impl<'a> Acme<'a> {
    pub fn new(cargo: &'a Path) -> Self {
        let (world, ca, index) = (World::new(), Ca::new(), Index::default());
        let served = Arc::clone(&index);
        let registry = move |request: &Request| answer(&mut served.lock().unwrap(), request);
        Self::serving(cargo, world, &ca, index, registry)
    }

    fn serving(
        cargo: &'a Path,
        world: World,
        ca: &Ca,
        index: Index,
        handler: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        let gateway = Gateway::start(ca, &world.issuer, &[Scheme::Bearer], handler);
        Self::with(cargo, world, ca, index, gateway)
    }

    pub fn with(cargo: &'a Path, world: World, ca: &Ca, index: Index, gateway: Gateway) -> Self {
        let home = &world.home;
        home.write(
            ".cargo/config.toml",
            format!(
                "[registries.acme]\n\
                 index = \"sparse+https://{}/index/\"\n\
                 credential-provider = [\"{}\"]\n\
                 [registry]\ndefault = \"acme\"\n\
                 [http]\ncainfo = \"{}\"\n\
                 [net]\nretry = 0\n",
                gateway.host(),
                home.link("cargo-credential-zitadel").display(),
                home.write("ca.pem", ca.pem()).display(),
            ),
        );
        for (name, dependencies) in [
            ("greeter", ""),
            (
                "app",
                "greeter = { version = \"1\", registry = \"acme\" }\n",
            ),
        ] {
            let package = format!(
                "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\n\
                 description = \"greets\"\nlicense = \"MIT\"\n\
                 [dependencies]\n{dependencies}",
            );
            home.write(format!("{name}/Cargo.toml"), package);
            home.write(format!("{name}/src/lib.rs"), "");
        }
        Self {
            world,
            gateway,
            index,
            cargo,
        }
    }

    fn published(&self, name: &str) -> (Value, Vec<u8>) {
        self.index.lock().unwrap()[name].clone()
    }

    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.home.command(self.cargo);
        command
            .args(arguments)
            .env("CARGO_HOME", self.world.home.path().join(".cargo"))
            // rustup's rustc would search its own home
            .env("RUSTC", self.cargo.with_file_name("rustc"));
        command
    }
}

/// The registry's response after the login (the cargo book, "Registry Index" and
/// "Registry Web API").
pub fn answer(index: &mut BTreeMap<String, (Value, Vec<u8>)>, request: &Request) -> Response {
    let path = request.path();
    let host = request.header("host").unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    match request.method.as_str() {
        "GET" if path == "/index/config.json" => {
            let (dl, api) = (format!("https://{host}/dl"), format!("https://{host}"));
            let config = json!({ "dl": dl, "api": api, "auth-required": true });
            Response::json(200, &config)
        }
        "GET" if path.starts_with("/index/") => match index.get(last) {
            Some((entry, _)) => Response::text(200, format!("{entry}\n")),
            None => Response::new(404),
        },
        "GET" if path == "/dl/greeter/1.0.0/download" => {
            let (_, file) = &index["greeter"];
            Response::new(200).with_body("application/x-tar", file.clone())
        }
        "PUT" if path == "/api/v1/crates/new" => {
            let (metadata, file) = published(&request.body);
            let name = metadata["name"].as_str().unwrap().to_owned();
            let cksum = digest(&SHA256, &file);
            let cksum = cksum
                .as_ref()
                .iter()
                .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
            let entry = json!({
                "name": name, "vers": metadata["vers"], "deps": [], "features": {},
                "cksum": cksum, "yanked": false,
            });
            index.insert(name, (entry, file));
            Response::json(200, &json!({}))
        }
        "DELETE" if path == "/api/v1/crates/greeter/1.0.0/yank" => {
            index.get_mut("greeter").unwrap().0["yanked"] = true.into();
            Response::json(200, &json!({ "ok": true }))
        }
        "GET" if path == "/api/v1/crates/greeter/owners" => {
            Response::json(200, &json!({ "users": [{ "id": 1, "login": "ci" }] }))
        }
        _ => Response::new(404),
    }
}

/// Returns the two parts of a publish request, each of which follows its length.
fn published(body: &[u8]) -> (Value, Vec<u8>) {
    let part = |from: usize| {
        let (length, rest) = body[from..].split_first_chunk().unwrap();
        rest[..u32::from_le_bytes(*length) as usize].to_vec()
    };
    let metadata = part(0);
    let file = part(4 + metadata.len());
    (serde_json::from_slice(&metadata).unwrap(), file)
}
