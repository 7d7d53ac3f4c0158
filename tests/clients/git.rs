//! git over https, with the binary as its credential helper.

mod beside;
mod flows;
mod hostile;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::gateway::{Gateway, Scheme, Shown};
use crate::program::{clients, installed, output_of, stderr_of_failure, stdout_of_success};
use crate::servers::cast::{Cast, Who};
use crate::servers::nginx::Nginx;
use crate::support::http::{Request, Response};
use crate::support::{Ca, World};

const GITCONFIG: &str = ".gitconfig";
const BASIC: &[Scheme] = &[Scheme::Basic];
const BEARER: &[Scheme] = &[Scheme::Bearer];
const BOTH: &[Scheme] = &[Scheme::Basic, Scheme::Bearer];

#[test]
fn git_pushes_and_clones_with_the_best_scheme() {
    let test = |forge: &Forge<'_>| {
        forge.pushes_and_clones();
        assert_eq!(forge.gateway.take_shown(), [Shown::Nothing, forge.best()]);
        assert_eq!(forge.world.issuer.token_requests(), 1);
    };
    for_each_forge(test);
    for_each_own_forge(test);
}

#[test]
fn a_host_without_a_rule_is_shown_nothing() {
    for git in gits() {
        let forge = Forge::new(&git, BOTH);
        let said = stderr_of_failure(forge.ls_remote());
        assert!(said.contains("terminal prompts disabled"), "{said}");
        assert_eq!(forge.gateway.take_shown(), [Shown::Nothing]);
        assert_eq!(forge.world.issuer.total_requests(), 0);
    }
}

/// Returns the system's gits and, if none of them supports Bearer, the one that
/// `tests/clients/install.sh` builds.
pub fn gits() -> Vec<PathBuf> {
    let mut gits = clients("git");
    if !gits.iter().any(|git| speaks_bearer(git)) {
        gits.extend(installed("git 2.46 or newer", "git-trixie/bin/git"));
    }
    gits
}

/// Runs a test for every git at the nginx of `docs/servers.md`, which offers Basic, and
/// at our own server for Bearer if it supports that. Each has a rule.
fn for_each_forge(test: impl Fn(&Forge<'_>)) {
    for git in gits() {
        at_nginx(&git, &test);
        if speaks_bearer(&git) {
            let forge = Forge::new(&git, BEARER);
            forge.allow();
            test(&forge);
        }
    }
}

/// Runs a test for a git at the nginx of `docs/servers.md`, which has a rule, unless a
/// program is missing.
pub fn at_nginx(git: &Path, test: impl FnOnce(&Forge<'_>)) {
    let cast = Cast::new();
    if let Some((_nginx, gateway)) = Nginx::with_git_watched(&cast) {
        let world = cast.home_of(Who::Deployer);
        let forge = Forge::at(git, world, &cast.ca, gateway, BASIC);
        forge.allow();
        test(&forge);
    }
}

/// Runs a test for every git at every kind of our own servers that it supports, which has
/// a rule. They ask the issuer each time: nginx keeps its response for 10 seconds, and
/// has no repository that answers a valid token with a 401.
fn for_each_own_forge(test: impl Fn(&Forge<'_>)) {
    for git in gits() {
        let other = if speaks_bearer(&git) { BEARER } else { BASIC };
        for offers in [BOTH, other] {
            let forge = Forge::new(&git, offers);
            forge.allow();
            test(&forge);
        }
    }
}

/// An empty repository behind a gateway, and its user.
pub struct Forge<'a> {
    pub world: World,
    ca: Arc<Ca>,
    pub gateway: Gateway,
    offers: &'static [Scheme],
    git: &'a Path,
}

impl<'a> Forge<'a> {
    pub fn new(git: &'a Path, offers: &'static [Scheme]) -> Self {
        let (world, ca) = (World::new(), Arc::new(Ca::new()));
        let backend = backend(git.to_owned(), world.home.path().join("srv"));
        let gateway = Gateway::start(&ca, &world.issuer, offers, backend);
        let forge = Self::at(git, world, &ca, gateway, offers);
        stdout_of_success(forge.git(&["init", "--bare", "srv/app.git"]));
        forge
    }

    /// Creates a user of an existing repository.
    fn at(
        git: &'a Path,
        world: World,
        ca: &Arc<Ca>,
        gateway: Gateway,
        offers: &'static [Scheme],
    ) -> Self {
        let ca = Arc::clone(ca);
        let helper = world.home.link("git-credential-zitadel");
        let ca_file = world.home.write("ca.pem", ca.pem());
        world.home.write(
            GITCONFIG,
            format!(
                "[user]\nname = ci\nemail = ci@acme.dev\n\
                 [init]\ndefaultBranch = main\n\
                 [http]\nsslCAInfo = {}\n\
                 [credential \"https://{}\"]\nhelper = {}\n",
                ca_file.display(),
                gateway.host(),
                helper.display(),
            ),
        );
        Self {
            world,
            ca,
            gateway,
            offers,
            git,
        }
    }

    /// Adds the host rule.
    pub fn allow(&self) {
        self.world.allow(&self.gateway.host());
        self.world.home.append_config("username = \"ci\"\n");
    }

    pub fn git(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.home.command(self.git);
        command
            .args(arguments)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0");
        command
    }

    pub fn url(&self) -> String {
        format!("https://{}/app.git", self.gateway.host())
    }

    pub fn ls_remote(&self) -> Command {
        self.git(&["ls-remote", &self.url()])
    }

    /// Clones the repository, for a later `fetch`.
    fn clones(&self) {
        stdout_of_success(self.git(&["clone", &self.url(), "clone"]));
    }

    fn fetch(&self) -> Command {
        self.git(&["-C", "clone", "fetch"])
    }

    /// Adds to git's configuration.
    pub fn configure(&self, lines: &str) {
        let before = self.world.home.read(GITCONFIG);
        self.world.home.write(GITCONFIG, before + lines);
    }

    /// Configures the helper for every host.
    fn ask_for_all(&self) {
        self.configure(&format!("[credential]\nhelper = {}\n", self.helper()));
    }

    /// Returns the binary's name in git's configuration.
    fn helper(&self) -> String {
        let link = self.world.home.link("git-credential-zitadel");
        link.display().to_string()
    }

    pub fn pushes_and_clones(&self) {
        let url = self.url();
        for arguments in [
            ["init", "here"].as_slice(),
            &["-C", "here", "commit", "--allow-empty", "-m", "a change"],
            &["-C", "here", "push", &url, "main"],
            &["clone", &url, "there"],
        ] {
            stdout_of_success(self.git(arguments));
        }
        let log = self.git(&["-C", "there", "log", "--format=%s"]);
        assert_eq!(stdout_of_success(log), "a change\n");
    }

    /// Returns this git's best credentials for this server.
    fn best(&self) -> Shown {
        if self.offers == BEARER && speaks_bearer(self.git) {
            Shown::Bearer
        } else {
            Shown::Basic("ci".to_owned())
        }
    }
}

/// Runs `git http-backend` as a CGI program (RFC 3875), open to all but for
/// `forbidden.git`: the gateway checks the login.
pub fn backend(git: PathBuf, root: PathBuf) -> impl Fn(&Request) -> Response {
    move |request| {
        if request.path().starts_with("/forbidden.git") {
            return Response::text(401, "not yours\n")
                .with_header("WWW-Authenticate", "Basic realm=\"forbidden\"");
        }
        let header = |name| request.header(name).unwrap_or_default();
        let mut command = Command::new(&git);
        command
            .args(["-c", "http.receivepack=true", "http-backend"])
            .env_clear()
            .env("HOME", &root)
            .env("GIT_PROJECT_ROOT", &root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("GIT_PROTOCOL", header("git-protocol"))
            .env("REQUEST_METHOD", &request.method)
            .env("PATH_INFO", request.path())
            .env("QUERY_STRING", request.query().unwrap_or_default())
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", request.body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", header("content-encoding"));
        cgi_response(&output_of(command, &request.body).stdout)
    }
}

/// Parses the response of a CGI program.
fn cgi_response(written: &[u8]) -> Response {
    let end = written.windows(4).position(|at| at == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&written[..end]).unwrap();
    let mut response = Response::new(200);
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(": ").unwrap();
        if name == "Status" {
            response.status = value[..3].parse().unwrap();
        } else {
            response = response.with_header(name, value);
        }
    }
    response.body = written[end + 4..].to_vec();
    response
}

/// True if this git supports credentials other than username and password.
pub fn speaks_bearer(git: &Path) -> bool {
    is_at_least(git, (2, 46))
}

fn is_at_least(git: &Path, version: (u32, u32)) -> bool {
    let mut command = Command::new(git);
    command.arg("version");
    let said = stdout_of_success(command);
    let number = said.strip_prefix("git version ").unwrap();
    let mut parts = number.split('.').map(|part| part.parse().unwrap_or(0));
    let mut part = || -> u32 { parts.next().unwrap_or(0) };
    (part(), part()) >= version
}
