//! Reads a key from a file, the environment or a command.

use std::fmt;
use std::path::PathBuf;

use super::{Key, KeyId, Owner, UserId, is_path};
use crate::error::{Error, Report};
use crate::secret::Secret;
use crate::source::command::ProfileCommand;
use crate::source::exposure;
use crate::sys::Environment;
use crate::text::clock::{Deadline, RAISE_TIMEOUT};
use crate::text::input::ReadError;
use crate::text::input::encoding::{self, NotText};
use crate::text::{input, quote};

const MAKE_PRIVATE: &str = "run chmod 600 on the key file, and create a new key if other users may know or have changed it";
/// The source of a key.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A key file or a bare PEM.
    File(PathBuf),
    /// The key file's text, from `ZITADEL_CREDENTIAL_KEY`.
    Environment(Secret),
    /// A program that prints a key file or a PEM.
    Command(ProfileCommand),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "key file {}", quote::path(path)),
            Self::Environment(_) => f.write_str("ZITADEL_CREDENTIAL_KEY"),
            Self::Command(command) => command.fmt(f),
        }
    }
}

impl KeySource {
    /// True if the source can be read only once, like a pipe (`<(…)`).
    pub fn is_read_once(&self) -> bool {
        match self {
            Self::File(path) => !path.is_file(),
            Self::Environment(_) | Self::Command(_) => false,
        }
    }
}

/// A key that is not read yet, and the IDs from flags or profile.
#[derive(Clone, Debug)]
pub struct KeySpec {
    /// The key's source.
    pub source: KeySource,
    /// `--key-id`.
    pub id: Option<KeyId>,
    /// `--user-id`.
    pub user: Option<UserId>,
    /// True to accept a bare PEM without `--key-id`, with a digest of it as the ID.
    pub derives_id: bool,
    /// The accepted kinds of owners.
    pub owner: Owner,
    /// The options that select this key in another call, with a space before each.
    pub options: String,
    /// True if the caller itself shows the key file's exposure.
    pub is_exposure_shown: bool,
    /// True if the caller itself shows the key's expiry.
    pub is_end_shown: bool,
}

impl KeySpec {
    /// Returns both IDs if they are known without reading the key: with a cached token,
    /// neither the file nor the command is needed then.
    pub fn ids(&self) -> Option<(KeyId, UserId)> {
        self.id.clone().zip(self.user.clone())
    }

    /// Returns the command line that replaces the key.
    pub fn rotation(&self) -> String {
        let output = match &self.source {
            KeySource::File(_) => "",
            KeySource::Environment(_) | KeySource::Command(_) => " --output FILE",
        };
        format!("zitadel-credential key rotate{output}{}", self.options)
    }

    /// Warns if other users can read or write the key file, unless the caller warns
    /// itself.
    pub fn warn_of_exposure(&self) {
        if let (KeySource::File(path), false) = (&self.source, self.is_exposure_shown) {
            exposure::warn(path, &self.source);
        }
    }

    /// Reads the key.
    ///
    /// # Errors
    /// As [`KeySpec::read`] and [`KeySpec::parse`].
    pub fn load(&self, environment: &Environment, deadline: &Deadline) -> Result<Key, Error> {
        self.parse(&self.read(environment, deadline)?)
    }

    /// Reads the source's bytes.
    ///
    /// # Errors
    /// [`Error::Usage`] if the source cannot be read, [`Error::Final`] if it is too large
    /// or open to every user, [`Error::Passing`] on a timeout.
    pub fn read(&self, environment: &Environment, deadline: &Deadline) -> Result<Vec<u8>, Error> {
        match &self.source {
            KeySource::File(path) => input::read_believed(path, input::LIMIT, deadline)
                .map_err(|error| self.unread(&error)),
            KeySource::Environment(text) => Ok(text.expose().as_bytes().to_owned()),
            KeySource::Command(command) => command.run(&[], environment, deadline),
        }
    }

    /// Parses the source's bytes.
    ///
    /// # Errors
    /// [`Error::Final`] if they are not a key, [`Error::Usage`] if an ID is missing or
    /// differs.
    pub fn parse(&self, bytes: &[u8]) -> Result<Key, Error> {
        let source = &self.source;
        let text = encoding::text(bytes).map_err(|fault| {
            Error::Final(match fault {
                NotText::Utf16 => {
                    Report::new(format!("{source}: {fault}")).hint("save it as UTF-8")
                }
                NotText::Other => Report::new(format!("{source}: binary data, not text"))
                    .hint("use the JSON file from ZITADEL, or PEM; DER is not supported"),
            })
        })?;
        let is_bare = text.trim_start().starts_with("-----BEGIN");
        let derived = (self.derives_id && is_bare && self.id.is_none())
            .then(|| KeyId::derived("pem", [text.trim()]));
        let id = self.id.as_ref().or(derived.as_ref());
        Key::parse(text, self.owner, id, self.user.as_ref()).map_err(|error| {
            match (source, error.map(|report| report.about(source))) {
                // The user meant the other variable: an error in the configuration.
                (KeySource::Environment(_), Error::Final(report)) if is_path(text) => {
                    Error::Usage(report)
                }
                (_, error) => error,
            }
        })
    }

    fn unread(&self, error: &ReadError) -> Error {
        let report = Report::new(format!("{}: {error}", self.source));
        match error {
            ReadError::TooLarge(_) => Error::Final(
                report.hint("name the key file that you downloaded from ZITADEL: it has about 2 KiB"),
            ),
            ReadError::TimedOut(_) => Error::Passing(
                report
                    .hint(input::CHECK_WRITER)
                    .hint(RAISE_TIMEOUT),
            ),
            ReadError::Writable(_) | ReadError::Exposed(_) => Error::Final(report.hint(MAKE_PRIVATE)),
            ReadError::Io(_) => Error::Usage(report.hint(
                "set --key-file, ZITADEL_CREDENTIAL_KEY_FILE or the profile's key-file to a file that you can read",
            )),
        }
    }
}
