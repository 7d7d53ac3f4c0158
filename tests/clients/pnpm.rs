//! pnpm 10 and 12 at a registry that requires a login, with the binary as their token
//! helper.
//!
//! `servers/nginx/tools.rs` tests the gate of `docs/servers.md`. The server here asks the
//! issuer each time; nginx keeps a response for 10 seconds.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::gateway::{Gateway, Scheme, Seen, Shown};
use crate::program::{installed, output, stdout_of_success};
use crate::support::http::{Request, Response};
use crate::support::{Ca, World};

/// Version 10 accepts only the path of a token helper, 12 accepts arguments too.
const VERSIONS: [&str; 2] = ["10.34.9", "12.21.0"];

const NPMRC: &str = ".npmrc";

#[test]
fn pnpm_publishes_and_installs_with_one_token() {
    for pnpm in Pnpm::all() {
        let acme = Acme::new(&pnpm);
        acme.use_helper(&acme.helper());
        stdout_of_success(acme.pnpm("greeter", &["publish", "--no-git-checks"]));
        assert_eq!(acme.gateway.take_shown(), [Shown::Bearer], "{pnpm:?}");
        stdout_of_success(acme.install());
        assert_eq!(acme.gateway.take_shown(), [Shown::Bearer], "{pnpm:?}");
        let manifest = acme.world.home.read(INSTALLED);
        assert!(manifest.contains("\"@acme/greeter\""), "{manifest}");
        assert_eq!(acme.world.issuer.token_requests(), 1);
    }
}

/// A shell splits the line, so it has neither quotes nor backslashes.
#[test]
fn only_pnpm_12_takes_arguments() {
    for pnpm in Pnpm::all() {
        let acme = Acme::published(&pnpm);
        acme.use_helper(&format!("{} --profile test", acme.helper()));
        if pnpm.is_12() {
            stdout_of_success(acme.install());
            assert_eq!(acme.gateway.take_shown(), [Shown::Bearer]);
        } else {
            let said = acme.fails_to_install();
            assert!(said.contains("without arguments"), "{said}");
            assert_eq!(acme.gateway.take_shown(), []);
        }
    }
}

/// pnpm does not pass the host to the helper: the host of the line is the rule. pnpm 10
/// runs the helper of each line at the start of every command.
#[test]
fn a_registry_without_a_line_of_its_own_is_shown_nothing() {
    for pnpm in Pnpm::all() {
        for host in ["registry.acme.dev", "localhost:1"] {
            let acme = Acme::new(&pnpm);
            acme.write_npmrc(&format!("//{host}/:tokenHelper={}\n", acme.helper()));
            acme.fails_to_install();
            assert_eq!(acme.gateway.take_shown(), [Shown::Nothing], "{pnpm:?}");
            let asked = acme.world.issuer.token_requests() == 1;
            assert_eq!(asked, !pnpm.is_12(), "{pnpm:?}");
        }
    }
}

/// A line without a port covers all ports of the host.
#[test]
fn a_line_without_a_port_lets_every_port_have_the_token() {
    for pnpm in Pnpm::all() {
        let acme = Acme::published(&pnpm);
        acme.write_npmrc(&format!("//localhost/:tokenHelper={}\n", acme.helper()));
        stdout_of_success(acme.install());
        assert_eq!(acme.gateway.take_shown(), [Shown::Bearer], "{pnpm:?}");
    }
}

#[test]
fn a_project_cannot_name_a_helper() {
    for pnpm in Pnpm::all() {
        let acme = Acme::new(&pnpm);
        acme.write_npmrc("");
        let line = acme.line(&acme.helper());
        acme.world.home.write("app/.npmrc", line);
        acme.fails_to_install();
        let shown = acme.gateway.take_shown();
        assert!(!shown.contains(&Shown::Bearer), "{pnpm:?} {shown:?}");
        assert_eq!(acme.world.issuer.total_requests(), 0, "{pnpm:?}");
    }
}

#[test]
fn pnpm_sends_no_token_to_another_host() {
    for pnpm in Pnpm::all() {
        for led in [Led::ByRedirect, Led::ByMetadata] {
            let acme = Acme::serving(&pnpm, Some(led));
            acme.use_helper(&acme.helper());
            stdout_of_success(acme.pnpm("greeter", &["publish", "--no-git-checks"]));
            acme.fails_to_install();
            let shown = acme.other.take_shown();
            assert_eq!(shown, [Shown::Nothing], "{pnpm:?} {led:?}");
        }
    }
}

/// Neither shows the helper's stderr. pnpm 12 continues silently without a token.
#[test]
fn without_a_token_pnpm_10_stops_and_pnpm_12_goes_on_without() {
    for pnpm in Pnpm::all() {
        let acme = Acme::published(&pnpm);
        acme.use_helper(&acme.helper());
        acme.forget_tokens();
        acme.world.issuer.remove_key(&acme.world.user.key_id);
        let said = acme.fails_to_install();
        if pnpm.is_12() {
            assert!(said.contains("No authorization header was set"), "{said}");
            assert_eq!(acme.gateway.take_shown(), [Shown::Nothing]);
        } else {
            assert!(
                said.contains("ERR_PNPM_TOKEN_HELPER_ERROR_STATUS"),
                "{said}"
            );
            assert_eq!(acme.gateway.take_shown(), []);
        }
    }
}

/// pnpm does not ask again after a 401, and cannot report it to the helper.
#[test]
fn a_token_that_was_revoked_is_replaced_after_cache_clear() {
    for pnpm in Pnpm::all() {
        let acme = Acme::published(&pnpm);
        acme.use_helper(&acme.helper());
        acme.world.issuer.revoke_all();
        acme.fails_to_install();
        let seen = acme.gateway.take_seen();
        let refused = |seen: &Seen| seen.shown == Shown::Bearer && seen.status == 401;
        assert!(seen.iter().all(refused), "{pnpm:?} {seen:?}");
        acme.forget_tokens();
        stdout_of_success(acme.install());
        assert_eq!(acme.world.issuer.token_requests(), 2, "{pnpm:?}");
    }
}

/// A pnpm that `tests/clients/install.sh` installs.
#[derive(Debug)]
pub struct Pnpm {
    version: &'static str,
    program: PathBuf,
}

impl Pnpm {
    pub fn all() -> Vec<Self> {
        let find = |version| {
            let path = format!("pnpm-{version}/node_modules/.bin/pnpm");
            let program = installed(&format!("pnpm {version}"), &path)?;
            Some(Self { version, program })
        };
        VERSIONS.into_iter().filter_map(find).collect()
    }

    fn is_12(&self) -> bool {
        self.version.starts_with("12.")
    }
}

/// The way in which the registry refers to a host outside the user's file.
#[derive(Clone, Copy, Debug)]
pub enum Led {
    /// A redirect from the archive's address.
    ByRedirect,
    /// The archive's address in the package's metadata.
    ByMetadata,
}

pub const INSTALLED: &str = "app/node_modules/@acme/greeter/package.json";

/// The published metadata, unchanged.
pub type Published = Arc<Mutex<Option<Value>>>;

/// A registry behind a gateway, a package to publish there and one that depends on it.
pub struct Acme<'a> {
    pub world: World,
    gateway: Gateway,
    /// A gateway with another name, which refuses everything.
    other: Gateway,
    ca_file: PathBuf,
    pnpm: &'a Path,
}

impl<'a> Acme<'a> {
    fn new(pnpm: &'a Pnpm) -> Self {
        Self::serving(pnpm, None)
    }

    /// Publishes the package, and clears the record of requests.
    fn published(pnpm: &'a Pnpm) -> Self {
        let acme = Self::new(pnpm);
        acme.use_helper(&acme.helper());
        stdout_of_success(acme.pnpm("greeter", &["publish", "--no-git-checks"]));
        acme.gateway.take_seen();
        acme
    }

    fn serving(pnpm: &'a Pnpm, led: Option<Led>) -> Self {
        let (world, ca, published) = (World::new(), Ca::new(), Published::default());
        let nobody = |_: &Shown, _: &str| false;
        let other = Gateway::guarded(&ca, &[], nobody, |_| Response::new(404));
        let elsewhere = format!("https://127.0.0.1:{}", other.port());
        let registry = move |request: &Request| {
            answer(&mut published.lock().unwrap(), led, &elsewhere, request)
        };
        let gateway = Gateway::start(&ca, &world.issuer, &[Scheme::Bearer], registry);
        Self::with(pnpm, world, &ca, gateway, other)
    }

    pub fn with(pnpm: &'a Pnpm, world: World, ca: &Ca, gateway: Gateway, other: Gateway) -> Self {
        let ca_file = world.home.write("ca.pem", ca.pem());
        for (name, dependencies) in [
            ("@acme/greeter", json!({})),
            ("app", json!({ "@acme/greeter": "1.0.0" })),
        ] {
            let manifest = json!({
                "name": name, "version": "1.0.0", "dependencies": dependencies,
            });
            let directory = name.trim_start_matches("@acme/");
            let file = format!("{directory}/package.json");
            world.home.write(file, manifest.to_string());
        }
        Self {
            world,
            gateway,
            other,
            ca_file,
            pnpm: &pnpm.program,
        }
    }

    /// Returns the token helper: a link, as pnpm 10 passes no argument for a command's
    /// name.
    pub fn helper(&self) -> String {
        let link = self.world.home.link("pnpm-credential-zitadel");
        link.display().to_string()
    }

    fn line(&self, helper: &str) -> String {
        format!("//{}/:tokenHelper={helper}\n", self.gateway.host())
    }

    pub fn use_helper(&self, helper: &str) {
        self.write_npmrc(&self.line(helper));
    }

    /// Writes the user's own file, the only one from which both versions accept a helper.
    fn write_npmrc(&self, lines: &str) {
        let npmrc = format!(
            "registry=https://{}/\ncafile={}\n\
             fetch-retries=0\nupdate-notifier=false\n{lines}",
            self.gateway.host(),
            self.ca_file.display(),
        );
        self.world.home.write(NPMRC, npmrc);
    }

    pub fn pnpm(&self, directory: &str, arguments: &[&str]) -> Command {
        let mut command = self.world.home.command(self.pnpm);
        command
            .args(arguments)
            .current_dir(self.world.home.path().join(directory));
        command
    }

    pub fn install(&self) -> Command {
        self.pnpm("app", &["install"])
    }

    /// Returns pnpm's output; version 10 writes its errors to stdout.
    fn fails_to_install(&self) -> String {
        let failed = output(self.install());
        let said = [failed.stdout, failed.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!failed.status.success(), "{said}");
        said
    }

    fn forget_tokens(&self) {
        self.world.zitadel(["cache", "clear"]).assert().success();
    }
}

/// Returns a registry's response after the login: metadata and an archive, both as
/// published.
pub fn answer(
    published: &mut Option<Value>,
    led: Option<Led>,
    elsewhere: &str,
    request: &Request,
) -> Response {
    let host = request.header("host").unwrap_or_default();
    let archive = "/archives/greeter-1.0.0.tgz";
    match (request.method.as_str(), request.path(), published.as_ref()) {
        ("PUT", _, _) => {
            *published = Some(serde_json::from_slice(&request.body).unwrap());
            Response::json(200, &json!({ "ok": true }))
        }
        ("GET", path, Some(_)) if path == archive && matches!(led, Some(Led::ByRedirect)) => {
            Response::new(302).with_header("Location", format!("{elsewhere}{archive}"))
        }
        ("GET", path, Some(package)) if path == archive => {
            let attachments = package["_attachments"].as_object().unwrap();
            let data = attachments.values().next().unwrap()["data"].as_str();
            let file = BASE64_STANDARD.decode(data.unwrap()).unwrap();
            Response::new(200).with_body("application/octet-stream", file)
        }
        ("GET", path, Some(package)) if path.to_lowercase() == "/@acme%2fgreeter" => {
            let mut package = package.clone();
            let from = match led {
                Some(Led::ByMetadata) => elsewhere.to_owned(),
                _ => format!("https://{host}"),
            };
            package["versions"]["1.0.0"]["dist"]["tarball"] = json!(format!("{from}{archive}"));
            package.as_object_mut().unwrap().remove("_attachments");
            Response::json(200, &package)
        }
        _ => Response::json(404, &json!({})),
    }
}
