//! nginx with njs in front of the real `git http-backend`.

mod git;
mod sites;
mod status;
mod tools;

use std::fs;
use std::net::TcpStream;
use std::ops::{Deref, DerefMut};
use std::path::Path;

use super::cast::{Cast, ORGANISATION, PROJECT};
use super::gate::{Gate, server};
use crate::gateway::Gateway;
use crate::program::missing;
use crate::support::ports::free_port;
use crate::support::{Running, until};

const MODULE: &str = "/usr/lib/nginx/modules/ngx_http_js_module.so";

/// nginx's request to ZITADEL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    Introspection,
    Userinfo,
}

impl Asks {
    pub const BOTH: [Self; 2] = [Self::Introspection, Self::Userinfo];
}

/// An nginx with the files of `examples/servers`.
pub struct Nginx<'a>(Gate<'a>);

impl<'a> Deref for Nginx<'a> {
    type Target = Gate<'a>;

    fn deref(&self) -> &Gate<'a> {
        &self.0
    }
}

impl DerefMut for Nginx<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'a> Nginx<'a> {
    /// Copies the gate's files, without a site; `None` if a program is missing.
    pub fn new(cast: &'a Cast, asks: Asks, placeholders: &[(&str, &str)]) -> Option<Self> {
        let port = free_port();
        let listen = format!("listen 127.0.0.1:{port} ssl");
        let listens = ("listen 443 ssl", listen.as_str());
        let placeholders = [placeholders, &[listens]].concat();
        Self::listening(cast, asks, port, &placeholders)
    }

    /// Copies the gate's files as [`Nginx::new`], for a site that listens on this port.
    pub fn listening(
        cast: &'a Cast,
        asks: Asks,
        port: u16,
        placeholders: &[(&str, &str)],
    ) -> Option<Self> {
        let host = cast.issuer_host();
        let issuer = format!("127.0.0.1:{}", cast.issuer().port());
        let credentials = cast.application.credentials();
        let mut all = vec![
            ("acme.zitadel.cloud:443", issuer.as_str()),
            ("acme.zitadel.cloud", &host),
            ("317240000000000001", PROJECT),
            ("311000000000000001", ORGANISATION),
        ];
        if asks == Asks::Introspection {
            all.push(("QkFTRTY0", &credentials));
        }
        all.extend(placeholders);
        let gate = Gate::new(cast, port, &all)?;
        let files = &gate.files;
        let folder = match asks {
            Asks::Introspection => "nginx",
            Asks::Userinfo => "nginx-userinfo",
        };
        files.copy(
            &format!("{folder}/zitadel.conf"),
            "/etc/nginx/conf.d/zitadel.conf",
        );
        files.copy(
            &format!("{folder}/gate.conf"),
            "/etc/nginx/zitadel/gate.conf",
        );
        files.copy("nginx/zitadel.js", "/etc/nginx/zitadel/zitadel.js");
        if asks == Asks::Introspection {
            files.copy("nginx/secret.conf", "/etc/nginx/zitadel/secret.conf");
        }
        files.write("/etc/ssl/certs/ca-certificates.crt", &cast.ca.pem());
        Some(Self(gate))
    }

    /// Starts nginx with git behind it.
    pub fn with_git(cast: &'a Cast, asks: Asks) -> Option<Self> {
        let mut nginx = Self::with_git_files(cast, asks)?;
        nginx.start()?;
        Some(nginx)
    }

    /// Writes the files for git, before nginx starts.
    fn with_git_files(cast: &'a Cast, asks: Asks) -> Option<Self> {
        let fcgiwrap = server("fcgiwrap")?;
        let mut nginx = Self::new(cast, asks, &[("git.acme.dev", "localhost")])?;
        nginx
            .files
            .copy("nginx/git.conf", "/etc/nginx/sites-enabled/git.conf");
        nginx.files.copy(
            "nginx/git-backend.conf",
            "/etc/nginx/zitadel/git-backend.conf",
        );
        nginx.certificate("git");
        nginx.files.directory("/srv/git");
        let socket = nginx.files.directory("/run").join("fcgiwrap.socket");
        let mut command = cast.world.home.command(fcgiwrap);
        command
            .args(["-c", "2", "-s"])
            .arg(format!("unix:{}", socket.display()));
        nginx.keep(Running::start(command));
        until("fcgiwrap listens", || socket.exists());
        Some(nginx)
    }

    /// Starts nginx with git behind it, and records the credentials of each request.
    pub fn with_git_watched(cast: &'a Cast) -> Option<(Self, Gateway)> {
        let mut nginx = Self::with_git_files(cast, Asks::Introspection)?;
        let gateway = nginx.start_watched("git")?;
        nginx.create_repository();
        Some((nginx, gateway))
    }

    /// Starts nginx, when all files are in place.
    pub fn start(&mut self) -> Option<()> {
        self.start_with(2)
    }

    /// Starts an nginx that writes the credentials of each request to a file of the test.
    pub fn start_watched(&mut self, site: &str) -> Option<Gateway> {
        let files = &self.files;
        let log = files.directory("/srv/seen").join("requests");
        let own = format!("access_log {} seen;", log.display());
        let format = "log_format seen '$request_uri $status $http_authorization';\n";
        files.write("/etc/nginx/conf.d/seen.conf", format);
        let site = format!("/etc/nginx/sites-enabled/{site}.conf");
        let text = fs::read_to_string(files.path(&site)).unwrap();
        let watched = text.replacen("access_log ", &format!("{own}\n    access_log "), 1);
        assert!(watched.contains(&own), "{text}");
        files.write(&site, &watched);
        // With one process, the lines have the order of the requests.
        self.start_with(1)?;
        Some(Gateway::logged(self.port, log, &self.cast.ca))
    }

    fn start_with(&mut self, processes: u8) -> Option<()> {
        let nginx = server("nginx")?;
        if !Path::new(MODULE).exists() {
            missing("libnginx-mod-http-js");
            return None;
        }
        self.files.assert_all_replaced();
        for directory in ["/run", "/var/log/nginx", "/var/lib/nginx"] {
            self.files.directory(directory);
        }
        let path = |absolute: &str| self.files.path(absolute).display().to_string();
        let temporary: Vec<_> = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| {
                format!(
                    "{kind}_temp_path {};",
                    path(&format!("/var/lib/nginx/{kind}"))
                )
            })
            .collect();
        let main = format!(
            "daemon off; user {user}; worker_processes {processes}; pid {pid};\n\
             load_module {MODULE};\n\
             error_log {log} info;\n\
             events {{}}\n\
             http {{\n{temporary}\ninclude {conf}/conf.d/*.conf;\ninclude {conf}/sites-enabled/*;\n}}\n",
            user = if rustix::process::geteuid().is_root() {
                "root"
            } else {
                "nobody"
            },
            pid = path("/run/nginx.pid"),
            log = path("/var/log/nginx/error.log"),
            temporary = temporary.join("\n"),
            conf = path("/etc/nginx"),
        );
        let main = self.files.write("/etc/nginx/nginx.conf", &main);
        let mut command = self.cast.world.home.command(nginx);
        command.arg("-c").arg(main).arg("-e");
        command.arg(self.files.path("/var/log/nginx/error.log"));
        let mut running = Running::start(command);
        until("nginx listens", || {
            assert!(!running.is_over(), "nginx ended: {}", self.error_log());
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
        self.keep(running);
        Some(())
    }

    pub fn error_log(&self) -> String {
        let log = self.files.path("/var/log/nginx/error.log");
        fs::read_to_string(log).unwrap_or_default()
    }

    /// Asserts that no log, cache or other file of nginx contains a part of a token.
    pub fn assert_no_secret_written(&self, site: &str) {
        let log = self.files.path(&format!("/var/log/nginx/{site}.log"));
        let logged = fs::read_to_string(log).unwrap();
        assert!(
            logged.contains(" 200 ") && logged.contains(" 401 "),
            "{logged}"
        );
        self.assert_no_secret_below(&["/var/log", "/var/lib/nginx"]);
    }
}
