//! The common parts of the gates: files, a port, programs, and requests by curl.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::cast::{Cast, PROJECT, Who, basic};
use super::files::{Files, files_with};
use super::table::{Curl, Shown};
use crate::program::{client, stdout_of_success};
use crate::support::Running;
use crate::support::TokenKind::Jwt;

pub const UPLOAD: &str = "/app.git/info/refs?service=git-upload-pack";
pub const RECEIVE: &str = "/app.git/git-receive-pack";

/// Other paths of a push.
const SPELLINGS: [&str; 8] = [
    RECEIVE,
    "/app.git/git%2Dreceive-pack",
    "/app.git/git-receive%2dpack",
    "/app.git//git-receive-pack",
    "/app.git/./git-receive-pack",
    "/app.git/x/../git-receive-pack",
    "/app.git/git-receive-pack?service=git-upload-pack",
    "/app.git/%67it-receive-pack?",
];

/// Paths that some servers may accept as a push, and others not.
const ODD_SPELLINGS: [&str; 9] = [
    "/app.git/git-receive-pack/",
    "/app.git/git-receive-pack%00",
    "/app.git/git-receive-pack#/git-upload-pack",
    "/app.git/git-receive-pack#?/git-upload-pack",
    "/app.git/git-receive-pack%23/git-upload-pack",
    "/app.git/git-receive-pack%3F/git-upload-pack",
    "/app.git/git-receive-pack;/git-upload-pack",
    "/app.git/git-receive-pack%00/git-upload-pack",
    "/app.git/git-upload-pack/../git-receive-pack?/git-upload-pack",
];

/// Queries that git http-backend may accept as the first request of a push.
const ANNOUNCEMENTS: [&str; 7] = [
    "service=git-receive-pack",
    "service=git%2Dreceive-pack",
    "service=git-rec%65ive-pack",
    "s%65rvice=git-receive-pack",
    "service=git-upload-pack&service=git-receive-pack",
    "service=&service=git-receive-pack",
    "x&service=git-receive-pack",
];

/// A server at a separate port that requires a token.
pub struct Gate<'a> {
    pub cast: &'a Cast,
    pub files: Files<'a>,
    pub port: u16,
    curl: Curl,
    // Dropped before their files.
    running: Vec<Running>,
}

impl<'a> Gate<'a> {
    /// Creates a gate; `None` without curl. The placeholders already contain the port.
    pub fn new(cast: &'a Cast, port: u16, placeholders: &[(&str, &str)]) -> Option<Self> {
        Some(Self {
            cast,
            files: Files::new(&cast.world.home, placeholders),
            port,
            curl: Curl::new()?,
            running: Vec::new(),
        })
    }

    /// Stops a server together with this one.
    pub fn keep(&mut self, server: Running) {
        self.running.push(server);
    }

    /// Writes the certificate and key of a site.
    pub fn certificate(&self, site: &str) {
        let certificate = self.cast.ca.server(&["localhost", "127.0.0.1"], |_| {});
        self.files
            .write(&format!("/etc/ssl/acme/{site}.pem"), &certificate.pem());
        self.files
            .write(&format!("/etc/ssl/acme/{site}.key"), &certificate.key_pem());
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// Returns the status of a request, and checks the challenge of a 401.
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        body: Option<(&str, &str)>,
    ) -> u16 {
        let url = self.url(path);
        let mut arguments = Vec::new();
        if let Some((content_type, body)) = body {
            arguments.push("--header".to_owned());
            arguments.push(format!("Content-Type: {content_type}"));
            arguments.push("--data-binary".to_owned());
            arguments.push(body.to_owned());
        }
        self.ask_with(method, &url, authorization, &arguments)
    }

    /// Returns the status of git's first request, with these arguments of curl.
    pub fn read_with(&self, arguments: &[String], authorization: &str) -> u16 {
        self.ask_with("GET", &self.url(UPLOAD), Some(authorization), arguments)
    }

    pub fn ask_with(
        &self,
        method: &str,
        url: &str,
        authorization: Option<&str>,
        arguments: &[String],
    ) -> u16 {
        let (status, challenges) = self
            .curl
            .ask(self.cast, method, url, authorization, arguments);
        let is_right = match challenges.as_slice() {
            [] => status != 401,
            // If Bearer is offered too, git 2.46 and later fail at a large push.
            [basic, others @ ..] => {
                let may_be_others = others.is_empty() || authorization.is_some();
                status == 401 && basic.starts_with("Basic ") && may_be_others
            }
        };
        assert!(is_right, "{status} {challenges:?}");
        status
    }

    /// Returns the status of git's first request.
    pub fn reads(&self, authorization: Option<&str>) -> u16 {
        self.ask("GET", UPLOAD, authorization, None)
    }

    /// Returns the status of an empty push.
    pub fn writes(&self, authorization: Option<&str>) -> u16 {
        self.writes_to(RECEIVE, authorization)
    }

    pub fn writes_to(&self, path: &str, authorization: Option<&str>) -> u16 {
        let nothing = ("application/x-git-receive-pack-request", "0000");
        self.ask("POST", path, authorization, Some(nothing))
    }

    pub fn both(&self, shown: &Shown) -> (u16, u16) {
        let authorization = shown.authorization.as_deref();
        (self.reads(authorization), self.writes(authorization))
    }

    /// Creates an empty repository, whose hook writes down its environment.
    pub fn create_repository(&self) {
        let root = self.files.path("/srv/git/app.git");
        let mut git = self.cast.world.home.command("git");
        git.args(["init", "--quiet", "--bare", "--initial-branch=main"])
            .arg(&root);
        stdout_of_success(git);
        let hook = "#!/bin/sh\nenv >environment\n";
        let hook = self
            .cast
            .world
            .home
            .write(root.join("hooks/post-receive"), hook);
        set_permissions(hook, Permissions::from_mode(0o700)).unwrap();
    }

    /// Asserts that no file below these directories contains a part of a token.
    pub fn assert_no_secret_below(&self, directories: &[&str]) {
        let secrets = self.cast.secrets();
        let found = directories
            .iter()
            .flat_map(|directory| files_with(&self.files.path(directory), &secrets));
        assert_eq!(found.collect::<Vec<_>>(), Vec::<PathBuf>::new());
    }

    /// Asserts that no other spelling of the path lets a viewer push.
    pub fn assert_viewers_cannot_push(&self) {
        let [viewer, deployer] =
            [Who::Viewer, Who::Deployer].map(|who| format!("Bearer {}", self.cast.token(who, Jwt)));
        for path in SPELLINGS {
            assert_eq!(self.writes_to(path, Some(&deployer)), 200, "{path}");
            assert_eq!(self.writes_to(path, Some(&viewer)), 403, "{path}");
        }
        for path in ODD_SPELLINGS {
            // The path is sent unchanged: curl would remove the part after "#".
            let kind = "Content-Type: application/x-git-receive-pack-request";
            let target = ["--request-target", path, "--header", kind, "--data", "0000"];
            let target = target.map(str::to_owned);
            let status = self.ask_with("POST", &self.url("/"), Some(&viewer), &target);
            assert_ne!(status, 200, "{path}");
        }
        for query in ANNOUNCEMENTS {
            let announced = format!("/app.git/info/refs?{query}");
            for method in ["GET", "HEAD"] {
                let head = ["--head"].map(str::to_owned);
                let arguments: &[String] = if method == "HEAD" { &head } else { &[] };
                let url = self.url(&announced);
                let status = |who: &str| self.ask_with(method, &url, Some(who), arguments);
                assert_eq!(status(&viewer), 403, "{method} {query}");
                assert_eq!(status(&deployer), 200, "{method} {query}");
            }
        }
        let first = "/app.git/info/refs";
        for path in [first, "/app.git/info/refs?", UPLOAD, "/app.git/HEAD"] {
            assert_eq!(self.ask("GET", path, Some(&viewer), None), 200, "{path}");
        }
    }

    /// Asserts that a large token is accepted, with Bearer and with Basic.
    pub fn assert_many_roles_pass(&self) {
        let user = &self.cast.user(Who::Deployer).user_id;
        for number in 0..150 {
            let role = format!("a-role-with-a-name-of-some-length-{number}");
            self.cast.issuer().add_role(user, PROJECT, &role);
        }
        let token = self.cast.token(Who::Deployer, Jwt);
        assert!(token.len() > 15_000, "{}", token.len());
        assert_eq!(self.reads(Some(&format!("Bearer {token}"))), 200);
        let basic = basic("ci", &token);
        assert_eq!(self.reads(Some(&format!("Basic {basic}"))), 200);
    }

    /// Returns the process ID of the latest server.
    pub fn process(&self) -> u32 {
        self.running.last().unwrap().id()
    }

    /// Makes the latest server reload its files.
    pub fn reload(&self) {
        self.running.last().unwrap().signal(Signal::HUP);
    }
}

/// Returns the path of a server's program, which is often in a directory for root.
pub fn server(name: &str) -> Option<PathBuf> {
    let program = Path::new("/usr/sbin").join(name);
    if program.is_file() {
        return Some(program);
    }
    client(name)
}
