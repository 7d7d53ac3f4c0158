//! Apache with `mod_oauth2` or `mod_auth_openidc` in front of the real `git http-backend`.

pub mod program;
mod status;

use std::net::TcpStream;
use std::ops::Deref;

use program::{MODULES, Program};

use super::cast::{Cast, DOMAIN, ORGANISATION, PROJECT};
use super::gate::{Gate, free_port};
use crate::program::missing;
use crate::support::until;

/// What Apache asks ZITADEL, and by which module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    /// `mod_oauth2`, about each token.
    Introspection,
    /// `mod_oauth2`, for its keys.
    Keys,
    /// `mod_auth_openidc`, about each token.
    OpenIdc,
}

impl Asks {
    const fn example(self) -> &'static str {
        match self {
            Self::Introspection => "apache-oauth2/git.conf",
            Self::Keys => "apache-oauth2/git-jwt.conf",
            Self::OpenIdc => "apache-openidc/git.conf",
        }
    }

    /// The module's name and Debian's package.
    const fn module(self) -> [&'static str; 2] {
        match self {
            Self::Introspection | Self::Keys => ["oauth2", "libapache2-mod-oauth2"],
            Self::OpenIdc => ["auth_openidc", "libapache2-mod-auth-openidc"],
        }
    }
}

/// An Apache with the files of `examples/servers`, and git behind it.
struct Apache<'a>(Gate<'a>);

impl<'a> Deref for Apache<'a> {
    type Target = Gate<'a>;

    fn deref(&self) -> &Gate<'a> {
        &self.0
    }
}

impl<'a> Apache<'a> {
    /// Returns `None` where a program is missing.
    fn start(cast: &'a Cast, asks: Asks) -> Option<Self> {
        let [module, package] = asks.module();
        if !MODULES.join(format!("mod_{module}.so")).exists() {
            missing(package);
            return None;
        }
        let program = Program::find()?;
        let port = free_port();
        let own_port = format!("GIT_PORT             {port}");
        let url = cast.issuer().url();
        let mut all = vec![
            ("GIT_PORT             443", own_port.as_str()),
            ("git.acme.dev", "localhost"),
            ("https://acme.zitadel.cloud", &url),
            ("317240000000000001", PROJECT),
            ("311000000000000001", ORGANISATION),
        ];
        if asks != Asks::Keys {
            all.push(("317240000000000002", &cast.application.client_id));
            all.push(("THE-SECRET", &cast.application.secret));
        }
        if asks == Asks::OpenIdc {
            all.push(("# OIDCCABundlePath", "OIDCCABundlePath"));
        } else {
            all.push(("acme.zitadel.cloud", DOMAIN));
        }
        let mut gate = Gate::new(cast, port, &all)?;
        let site = gate
            .files
            .copy(asks.example(), "/etc/apache2/sites-available/git.conf");
        if asks != Asks::Keys {
            let secret = "/etc/apache2/zitadel-secret.conf";
            gate.files.copy("apache-oauth2/zitadel-secret.conf", secret);
        }
        gate.files.assert_all_replaced();
        gate.certificate("git");
        let authority = gate
            .files
            .write("/etc/ssl/acme/zitadel-ca.pem", &cast.ca.pem());
        gate.files
            .write("/etc/apache2/zitadel.passphrase", "a passphrase");
        gate.create_repository();
        let main = format!(
            "Listen 127.0.0.1:{port}\nInclude {}\nLogLevel warn\n",
            site.display()
        );
        let modules = [
            "ssl",
            "headers",
            "socache_shmcb",
            "authn_core",
            "authz_user",
            module,
        ];
        let mut running = program.start(&gate, "git", &modules, &main, &authority);
        until("Apache listens", || {
            assert!(!running.is_over(), "Apache ended: {}", gate.error_log());
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        gate.keep(running);
        Some(Self(gate))
    }
}

impl Gate<'_> {
    fn error_log(&self) -> String {
        let logs = ["start", "error"].map(|name| {
            let log = self.files.path(&format!("/var/log/apache2/{name}.log"));
            std::fs::read_to_string(log).unwrap_or_default()
        });
        logs.concat()
    }
}
