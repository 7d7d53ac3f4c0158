//! Apache's program: its main configuration, and who it runs as.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use rustix::process::geteuid;

use crate::program::{missing, stdout_of_success};
use crate::servers::gate::{Gate, server};
use crate::support::Running;

pub static MODULES: LazyLock<PathBuf> = LazyLock::new(|| "/usr/lib/apache2/modules".into());

/// Has the system's certificates be those of one file, for a module without a setting.
const TRUST: &str =
    "mount --bind \"$1\" /etc/ssl/certs/ca-certificates.crt && shift && exec \"$@\"";

pub struct Program(PathBuf);

impl Program {
    /// Returns `None` where it is missing, or without root, who alone can choose the
    /// authority that a module trusts.
    pub fn find() -> Option<Self> {
        let program = server("apache2")?;
        if !geteuid().is_root() {
            missing("root, for a mount");
            return None;
        }
        Some(Self(program))
    }

    /// Starts it with these modules besides those that git needs, and more lines. It trusts
    /// this authority, and no other.
    pub fn start(
        &self,
        gate: &Gate<'_>,
        name: &str,
        modules: &[&str],
        lines: &str,
        authority: &Path,
    ) -> Running {
        let path = |absolute: &str| gate.files.path(absolute).display().to_string();
        for directory in [
            "/run/apache2",
            "/var/log/apache2",
            "/srv/git",
            "/etc/ssl/acme",
        ] {
            gate.files.directory(directory);
        }
        let usual = [
            "mpm_event",
            "authz_core",
            "alias",
            "env",
            "setenvif",
            "cgid",
        ];
        let modules: Vec<_> = usual
            .iter()
            .chain(modules)
            .map(|module| {
                let file = MODULES.join(format!("mod_{module}.so"));
                format!("LoadModule {module}_module {}\n", file.display())
            })
            .collect();
        let main = format!(
            "ServerRoot {root}\nServerName localhost\nPidFile {run}/{name}.pid\n\
             DefaultRuntimeDir {run}\nErrorLog {log}/error.log\n\
             User www-data\nGroup www-data\n{modules}ScriptSock {run}/{name}.sock\n{lines}",
            root = path("/etc/apache2"),
            run = path("/run/apache2"),
            log = path("/var/log/apache2"),
            modules = modules.concat(),
        );
        let main = gate
            .files
            .write(&format!("/etc/apache2/{name}-main.conf"), &main);
        give_to_www_data(gate, authority);
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", TRUST, "sh"])
            .arg(authority)
            .arg(&self.0)
            .args(["-D", "FOREGROUND", "-f"])
            .arg(main);
        // What it says before it has a log of its own.
        let said = File::create(gate.files.path("/var/log/apache2/start.log")).unwrap();
        command.stdout(said.try_clone().unwrap()).stderr(said);
        Running::start_as_given(command)
    }
}

/// Git's repositories belong to Apache's user, who must get to them, and read a certificate.
fn give_to_www_data(gate: &Gate<'_>, certificate: &Path) {
    let place = |absolute: &str| gate.files.path(absolute).display().to_string();
    let home = gate.cast.world.home.path();
    let commands = format!(
        "chmod 711 {home} {home}/system {etc} {etc}/ssl {etc}/ssl/acme\n\
         chmod -R a+rX {run} {certificate}\n\
         chown -R www-data: {srv}\n",
        home = home.display(),
        etc = place("/etc"),
        run = place("/run"),
        srv = place("/srv"),
        certificate = certificate.display(),
    );
    let mut command = Command::new("sh");
    command.args(["-euc", &commands]);
    stdout_of_success(command);
}
