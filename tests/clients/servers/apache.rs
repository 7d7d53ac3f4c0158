//! Apache with `mod_oauth2` or `mod_auth_openidc` in front of the real `git
//! http-backend`.

pub mod program;

mod git;
mod sites;
mod status;

use std::ops::{Deref, DerefMut};

use super::cast::{Cast, DOMAIN, ORGANISATION, PROJECT};
use super::gate::Gate;
use crate::support::ports::free_port;

/// Apache's requests to ZITADEL, and the module that makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    /// `mod_oauth2`, for each token.
    Introspection,
    /// `mod_oauth2`, for ZITADEL's keys.
    Keys,
    /// `mod_auth_openidc`, for each token.
    OpenIdc,
}

impl Asks {
    const ALL: [Self; 3] = [Self::Introspection, Self::Keys, Self::OpenIdc];
    const INTROSPECTING: [Self; 2] = [Self::Introspection, Self::OpenIdc];

    const fn example(self) -> &'static str {
        match self {
            Self::Introspection => "apache-oauth2/git.conf",
            Self::Keys => "apache-oauth2/git-jwt.conf",
            Self::OpenIdc => "apache-openidc/git.conf",
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

impl DerefMut for Apache<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'a> Apache<'a> {
    /// Starts Apache; `None` if a program is missing.
    fn start(cast: &'a Cast, asks: Asks) -> Option<Self> {
        Self::start_changed(cast, asks, |text| text)
    }

    /// Starts Apache as [`Apache::start`], with a change to the example.
    fn start_changed(
        cast: &'a Cast,
        asks: Asks,
        change: impl FnOnce(String) -> String,
    ) -> Option<Self> {
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
            all.push(("acme.acme.zitadel.cloud", DOMAIN));
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
        let text = cast.world.home.read(&site);
        let changed = format!("Listen 127.0.0.1:{port}\n{}", change(text));
        cast.world.home.write(&site, changed);
        gate.certificate("git");
        gate.files
            .write("/etc/apache2/zitadel.passphrase", "a passphrase");
        gate.create_repository();
        program::start(&mut gate, asks.example(), port)?;
        Some(Self(gate))
    }

    fn error_log(&self) -> String {
        program::error_log(self)
    }

    /// Asserts that no log or other file of Apache contains a part of a token.
    fn assert_no_secret_written(&self) {
        let log = self.files.path("/var/log/apache2/git.log");
        let logged = self.cast.world.home.read(log);
        assert!(
            logged.contains(" 200 ") && logged.contains(" 401 "),
            "{logged}"
        );
        self.assert_no_secret_below(&["/var", "/run"]);
    }
}
