//! Terraform at a registry of modules that requires a token.
//!
//! `servers/nginx/tools.rs` tests the gate of `docs/servers.md`. The server here asks the
//! issuer each time; nginx keeps a response for 10 seconds.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::gateway::{Gateway, Scheme, Shown};
use crate::program::{client, stderr_of_failure, stdout_of_success};
use crate::support::http::{Request, Response};
use crate::support::{Ca, World};

const BEARER: &[Scheme] = &[Scheme::Bearer];
const DISCOVERY: &str = "/.well-known/terraform.json";

#[test]
fn terraform_gets_a_module_from_a_private_registry() {
    let Some(site) = Site::new() else { return };
    site.world.allow(&site.host());
    stdout_of_success(site.gets_the_module());
    assert_eq!(site.registry.take_shown(), [Shown::Bearer]);
    assert!(
        site.world
            .home
            .read(".terraform/modules/modules.json")
            .contains("1.0.0")
    );
    assert_eq!(site.world.issuer.token_requests(), 1);
}

#[test]
fn a_registry_without_a_rule_is_shown_nothing() {
    let Some(site) = Site::new() else { return };
    let said = stderr_of_failure(site.gets_the_module());
    assert!(!said.contains("zitadel-credential"), "{said}");
    assert_eq!(site.registry.take_shown(), [Shown::Nothing]);
    assert_eq!(site.world.issuer.total_requests(), 0);
}

#[test]
fn terraform_logout_removes_a_refused_token() {
    let Some(site) = Site::new() else { return };
    site.world.allow(&site.host());
    stdout_of_success(site.gets_the_module());
    site.world.issuer.revoke_all();
    fs::remove_dir_all(site.world.home.path().join(".terraform")).unwrap();
    stderr_of_failure(site.gets_the_module());
    assert_eq!(site.world.issuer.token_requests(), 1);

    stdout_of_success(site.terraform(&["logout", &site.host()]));
    stdout_of_success(site.gets_the_module());
    assert_eq!(site.world.issuer.token_requests(), 2);
}

#[test]
fn terraform_goes_on_without_a_token_and_logs_why_there_is_none() {
    let Some(site) = Site::new() else { return };
    site.world.allow(&site.host());
    let World { issuer, user, .. } = &site.world;
    issuer.remove_key(&user.key_id);
    let reason = "the issuer refused the assertion";
    let said = stderr_of_failure(site.gets_the_module());
    assert!(said.contains("401") && !said.contains(reason), "{said}");
    let mut command = site.gets_the_module();
    command.env("TF_LOG", "warn");
    let logged = stderr_of_failure(command);
    assert!(logged.contains(reason), "{logged}");
    assert_eq!(site.registry.take_shown(), [Shown::Nothing]);
}

/// The host writes the discovery document: a rule for a host trusts it with the target of
/// the token.
#[test]
fn terraform_sends_the_token_where_discovery_points() {
    let Some(terraform) = client("terraform") else {
        return;
    };
    let (world, ca) = (World::new(), Ca::new());
    let nothing = |_: &Request| Response::text(404, "there is nothing\n");
    let elsewhere = Gateway::start(&ca, &world.issuer, BEARER, nothing);
    let modules = format!("https://127.0.0.1:{}/v1/modules/", elsewhere.port());
    let discovery = json!({ "modules.v1": modules });
    let registry = Gateway::start(&ca, &world.issuer, BEARER, move |_| {
        Response::json(200, &discovery)
    });
    let site = Site::with(terraform, world, &ca, registry);
    site.world.allow(&site.host());
    stderr_of_failure(site.gets_the_module());
    assert_eq!(elsewhere.take_shown(), [Shown::Bearer]);
}

/// A registry with one module, and its user.
pub struct Site {
    pub registry: Gateway,
    pub world: World,
    terraform: PathBuf,
}

impl Site {
    /// Creates the site; `None` without Terraform.
    pub fn new() -> Option<Self> {
        let terraform = client("terraform")?;
        let (world, ca) = (World::new(), Ca::new());
        let answer = answer(&world);
        // Terraform makes discovery requests without a token if it has none.
        let issuer = world.issuer.clone();
        let lets_in =
            move |shown: &Shown, token: &str| *shown == Shown::Bearer && issuer.accepts(token);
        let challenge = "Bearer realm=\"gateway\"".to_owned();
        let registry = Gateway::guarded(&ca, &[challenge], lets_in, answer);
        Some(Self::with(terraform, world, &ca, registry))
    }

    pub fn with(terraform: PathBuf, world: World, ca: &Ca, registry: Gateway) -> Self {
        let home = &world.home;
        let module = format!(
            "module \"app\" {{\n  source  = \"127.0.0.1:{}/acme/app/test\"\n  version = \"1.0.0\"\n}}\n",
            registry.port()
        );
        home.write("main.tf", module);
        home.write(
            ".terraformrc",
            "credentials_helper \"zitadel\" {\n  args = [\"--profile\", \"test\"]\n}\n",
        );
        home.write("ca.pem", ca.pem());
        let plugins = home.path().join(".terraform.d/plugins");
        fs::create_dir_all(&plugins).unwrap();
        let link = home.link("terraform-credentials-zitadel");
        fs::rename(link, plugins.join("terraform-credentials-zitadel")).unwrap();
        Self {
            registry,
            world,
            terraform,
        }
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.registry.port())
    }

    /// Returns the user's Terraform, which trusts the registry.
    fn terraform(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.home.command(&self.terraform);
        command
            .args(arguments)
            .arg("-no-color")
            .env("CHECKPOINT_DISABLE", "1")
            .env("SSL_CERT_FILE", self.world.home.path().join("ca.pem"));
        command
    }

    pub fn gets_the_module(&self) -> Command {
        self.terraform(&["get"])
    }
}

/// Returns the response of a registry with one module, from this world, after the login.
pub fn answer(world: &World) -> impl Fn(&Request) -> Response + Send + Sync + use<> {
    let output = "output \"name\" {\n  value = \"acme\"\n}\n";
    world.home.write("module/main.tf", output);
    let module = format!("file://{}/module", world.home.path().display());
    move |request| match request.path() {
        DISCOVERY => Response::json(200, &json!({ "modules.v1": "/v1/modules/" })),
        "/v1/modules/acme/app/test/versions" => Response::json(
            200,
            &json!({ "modules": [{ "versions": [{ "version": "1.0.0" }] }] }),
        ),
        "/v1/modules/acme/app/test/1.0.0/download" => {
            Response::new(204).with_header("X-Terraform-Get", &module)
        }
        _ => Response::text(404, "there is nothing\n"),
    }
}
