//! HAProxy in front of Apache with the real `git http-backend`.

mod keys;
mod status;

use std::fs::File;
use std::net::TcpStream;
use std::ops::{Deref, DerefMut};
use std::process::Command;

use super::apache::program;
use super::cast::{Cast, ORGANISATION, PROJECT};
use super::gate::{Gate, server};
use crate::program::{client, stdout_of_success};
use crate::support::ports::free_port;
use crate::support::{Running, until};

const LOG: &str = "/var/log/haproxy.log";
const KEYS: &str = "/etc/haproxy/zitadel";

/// An HAProxy with the files of `examples/servers`, and git behind it.
struct HaProxy<'a>(Gate<'a>);

impl<'a> Deref for HaProxy<'a> {
    type Target = Gate<'a>;

    fn deref(&self) -> &Gate<'a> {
        &self.0
    }
}

impl DerefMut for HaProxy<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'a> HaProxy<'a> {
    /// Starts HAProxy; `None` if a program is missing.
    fn start(cast: &'a Cast) -> Option<Self> {
        Self::start_changed(cast, |text| text)
    }

    /// Starts HAProxy as [`HaProxy::start`], with a change to the example.
    fn start_changed(cast: &'a Cast, change: impl FnOnce(String) -> String) -> Option<Self> {
        let haproxy = server("haproxy")?;
        let [port, behind] = [free_port(), free_port()];
        let own_port = format!("GIT_ADDRESS          127.0.0.1:{port}");
        let url = cast.issuer().url();
        let git = format!("127.0.0.1:{behind}");
        let all = [
            ("GIT_ADDRESS          :443", own_port.as_str()),
            ("https://acme.zitadel.cloud", &url),
            ("317240000000000001", PROJECT),
            ("311000000000000001", ORGANISATION),
            ("127.0.0.1:8080", &git),
        ];
        let gate = Gate::new(cast, port, &all)?;
        let config = gate.files.copy("haproxy/git.cfg", "/etc/haproxy/git.cfg");
        let text = cast.world.home.read(&config);
        cast.world.home.write(&config, change(text));
        let backend = "/etc/apache2/sites-available/git-backend.conf";
        gate.files.copy("haproxy/git-backend.conf", backend);
        gate.files.assert_all_replaced();
        gate.certificate("git");
        let pem = ["pem", "key"].map(|kind| {
            let file = gate.files.path(&format!("/etc/ssl/acme/git.{kind}"));
            cast.world.home.read(file)
        });
        gate.files.write("/etc/haproxy/git.pem", &pem.concat());
        gate.create_repository();
        let mut haproxy_gate = Self(gate);
        stdout_of_success(haproxy_gate.fetch_keys("true")?);
        program::start(&mut haproxy_gate.0, "haproxy/git-backend.conf", behind)?;
        // In Debian's configuration, the log is sent to syslog.
        let main = "global\n  log stdout format raw daemon\ndefaults\n  option dontlognull\n";
        let main = haproxy_gate.files.write("/etc/haproxy/haproxy.cfg", main);
        let mut command = Command::new(haproxy);
        command
            .args(["-W", "-db", "-f"])
            .arg(main)
            .arg("-f")
            .arg(config);
        let log = File::create(haproxy_gate.files.path(LOG)).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut running = Running::start_as_given(command);
        until("HAProxy listens", || {
            assert!(!running.is_over(), "HAProxy ended: {}", haproxy_gate.log());
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        haproxy_gate.keep(running);
        Some(haproxy_gate)
    }

    /// Returns the command `jwks2pem.py`, which runs this script if a key has changed.
    fn fetch_keys(&self, script: &str) -> Option<Command> {
        let python = client("python3")?;
        let example = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/examples/servers/haproxy/jwks2pem.py"
        );
        let home = &self.cast.world.home;
        let mut command = home.command(python);
        command
            .arg(example)
            .arg(self.cast.issuer().url())
            .arg(self.files.path(KEYS))
            .args(["sh", "-c", script])
            .env("SSL_CERT_FILE", home.path().join("ca.pem"));
        Some(command)
    }

    fn log(&self) -> String {
        self.cast.world.home.read(self.files.path(LOG))
    }

    /// Asserts that no log of HAProxy or of the server behind it contains a part of a
    /// token.
    fn assert_no_secret_written(&self) {
        let logged = self.log();
        assert!(
            logged.contains(" 200 ") && logged.contains(" 401 "),
            "{logged}"
        );
        self.assert_no_secret_below(&["/var", "/run", "/srv"]);
    }
}
