//! nginx with njs in front of the real `git http-backend`.

mod git;
mod sites;
mod status;

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use super::cast::{Cast, ORGANISATION, PROJECT};
use super::files::{Files, files_with};
use super::table::{Curl, Shown};
use crate::program::{client, missing};
use crate::support::{Running, until};

const MODULE: &str = "/usr/lib/nginx/modules/ngx_http_js_module.so";
const UPLOAD: &str = "/app.git/info/refs?service=git-upload-pack";
const RECEIVE: &str = "/app.git/git-receive-pack";

/// What nginx asks ZITADEL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    Introspection,
    Userinfo,
}

impl Asks {
    pub const BOTH: [Self; 2] = [Self::Introspection, Self::Userinfo];
}

/// An nginx with the files of `examples/servers`.
pub struct Nginx<'a> {
    pub cast: &'a Cast,
    pub files: Files<'a>,
    pub port: u16,
    curl: Curl,
    // They end before their files.
    running: Vec<Running>,
}

impl<'a> Nginx<'a> {
    /// Copies the gate's files; `None` where a program is missing. The site is still to come.
    pub fn new(cast: &'a Cast, asks: Asks, placeholders: &[(&str, &str)]) -> Option<Self> {
        let curl = Curl::new()?;
        let port = free_port();
        let host = cast.issuer_host();
        let issuer = format!("127.0.0.1:{}", cast.issuer().port());
        let listen = format!("listen 127.0.0.1:{port} ssl");
        let credentials = cast.application.credentials();
        let mut all = vec![
            ("acme.zitadel.cloud:443", issuer.as_str()),
            ("acme.zitadel.cloud", &host),
            ("317240000000000001", PROJECT),
            ("311000000000000001", ORGANISATION),
            ("listen 443 ssl", &listen),
        ];
        if asks == Asks::Introspection {
            all.push(("QkFTRTY0", &credentials));
        }
        all.extend(placeholders);
        let files = Files::new(&cast.world.home, &all);
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
        Some(Self {
            cast,
            files,
            port,
            curl,
            running: Vec::new(),
        })
    }

    /// With git behind it.
    pub fn with_git(cast: &'a Cast, asks: Asks) -> Option<Self> {
        let mut nginx = Self::with_git_files(cast, asks)?;
        nginx.start()?;
        Some(nginx)
    }

    /// The same, before nginx starts.
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

    /// Ends a server with this one.
    pub fn keep(&mut self, server: Running) {
        self.running.push(server);
    }

    /// The certificate and key of a site.
    pub fn certificate(&self, site: &str) {
        let certificate = self.cast.ca.server(&["localhost"], |_| {});
        self.files
            .write(&format!("/etc/ssl/acme/{site}.pem"), &certificate.pem());
        self.files
            .write(&format!("/etc/ssl/acme/{site}.key"), &certificate.key_pem());
    }

    /// Starts nginx, when all files are in their places.
    pub fn start(&mut self) -> Option<()> {
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
            "daemon off; user {user}; worker_processes 2; pid {pid};\n\
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
        self.running.push(running);
        Some(())
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
    fn read_with(&self, arguments: &[String], authorization: &str) -> u16 {
        self.ask_with("GET", &self.url(UPLOAD), Some(authorization), arguments)
    }

    fn ask_with(
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
    fn reads(&self, authorization: Option<&str>) -> u16 {
        self.ask("GET", UPLOAD, authorization, None)
    }

    /// The status of a push of nothing.
    fn writes(&self, authorization: Option<&str>) -> u16 {
        self.writes_to(RECEIVE, authorization)
    }

    fn writes_to(&self, path: &str, authorization: Option<&str>) -> u16 {
        let nothing = ("application/x-git-receive-pack-request", "0000");
        self.ask("POST", path, authorization, Some(nothing))
    }

    pub fn both(&self, shown: &Shown) -> (u16, u16) {
        let authorization = shown.authorization.as_deref();
        (self.reads(authorization), self.writes(authorization))
    }

    pub fn error_log(&self) -> String {
        let log = self.files.path("/var/log/nginx/error.log");
        fs::read_to_string(log).unwrap_or_default()
    }

    /// No log, cache or other file of nginx has anything of a token.
    pub fn assert_no_secret_written(&self, site: &str) {
        let log = self.files.path(&format!("/var/log/nginx/{site}.log"));
        let logged = fs::read_to_string(log).unwrap();
        assert!(
            logged.contains(" 200 ") && logged.contains(" 401 "),
            "{logged}"
        );
        let [mut logs, cache] = ["/var/log", "/var/lib/nginx"].map(|directory| {
            let secrets = self.cast.secrets();
            files_with(&self.files.path(directory), &secrets)
        });
        logs.extend(cache);
        assert_eq!(logs, Vec::<PathBuf>::new());
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
