//! keyring's command line: pip and uv at an index that requires a login.
//!
//! `servers/nginx/tools.rs` tests the gate of `docs/servers.md`. The server here asks the
//! issuer each time; nginx keeps a response for 10 seconds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::gateway::{Gateway, Scheme, Shown, credentials};
use crate::program::{installed, output, stderr_of_failure, stdout_of_success};
use crate::support::http::{Reply, Request, Response, Server};
use crate::support::{Ca, World, binary};

const WHEEL: &str = "acme_app-1.0-py3-none-any.whl";

/// A program that installs from an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installer {
    /// It asks with a username or not at all.
    OldPip,
    /// It also asks for the username, and for JSON.
    NewPip,
    /// It asks for the username if a login is configured as required.
    Uv,
}

pub const ALL: [Installer; 3] = [Installer::OldPip, Installer::NewPip, Installer::Uv];

#[test]
fn pip_and_uv_install_from_an_index_under_the_username_of_its_url() {
    let Some(shop) = Shop::new() else { return };
    shop.world.allow(&shop.index.host());
    for installer in ALL {
        let url = format!("https://__token__@{}/simple/", shop.index.host());
        stdout_of_success(shop.installs(installer, &url));
        shop.has_the_package(installer);
        let named = Shown::Basic("__token__".to_owned());
        let shown = shop.index.take_shown();
        assert!(shown.contains(&named), "{installer:?} {shown:?}");
    }
    assert_eq!(shop.world.issuer.token_requests(), 1);
}

#[test]
fn pip_and_uv_install_under_the_rules_username_where_the_url_has_none() {
    let Some(shop) = Shop::new() else { return };
    shop.world.allow(&shop.index.host());
    shop.world.home.append_config("username = \"ci\"\n");
    let url = format!("https://{}/simple/", shop.index.host());
    for installer in [Installer::NewPip, Installer::Uv] {
        stdout_of_success(shop.installs(installer, &url));
        shop.has_the_package(installer);
        let ci = Shown::Basic("ci".to_owned());
        assert!(shop.index.take_shown().contains(&ci), "{installer:?}");
    }
    // The old pip does not ask.
    stderr_of_failure(shop.installs(Installer::OldPip, &url));
    assert_eq!(shop.world.issuer.token_requests(), 1);
}

/// The link of setup is first on PATH, as its output says.
#[test]
fn pip_and_uv_install_after_setup_keyring() {
    let Some(shop) = Shop::new() else { return };
    let home = shop.world.home.path();
    fs::remove_file(home.join("bin/keyring")).unwrap();
    let host = shop.index.host();
    let words = ["setup", "keyring", &host, "--username", "ci"];
    let said = stdout_of_success(shop.command(&binary(), &words));
    let tried = format!("keyring get answers for {host}, with the username ci\n");
    assert!(said.contains(&tried), "{said}");
    let url = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("--index-url "));
    let links = home.join(".local/lib/zitadel-keyring");
    let mut path = links.into_os_string();
    path.push(":");
    path.push(shop.world.home.path_with_bin());
    for installer in ALL {
        let mut call = shop.installs(installer, url.unwrap());
        call.env("PATH", &path);
        stdout_of_success(call);
        shop.has_the_package(installer);
        let ci = Shown::Basic("ci".to_owned());
        assert!(shop.index.take_shown().contains(&ci), "{installer:?}");
    }
}

#[test]
fn uv_publishes() {
    let Some(shop) = Shop::new() else { return };
    shop.world.allow(&shop.index.host());
    let url = format!("https://{}/legacy/", shop.index.host());
    let mut uv = shop.command(&shop.uv, &["publish", "--username", "ci"]);
    uv.args(["--keyring-provider", "subprocess", "--publish-url", &url])
        .args(["--no-config", "--trusted-publishing", "never"])
        .arg(shop.world.home.path().join(WHEEL));
    stdout_of_success(uv);
    let ci = Shown::Basic("ci".to_owned());
    assert!(shop.index.take_shown().contains(&ci));
}

#[test]
fn an_index_without_a_rule_is_shown_no_token() {
    let Some(shop) = Shop::new() else { return };
    let url = format!("https://__token__@{}/simple/", shop.index.host());
    for installer in ALL {
        let failed = output(shop.installs(installer, &url));
        assert!(!failed.status.success(), "{installer:?}");
        let seen = shop.index.take_seen();
        // Without a login, uv makes no request where one is required.
        let comes = installer != Installer::Uv;
        assert_eq!(!seen.is_empty(), comes, "{installer:?}");
        assert!(seen.iter().all(|seen| seen.status == 401), "{seen:?}");
    }
    assert_eq!(shop.world.issuer.total_requests(), 0);
}

/// pip passes the user of a URL as a separate word, decoded.
#[test]
fn a_user_in_the_url_that_looks_like_an_option_gets_nothing_and_runs_nothing() {
    let Some(shop) = Shop::new() else { return };
    let host = shop.index.host();
    let profile = "issuer = \"ISSUER\"\nkey-command = [\"touch\", \"ran\"]\n";
    let profile = profile.replace("ISSUER", &shop.world.issuer.url());
    shop.world.home.write(
        "evil.toml",
        format!("[profiles.evil]\n{profile}[hosts.\"{host}\"]\nprofile = \"evil\"\n"),
    );
    let user_of_host = format!("--host%3D{}", host.replace(':', "%3A"));
    for user in [&user_of_host, "--config%3Devil.toml", "--help", "-h"] {
        let url = format!("https://{user}@{host}/simple/");
        for installer in ALL {
            stderr_of_failure(shop.installs(installer, &url));
            let seen = shop.index.take_seen();
            assert!(seen.iter().all(|seen| seen.status == 401), "{seen:?}");
        }
    }
    assert!(!shop.world.home.path().join("ran").exists());
    assert_eq!(shop.world.issuer.total_requests(), 0);
}

/// pip and uv ask only for the host after getting nothing for the URL; that host cannot
/// be distinguished from one reached by https.
#[test]
fn an_http_index_gets_a_token_only_if_the_rule_allows_it() {
    let Some(shop) = Shop::new() else { return };
    let (issuer, files) = (shop.world.issuer.clone(), shop.files.clone());
    let index = Server::http(move |request| {
        let refusal = Response::text(401, "who are you?\n")
            .with_header("WWW-Authenticate", "Basic realm=\"index\"");
        Reply::from(if issuer.accepts(&credentials(request).1) {
            files.answer(request)
        } else {
            refusal
        })
    });
    let host = format!("localhost:{}", index.port());
    let url = format!("http://__token__@{host}/simple/");
    shop.world.allow(&host);
    for installer in ALL {
        let failed = output(shop.installs(installer, &url));
        assert!(!failed.status.success(), "{installer:?}");
    }
    assert_eq!(shop.world.issuer.total_requests(), 0);

    shop.world.home.append_config("allow-http = true\n");
    for installer in ALL {
        stdout_of_success(shop.installs(installer, &url));
        shop.has_the_package(installer);
    }
    assert_eq!(shop.world.issuer.token_requests(), 1);
}

#[test]
fn a_file_on_another_host_is_requested_without_the_token() {
    let Some(shop) = Shop::new() else { return };
    let nobody = |_: &Shown, _: &str| false;
    let basic = ["Basic realm=\"elsewhere\"".to_owned()];
    let elsewhere = Gateway::guarded(&shop.ca, &basic, nobody, |_| Response::new(200));
    let link = format!("https://{}/files/{WHEEL}", elsewhere.host());
    let page = move |_: &Request| page_with(&link);
    let index = Gateway::start(&shop.ca, &shop.world.issuer, &[Scheme::Basic], page);
    shop.world.allow(&index.host());
    let url = format!("https://__token__@{}/simple/", index.host());
    for installer in ALL {
        let failed = output(shop.installs(installer, &url));
        assert!(!failed.status.success(), "{installer:?}");
        let shown = elsewhere.take_shown();
        assert_eq!(shown, [Shown::Nothing], "{installer:?}");
    }
}

/// An index with one package, and its user.
pub struct Shop {
    ca: Arc<Ca>,
    index: Gateway,
    files: Files,
    world: World,
    old_pip: PathBuf,
    new_pip: PathBuf,
    uv: PathBuf,
    python: PathBuf,
}

impl Shop {
    /// Creates the shop; `None` if a program is missing.
    fn new() -> Option<Self> {
        let (world, ca) = (World::new(), Ca::new());
        let files = Files::make(&world)?;
        let handler = files.clone();
        let offers = &[Scheme::Basic];
        let index = Gateway::start(&ca, &world.issuer, offers, move |request| {
            handler.answer(request)
        });
        Self::with(world, Arc::new(ca), files, index)
    }

    /// Returns `None` if a program is missing.
    pub fn with(world: World, ca: Arc<Ca>, files: Files, index: Gateway) -> Option<Self> {
        world.home.link("keyring");
        world.home.write("ca.pem", ca.pem());
        Some(Self {
            old_pip: installed("pip 25", "pip==25.0/bin/pip")?,
            new_pip: installed("pip 26", "pip==26.3/bin/pip")?,
            uv: installed("uv", "uv==0.13.9/bin/uv")?,
            python: installed("Python", "python/bin/python")?,
            ca,
            index,
            files,
            world,
        })
    }

    /// Returns a program of the user, which finds the helper and trusts the index.
    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = self.world.home.command(program);
        command
            .args(arguments)
            .env("PATH", self.world.home.path_with_bin())
            .env("SSL_CERT_FILE", self.world.home.path().join("ca.pem"));
        command
    }

    /// Returns the command that installs the package from this index.
    pub fn installs(&self, installer: Installer, url: &str) -> Command {
        let home = self.world.home.path();
        let target = home.join(format!("{installer:?}"));
        let mut command = match installer {
            Installer::Uv => self.uv(url),
            Installer::OldPip => self.pip(&self.old_pip, url),
            Installer::NewPip => self.pip(&self.new_pip, url),
        };
        command
            .args(["--keyring-provider", "subprocess", "--target"])
            .arg(target)
            .arg("acme-app");
        command
    }

    fn pip(&self, pip: &Path, url: &str) -> Command {
        let library = pip.ancestors().nth(2).unwrap();
        let mut command = self.command(pip, &["install", "--no-input", "--no-cache-dir"]);
        command
            .args(["--disable-pip-version-check", "--index-url", url])
            .args(["--upgrade", "--cert", "ca.pem"])
            .env("PYTHONPATH", library);
        command
    }

    fn uv(&self, url: &str) -> Command {
        // Without a username, uv would first try without a login.
        let config = format!(
            "[[index]]\nname = \"acme\"\nurl = \"{url}\"\ndefault = true\nauthenticate = \"always\"\n"
        );
        let config = self.world.home.write("uv.toml", config);
        let mut command = self.command(&self.uv, &["pip", "install", "--no-cache"]);
        command
            .arg("--config-file")
            .arg(config)
            .arg("--python")
            .arg(&self.python);
        command
    }

    /// Asserts that the package is installed, and removes it for the next test.
    pub fn has_the_package(&self, installer: Installer) {
        let target = self.world.home.path().join(format!("{installer:?}"));
        let module = fs::read_to_string(target.join("acme_app.py")).unwrap();
        assert_eq!(module, "NAME = 'acme'\n");
        fs::remove_dir_all(target).unwrap();
    }
}

/// The files of the index.
#[derive(Clone)]
pub struct Files {
    wheel: Vec<u8>,
}

impl Files {
    /// Makes the wheel, with Python's own archiver; `None` without Python.
    pub fn make(world: &World) -> Option<Self> {
        let python = installed("Python", "python/bin/python")?;
        let home = &world.home;
        home.write("acme_app.py", "NAME = 'acme'\n");
        let info = "acme_app-1.0.dist-info";
        home.write(
            format!("{info}/METADATA"),
            "Metadata-Version: 2.1\nName: acme-app\nVersion: 1.0\n",
        );
        home.write(
            format!("{info}/WHEEL"),
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        );
        let record = ["METADATA", "WHEEL", "RECORD"].map(|name| format!("{info}/{name},,\n"));
        home.write(
            format!("{info}/RECORD"),
            format!("acme_app.py,,\n{}", record.concat()),
        );
        let mut zip = home.command(python);
        zip.args(["-m", "zipfile", "-c", WHEEL, "acme_app.py", info]);
        stdout_of_success(zip);
        let wheel = fs::read(home.path().join(WHEEL)).unwrap();
        Some(Self { wheel })
    }

    pub fn answer(&self, request: &Request) -> Response {
        match request.path() {
            "/simple/acme-app/" => page_with(&format!("/files/{WHEEL}")),
            "/legacy/" if request.method == "POST" => Response::new(200),
            path if path == format!("/files/{WHEEL}") => {
                Response::new(200).with_body("application/zip", self.wheel.clone())
            }
            _ => Response::text(404, "there is nothing\n"),
        }
    }
}

/// Returns the index's page of the package (PEP 503).
fn page_with(link: &str) -> Response {
    let page = format!("<!DOCTYPE html><a href=\"{link}\">{WHEEL}</a>\n");
    Response::new(200).with_body("text/html", page)
}
