//! git's credential helper protocol.
//!
//! Source: `git help credential`, `git help gitcredentials`, and the messages of
//! git 2.39 and 2.47.

pub mod challenge;
mod message;

use std::collections::BTreeSet;
use std::fmt::Write;

pub use message::Message;

use crate::host::{Ask, Auth};
use crate::secret::Secret;
use crate::text::quote::is_unprintable;
use crate::token::Login;
use crate::url::{Origin, Scheme};

/// The operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Return credentials.
    Get,
    /// Store credentials. Does nothing, because the cache has the token.
    Store,
    /// Remove credentials that the server refused.
    Erase,
    /// Print the helper's capabilities.
    Capability,
}

/// Returns a message's size in bytes, without the lines that contain a secret.
pub fn size_without_secret(input: &[u8]) -> usize {
    let is_secret =
        |line: &&[u8]| line.starts_with(b"password=") || line.starts_with(b"credential=");
    let lines = input.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !is_secret(line)).map(<[u8]>::len).sum()
}

impl Operation {
    /// Parses an operation's name; `None` for others, which git requires to be
    /// ignored.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "get" => Some(Self::Get),
            "store" => Some(Self::Store),
            "erase" => Some(Self::Erase),
            "capability" => Some(Self::Capability),
            _ => None,
        }
    }
}

/// The answer to [`Operation::Capability`]: credentials other than username and
/// password (git 2.46).
pub const CAPABILITY: &str = "version 0\ncapability authtype\n";

/// The answer after which git does not prompt for a password.
pub const QUIT: &str = "quit=1\n";

/// A message from git.
#[derive(Debug)]
pub struct Request {
    /// The host, and the username if git names one.
    pub ask: Ask,
    /// True if git supports credentials other than username and password.
    can_authtype: bool,
    /// True if the server offers Bearer authentication, and no basic one: git sends the
    /// first, small request of a push of more than 1 MiB without its bearer token.
    needs_bearer: bool,
    /// The refused secret, for [`Operation::Erase`].
    pub secret: Option<Secret>,
}

/// The reason why a message is ignored: git never sends such a message, but an
/// attacker may.
pub type Malformed = &'static str;

/// Parses a message.
///
/// Only LF ends a line. A message with CRLF on every line is accepted too, but any
/// other CR is an error (CVE-2024-50338, CVE-2025-23040, CVE-2024-52006). The keys
/// that decide who gets the token may appear only once (CVE-2020-5260,
/// CVE-2024-53263), and their values must not contain a character that another
/// program could take for a line ending.
///
/// # Errors
/// [`Malformed`].
pub fn parse(message: &[u8]) -> Result<Request, Malformed> {
    let message = std::str::from_utf8(message).map_err(|_| "not UTF-8")?;
    let mut fields = Fields::default();
    for line in lines(message)? {
        let (key, value) = line.split_once('=').ok_or("a line has no =")?;
        fields.take(key, value)?;
    }
    fields.into_request()
}

/// Returns the lines up to the first empty one, without line endings.
fn lines(message: &str) -> Result<Vec<&str>, Malformed> {
    let mut lines: Vec<_> = message.split('\n').collect();
    // Text after the last LF is a line too, if there is any.
    lines.pop_if(|last| last.is_empty());
    let crlf = !lines.is_empty() && lines.iter().all(|line| line.ends_with('\r'));
    if crlf {
        for line in &mut lines {
            *line = &line[..line.len() - 1];
        }
    }
    let end = lines.iter().position(|line| line.is_empty());
    lines.truncate(end.unwrap_or(lines.len()));
    if lines.iter().any(|line| line.contains(['\r', '\0'])) {
        return Err("a line contains CR or NUL");
    }
    Ok(lines)
}

#[derive(Default)]
struct Fields<'a> {
    seen: BTreeSet<&'a str>,
    protocol: Option<&'a str>,
    host: Option<&'a str>,
    username: Option<&'a str>,
    secret: Option<&'a str>,
    capabilities: Vec<&'a str>,
    challenges: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    fn take(&mut self, key: &'a str, value: &'a str) -> Result<(), Malformed> {
        if !key.ends_with("[]") && !self.seen.insert(key) {
            return Err("duplicate key");
        }
        match key {
            "" => return Err("empty key"),
            "url" => return Err("unexpected key url"),
            "protocol" => self.protocol = Some(plain(value)?),
            "host" => self.host = Some(plain(value)?),
            "username" => self.username = Some(plain(value)?),
            "path" => {
                plain(value)?;
            }
            // An empty secret counts as missing.
            "password" | "credential" if value.is_empty() => {}
            "password" | "credential" => self.secret = Some(value),
            "capability[]" => append(&mut self.capabilities, value),
            "wwwauth[]" => append(&mut self.challenges, value),
            _ => {}
        }
        Ok(())
    }

    fn offers(&self, scheme: &str) -> bool {
        let mut headers = self.challenges.iter();
        headers.any(|header| challenge::offers(header, scheme))
    }

    fn into_request(self) -> Result<Request, Malformed> {
        let protocol = self.protocol.ok_or("no protocol")?;
        let scheme = Scheme::parse(protocol).ok_or("the protocol is not https or http")?;
        let host = self.host.ok_or("no host")?;
        let origin = Origin::new(scheme, host).ok_or("invalid host")?;
        Ok(Request {
            ask: Ask {
                origin,
                // An unset variable makes the username empty: `https://$CI_USER@host`.
                username: self
                    .username
                    .filter(|name| !name.is_empty())
                    .map(ToOwned::to_owned),
            },
            can_authtype: self.capabilities.contains(&"authtype"),
            needs_bearer: self.offers("Bearer") && !self.offers("Basic"),
            secret: self.secret.map(|text| Secret::new(text.to_owned())),
        })
    }
}

/// Returns the value if no reader can find a line ending in it.
fn plain(value: &str) -> Result<&str, Malformed> {
    if value.contains(is_unprintable) {
        return Err("a value contains a control character");
    }
    Ok(value)
}

/// Appends to a list; an empty value clears the list.
fn append<'a>(list: &mut Vec<&'a str>, value: &'a str) {
    if value.is_empty() {
        list.clear();
    } else {
        list.push(value);
    }
}

impl Request {
    /// Returns the answer. It never contains host and protocol, which would replace
    /// git's own.
    pub fn answer(&self, auth: Auth, login: Login<'_>) -> String {
        let Login { username, token } = login;
        let bearer = match auth {
            Auth::Auto => self.can_authtype && self.needs_bearer,
            Auth::Bearer => self.can_authtype,
            Auth::Basic => false,
        };
        let secret = token.expose();
        let mut answer = if bearer {
            format!("capability[]=authtype\nauthtype=Bearer\ncredential={secret}\nephemeral=1\n")
        } else {
            format!("username={username}\npassword={secret}\n")
        };
        if let Some(end) = token.expiry_for_tools() {
            // Writing to a String cannot fail.
            let _ = writeln!(answer, "password_expiry_utc={}", end.as_secs());
        }
        answer
    }
}

#[cfg(test)]
mod tests;
