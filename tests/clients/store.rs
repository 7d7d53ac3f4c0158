//! The shared cache in front of a real Redis and a real Valkey, with the configuration of
//! docs/fleet.md.

mod trouble;

use std::fs;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use predicates::str::contains;

use crate::program::{client, installed, output};
use crate::support::fleet::{Fleet, quiet_token};
use crate::support::ports::free_port;
use crate::support::{Ca, Home, Running, side_by_side, until};

const PAGE: &str = include_str!("../../docs/fleet.md");

const PASSWORD: &str = "a-password-of-the-store";

/// Returns the installed programs, all of which are tested.
fn programs() -> Vec<PathBuf> {
    let valkey = installed("valkey-server", "valkey/valkey-server");
    client("redis-server").into_iter().chain(valkey).collect()
}

/// Returns the configuration of the page.
fn page_config() -> &'static str {
    let start = PAGE.find("```\nport 0\n").unwrap() + 4;
    PAGE[start..].split("```").next().unwrap()
}

/// Returns a fleet whose store has this port.
fn fleet_at(port: u16) -> Fleet {
    Fleet::new(&format!("rediss://localhost:{port}"))
}

/// A running server.
struct Server {
    program: PathBuf,
    home: Home,
    port: u16,
    running: Option<Running>,
    ca: Ca,
}

impl Server {
    /// Starts a server with the page's configuration, and these lines after it.
    fn start(program: &Path, lines: &str) -> Self {
        let (home, port, ca) = (Home::new(), free_port(), Ca::new());
        let certificate = ca.server(&["localhost"], |_| ());
        let page = page_config()
            .replace("tls-port 6379", &format!("tls-port {port}"))
            .replace("/etc/redis", home.path().to_str().unwrap())
            .replace("PASSWORD", PASSWORD);
        home.write("redis.crt", certificate.pem());
        home.write("redis.key", certificate.key_pem());
        home.write("ca.pem", ca.pem());
        home.write("password", PASSWORD);
        home.write("redis.conf", format!("{page}bind 127.0.0.1\n{lines}"));
        let mut server = Self {
            program: program.to_owned(),
            home,
            port,
            running: None,
            ca,
        };
        server.run();
        server
    }

    fn run(&mut self) {
        let mut command = self.home.command(&self.program);
        // The program's name selects a server or another tool.
        command
            .arg0("redis-server")
            .arg(self.home.path().join("redis.conf"));
        self.running = Some(Running::start(command));
        let port = self.port;
        until("the store", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
    }

    fn stop(&mut self) {
        self.running = None;
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    fn fleet(&self) -> Fleet {
        fleet_at(self.port)
    }

    /// Returns the lines of a machine's table.
    fn login(&self) -> String {
        let file = |name| self.home.path().join(name).display().to_string();
        format!(
            "username = \"zc\"\npassword-file = \"{}\"\nca-file = \"{}\"\n",
            file("password"),
            file("ca.pem")
        )
    }

    fn machine(&self, fleet: &Fleet) -> Home {
        fleet.machine_with(&self.login())
    }
}

#[test]
fn the_documented_server_and_acl_suffice() {
    side_by_side(programs(), |program| {
        let server = Server::start(&program, "");
        let fleet = server.fleet();
        let first = quiet_token(&server.machine(&fleet));
        assert_eq!(quiet_token(&server.machine(&fleet)), first);
        assert_eq!(fleet.issuer.token_requests(), 1);
        let home = server.machine(&fleet);
        let doctor = home.zitadel(["doctor"]).assert();
        let text = String::from_utf8(doctor.get_output().stdout.clone()).unwrap();
        for found in [
            "connected, TLS",
            "user zc, answers in",
            "get, mget, set and del are allowed",
            "a token of this profile, valid until",
        ] {
            assert!(text.contains(found), "{text}");
        }
    });
}

#[test]
fn a_herd_of_processes_mints_once() {
    side_by_side(programs(), |program| {
        let server = Server::start(&program, "");
        let fleet = server.fleet();
        let machines: Vec<_> = (0..20).map(|_| server.machine(&fleet)).collect();
        let start = |home: &Home| {
            let mut command = home.command(crate::support::binary());
            command.arg("token");
            Running::start(command)
        };
        let running: Vec<_> = machines.iter().map(start).collect();
        for one in running {
            let output = one.output();
            assert!(output.status.success(), "{output:?}");
        }
        assert_eq!(fleet.issuer.token_requests(), 1);
    });
}

#[test]
fn a_socket_file_needs_no_tls() {
    side_by_side(programs(), |program| {
        let home = Home::new();
        let socket = home.path().join("redis.sock");
        let lines = format!("unixsocket {}\nunixsocketperm 700\n", socket.display());
        let server = Server::start(&program, &lines);
        let fleet = Fleet::new(&format!("unix:{}", socket.display()));
        let first = quiet_token(&server.machine(&fleet));
        assert_eq!(quiet_token(&server.machine(&fleet)), first);
        assert_eq!(fleet.issuer.token_requests(), 1);
    });
}

#[test]
fn a_certificate_of_another_authority_is_refused() {
    side_by_side(programs(), |program| {
        let server = Server::start(&program, "");
        let fleet = server.fleet();
        let home = fleet.machine_with(&server.login());
        fs::write(server.home.path().join("ca.pem"), Ca::new().pem()).unwrap();
        let assert = home.zitadel(["token"]).assert().success();
        assert.stderr(contains("the certificate of localhost"));
        fs::write(server.home.path().join("ca.pem"), server.ca.pem()).unwrap();
    });
}

/// The server's own client lists its keys.
#[test]
fn a_dump_of_the_server_holds_no_secret() {
    let Some(program) = client("redis-server") else {
        return;
    };
    let server = Server::start(&program, "user admin on >admin ~* +@all\n");
    let fleet = server.fleet();
    let token = quiet_token(&server.machine(&fleet));
    let mut command = Command::new("redis-cli");
    command.args([
        "--tls",
        "--no-auth-warning",
        "--user",
        "admin",
        "--pass",
        "admin",
    ]);
    command.args([
        "-h",
        "localhost",
        "-p",
        &server.port.to_string(),
        "--cacert",
    ]);
    command.arg(server.home.path().join("ca.pem"));
    command
        .args(["--rdb", "dump.rdb"])
        .current_dir(server.home.path());
    assert!(output(command).status.success());
    let dump = fs::read(server.home.path().join("dump.rdb")).unwrap();
    let has = |text: &str| dump.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("zc1:{"));
    let (user, issuer) = (&fleet.user, fleet.issuer.url());
    for secret in [token.trim(), &user.key_id, &user.user_id, "openid", &issuer] {
        assert!(!has(secret), "{secret}");
    }
}
