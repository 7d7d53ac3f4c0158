//! What the gates have in common: files, a port, programs, and what curl hears from them.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::cast::Cast;
use super::files::{Files, files_with};
use super::table::{Curl, Shown};
use crate::program::{client, stdout_of_success};
use crate::support::Running;

pub const UPLOAD: &str = "/app.git/info/refs?service=git-upload-pack";
pub const RECEIVE: &str = "/app.git/git-receive-pack";

/// A server on a port of its own that asks for a token.
pub struct Gate<'a> {
    pub cast: &'a Cast,
    pub files: Files<'a>,
    pub port: u16,
    curl: Curl,
    // They end before their files.
    running: Vec<Running>,
}

impl<'a> Gate<'a> {
    /// `None` where curl is missing. The port is in the placeholders already.
    pub fn new(cast: &'a Cast, port: u16, placeholders: &[(&str, &str)]) -> Option<Self> {
        Some(Self {
            cast,
            files: Files::new(&cast.world.home, placeholders),
            port,
            curl: Curl::new()?,
            running: Vec::new(),
        })
    }

    /// Ends a server with this one.
    pub fn keep(&mut self, server: Running) {
        self.running.push(server);
    }

    /// The certificate and key of a site.
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

    /// Returns the status of a request, and holds a 401 to its challenge.
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

    /// The status of git's first request, with more of curl's arguments.
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
        let (status, challenge) = self
            .curl
            .ask(self.cast, method, url, authorization, arguments);
        let asks_for_basic = challenge.starts_with("Basic ");
        assert_eq!(asks_for_basic, status == 401, "{status} {challenge:?}");
        status
    }

    /// The status of git's first request.
    pub fn reads(&self, authorization: Option<&str>) -> u16 {
        self.ask("GET", UPLOAD, authorization, None)
    }

    /// The status of a push of nothing.
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

    /// An empty repository, whose hook writes down its environment.
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

    /// No file below these directories has anything of a token.
    pub fn assert_no_secret_below(&self, directories: &[&str]) {
        let secrets = self.cast.secrets();
        let found = directories
            .iter()
            .flat_map(|directory| files_with(&self.files.path(directory), &secrets));
        assert_eq!(found.collect::<Vec<_>>(), Vec::<PathBuf>::new());
    }

    /// Tells the server that was started last to read its files again.
    pub fn reload(&self) {
        self.running.last().unwrap().signal(Signal::HUP);
    }
}

/// A server's program, which is often in a directory of root's.
pub fn server(name: &str) -> Option<PathBuf> {
    let program = Path::new("/usr/sbin").join(name);
    if program.is_file() {
        return Some(program);
    }
    client(name)
}

/// A port on loopback that was free a moment ago.
pub fn free_port() -> u16 {
    crate::support::http::listen().local_addr().unwrap().port()
}
