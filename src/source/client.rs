//! The service user's client secret (RFC 6749, section 4.4; ZITADEL's *client
//! credentials*). It is weaker than a key: the secret itself crosses the network.

use std::fmt;
use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::error::{Error, Report};
use crate::grant::{KeyId, UserId};
use crate::secret::Secret;
use crate::source::command::ProfileCommand;
use crate::source::exposure;
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::input::{ReadError, encoding};
use crate::text::{input, quote};

/// The longest secret in bytes; ZITADEL's have 64.
const LONGEST: usize = 1024;

/// A client ID and the source of its secret.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client ID, which is the service user's name.
    pub id: UserId,
    /// The source of the secret.
    pub secret: SecretSource,
}

/// The source of a client secret.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// A file with only the secret.
    File(PathBuf),
    /// The secret itself, from `ZITADEL_CREDENTIAL_CLIENT_SECRET`.
    Environment(Secret),
    /// A program that prints the secret.
    Command(ProfileCommand),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "client-secret-file {}", quote::path(path)),
            Self::Environment(_) => f.write_str("ZITADEL_CREDENTIAL_CLIENT_SECRET"),
            Self::Command(command) => command.fmt(f),
        }
    }
}

impl SecretSource {
    /// Drops a command's stderr.
    pub fn silence(&mut self) {
        if let Self::Command(command) = self {
            command.is_silent = true;
        }
    }
}

impl Client {
    /// Reads the secret.
    ///
    /// # Errors
    /// [`Error::Usage`] if the source cannot be read, [`Error::Final`] if it has no
    /// secret, [`Error::Passing`] on a timeout.
    pub fn load(&self, environment: &Environment, deadline: &Deadline) -> Result<Secret, Error> {
        let source = &self.secret;
        let bytes = match source {
            SecretSource::File(path) => input::read_believed(path, input::LIMIT, deadline)
                .map_err(|error| self.unread(&error))?,
            SecretSource::Environment(text) => text.expose().as_bytes().to_owned(),
            SecretSource::Command(command) => command.run(&[], environment, deadline)?,
        };
        let no_secret = |detail: &str| {
            Error::Final(Report::new(format!("{source}: {detail}")).hint(
                "in ZITADEL open the service user, choose Actions, Generate Client Secret, and save only the secret there",
            ))
        };
        let text = encoding::text(&bytes).map_err(|fault| no_secret(&fault.to_string()))?;
        let text = text.trim();
        // RFC 6749, appendix A.2.
        let is_secret = |b: u8| (0x20..=0x7e).contains(&b);
        if text.is_empty() {
            Err(no_secret("empty"))
        } else if text.contains("PRIVATE KEY-----") || text.starts_with('{') {
            Err(no_secret("a key or a JSON document, not a client secret"))
        } else if text.len() > LONGEST || !text.bytes().all(is_secret) {
            Err(no_secret("invalid client secret: not one line of ASCII"))
        } else {
            Ok(Secret::new(text.to_owned()))
        }
    }

    /// Warns if other users can read the secret's file.
    pub fn warn_of_exposure(&self) {
        if let SecretSource::File(path) = &self.secret {
            exposure::warn(path, &self.secret);
        }
    }

    /// Returns the secret's name in the cache, so that another secret never gets a token
    /// of this one.
    pub fn key_id(&self, secret: &Secret) -> KeyId {
        KeyId::derived("secret", [self.id.as_str(), secret.expose()])
    }

    /// Returns the value of the `Authorization` header (RFC 6749, section 2.3.1).
    pub fn authorization(&self, secret: &Secret) -> Secret {
        let (id, secret) = (
            form_encoded(self.id.as_str()),
            form_encoded(secret.expose()),
        );
        let pair = BASE64_STANDARD.encode(format!("{id}:{secret}"));
        Secret::new(format!("Basic {pair}"))
    }

    fn unread(&self, error: &ReadError) -> Error {
        let report = Report::new(format!("{}: {error}", self.secret));
        match error {
            ReadError::TimedOut(_) => {
                Error::Passing(report.hint(input::CHECK_WRITER))
            }
            ReadError::Writable(_) | ReadError::Exposed(_) => Error::Final(report.hint(
                "run chmod 600 on the file, and create a new secret if other users may know or have changed it",
            )),
            ReadError::TooLarge(_) | ReadError::Io(_) => Error::Usage(
                report.hint("set client-secret-file to a file that you can read, with nothing but the secret"),
            ),
        }
    }
}

/// Encodes a text as a form does (`application/x-www-form-urlencoded`).
fn form_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._*".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(secret: &str) -> Client {
        Client {
            id: UserId::parse("ci+x@acme").expect("a client ID"),
            secret: SecretSource::Environment(Secret::new(secret.to_owned())),
        }
    }

    fn load(secret: &str) -> Result<Secret, Error> {
        let deadline = Deadline::after(std::time::Duration::from_secs(1));
        client(secret).load(&|_| None, &deadline)
    }

    #[test]
    fn a_secret_is_one_line_of_ascii() {
        assert_eq!(load("s3cret\n").expect("a secret").expose(), "s3cret");
        for bad in [
            "",
            "\n",
            "a\nb",
            "ä",
            "{\"a\":1}",
            "-----BEGIN PRIVATE KEY-----",
            "a\x1bb",
        ] {
            let error = load(bad).expect_err("refused");
            assert_eq!(error.exit_code(), 1, "{bad:?}");
        }
    }

    #[test]
    fn id_and_secret_are_encoded_before_they_are_joined() {
        let header = client("x").authorization(&Secret::new("a:b c%".into()));
        let pair = BASE64_STANDARD.encode("ci%2Bx%40acme:a%3Ab%20c%25");
        assert_eq!(header.expose(), format!("Basic {pair}"));
    }

    #[test]
    fn another_secret_has_another_key_id() {
        let name = |secret: &str| client("x").key_id(&Secret::new(secret.to_owned()));
        assert_eq!(name("a"), name("a"));
        assert_ne!(name("a"), name("b"));
        assert!(!name("topsecret").as_str().contains("topsecret"));
    }
}
