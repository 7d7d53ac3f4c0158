//! `key add` and `key rotate`.

use super::advice;
use super::args::{KeyAdd, KeyRotate};
use super::note::Note;
use super::place::Place;
use super::renewal::{NewKey, Renewal};
use super::session::Session;
use crate::broker::Request;
use crate::call::{Answer, World};
use crate::cli::options::Options;
use crate::config::Config;
use crate::error::{Error, Report};
use crate::grant::KeyId;
use crate::source::Source;
use crate::source::key::Key;
use crate::source::key::end::KeyEnd;
use crate::source::key::spec::{KeySource, KeySpec};
use crate::text::clock::{Clock, UnixTime};
use crate::text::quote;

/// `key add`: creates a new key in a new file, beside the one in use.
///
/// # Errors
/// No key was added.
pub(super) fn add(
    world: &World<'_>,
    request: &Request<'_>,
    args: &KeyAdd,
) -> Result<Answer, Error> {
    let path = world.directories.located("--output", &args.output)?;
    let place = Place::of_new_file(&path)?;
    let _lock = place.lock(&request.deadline, (world.clock)())?;
    let session = Session::open(request, world.clock, None)?;
    let renewal = renewal(&session, request, &place, world.clock);
    clear(&renewal)?;
    let new = renewal.run(args.lifetime, None, &[])?;
    Ok(Answer::new(told(&new, &place)))
}

/// `key rotate`: replaces the profile's key by a new one.
///
/// # Errors
/// The old key is still in use, or the next call finishes the rest.
pub(super) fn rotate(
    world: &World<'_>,
    config: &Config<'_>,
    options: &Options,
    mut request: Request<'_>,
    args: &KeyRotate,
) -> Result<Answer, Error> {
    if args
        .if_expires_within
        .is_some_and(|span| span >= args.lifetime)
    {
        let what = "--if-expires-within is not shorter than --lifetime";
        return Err(Error::Usage(Report::new(what).hint(
            "give the new key a longer --lifetime: else each call would replace it",
        )));
    }
    if matches!(request.source, Source::Client(_) | Source::Supplier(_)) {
        return Err(no_key(&request.source));
    }
    let output = args.output.as_ref();
    let output = output.map(|path| world.directories.located("--output", path));
    let file = request.source.key().and_then(|key| match &key.source {
        KeySource::File(path) => Some(path),
        _ => None,
    });
    let place = match (output.transpose()?, file) {
        (Some(path), _) => Place::of_new_file(&path)?,
        (None, Some(path)) => Place::of_key_file(path)?,
        (None, None) => {
            let what = format!("{}: only a key in a file can be replaced", request.source);
            return Err(Error::Usage(Report::new(what).hint(
                "take the new key with --output FILE, and store it in place of the old one",
            )));
        }
    };
    let given_id = request.source.key().and_then(|key| key.id.clone());
    if args.dry_run {
        place.check_absent()?;
    }
    // The key beside a new file is read once, as from a pipe, and not before a wait.
    let lock = (place.is_new && !args.dry_run)
        .then(|| place.lock(&request.deadline, (world.clock)()))
        .transpose()?;
    let (before, key, source) = in_use(&request)?;
    request.source = source;
    let call = Call {
        clock: world.clock,
        request: &request,
        place: &place,
        args,
        is_id_set: given_id.is_some(),
        before,
    };
    let done = if args.dry_run {
        Done::only(call.plan())
    } else if let Some(_lock) = lock {
        call.run_beside(key)?
    } else {
        drop(key);
        call.run_in_place()?
    };
    let advice = match (&done.in_use, &given_id) {
        (Some(id), Some(given)) if id != given => advice::of_key_id(config, options, id, &place)?,
        _ => String::new(),
    };
    Ok(Answer::new(done.text + &advice))
}

fn renewal<'r, 'c>(
    session: &'r Session<'r, 'c>,
    request: &'r Request<'c>,
    place: &'r Place,
    clock: &'r Clock,
) -> Renewal<'r, 'c> {
    Renewal {
        session,
        request,
        place,
        clock,
        deadline: request.deadline,
    }
}

fn told(new: &NewKey, place: &Place) -> String {
    let (id, end, file) = (new.id.as_str(), new.end, place.shown());
    format!("{file}: new key {id}, valid until {end}\n")
}

/// The IDs and the expiry of the key in the profile's source.
struct InUse {
    id: KeyId,
    /// The keys that it replaced.
    replaced: Vec<KeyId>,
    expires_at: Option<UnixTime>,
}

/// Maximum number of replaced keys that a key file names.
const MOST_REPLACED: usize = 20;

impl InUse {
    /// Returns its ID after those of the replaced keys.
    fn all(&self) -> Vec<KeyId> {
        let before = self.replaced.len().saturating_sub(MOST_REPLACED - 1);
        let mut all = self.replaced[before..].to_vec();
        all.push(self.id.clone());
        all
    }
}

fn no_key(source: &Source) -> Error {
    let report = Report::new(format!("{source}: there is no key to rotate"));
    Error::Usage(
        report.hint("run zitadel-credential key add --output FILE for the user's first key"),
    )
}

/// Reads the key in use, once, and returns it with its source; `None` if another program
/// signs. A key file's own ID counts, even if the configuration still has the previous
/// key's ID.
fn in_use(request: &Request<'_>) -> Result<(InUse, Option<Key>, Source), Error> {
    let given = match &request.source {
        Source::Key(key) | Source::SelfSigned(key) => key,
        Source::Signer(signer) => {
            let in_use = InUse {
                id: signer.id.clone(),
                replaced: Vec::new(),
                expires_at: None,
            };
            return Ok((in_use, None, request.source.clone()));
        }
        source @ (Source::Client(_) | Source::Supplier(_)) => return Err(no_key(source)),
    };
    let bytes = given.read(request.network.environment, &request.deadline)?;
    let by_itself = KeySpec {
        id: None,
        ..given.clone()
    };
    let (key, spec) = match by_itself.parse(&bytes) {
        Ok(key) => (key, by_itself),
        // A PEM file without IDs.
        Err(_) => (given.parse(&bytes)?, given.clone()),
    };
    let in_use = InUse {
        id: key.id.clone(),
        replaced: key.replaced.clone(),
        expires_at: key.expires_at,
    };
    let source = match &request.source {
        Source::SelfSigned(_) => Source::SelfSigned(spec),
        _ => Source::Key(spec),
    };
    Ok((in_use, Some(key), source))
}

/// Removes the leftovers of an unfinished call with the same file.
fn clear(renewal: &Renewal<'_, '_>) -> Result<(), Error> {
    if let Some(note) = note(renewal)? {
        renewal.remove_added(&note, &renewal.session.grant().key_id)?;
    }
    Ok(())
}

/// Reads the note, which must belong to the session's user.
fn note(renewal: &Renewal<'_, '_>) -> Result<Option<Note>, Error> {
    let Some(note) = Note::read(&renewal.place.file)? else {
        return Ok(None);
    };
    if note.is_of(renewal.session.grant()) {
        return Ok(Some(note));
    }
    let path = Note::path(&renewal.place.file);
    let what = format!(
        "{}: a rotation of another user's key was begun with this file",
        quote::path(&path)
    );
    let hint = format!(
        "put that user's key back and run key rotate, which finishes it, or drop the note: rm {}",
        quote::word(&path)
    );
    Err(Error::Usage(Report::new(what).hint(hint)))
}

/// One call of `key rotate`.
struct Call<'r, 'c> {
    clock: &'r Clock,
    request: &'r Request<'c>,
    place: &'r Place,
    args: &'r KeyRotate,
    /// True if the configuration sets the key ID, which the new file must match.
    is_id_set: bool,
    before: InUse,
}

/// The results of a call.
struct Done {
    text: String,
    /// The key that is in the key file now.
    in_use: Option<KeyId>,
}

impl Done {
    fn only(text: String) -> Self {
        Self { text, in_use: None }
    }
}

impl Call<'_, '_> {
    fn is_beside(&self) -> bool {
        self.args.output.is_some()
    }

    /// Returns the message for a key that is valid for long enough; `None` if it is not,
    /// or without `--if-expires-within`.
    fn is_good(&self, end: Option<UnixTime>) -> Option<String> {
        let (within, end) = (self.args.if_expires_within?, end?);
        let left = end.since((self.clock)());
        let id = self.before.id.as_str();
        (left > within).then(|| {
            if KeyEnd::new(end, 0).is_never() {
                return format!("key {id} never expires: nothing to do\n");
            }
            format!("key {id} is valid until {end}: nothing to do\n")
        })
    }

    /// As [`Call::is_good`], by the expiry in the key file; `None` if an unfinished call
    /// left a note.
    fn is_good_by_file(&self) -> Option<String> {
        let is_begun = Note::path(&self.place.file).exists();
        let end = self.before.expires_at.filter(|_| !is_begun);
        self.is_good(end)
    }

    /// As [`Call::is_good`], by the expiry at ZITADEL, if the key file has none.
    fn is_good_at_zitadel(
        &self,
        session: &Session<'_, '_>,
        now: &InUse,
    ) -> Result<Option<String>, Error> {
        if self.args.if_expires_within.is_none() || now.expires_at.is_some() {
            return Ok(None);
        }
        let keys = session.list()?;
        let own = keys.iter().find(|key| key.id == now.id);
        Ok(self.is_good(own.map(|key| key.end.at)))
    }

    /// Returns the description of the planned steps.
    fn plan(&self) -> String {
        let file = self.place.shown();
        if Note::path(&self.place.file).exists() {
            return format!("{file}: would finish the rotation that was begun\n");
        }
        if let Some(good) = self.is_good(self.before.expires_at) {
            return good;
        }
        let end = (self.clock)().plus(self.args.lifetime);
        let id = self.before.id.as_str();
        let old = if self.is_beside() || self.args.keep_old {
            "leave"
        } else {
            "remove"
        };
        let unless = match (self.args.if_expires_within, self.before.expires_at) {
            (Some(_), None) => "if ZITADEL says that the key expires so soon: ",
            _ => "",
        };
        format!(
            "{unless}{file}: would write a new key, valid until {end}, and {old} key {id} at ZITADEL\n"
        )
    }

    /// Adds a key in a new file, under the caller's lock; the key in use stays.
    fn run_beside(&self, key: Option<Key>) -> Result<Done, Error> {
        let Self {
            clock,
            request,
            place,
            args,
            ref before,
            ..
        } = *self;
        if let Some(good) = self.is_good_by_file() {
            return Ok(Done::only(good));
        }
        let session = Session::open(request, clock, key)?;
        let renewal = renewal(&session, request, place, clock);
        clear(&renewal)?;
        if let Some(good) = self.is_good_at_zitadel(&session, before)? {
            return Ok(Done::only(good));
        }
        let new = renewal.run(args.lifetime, None, &[])?;
        Ok(self.rotated(new, &before.id))
    }

    /// Replaces the key in its file.
    fn run_in_place(&self) -> Result<Done, Error> {
        let Self {
            clock,
            request,
            place,
            args,
            is_id_set,
            ref before,
        } = *self;
        if let Some(good) = self.is_good_by_file() {
            return Ok(Done::only(good));
        }
        let _lock = place.lock(&request.deadline, clock())?;
        // Another call may have replaced the key.
        let (now, key, _) = in_use(request)?;
        let is_done = now.id != before.id;
        if is_done && !Note::path(&place.file).exists() {
            return Ok(self.done_by_another(now));
        }
        let session = Session::open(request, clock, key)?;
        let renewal = renewal(&session, request, place, clock);
        if let Some(mut note) = note(&renewal)? {
            if note.is_new(&now.id) {
                if args.keep_old {
                    note.keep_old();
                }
                renewal.finish(&note, &now.id)?;
                return Ok(self.finished(now, &note));
            }
            renewal.remove_added(&note, &now.id)?;
        }
        if is_done {
            return Ok(self.done_by_another(now));
        }
        if let Some(good) = self.is_good_at_zitadel(&session, &now)? {
            return Ok(Done::only(good));
        }
        let old = (!args.keep_old).then_some(&now.id);
        let replaced = if is_id_set { now.all() } else { Vec::new() };
        let new = renewal.run(args.lifetime, old, &replaced)?;
        Ok(self.rotated(new, &now.id))
    }

    fn done_by_another(&self, now: InUse) -> Done {
        let (file, id) = (self.place.shown(), now.id.as_str());
        Done {
            text: format!("{file}: another call already replaced the key: the new key is {id}\n"),
            in_use: Some(now.id),
        }
    }

    fn finished(&self, now: InUse, note: &Note) -> Done {
        let (file, id) = (self.place.shown(), now.id.as_str());
        let old = match note.old() {
            Some(old) => format!("key {} removed at ZITADEL", old.as_str()),
            None => "the old key left at ZITADEL".to_owned(),
        };
        Done {
            text: format!("{file}: finished the rotation to key {id}; {old}\n"),
            in_use: Some(now.id),
        }
    }

    fn rotated(&self, new: NewKey, old: &KeyId) -> Done {
        let (first, old) = (told(&new, self.place), old.as_str());
        if self.is_beside() {
            let source = &self.request.source;
            return Done::only(format!(
                "{first}key {old} stays in use: store the new key in place of that of {source}, then run\n  zitadel-credential key remove {old}\n"
            ));
        }
        let rest = if self.args.keep_old {
            "left"
        } else {
            "removed"
        };
        Done {
            text: format!("{first}key {old} {rest} at ZITADEL\n"),
            in_use: Some(new.id),
        }
    }
}
