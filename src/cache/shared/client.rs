//! A connection to the store: the login, commands, and their limited replies.

use std::io::{Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::resp::{LIMIT, Reply, parse, write};
use super::{Password, Settings};
use crate::error::{Error, Report};
use crate::net::peer::Peer;
use crate::net::proxy::Rules;
use crate::net::wire::{Patience, Terms, Wire, said};
use crate::secret::Secret;
use crate::source::exposure;
use crate::sys::Environment;
use crate::text::input;
use crate::text::input::encoding;
use crate::text::quote;

const STORE: Peer = Peer {
    proxy: Rules::Curl,
    unreachable: "check that the server of the shared cache is up and reachable from here",
    other_server: NOT_A_STORE,
    other_name: "check the host in url, and which server answers there",
    authority: "if you run your own certificate authority, set ca-file in the profile's table shared",
    client_certificate: "client certificates are not supported: set tls-auth-clients no on the server",
    ca_file: "ca-file of the shared cache",
    bad_ca_file: "give a readable PEM file with the root certificates to trust",
};

const NOT_A_STORE: &str = "check that a Redis or Valkey server answers at url";

/// The longest password in bytes.
const LONGEST: usize = 1024;

/// A client of one store for one call.
pub struct Client<'a> {
    settings: &'a Settings,
    environment: &'a Environment<'a>,
    wire: Option<Wire>,
    /// The password after its first read: a pipe has it only once.
    password: Option<Secret>,
    /// True after the login on this connection.
    is_logged_in: bool,
}

impl<'a> Client<'a> {
    /// Creates a client. Opens and reads nothing.
    pub const fn new(settings: &'a Settings, environment: &'a Environment<'a>) -> Self {
        Self {
            settings,
            environment,
            wire: None,
            password: None,
            is_logged_in: false,
        }
    }

    /// Connects, unless already connected.
    ///
    /// # Errors
    /// [`Error::Passing`] if a retry may succeed.
    pub fn connect(&mut self, patience: Patience) -> Result<(), Error> {
        if self.wire.is_none() {
            let terms = Terms {
                ca_file: self.settings.ca_file.as_deref(),
                environment: self.environment,
                peer: &STORE,
            };
            let place = self.settings.address.place();
            self.wire = Some(Wire::connect(place, &terms, patience)?);
            self.is_logged_in = false;
        }
        Ok(())
    }

    /// Sends commands at once, after the login on a new connection, and returns the reply
    /// to each.
    ///
    /// # Errors
    /// As [`Client::connect`]. The connection is closed then.
    pub fn exchange(
        &mut self,
        commands: &[Vec<&[u8]>],
        patience: Patience,
    ) -> Result<Vec<Reply>, Error> {
        // Precedes the password, so that a server that is down costs no read of it.
        self.connect(patience)?;
        let mut bytes = Vec::new();
        let has_login = !self.is_logged_in && self.write_login(&mut bytes, patience)?;
        for command in commands {
            write(&mut bytes, command);
        }
        let count = commands.len() + usize::from(has_login);
        let replies = self.wire.as_mut().map(|wire| {
            wire.set_patience(patience);
            wire.write_all(&bytes)
                .and_then(|()| wire.flush())
                .map_err(|error| Error::Passing(Report::new(said(&error))))?;
            receive(wire, count)
        });
        let replies = replies
            .unwrap_or_else(|| Ok(Vec::new()))
            .and_then(|mut replies| {
                if has_login && let Reply::Error(code) = replies.remove(0) {
                    return Err(refusal(&code));
                }
                Ok(replies)
            });
        self.is_logged_in = replies.is_ok();
        if replies.is_err() {
            self.wire = None;
        }
        replies
    }

    /// Writes the login; returns false for a server without one.
    fn write_login(&mut self, bytes: &mut Vec<u8>, patience: Patience) -> Result<bool, Error> {
        let Some(source) = &self.settings.password else {
            return Ok(false);
        };
        let password = match self.password.take() {
            Some(password) => password,
            None => source.read(patience)?,
        };
        let user = self.settings.username.as_deref().map(str::as_bytes);
        let password = self.password.insert(password).expose().as_bytes();
        let words = [Some(b"AUTH".as_slice()), user, Some(password)];
        write(bytes, &words.into_iter().flatten().collect::<Vec<_>>());
        Ok(true)
    }
}

/// Reads `count` replies, and not a byte more than the limit.
fn receive(wire: &mut Wire, count: usize) -> Result<Vec<Reply>, Error> {
    let mut received = Vec::with_capacity(4096);
    let mut replies = Vec::new();
    let (mut at, mut chunk) = (0, Zeroizing::new([0; 16 * 1024]));
    loop {
        while replies.len() < count {
            match parse(&received[at..]).map_err(|_| not_a_store())? {
                None => break,
                Some((reply, length)) => {
                    at += length;
                    replies.push(reply);
                }
            }
        }
        if replies.len() == count {
            // A server sends nothing unasked.
            return if at == received.len() {
                Ok(replies)
            } else {
                Err(not_a_store())
            };
        }
        let read = wire
            .read(&mut *chunk)
            .map_err(|error| Error::Passing(Report::new(said(&error))))?;
        if read == 0 {
            let what = "the server closed the connection";
            return Err(Error::Passing(Report::new(what)));
        }
        if received.len() + read > LIMIT {
            return Err(not_a_store());
        }
        received.extend_from_slice(&chunk[..read]);
    }
}

/// Returns the error of a response that no store sends.
pub fn not_a_store() -> Error {
    Error::Final(Report::new("not an answer of Redis or Valkey").hint(NOT_A_STORE))
}

/// The first words of errors (Redis, "RESP protocol description", Simple errors; Valkey's
/// are the same). Only these are shown: another one may be any text.
const CODES: &[&str] = &[
    "WRONGPASS",
    "NOAUTH",
    "NOPERM",
    "OOM",
    "READONLY",
    "MISCONF",
    "MOVED",
    "ASK",
    "CROSSSLOT",
    "LOADING",
    "BUSY",
    "TRYAGAIN",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "WRONGTYPE",
    "NOREPLICAS",
];

/// Returns the error of an error reply, by its first word: its text may contain anything.
pub fn refusal(code: &str) -> Error {
    let code = CODES.iter().find(|known| **known == code);
    let code = *code.unwrap_or(&"ERR");
    let (what, hint) = match code {
        "WRONGPASS" => (
            "the server refuses the user name or the password",
            "check username and password-file, or ZITADEL_CREDENTIAL_SHARED_PASSWORD",
        ),
        "NOAUTH" => (
            "the server requires a login",
            "set username, and password-file or ZITADEL_CREDENTIAL_SHARED_PASSWORD",
        ),
        "NOPERM" => (
            "the server's ACL does not allow it",
            "give the user this ACL: resetkeys ~zc1:* resetchannels -@all +auth +ping +get +mget +set +del",
        ),
        "OOM" => (
            "the server is full",
            "raise maxmemory, or set maxmemory-policy to volatile-ttl",
        ),
        "READONLY" => (
            "the server is a replica, which accepts no writes",
            "set url to the primary server",
        ),
        "MISCONF" => (
            "the server accepts no writes, because it cannot save",
            "check the server's disk and its log",
        ),
        "MOVED" | "ASK" | "CROSSSLOT" => (
            "the server is one of a cluster",
            "set url to a server that is not part of a cluster",
        ),
        _ => ("the server refuses the command", "check the server's log"),
    };
    let report = Report::new(format!("{what} ({code})")).hint(hint);
    match code {
        "LOADING" | "BUSY" | "TRYAGAIN" | "MASTERDOWN" | "CLUSTERDOWN" => Error::Passing(report),
        _ => Error::Final(report),
    }
}

impl Password {
    fn read(&self, patience: Patience) -> Result<Secret, Error> {
        let (name, text) = match self {
            Self::Environment(secret) => {
                let name = "ZITADEL_CREDENTIAL_SHARED_PASSWORD".to_owned();
                (name, secret.expose().as_bytes().to_owned())
            }
            Self::File(path) => {
                let name = format!("password-file {}", quote::path(path));
                exposure::warn(path, &name);
                let bytes = input::read_believed(path, input::LIMIT, &patience.deadline);
                let bytes = bytes.map_err(|error| {
                    let report = Report::new(format!("{name}: {error}"));
                    Error::Usage(report.hint("set password-file to a file that you can read"))
                })?;
                (name, bytes)
            }
        };
        let password = encoding::text(&text).map_or("", |text| text.trim_end_matches(['\n', '\r']));
        if password.is_empty() || password.len() > LONGEST || password.contains(['\n', '\r']) {
            let report = Report::new(format!("{name}: invalid password: not one line of text"));
            return Err(Error::Usage(report.hint("write only the password there")));
        }
        Ok(Secret::new(password.to_owned()))
    }
}

impl Settings {
    /// Reads the secret from which the seal is derived; `None` if that is the private
    /// key.
    ///
    /// # Errors
    /// [`Error::Usage`]: not 32 bytes, or accessible to other users.
    pub fn seal_key(&self, patience: Patience) -> Result<Option<Vec<u8>>, Error> {
        self.seal_key_file
            .as_deref()
            .map(|path| read_seal_key(path, patience))
            .transpose()
    }
}

fn read_seal_key(path: &Path, patience: Patience) -> Result<Vec<u8>, Error> {
    const SIZE: usize = 32;
    let name = format!("seal-key-file {}", quote::path(path));
    let unusable = |what: String, hint: String| {
        Error::Usage(Report::new(format!("{name}: {what}")).hint(hint))
    };
    let bytes = input::read_private(path, input::LIMIT, &patience.deadline).map_err(|error| {
        let remedy = match error {
            input::ReadError::Exposed(_) => {
                format!("run chmod 600 {}", quote::word(path))
            }
            _ => "set seal-key-file to a file that you can read".to_owned(),
        };
        unusable(error.to_string(), remedy)
    })?;
    if bytes.len() != SIZE {
        let what = format!("{} bytes, not {SIZE}", bytes.len());
        let word = quote::word(path);
        let hint = format!("create it with: (umask 077; openssl rand -out {word} {SIZE})");
        return Err(unusable(what, hint));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_no_server_sends_is_not_shown() {
        let said = |code| refusal(code).report().headline();
        assert_eq!(said("BUSY"), "the server refuses the command (BUSY)");
        assert_eq!(said("HUNTERTWO"), "the server refuses the command (ERR)");
        assert_eq!(said(""), "the server refuses the command (ERR)");
    }
}
