//! Go at a module proxy that requires a login, with the binary as its GOAUTH command.
//!
//! `servers/nginx/tools.rs` tests the gate of `docs/servers.md`. The server here asks the
//! issuer each time; nginx keeps a response for 10 seconds.

mod zip;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::gateway::{Gateway, Scheme, Shown};
use crate::program::{installed, stderr_of_failure, stdout_of_success};
use crate::support::http::{Request, Response};
use crate::support::proxy::Proxy;
use crate::support::{Ca, World, binary};

/// The first version with GOAUTH, and a new one.
const VERSIONS: [&str; 2] = ["1.24.3", "1.27.3"];

const MODULE: &str = "acme.dev/greeter";

#[test]
fn go_shows_the_token_at_once_where_a_rule_names_the_host() {
    for go in gos() {
        let acme = Acme::new(&go);
        acme.world.allow(&acme.gateway.host());
        acme.downloads(&acme.gateway.host());
        assert_eq!(acme.gateway.take_shown(), [Shown::Bearer]);
        assert_eq!(acme.world.issuer.token_requests(), 1);
    }
}

#[test]
fn go_shows_it_after_a_401_where_the_rule_is_a_wildcard() {
    for go in gos() {
        let acme = Acme::new(&go);
        let port = acme.gateway.port();
        acme.world.allow(&format!("*.acme.test:{port}"));
        acme.downloads(&format!("go.acme.test:{port}"));
        let shown = acme.gateway.take_shown();
        assert_eq!(shown, [Shown::Nothing, Shown::Bearer]);
        assert_eq!(acme.world.issuer.token_requests(), 1);
    }
}

#[test]
fn a_module_proxy_without_a_rule_is_shown_nothing() {
    for go in gos() {
        let acme = Acme::new(&go);
        acme.world.allow("localhost");
        let said = stderr_of_failure(acme.go(&acme.gateway.host(), &["mod", "download"]));
        assert!(said.contains("401 Unauthorized"), "{said}");
        assert_eq!(acme.gateway.take_shown(), [Shown::Nothing]);
    }
}

#[test]
fn go_sends_no_token_to_the_host_of_a_redirect() {
    for go in gos() {
        let (world, ca) = (World::new(), Ca::new());
        let other = Gateway::start(&ca, &world.issuer, &[Scheme::Bearer], answer);
        let port = other.port();
        let acme = Acme::serving(&go, world, &ca, move |request| {
            let target = format!("https://127.0.0.1:{port}{}", request.target);
            Response::new(302).with_header("Location", target)
        });
        acme.world.allow(&acme.gateway.host());
        let said = stderr_of_failure(acme.go(&acme.gateway.host(), &["mod", "download"]));
        assert!(said.contains("401 Unauthorized"), "{said}");
        assert_eq!(acme.gateway.take_shown(), [Shown::Bearer]);
        assert_eq!(other.take_shown(), [Shown::Nothing]);
    }
}

/// Go's HTTP client compares only the host's name: a rule for one port trusts the whole
/// host.
#[test]
fn go_sends_the_token_to_another_port_of_the_same_host() {
    for go in gos() {
        let (world, ca) = (World::new(), Ca::new());
        let other = Gateway::start(&ca, &world.issuer, &[Scheme::Bearer], answer);
        let host = other.host();
        let acme = Acme::serving(&go, world, &ca, move |request| {
            let target = format!("https://{host}{}", request.target);
            Response::new(302).with_header("Location", target)
        });
        acme.world.allow(&acme.gateway.host());
        acme.downloads(&acme.gateway.host());
        assert_eq!(acme.gateway.take_shown(), [Shown::Bearer]);
        assert_eq!(other.take_shown(), [Shown::Bearer]);
    }
}

#[test]
fn a_token_that_was_revoked_is_replaced_while_go_runs() {
    for go in gos() {
        let acme = Acme::new(&go);
        acme.world.allow(&acme.gateway.host());
        acme.world.zitadel(["go"]).assert().success();
        acme.world.issuer.revoke_all();
        acme.downloads(&acme.gateway.host());
        let seen = acme.gateway.take_seen();
        let statuses: Vec<_> = seen.iter().map(|seen| seen.status).collect();
        assert_eq!(statuses[0], 401, "{statuses:?}");
        assert!(statuses[1..].iter().all(|status| *status == 200));
        assert_eq!(acme.world.issuer.token_requests(), 2);
    }
}

#[test]
fn go_shows_under_x_why_there_is_no_token() {
    for go in gos() {
        let acme = Acme::new(&go);
        acme.world.allow(&acme.gateway.host());
        acme.world.issuer.remove_key(&acme.world.user.key_id);
        let download = ["mod", "download", "-x"];
        let said = stderr_of_failure(acme.go(&acme.gateway.host(), &download));
        let with = format!("with: key ID {}", acme.world.user.key_id);
        for part in [&with, "hint: check in ZITADEL that"] {
            assert!(said.contains(part), "{said}");
        }
    }
}

#[test]
fn go_keeps_the_command_in_its_own_settings() {
    for go in gos() {
        let acme = Acme::new(&go);
        let host = acme.gateway.host();
        let goauth = "zitadel-credential go; netrc";
        let env = |arguments: &[&str]| {
            let mut command = acme.go(&host, arguments);
            command.env_remove("GOAUTH");
            stdout_of_success(command)
        };
        env(&["env", "-w", &format!("GOAUTH={goauth}")]);
        assert_eq!(env(&["env", "GOAUTH"]), format!("{goauth}\n"));
    }
}

/// Returns the installed versions.
pub fn gos() -> Vec<PathBuf> {
    VERSIONS
        .iter()
        .filter_map(|version| installed(&format!("Go {version}"), &format!("go-{version}/bin/go")))
        .collect()
}

/// A module proxy behind a gateway, and a module that needs one of the proxy's.
pub struct Acme<'a> {
    pub world: World,
    pub gateway: Gateway,
    /// Directs `go.acme.test` to this machine.
    proxy: Proxy,
    go: &'a Path,
}

impl<'a> Acme<'a> {
    pub fn new(go: &'a Path) -> Self {
        let (world, ca) = (World::new(), Ca::new());
        Self::serving(go, world, &ca, answer)
    }

    fn serving(
        go: &'a Path,
        world: World,
        ca: &Ca,
        handler: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        let gateway = Gateway::start(ca, &world.issuer, &[Scheme::Bearer], handler);
        Self::with(go, world, ca, gateway)
    }

    pub fn with(go: &'a Path, world: World, ca: &Ca, gateway: Gateway) -> Self {
        world.home.write("ca.pem", ca.pem());
        let module = format!("module acme.dev/app\ngo 1.24\nrequire {MODULE} v1.0.0\n");
        world.home.write("app/go.mod", module);
        Self {
            world,
            gateway,
            proxy: Proxy::connect(),
            go,
        }
    }

    pub fn downloads(&self, proxy: &str) {
        stdout_of_success(self.go(proxy, &["mod", "download"]));
        let module = self.world.home.path().join("go/pkg/mod");
        assert!(module.join(format!("{MODULE}@v1.0.0/go.mod")).is_file());
    }

    pub fn go(&self, proxy: &str, arguments: &[&str]) -> Command {
        let home = self.world.home.path();
        let mut command = self.world.home.command(self.go);
        command
            .args(arguments)
            .current_dir(home.join("app"))
            .env("GOAUTH", format!("{} go; netrc", binary().display()))
            .env("GOPROXY", format!("https://{proxy}"))
            .env(
                "HTTPS_PROXY",
                format!("http://127.0.0.1:{}", self.proxy.port()),
            )
            .env("SSL_CERT_FILE", home.join("ca.pem"))
            .env("GOROOT", self.go.ancestors().nth(2).unwrap())
            .env("GOSUMDB", "off")
            .env("GOTOOLCHAIN", "local")
            // otherwise the home could not be removed
            .env("GOFLAGS", "-modcacherw");
        command
    }
}

/// Returns the response of a module proxy after the login (`go help goproxy`).
pub fn answer(request: &Request) -> Response {
    let module = format!("module {MODULE}\n");
    let file = request.path().strip_prefix(&format!("/{MODULE}/@v/"));
    match file {
        Some("v1.0.0.info") => Response::text(200, r#"{"Version":"v1.0.0"}"#),
        Some("v1.0.0.mod") => Response::text(200, module),
        Some("v1.0.0.zip") => {
            let name = format!("{MODULE}@v1.0.0/go.mod");
            let zip = zip::of_one(&name, module.as_bytes());
            Response::new(200).with_body("application/zip", zip)
        }
        _ => Response::new(404),
    }
}
