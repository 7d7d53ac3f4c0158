//! Apache with Debian's own configuration, in a directory in place of `/`.

use std::fs::File;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::program::{missing, output, stdout_of_success};
use crate::servers::files::example_text;
use crate::servers::gate::{Gate, server};
use crate::support::machine::is_root_or_skipped;
use crate::support::{Running, until};

const ETC: &str = "/etc/apache2";
const LOGS: &str = "/var/log/apache2";

/// The modules that Debian's package enables.
const USUAL: [&str; 18] = [
    "access_compat",
    "alias",
    "auth_basic",
    "authn_core",
    "authn_file",
    "authz_core",
    "authz_host",
    "authz_user",
    "autoindex",
    "deflate",
    "dir",
    "env",
    "filter",
    "mime",
    "mpm_event",
    "negotiation",
    "reqtimeout",
    "setenvif",
];

/// Replaces the system's trusted authorities by the file of its first argument.
const TRUST: &str =
    "mount --bind \"$1\" /etc/ssl/certs/ca-certificates.crt && shift && exec \"$@\"";

/// Starts Apache with an example, by its own instructions. `None` if a program is
/// missing, or without root: only root sets the trusted authorities and Apache's user.
pub fn start(gate: &mut Gate<'_>, example: &str, port: u16) -> Option<()> {
    let apache = server("apache2")?;
    server("a2enmod")?;
    if !is_root_or_skipped() {
        return None;
    }
    for module in ["oauth2", "auth_openidc"] {
        if example_text(example).contains(&format!(" {module} && a2ensite"))
            && !Path::new(ETC)
                .join(format!("mods-available/{module}.load"))
                .exists()
        {
            missing(&format!("libapache2-mod-{}", module.replace('_', "-")));
            return None;
        }
    }
    take_debians_configuration(gate);
    enable(gate, example);
    let authority = gate
        .files
        .write("/etc/ssl/acme/zitadel-ca.pem", &gate.cast.ca.pem());
    give_to_www_data(gate);
    let mut command = with_environment(gate, "unshare");
    command
        .args(["--mount", "sh", "-c", TRUST, "sh"])
        .arg(authority)
        .arg(apache)
        .args(["-D", "FOREGROUND", "-d"])
        .arg(gate.files.path(ETC));
    // The file gets the messages before Apache opens its log.
    let said = File::create(gate.files.path(LOGS).join("start.log")).unwrap();
    command.stdout(said.try_clone().unwrap()).stderr(said);
    let mut running = Running::start_as_given(command);
    until("Apache listens", || {
        assert!(!running.is_over(), "Apache ended: {}", error_log(gate));
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    gate.keep(running);
    Some(())
}

pub fn error_log(gate: &Gate<'_>) -> String {
    ["start", "error"]
        .map(|name| {
            let log = gate.files.path(LOGS).join(format!("{name}.log"));
            std::fs::read_to_string(log).unwrap_or_default()
        })
        .concat()
}

fn take_debians_configuration(gate: &Gate<'_>) {
    let etc = gate.files.directory(ETC);
    for directory in ["mods-enabled", "sites-enabled"] {
        gate.files.directory(&format!("{ETC}/{directory}"));
    }
    for directory in ["/run/apache2/socks", "/var/lib/apache2", LOGS] {
        gate.files.directory(directory);
    }
    let mut copy = Command::new("cp");
    copy.arg("-r");
    copy.args(["apache2.conf", "mods-available"].map(|name| Path::new(ETC).join(name)));
    copy.arg(etc);
    assert!(output(copy).status.success());
    // The test's own lines set the port.
    gate.files.write(&format!("{ETC}/ports.conf"), "");
    gate.files.write(&format!("{ETC}/envvars"), "");
    let mut enable = with_environment(gate, "a2enmod");
    enable.arg("--quiet").args(USUAL);
    stdout_of_success(enable);
}

/// Runs the commands in the example.
fn enable(gate: &Gate<'_>, example: &str) {
    let text = example_text(example);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("#     a2enmod "));
    let line = format!("a2enmod {}", line.unwrap());
    let mut shell = with_environment(gate, "sh");
    shell.args(["-c", &line]);
    stdout_of_success(shell);
}

fn with_environment(gate: &Gate<'_>, program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env("APACHE_CONFDIR", gate.files.path(ETC))
        .env(
            "APACHE_STATE_DIRECTORY",
            gate.files.path("/var/lib/apache2"),
        )
        .env("APACHE_RUN_DIR", gate.files.path("/run/apache2"))
        .env(
            "APACHE_PID_FILE",
            gate.files.path("/run/apache2/apache2.pid"),
        )
        .env("APACHE_LOG_DIR", gate.files.path(LOGS))
        .env("APACHE_RUN_USER", "www-data")
        .env("APACHE_RUN_GROUP", "www-data");
    command
}

/// Gives the repositories to Apache's user, who must have access to them and to the
/// certificates.
fn give_to_www_data(gate: &Gate<'_>) {
    let home = gate.cast.world.home.path();
    let path = |absolute: &str| gate.files.path(absolute);
    for (program, flags, paths) in [
        (
            "chmod",
            "a+X",
            vec![home.to_owned(), path("/"), path("/etc"), path("/etc/ssl")],
        ),
        (
            "chmod",
            "-R a+rX",
            vec![path("/etc/ssl/acme"), path("/run")],
        ),
        (
            "chown",
            "-R www-data:",
            vec![path("/srv"), path("/run/apache2/socks")],
        ),
    ] {
        let mut command = Command::new(program);
        command.args(flags.split(' ')).args(paths);
        assert!(output(command).status.success(), "{program} {flags}");
    }
}
