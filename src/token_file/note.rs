//! The note beside a token file: its token's expiry, also for opaque tokens.
//!
//! `.NAME.zitadel-credential.json` is a JSON object with `version`, which is 1, and
//! `tokens`, the newest first: `sha256` is a token's digest in hex, and `expires_at` its
//! expiry (RFC 3339), or null if the issuer sent none. It contains no secret, and has the
//! mode, owner and group of the token file.
//!
//! The note is written before the file, so that it always covers the file's token.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Report};
use crate::sys::access::Access;
use crate::sys::dir::Dir;
use crate::sys::files::open_private;
use crate::sys::paths::canonicalize;
use crate::sys::status::Status;
use crate::text::clock::UnixTime;
use crate::text::digest::sha256;
use crate::text::input::{self, ReadError};
use crate::text::object::Object;
use crate::text::quote;
use crate::token::Token;

const VERSION: u32 = 1;

/// The end of a note's file name.
const ENDING: &str = ".zitadel-credential.json";

/// Maximum number of tokens in a note: so many interrupted writes in a row are covered.
const MOST: usize = 4;

/// Size limit, above that of any token and any note.
const LIMIT: usize = 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    version: u32,
    tokens: Vec<Noted>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Noted {
    sha256: String,
    expires_at: Option<String>,
}

impl Noted {
    fn of(token: &Token) -> Self {
        let expiry = token.lifespan().map(|lifespan| lifespan.expires_at);
        // RFC 3339 cannot represent years after 9999.
        let expires_at = expiry
            .map(|time| time.to_string())
            .filter(|text| UnixTime::parse_rfc3339(text).is_some());
        Self {
            sha256: sha256(token.expose().as_bytes()),
            expires_at,
        }
    }
}

impl Note {
    /// Parses a note; `None` if it is invalid or of another version.
    fn parse(text: &[u8]) -> Option<Self> {
        let Object(note): Object<Self> = serde_json::from_slice(text).ok()?;
        (note.version == VERSION).then_some(note)
    }

    /// Adds a token as the newest one.
    fn add(&mut self, noted: Noted) {
        self.tokens.retain(|other| other.sha256 != noted.sha256);
        self.tokens.insert(0, noted);
        self.tokens.truncate(MOST);
    }
}

/// Returns the name of the note of a token file.
pub(super) fn name_of(file: &OsStr) -> OsString {
    let mut name = OsString::from(".");
    name.push(file);
    name.push(ENDING);
    name
}

/// Returns true if a file's name is that of a note.
pub(super) fn is_name(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") && name.ends_with(ENDING.as_bytes())
}

/// Adds the token that is about to be written to a file of a directory.
pub(super) fn add(dir: &Dir, file: &OsStr, token: &Token, access: &Access) -> io::Result<()> {
    let name = name_of(file);
    let mut note = read_in(dir, &name).unwrap_or(Note {
        version: VERSION,
        tokens: Vec::new(),
    });
    note.add(Noted::of(token));
    let text = serde_json::to_vec(&note)?;
    dir.replace(&name, &text, access)
}

/// Reads this user's own note.
fn read_in(dir: &Dir, name: &OsStr) -> Option<Note> {
    let (text, status) = content(dir.open_file(name).ok()?).ok()?;
    Note::parse(&text).filter(|_| status.is_ours())
}

/// Returns true if the note beside a file, whose path has no links, has this token.
pub(super) fn has(path: &Path, token: &Token) -> bool {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return false;
    };
    let note = Dir::open(dir)
        .ok()
        .and_then(|dir| read_in(&dir, &name_of(name)));
    note.is_some_and(|note| note.tokens.contains(&Noted::of(token)))
}

/// Returns the expiry of a file's token from its note; `None` if the issuer sent none.
///
/// # Errors
/// [`Error::Final`] if there is no token, no note of it, or it has expired.
pub(crate) fn check(path: &Path, now: UnixTime) -> Result<Option<UnixTime>, Error> {
    const START: &str = "let zitadel-credential agent --write keep this file, and see its log";
    let failed = |reason: &str, hint: &str| {
        let what = format!("{}: {reason}", quote::path(path));
        Error::Final(Report::new(what).hint(hint))
    };
    let unread = |error: &ReadError| failed(&error.to_string(), START);
    // The note is read after the file, so that it covers the file's token even while both
    // are replaced.
    let real = canonicalize(path).map_err(|error| unread(&error.into()))?;
    let (token, owner) = read(&real).map_err(|error| unread(&error))?;
    let name = real.file_name().unwrap_or_default();
    let note = read(&real.with_file_name(name_of(name)));
    let (note, noted_by) = note.map_err(|error| match error {
        ReadError::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            failed("there is no note of its expiry beside it", START)
        }
        error => failed(&format!("the note of its expiry: {error}"), START),
    })?;
    if !noted_by.has_owner_of(&owner) {
        let why = "the note of its expiry belongs to another user";
        return Err(failed(why, START));
    }
    if noted_by.is_writable_by_others() {
        let why = "other users can write to the note of its expiry";
        return Err(failed(why, START));
    }
    let note = Note::parse(&note).ok_or_else(|| {
        failed(
            "the note of its expiry is malformed, or of another version",
            START,
        )
    })?;
    let digest = sha256(&token);
    let noted = note.tokens.iter().find(|noted| noted.sha256 == digest);
    let noted = noted.ok_or_else(|| {
        let hint =
            "find the other program that writes to it; a running agent rewrites it within a minute";
        failed("its token was not written by the agent", hint)
    })?;
    let Some(expiry) = &noted.expires_at else {
        return Ok(None);
    };
    let expiry = UnixTime::parse_rfc3339(expiry)
        .ok_or_else(|| failed("the note of its expiry is malformed", START))?;
    if expiry <= now {
        let what = format!("{}: the token expired at {expiry}", quote::path(path));
        let report = Report::new(what).found(format!("the local clock says {now}"));
        return Err(Error::Final(report.hint(
            "see the log of the agent that writes it for why it has no newer one",
        )));
    }
    Ok(Some(expiry))
}

/// Reads the file at a path without links.
fn read(path: &Path) -> Result<(Vec<u8>, Status), ReadError> {
    content(open_private().read(true).open(path)?)
}

/// Reads a file, which must be a regular one.
fn content(file: File) -> Result<(Vec<u8>, Status), ReadError> {
    let status = Status::of_open(&file)?;
    if !status.is_file() {
        return Err(io::Error::other("not a regular file").into());
    }
    Ok((input::read_regular(file, &status, LIMIT)?, status))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::token::Lifespan;

    fn token(text: &str, secs: Option<u64>) -> Token {
        let obtained_at = UnixTime::from_secs(1_798_761_600);
        let lifespan = secs.map(|secs| Lifespan {
            obtained_at,
            expires_at: obtained_at.plus(Duration::from_secs(secs)),
        });
        Token::new(text.to_owned(), lifespan).expect("a b64token")
    }

    #[test]
    fn a_note_has_the_last_tokens_in_the_documented_format() {
        let home = tempfile::tempdir().expect("a directory");
        let dir = Dir::open(home.path()).expect("opened");
        let path = home.path().join("token");
        for n in 1..=6 {
            let token = token(&format!("t{n}"), (n != 6).then_some(n));
            add(&dir, "token".as_ref(), &token, &Access::PRIVATE).expect("noted");
            assert!(has(&path, &token));
        }
        assert!(has(&path, &token("t3", Some(3))) && !has(&path, &token("t2", Some(2))));
        assert!(!has(&path, &token("t3", Some(4))), "another expiry");
        let text = std::fs::read_to_string(home.path().join(".token.zitadel-credential.json"));
        let text = text.expect("a note");
        let [last, before] = ["t6", "t5"].map(|text| sha256(text.as_bytes()));
        let start = format!(
            r#"{{"version":1,"tokens":[{{"sha256":"{last}","expires_at":null}},{{"sha256":"{before}","expires_at":"2027-01-01T00:00:05Z"}},"#
        );
        assert!(text.starts_with(&start), "{text}");
    }

    #[test]
    fn an_invalid_note_is_rewritten() {
        let home = tempfile::tempdir().expect("a directory");
        let dir = Dir::open(home.path()).expect("opened");
        let token = token("t", Some(9));
        for text in ["", "[]", r#"{"version":2,"tokens":[]}"#, "{\"version\":1"] {
            std::fs::write(home.path().join(name_of("token".as_ref())), text).expect("written");
            assert!(!has(&home.path().join("token"), &token));
            add(&dir, "token".as_ref(), &token, &Access::PRIVATE).expect("noted");
            assert!(has(&home.path().join("token"), &token));
        }
    }
}
