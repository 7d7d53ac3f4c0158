//! Renews a key step by step, so that after an interruption at any step a key works:
//!
//! 1. Write the note.
//! 2. Add the public half at ZITADEL, and note its ID.
//! 3. Mint with the new key until it works: a new key may need a moment.
//! 4. Note that the key file is about to be written, and write it in one step.
//! 5. Remove the old key at ZITADEL, then the note.
//!
//! A failure before step 4 is undone; after it, the next call finishes the rotation. A new
//! file replaces no key: it is complete after step 4. Its key may be in use anywhere from
//! then on, so that no later call removes it.

use std::thread;
use std::time::Duration;

use super::note::Note;
use super::place::Place;
use super::session::{Session, scopes};
use crate::broker::{Broker, Request};
use crate::error::{Error, Report};
use crate::grant::KeyId;
use crate::secret::Secret;
use crate::source::Source;
use crate::source::key::Owner;
use crate::source::key::end::KeyEnd;
use crate::source::key::pair::{self, Pair};
use crate::source::key::spec::{KeySource, KeySpec};
use crate::text::clock::{Clock, Deadline, UnixTime};
use crate::text::quote::system;
use crate::text::waiting::Wait;

/// The first and the longest pause before a new key is tried again.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(5)];

/// A key that is in place.
#[derive(Debug)]
pub(super) struct NewKey {
    pub(super) id: KeyId,
    pub(super) end: UnixTime,
}

/// The inputs of a renewal.
pub(super) struct Renewal<'r, 'c> {
    pub(super) session: &'r Session<'r, 'c>,
    /// The request for testing the new key, with the key in use.
    pub(super) request: &'r Request<'c>,
    pub(super) place: &'r Place,
    pub(super) clock: &'r Clock,
    pub(super) deadline: Deadline,
}

impl Renewal<'_, '_> {
    /// Makes a key and puts it in place of those `replaced`. `old` is removed at ZITADEL
    /// afterwards.
    ///
    /// # Errors
    /// A step failed: the old key stays in use, or the next call finishes the rest.
    pub(super) fn run(
        &self,
        lifetime: Duration,
        old: Option<&KeyId>,
        replaced: &[KeyId],
    ) -> Result<NewKey, Error> {
        let pair = pair::make().map_err(Error::Final)?;
        let now = self.session.now();
        let end = KeyEnd::new(now.plus(lifetime), fastrand::u32(1..1_000_000));
        let mut note = Note::new(self.session.grant(), now, end, old);
        self.write_note(&note)
            .inspect_err(|_| Note::remove(&self.place.file))?;
        let added = self.session.add(&pair.public_pem, &note.expiration_date);
        let added = added.map_err(|error| self.undo(&note, error))?;
        let id = added.inspect_err(|_| Note::remove(&self.place.file))?;
        if id == self.session.grant().key_id {
            let what = format!(
                "ZITADEL gave a new key the ID {} of the one in use",
                id.as_str()
            );
            Note::remove(&self.place.file);
            return Err(Error::Final(Report::new(what).hint(
                "nothing was changed; see zitadel-credential key list, and what answers at the user API",
            )));
        }
        self.put_in_place(&mut note, &id, &pair, replaced)
            .map_err(|error| self.undo(&note, error))?;
        if self.place.is_new {
            self.finish_new_file(&note, &id);
        } else {
            self.finish(&note, &id)?;
        }
        Ok(NewKey {
            id,
            end: note.expiration_date.at,
        })
    }

    fn put_in_place(
        &self,
        note: &mut Note,
        id: &KeyId,
        pair: &Pair,
        replaced: &[KeyId],
    ) -> Result<(), Error> {
        log::info!("added key {} at ZITADEL", id.as_str());
        note.set_new(id);
        self.write_note(note)?;
        let user = self.session.user();
        let key_file = |end| pair::key_file(id, user, &pair.private_pem, end, replaced);
        // Without the expiry, to avoid a warning that it is near: it was requested.
        self.wait_for(id, key_file(None))?;
        let before = self.session.grant().key_id.as_str();
        note.set_written_over(Some(if self.place.is_new { "" } else { before }));
        let written = self.write_note(note).and_then(|()| {
            let written = self.place.write(&key_file(Some(note.expiration_date.at)));
            written.map_err(|error| {
                let what = format!(
                    "{}: key not written: {}",
                    self.place.shown(),
                    system(&error)
                );
                Error::Final(
                    Report::new(what).hint("make room, or name another file with --output"),
                )
            })
        });
        written.inspect_err(|_| {
            // If the undo fails, the next call removes the key.
            note.set_written_over(None);
            let _ = self.write_note(note);
        })
    }

    /// Mints with the new key until it works.
    fn wait_for(&self, id: &KeyId, key_file: Secret) -> Result<(), Error> {
        let request = Request {
            issuer: self.request.issuer.clone(),
            source: Source::Key(KeySpec {
                source: KeySource::Environment(key_file),
                id: None,
                user: None,
                derives_id: false,
                owner: Owner::User,
                options: String::new(),
                is_exposure_shown: true,
                is_end_shown: true,
            }),
            token_endpoint: self.request.token_endpoint.clone(),
            scopes: scopes(&["openid"])?,
            network: self.request.network.clone(),
            cache_dir: None,
            shared: None,
            refresh: false,
            deadline: self.deadline,
        };
        let _wait = Wait::of(|| "the new key to work".to_owned());
        let [mut pause, longest] = PAUSES;
        loop {
            let tried = Broker::new(&request, self.clock).and_then(|broker| broker.trial(None));
            let Err(error) = tried else { return Ok(()) };
            let left = self.deadline.remaining();
            if left.is_zero() {
                let secs = self.deadline.budget_secs();
                let what = format!("the new key {} did not work within {secs} s", id.as_str());
                return Err(Error::Passing(
                    Report::new(what)
                        .found(error.report().headline())
                        .hint("try again later, with more time by --timeout"),
                ));
            }
            log::info!(
                "the new key does not work yet: {}",
                error.report().headline()
            );
            thread::sleep(pause.min(left));
            pause = (pause * 2).min(longest);
        }
    }

    /// Finishes the rotation of a note after its new key is in place: removes the old key
    /// and other added keys, then the note.
    ///
    /// # Errors
    /// The new file is not on disk, or ZITADEL does not confirm the removal; the note stays.
    pub(super) fn finish(&self, note: &Note, in_use: &KeyId) -> Result<(), Error> {
        let on_disk = self.place.fsync_directory();
        on_disk
            .and_then(|()| {
                note.old()
                    .map_or(Ok(false), |old| self.session.remove(&old))
            })
            .and_then(|_| self.remove_added(note, in_use))
            .map_err(|error| {
                let what = format!(
                    "the new key {} is in use, but old ones are not removed at ZITADEL yet: {}",
                    in_use.as_str(),
                    error.report().headline()
                );
                error.map(|report| {
                    let hint = "run zitadel-credential key rotate again: it finishes this rotation";
                    report.renamed(what).hint(hint)
                })
            })
    }

    /// Removes the note of a new file, and the key of a first request whose response was
    /// lost. The new key works, and no later call may remove it, so an error is a warning.
    fn finish_new_file(&self, note: &Note, new: &KeyId) {
        Note::remove(&self.place.file);
        if let Err(error) = self.remove_unused(note, new) {
            log::warn!(
                "{}: the new key works, but ZITADEL may have a second copy of it: {}; check with zitadel-credential key list",
                self.place.shown(),
                error.report().headline()
            );
        }
    }

    /// Removes the keys that the note's rotation added, except those that are or may be in
    /// use, then the note.
    ///
    /// # Errors
    /// ZITADEL does not confirm the removal; the note stays.
    pub(super) fn remove_added(&self, note: &Note, in_use: &KeyId) -> Result<(), Error> {
        self.remove_unused(note, in_use)?;
        Note::remove(&self.place.file);
        Ok(())
    }

    fn remove_unused(&self, note: &Note, in_use: &KeyId) -> Result<(), Error> {
        let keys = self.session.list()?;
        let in_file = (!self.place.is_new).then_some(in_use);
        for key in keys.iter().filter(|key| key.id != *in_use) {
            if note.may_be_used(&key.id, in_file) {
                let (file, id) = (self.place.shown(), key.id.as_str());
                log::warn!(
                    "{file}: key {id} of an interrupted call may be in use: if not, run zitadel-credential key remove {id}"
                );
            } else if note.added(key) {
                self.session.remove(&key.id)?;
                log::info!(
                    "removed key {} at ZITADEL, which was not used",
                    key.id.as_str()
                );
            }
        }
        Ok(())
    }

    /// Undoes a rotation before its new key is in place, and returns the error with the
    /// result of that.
    fn undo(&self, note: &Note, error: Error) -> Error {
        let undone = self.remove_added(note, &self.session.grant().key_id);
        error.map(|report| match undone {
            Ok(()) => report.found("the key in use stays as it is, and no new one is left"),
            Err(failed) => report
                .found(format!(
                    "the key in use stays as it is; the new one may be left at ZITADEL: {}",
                    failed.report().headline()
                ))
                .hint("run the command again: it removes that key"),
        })
    }

    fn write_note(&self, note: &Note) -> Result<(), Error> {
        note.write(&self.place.file).map_err(|error| {
            let path = Note::path(&self.place.file);
            let what = format!("{}: {}", crate::text::quote::path(&path), system(&error));
            Error::Final(Report::new(what).hint(
                "make room in the key file's directory, and make it writable: the rotation is noted there",
            ))
        })
    }
}
