//! The note of an unfinished rotation. It is beside the key file until the rotation is
//! complete, so that the next call can finish it. It contains no secret.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Report};
use crate::grant::{Grant, KeyId};
use crate::source::issuer::user_keys::UserKey;
use crate::source::key::end::KeyEnd;
use crate::sys::replace;
use crate::sys::status::Status;
use crate::text::clock::{Deadline, UnixTime};
use crate::text::object::Object;
use crate::text::quote::system;
use crate::text::{input, quote};
use crate::url::IssuerUrl;

/// Suffix of the note's name, after the name of the key file.
const ENDING: &str = ".rotation";

const LIMIT: usize = 64 * 1024;

const VERSION: u32 = 1;

/// The record of a started rotation. A rotation removes only the keys that it names.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Note {
    version: u32,
    issuer: String,
    user_id: String,
    begun_at: String,
    /// The expiry of the new key. It identifies the key before its ID is known: its
    /// microseconds are random.
    pub(super) expiration_date: KeyEnd,
    /// `None` until ZITADEL has returned the ID.
    new_key_id: Option<String>,
    /// The key to remove once the new one is in place; `None` to keep it.
    old_key_id: Option<String>,
    /// The ID of the key in the key file, empty for a new file. `None` until right before
    /// the new key is written there: the new key may be in use from then on.
    written_over: Option<String>,
}

/// Returns the issuer's URL, which every session has.
fn issuer_of(grant: &Grant) -> &str {
    grant.issuer.as_ref().map_or("", IssuerUrl::as_str)
}

impl Note {
    pub(super) fn new(
        grant: &Grant,
        now: UnixTime,
        expiration_date: KeyEnd,
        old: Option<&KeyId>,
    ) -> Self {
        Self {
            version: VERSION,
            issuer: issuer_of(grant).to_owned(),
            user_id: grant.user_id.as_str().to_owned(),
            begun_at: now.to_string(),
            expiration_date,
            new_key_id: None,
            old_key_id: old.map(|id| id.as_str().to_owned()),
            written_over: None,
        }
    }

    /// Returns the path of a key file's note.
    pub(super) fn path(key_file: &Path) -> PathBuf {
        let mut path = key_file.as_os_str().to_owned();
        path.push(ENDING);
        path.into()
    }

    /// Reads the note of a key file; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Usage`]: the note is damaged, or may be another user's.
    pub(super) fn read(key_file: &Path) -> Result<Option<Self>, Error> {
        let path = Self::path(key_file);
        let damaged = |what: &str| {
            let what = format!("{}: {what}", quote::path(&path));
            let report = Report::new(what).hint(format!(
                "run zitadel-credential key list, remove keys that nobody uses, and then this note: rm {}",
                quote::word(&path)
            ));
            Error::Usage(report)
        };
        let status = match Status::of_link(&path) {
            Ok(status) => status,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(damaged(&system(&error))),
        };
        // Anyone who can write a note can have keys removed.
        if !(status.is_file() && status.is_ours_to_write()) {
            return Err(damaged("not a file of yours alone"));
        }
        let soon = Deadline::after(Duration::from_secs(1));
        let text = input::read_file(&path, LIMIT, &soon).map_err(|e| damaged(&e.to_string()))?;
        match Object::<Self>::read(&text) {
            Ok(note) if note.version == VERSION => Ok(Some(note)),
            _ => Err(damaged("not a note of a rotation by this version")),
        }
    }

    /// Writes the note beside the key file, with mode 0600. It is on disk then: after a
    /// power failure, it must name the key that was uploaded.
    ///
    /// # Errors
    /// The operating system's error.
    pub(super) fn write(&self, key_file: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        let path = Self::path(key_file);
        replace::private_fsynced(&path, text.as_bytes())?;
        replace::fsync_directory_of(&path)
    }

    /// Removes the note of a new file that exists, if the file has the note's key: the call
    /// that wrote it was interrupted afterwards.
    pub(super) fn remove_if_complete(key_file: &Path) {
        let soon = Deadline::after(Duration::from_secs(1));
        if let Ok(Some(note)) = Self::read(key_file)
            && note.written_over.as_deref() == Some("")
            && let Ok(text) = input::read_file(key_file, input::LIMIT, &soon)
            && let Ok(file) = serde_json::from_slice::<Value>(&text)
            && note.new_key_id.as_deref() == file["keyId"].as_str()
        {
            Self::remove(key_file);
        }
    }

    /// Removes the note.
    pub(super) fn remove(key_file: &Path) {
        let path = Self::path(key_file);
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            log::warn!(
                "{}: cannot be removed: {}; the next call removes it",
                quote::path(&path),
                system(&error)
            );
        }
    }

    /// Records the new key's ID.
    pub(super) fn set_new(&mut self, id: &KeyId) {
        self.new_key_id = Some(id.as_str().to_owned());
    }

    /// Records that the new key is about to be written over the key with this ID, or to a
    /// new file if it is empty; `None` if that failed.
    pub(super) fn set_written_over(&mut self, id: Option<&str>) {
        self.written_over = id.map(ToOwned::to_owned);
    }

    /// True if a key may be in use although its file does not have it: the file had it, and
    /// may have been moved. `in_file` is the ID of the key in the file now.
    pub(super) fn may_be_used(&self, id: &KeyId, in_file: Option<&KeyId>) -> bool {
        let over = self.written_over.as_deref();
        self.is_new(id) && over.is_some_and(|over| in_file.is_none_or(|id| id.as_str() != over))
    }

    /// True if the note belongs to this user at this issuer.
    pub(super) fn is_of(&self, grant: &Grant) -> bool {
        self.issuer == issuer_of(grant) && self.user_id == grant.user_id.as_str()
    }

    /// True if this is the new key of the note.
    pub(super) fn is_new(&self, id: &KeyId) -> bool {
        self.new_key_id.as_deref() == Some(id.as_str())
    }

    /// Returns the key to remove once the new one is in place.
    pub(super) fn old(&self) -> Option<KeyId> {
        self.old_key_id.as_deref().and_then(KeyId::parse)
    }

    /// Keeps the old key at ZITADEL.
    pub(super) fn keep_old(&mut self) {
        self.old_key_id = None;
    }

    /// True if the noted rotation added a key, even if no response contained its ID.
    pub(super) fn added(&self, key: &UserKey) -> bool {
        let is_old = self.old_key_id.as_deref() == Some(key.id.as_str());
        !is_old && (self.is_new(&key.id) || key.end == self.expiration_date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::UserId;
    use crate::scope::Scopes;

    fn grant() -> Grant {
        Grant {
            issuer: IssuerUrl::parse("https://id.acme.dev"),
            key_id: id("1"),
            user_id: UserId::parse("7").expect("an ID"),
            scopes: Scopes::new(["openid"]).expect("scopes"),
        }
    }

    fn id(text: &str) -> KeyId {
        KeyId::parse(text).expect("an ID")
    }

    fn end(micros: u32) -> KeyEnd {
        KeyEnd::new(UnixTime::from_secs(1_798_761_600), micros)
    }

    fn note() -> Note {
        Note::new(
            &grant(),
            UnixTime::from_secs(1_790_000_000),
            end(5),
            Some(&id("1")),
        )
    }

    #[test]
    fn a_note_reads_back_and_is_private() {
        let dir = tempfile::tempdir().expect("a directory");
        let key = dir.path().join("key.json");
        assert!(Note::read(&key).expect("no note").is_none());
        let mut note = note();
        note.set_new(&id("2"));
        note.write(&key).expect("written");
        let path = dir.path().join("key.json.rotation");
        assert!(Status::of(&path).expect("a note").has_private_mode());
        let read = Note::read(&key).expect("a note").expect("a note");
        assert!(read.is_of(&grant()) && read.is_new(&id("2")) && !read.is_new(&id("1")));
        assert_eq!((read.old(), read.expiration_date), (Some(id("1")), end(5)));
        Note::remove(&key);
        assert!(Note::read(&key).expect("no note").is_none());
    }

    /// Windows has no modes, and few users may create a link there.
    #[cfg(unix)]
    #[test]
    fn a_note_that_others_may_write_or_that_is_a_link_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a directory");
        let key = dir.path().join("key.json");
        let path = Note::path(&key);
        note().write(&key).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).expect("a mode");
        assert!(Note::read(&key).is_err());
        fs::remove_file(&path).expect("removed");
        std::os::unix::fs::symlink("/etc/passwd", &path).expect("linked");
        assert!(Note::read(&key).is_err());
    }

    #[test]
    fn a_note_that_is_damaged_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let key = dir.path().join("key.json");
        let path = Note::path(&key);
        for text in ["", "{}", "[]", r#"{"version":2}"#] {
            replace::private(&path, text.as_bytes()).expect("written");
            assert!(Note::read(&key).is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_noted_expiry_or_id_identifies_an_added_key() {
        let key = |name: &str, micros| UserKey {
            id: id(name),
            created_at: UnixTime::from_secs(1_790_000_001),
            end: end(micros),
        };
        let mut note = note();
        assert!(note.added(&key("2", 5)) && note.added(&key("3", 5)));
        for other in [key("2", 6), key("2", 0), key("1", 5)] {
            assert!(!note.added(&other), "{other:?}");
        }
        note.set_new(&id("2"));
        assert!(note.added(&key("2", 6)));
    }

    #[test]
    fn a_key_that_was_about_to_be_written_may_be_used_unless_its_file_is_unchanged() {
        let [old, new, other] = ["1", "2", "3"].map(id);
        let mut note = note();
        note.set_new(&new);
        assert!(!note.may_be_used(&new, None));
        note.set_written_over(Some("1"));
        assert!(!note.may_be_used(&new, Some(&old)));
        assert!(note.may_be_used(&new, Some(&other)) && note.may_be_used(&new, None));
        note.set_written_over(Some(""));
        assert!(note.may_be_used(&new, Some(&old)) && note.may_be_used(&new, None));
        assert!(!note.may_be_used(&other, None));
    }

    #[test]
    fn the_note_of_a_new_file_is_dropped_only_with_its_key() {
        let dir = tempfile::tempdir().expect("a directory");
        let key = dir.path().join("key.json");
        let mut note = note();
        note.set_new(&id("2"));
        for (over, file, is_dropped) in [
            (None, r#"{"keyId":"2"}"#, false),
            (Some("1"), r#"{"keyId":"2"}"#, false),
            (Some(""), r#"{"keyId":"1"}"#, false),
            (Some(""), "{}", false),
            (Some(""), r#"{"keyId":"2"}"#, true),
        ] {
            note.set_written_over(over);
            note.write(&key).expect("written");
            fs::write(&key, file).expect("written");
            Note::remove_if_complete(&key);
            assert_eq!(!Note::path(&key).exists(), is_dropped, "{over:?} {file}");
        }
    }
}
