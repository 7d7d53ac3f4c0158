//! Parses the URL of a store strictly.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::net::wire::Place;
use crate::text::quote;
use crate::url::{Host, parse_authority};

/// The port of Redis and Valkey.
const PORT: u16 = 6379;

/// The address of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `rediss://`, or `redis://` on loopback.
    Host {
        /// The host.
        host: Host,
        /// The port.
        port: u16,
        /// True for `rediss`.
        is_tls: bool,
    },
    /// `unix:/path`.
    Local(PathBuf),
}

/// The reason why a URL is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    /// It has a user name or a password.
    Login,
    /// It names a database other than 0.
    Database,
    /// It sends plain text over a network.
    Exposed,
    /// It has another syntax.
    Form,
}

impl Objection {
    /// Returns the failure and its remedy.
    pub const fn explain(self) -> (&'static str, &'static str) {
        match self {
            Self::Login => (
                "it contains a user name or a password",
                "set username, and password-file or ZITADEL_CREDENTIAL_SHARED_PASSWORD",
            ),
            Self::Database => (
                "it names a database other than 0",
                "leave the database out: the names of the entries begin with zc1:, so that they stand beside others",
            ),
            Self::Exposed => (
                "plain redis:// is only for this machine",
                "use rediss://, or unix:/path for a socket file",
            ),
            Self::Form => (
                "it is not the URL of a Redis or Valkey server",
                "write it like rediss://redis.acme.dev:6379, or unix:/run/redis/redis.sock",
            ),
        }
    }
}

impl Address {
    /// Parses a URL.
    ///
    /// # Errors
    /// The reason why it is not accepted.
    pub fn parse(text: &str) -> Result<Self, Objection> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Objection::Form);
        }
        if let Some(path) = text.strip_prefix("unix:") {
            let is_plain = !path.contains(['?', '#', '%']) && !path.starts_with("//");
            return if is_plain && path.len() > 1 && Path::new(path).is_absolute() {
                Ok(Self::Local(path.into()))
            } else {
                Err(Objection::Form)
            };
        }
        let (is_tls, rest) = match text.split_once("://") {
            Some(("rediss", rest)) => (true, rest),
            Some(("redis", rest)) => (false, rest),
            _ => return Err(Objection::Form),
        };
        if rest.contains('@') {
            return Err(Objection::Login);
        }
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, path),
            None => (rest, ""),
        };
        let (host, port) = parse_authority(authority).ok_or(Objection::Form)?;
        if !matches!(path, "" | "0") {
            let is_number = path.bytes().all(|byte| byte.is_ascii_digit());
            return Err(if is_number {
                Objection::Database
            } else {
                Objection::Form
            });
        }
        if !is_tls && !host.is_loopback() {
            return Err(Objection::Exposed);
        }
        Ok(Self::Host {
            host,
            port: port.unwrap_or(PORT),
            is_tls,
        })
    }

    /// Returns the place for a connection.
    pub fn place(&self) -> Place<'_> {
        match self {
            Self::Host { host, port, is_tls } => Place::Host {
                host,
                port: *port,
                is_tls: *is_tls,
            },
            Self::Local(path) => Place::Local(path),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { host, port, is_tls } => {
                let scheme = if *is_tls { "rediss" } else { "redis" };
                write!(f, "{scheme}://{}:{port}", host.as_str())
            }
            Self::Local(path) => write!(f, "unix:{}", quote::path(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_names_a_tls_host_or_the_local_machine() {
        for (text, shown) in [
            ("rediss://redis.acme.dev", "rediss://redis.acme.dev:6379"),
            ("rediss://R.acme.dev:6380/", "rediss://r.acme.dev:6380"),
            ("rediss://10.0.0.1:1/0", "rediss://10.0.0.1:1"),
            ("redis://localhost/0", "redis://localhost:6379"),
            ("redis://[::1]:7", "redis://[::1]:7"),
        ] {
            let read = Address::parse(text).map(|address| address.to_string());
            assert_eq!(read.as_deref(), Ok(shown), "{text}");
        }
        // std has no such sockets on Windows, and no path there looks like this.
        let socket = "unix:/run/redis/redis.sock";
        let read = Address::parse(socket).map(|address| address.to_string());
        assert_eq!(read.is_ok_and(|shown| shown == socket), cfg!(unix));
    }

    #[test]
    fn other_urls_are_refused_with_a_reason() {
        use Objection::{Database, Exposed, Form, Login};
        for (text, objection) in [
            ("redis://redis.acme.dev", Exposed),
            ("redis://127.0.0.1.acme.dev", Exposed),
            ("rediss://zc:pw@redis.acme.dev", Login),
            ("rediss://:pw@redis.acme.dev", Login),
            ("rediss://redis.acme.dev/1", Database),
            ("rediss://redis.acme.dev/00", Database),
            ("rediss://redis.acme.dev/0/", Form),
            ("rediss://redis.acme.dev/0?ssl_cert_reqs=none", Form),
            ("rediss://redis.acme.dev#x", Form),
            ("rediss://redis.acme.dev:0", Form),
            ("rediss://redis.acme.dev:06379", Form),
            ("rediss://redis.acme.dev.", Form),
            ("rediss://", Form),
            ("REDISS://redis.acme.dev", Form),
            ("https://redis.acme.dev", Form),
            ("redis.acme.dev:6379", Form),
            ("unix:run/redis.sock", Form),
            ("unix:///run/redis.sock", Form),
            ("unix:/run/redis.sock?db=1", Form),
            ("unix:/", Form),
            ("rediss://redis.acme.dev\n", Form),
            ("", Form),
        ] {
            assert_eq!(Address::parse(text), Err(objection), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_address_reads_back_as_it_is_shown(text in "(rediss?://|unix:)?[a-z0-9.:/@\\[\\]-]{0,20}") {
            if let Ok(address) = Address::parse(&text) {
                prop_assert_eq!(Address::parse(&address.to_string()), Ok(address));
            }
        }
    }
}
