//! git's credential helper protocol.
//!
//! Source: `git help credential`, `git help gitcredentials`; what each version
//! sends was read from git 2.39 and 2.47.

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

/// What git wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Give a login.
    Get,
    /// Keep one: ours are kept already.
    Store,
    /// Forget one that was refused.
    Erase,
    /// Say what the helper can do.
    Capability,
}

impl Operation {
    /// The operation of that name; git asks that any other be passed over.
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

/// The answer to [`Operation::Capability`]: logins that are no username and
/// password (git 2.46).
pub const CAPABILITY: &str = "version 0\ncapability authtype\n";

/// The answer that keeps git from asking a person instead.
pub const QUIT: &str = "quit=1\n";

/// A message from git.
#[derive(Debug)]
pub struct Question {
    /// Whom git wants to log in to.
    pub ask: Ask,
    /// Whether git can send what is no username and password.
    can_authtype: bool,
    /// Whether the server said that it takes a bearer token.
    offers_bearer: bool,
    /// The secret that was refused, for [`Operation::Erase`].
    pub secret: Option<Secret>,
}

/// Why a message is passed over: what git never sends, and attackers do.
pub type Malformed = &'static str;

/// Reads a message.
///
/// Lines end at LF and nowhere else; a message of CRLF lines is read as well,
/// but a CR anywhere else is not (CVE-2024-50338, CVE-2025-23040,
/// CVE-2024-52006). What decides who gets the token may stand there once only
/// (CVE-2020-5260, CVE-2024-53263), and holds nothing that another program
/// could take for the end of a line.
///
/// # Errors
/// [`Malformed`].
pub fn parse(message: &[u8]) -> Result<Question, Malformed> {
    let message = std::str::from_utf8(message).map_err(|_| "it is not UTF-8")?;
    let mut fields = Fields::default();
    for line in lines(message)? {
        let (key, value) = line.split_once('=').ok_or("a line has no =")?;
        fields.take(key, value)?;
    }
    fields.question()
}

/// The lines up to the first empty one, without their ends.
fn lines(message: &str) -> Result<Vec<&str>, Malformed> {
    let mut lines: Vec<_> = message.split('\n').collect();
    // What follows the last LF is a line only if there is something.
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
        return Err("a line has a CR or NUL in it");
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
            return Err("a key stands there twice");
        }
        match key {
            "" => return Err("a line has no key"),
            "url" => return Err("git sends no url to a helper"),
            "protocol" => self.protocol = Some(plain(value)?),
            "host" => self.host = Some(plain(value)?),
            "username" => self.username = Some(plain(value)?),
            "path" => {
                plain(value)?;
            }
            "password" | "credential" => self.secret = Some(value),
            "capability[]" => append(&mut self.capabilities, value),
            "wwwauth[]" => append(&mut self.challenges, value),
            _ => {}
        }
        Ok(())
    }

    fn question(self) -> Result<Question, Malformed> {
        let protocol = self.protocol.ok_or("it names no protocol")?;
        let scheme = Scheme::parse(protocol).ok_or("its protocol is not https or http")?;
        let host = self.host.ok_or("it names no host")?;
        let origin = Origin::new(scheme, host).ok_or("its host is none that could have a rule")?;
        Ok(Question {
            ask: Ask {
                origin,
                username: self.username.map(ToOwned::to_owned),
            },
            can_authtype: self.capabilities.contains(&"authtype"),
            offers_bearer: self
                .challenges
                .iter()
                .any(|header| challenge::offers(header, "Bearer")),
            secret: self.secret.map(|text| Secret::new(text.to_owned())),
        })
    }
}

/// A value that ends where its line ends, whoever reads it.
fn plain(value: &str) -> Result<&str, Malformed> {
    if value.contains(is_unprintable) {
        return Err("a value has a control character in it");
    }
    Ok(value)
}

/// Adds to a list; an empty value starts it anew.
fn append<'a>(list: &mut Vec<&'a str>, value: &'a str) {
    if value.is_empty() {
        list.clear();
    } else {
        list.push(value);
    }
}

impl Question {
    /// Writes the answer. Host and protocol are never in it: git would take
    /// them for a correction.
    pub fn answer(&self, auth: Auth, login: Login<'_>) -> String {
        let Login { username, token } = login;
        let bearer = match auth {
            Auth::Auto => self.can_authtype && self.offers_bearer,
            Auth::Bearer => self.can_authtype,
            Auth::Basic => false,
        };
        let secret = token.expose();
        let mut answer = if bearer {
            format!("capability[]=authtype\nauthtype=Bearer\ncredential={secret}\nephemeral=1\n")
        } else {
            format!("username={username}\npassword={secret}\n")
        };
        if let Some(end) = token.told_expiry() {
            // Writing to a String cannot fail.
            let _ = writeln!(answer, "password_expiry_utc={}", end.as_secs());
        }
        answer
    }
}

#[cfg(test)]
mod tests;
