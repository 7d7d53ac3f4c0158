//! Writes the file of `--write`, for programs that read a token from a file.

pub(crate) mod access;
pub(crate) mod note;
mod place;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use place::{Content, DIRECTORY, Refusal, place};

use crate::config::Config;
use crate::edit::backup::ENDING as BACKUP;
use crate::edit::directory::real_place;
use crate::error::{Error, Report};
use crate::secret::Secret;
use crate::sys::MOST_LINKS;
use crate::sys::access::Access;
use crate::sys::dir::Dir;
use crate::sys::paths::canonicalize;
use crate::sys::status::{Stamp, Status};
use crate::sys::temporary;
use crate::text::clock::{Deadline, UnixTime};
use crate::text::quote::system;
use crate::text::{input, quote};
use crate::token::Token;

const MEMBER: &str = "choose a group of this user (id -Gn), or let an administrator add the user to it (usermod -aG)";

/// Writes the text to a regular file of this mode and group, through symbolic links, in a
/// directory that no other user can write to. Adds no newline: not every reader of token
/// files strips it. Removes the temporary files that killed processes left beside it.
///
/// # Errors
/// The file must not be replaced, or the operating system's error.
pub fn write(path: &Path, text: &Secret, access: &Access, now: UnixTime) -> Result<(), Error> {
    let (dir, name) =
        swept(path, Content::Token, now).map_err(|refusal| not_written(path, refusal))?;
    write_in(&dir, &name, path, text.expose(), access)
}

/// Writes a text without a secret as [`write()`] writes a token, with mode 0644. Its
/// directory may belong to another user, and others may write to it.
///
/// # Errors
/// As [`write()`].
pub fn write_public(path: &Path, text: &str, now: UnixTime) -> Result<(), Error> {
    let written = swept(path, Content::Public, now).and_then(|(dir, name)| {
        replace(&dir, &name, text, &Access::PUBLIC).map_err(|error| (system(&error), DIRECTORY))
    });
    written.map_err(|(reason, hint)| {
        let what = format!("{}: metrics not written: {reason}", quote::path(path));
        Error::Final(Report::new(what).hint(hint))
    })
}

/// Writes a token as [`write()`] does, and the note of its expiry beside it.
///
/// # Errors
/// As [`write()`]. If only the note fails, the file is still written, with a warning.
pub fn write_noted(
    path: &Path,
    token: &Token,
    access: &Access,
    now: UnixTime,
) -> Result<(), Error> {
    let (dir, name) =
        swept(path, Content::Token, now).map_err(|refusal| not_written(path, refusal))?;
    // The note is written first, so that it always covers the file's token.
    let noted = note::add(&dir, &name, token, access);
    write_in(&dir, &name, path, token.expose(), access)?;
    if let Err(error) = noted {
        let (path, reason) = (quote::path(path), system(&error));
        log::warn!("{path}: the token's expiry is not noted beside it: {reason}");
    }
    Ok(())
}

/// Returns the file's directory, without abandoned temporary files, and its name there.
fn swept(path: &Path, content: Content, now: UnixTime) -> Result<(Dir, OsString), Refusal> {
    let place = place(path, content)?;
    if let Some(dir) = real(path).parent() {
        // It may be one that cannot be listed.
        let _ = temporary::sweep(dir, now);
    }
    Ok(place)
}

fn not_written(path: &Path, (reason, hint): Refusal) -> Error {
    let what = format!("{}: token not written: {reason}", quote::path(path));
    Error::Final(Report::new(what).hint(hint))
}

/// Replaces the file, a second time if the temporary file is missing: another process's
/// sweep removes that of a process that was paused for a minute, or of each one if the clock
/// of the file server is a minute off.
fn replace(dir: &Dir, name: &OsStr, text: &str, access: &Access) -> io::Result<()> {
    match dir.replace(name, text.as_bytes(), access) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            dir.replace(name, text.as_bytes(), access)
        }
        done => done,
    }
}

fn write_in(
    dir: &Dir,
    name: &OsStr,
    path: &Path,
    text: &str,
    access: &Access,
) -> Result<(), Error> {
    let failed = |refusal| not_written(path, refusal);
    replace(dir, name, text, access).map_err(|error| {
        let is_refused = matches!(
            error.kind(),
            io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput
        );
        if is_refused && access.is_of_foreign_group() {
            let why = "this user is not a member of its group".to_owned();
            return failed((why, MEMBER));
        }
        let hint = match error.kind() {
            io::ErrorKind::ResourceBusy => "mount the file's directory instead of the file",
            _ => DIRECTORY,
        };
        failed((system(&error), hint))
    })
}

/// Returns an error if the path resolves to a file of this program, which `what`, for
/// example a token, would replace: a key, the config file, setup's journal or a backup, a
/// file of the cache.
///
/// # Errors
/// [`Error::Usage`].
pub fn refuse_ours(path: &Path, config: &Config<'_>, what: &str) -> Result<(), Error> {
    let named = |files: Vec<PathBuf>, kind| files.into_iter().map(move |file| (file, kind));
    let journals = config.journal_directories().into_iter();
    let journals = journals.map(|dir| dir.join("setup.json")).collect();
    let secrets = config.secret_files().into_iter();
    let files = secrets
        .chain(named(config.ca_files(), "a CA file"))
        .chain(named(
            config.path().map(Path::to_owned).into_iter().collect(),
            "the config file",
        ))
        .chain(named(journals, "setup's journal"));
    let real_path = real(path);
    let identity = |path: &Path| Some(Status::of(path).ok()?.identity());
    let is_there = identity(path);
    let is_same =
        |file: &Path| real(file) == real_path || (is_there.is_some() && identity(file) == is_there);
    let mut ours = files
        .filter(|(file, _)| is_same(file))
        .map(|(_, kind)| kind);
    let kind = ours.next().or_else(|| {
        let name = real_path.file_name().unwrap_or_default().to_string_lossy();
        let cache = config.cache_root().map(|root| real(&root.join("v1/entry")));
        let cache = cache.as_deref().and_then(Path::parent);
        if name.ends_with(".rotation") {
            Some("the note of a key's rotation")
        } else if note::is_name(real_path.file_name().unwrap_or_default()) {
            Some("an agent's note")
        } else if name.contains(BACKUP) {
            Some("a backup of setup")
        } else if cache.is_some_and(|cache| real_path.starts_with(cache)) {
            Some("a file of the cache")
        } else {
            None
        }
    });
    match kind {
        Some(kind) => {
            let what = format!("{}: {what} would replace {kind}", quote::path(path));
            Err(Error::Usage(Report::new(what).hint("choose another file")))
        }
        None => Ok(()),
    }
}

/// Returns an error if an agent keeps a token in this file: its note is beside the file.
///
/// # Errors
/// [`Error::Usage`].
pub fn refuse_noted(path: &Path, what: &str) -> Result<(), Error> {
    let place = real(path);
    let name = note::name_of(place.file_name().unwrap_or_default());
    if Status::of_link(&place.with_file_name(name)).is_err() {
        return Ok(());
    }
    let what = format!(
        "{}: {what} would replace a token file of an agent",
        quote::path(path)
    );
    Err(Error::Usage(Report::new(what).hint("choose another file")))
}

/// Returns true if two paths resolve to one file, even if there is none yet.
pub fn is_same(one: &Path, other: &Path) -> bool {
    real(one) == real(other)
}

/// Returns the resolved path, even if there is no file yet.
fn real(path: &Path) -> PathBuf {
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for _ in 0..MOST_LINKS {
        let Ok(target) = path.read_link() else { break };
        path = path.parent().unwrap_or(Path::new("/")).join(target);
    }
    canonicalize(&path).unwrap_or_else(|_| real_place(&path))
}

/// Returns true if a file and its note have the state that [`write_noted`] leaves;
/// another agent may have written them.
pub fn holds(path: &Path, token: &Token, access: &Access) -> bool {
    let is_ours = |status: Status| status.is_file() && status.is_ours() && access.is_of(&status);
    let soon = Deadline::after(Duration::ZERO);
    Status::of(path).is_ok_and(is_ours)
        && input::read_file(path, token.expose().len(), &soon)
            .is_ok_and(|bytes| bytes == token.expose().as_bytes())
        && note::has(&real(path), token)
}

/// A fingerprint that changes with every write to a token file or its note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen(Stamp, Option<Stamp>);

impl Seen {
    /// Reads the fingerprint of a token file and its note; `None` if there is no file.
    pub fn of(path: &Path) -> Option<Self> {
        let file = Stamp::of(path)?;
        let real = real(path);
        let name = real.file_name()?;
        Some(Self(
            file,
            Stamp::of(&real.with_file_name(note::name_of(name))),
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn refused(path: &Path) -> String {
        let token = Secret::new("token".to_owned());
        let error = write(path, &token, &Access::PRIVATE, UnixTime::now()).expect_err("refused");
        error.report().headline()
    }

    fn written(path: &Path) {
        let token = Secret::new("token".to_owned());
        write(path, &token, &Access::PRIVATE, UnixTime::now()).expect("written");
    }

    #[test]
    fn a_file_is_created_and_replaced_and_nothing_is_left_beside_it() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("token");
        for _ in 0..2 {
            written(&file);
            assert_eq!(fs::read_to_string(&file).ok().as_deref(), Some("token"));
            assert_eq!(fs::read_dir(home.path()).expect("a directory").count(), 1);
        }
    }

    #[test]
    fn a_directory_and_one_that_is_missing_are_refused() {
        let home = tempfile::tempdir().expect("a directory");
        assert!(refused(home.path()).contains("not a regular file"));
        refused(&home.path().join("gone/token"));
        refused(&home.path().join("token/"));
        assert_eq!(fs::read_dir(home.path()).expect("a directory").count(), 0);
    }

    /// On Windows, few users may create a link.
    #[cfg(unix)]
    mod links {
        use std::os::unix::fs::symlink;

        use super::*;

        #[test]
        fn the_users_own_link_is_followed_to_the_file_even_if_it_does_not_exist_yet() {
            let home = tempfile::tempdir().expect("a directory");
            let [link, second, run] = ["link", "second", "run"].map(|name| home.path().join(name));
            fs::create_dir(&run).expect("made");
            symlink("second", &link).expect("made");
            symlink("run/token", &second).expect("made");
            for _ in 0..2 {
                written(&link);
                assert!(link.is_symlink() && second.is_symlink());
                assert_eq!(
                    fs::read_to_string(run.join("token")).ok().as_deref(),
                    Some("token")
                );
            }
        }

        #[test]
        fn a_link_into_a_missing_directory_stays_a_link() {
            let home = tempfile::tempdir().expect("a directory");
            let link = home.path().join("link");
            symlink("gone/token", &link).expect("made");
            assert!(refused(&link).contains("there is no directory "));
            assert!(link.is_symlink());
        }

        #[test]
        fn a_link_of_another_user_is_refused_anywhere_in_a_path() {
            let home = tempfile::tempdir().expect("a directory");
            let [ours, theirs, file] =
                ["ours", "theirs", "file"].map(|name| home.path().join(name));
            fs::write(&file, "kept").expect("written");
            symlink(&file, &theirs).expect("made");
            symlink(&theirs, &ours).expect("made");
            // Only root can change the owner of a link.
            if std::os::unix::fs::lchown(&theirs, Some(65534), None).is_err() {
                return;
            }
            let in_theirs = home.path().join("directory");
            symlink(".", &in_theirs).expect("made");
            std::os::unix::fs::lchown(&in_theirs, Some(65534), None).expect("given away");
            for path in [theirs, ours, in_theirs.join("file"), in_theirs.join("new")] {
                assert!(refused(&path).contains("another user"), "{path:?}");
            }
            assert!(!home.path().join("new").exists());
            assert_eq!(fs::read_to_string(&file).ok().as_deref(), Some("kept"));
        }

        #[test]
        fn a_loop_a_directory_and_a_stream_are_refused() {
            let home = tempfile::tempdir().expect("a directory");
            let link = home.path().join("link");
            symlink("link", &link).expect("made");
            assert!(refused(&link).contains("too many symbolic links"));
            assert!(refused(home.path()).contains("not a regular file"));
            // The stream may be a regular file: the user's log.
            let log = fs::File::create(home.path().join("log")).expect("made");
            let stream = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&log));
            assert!(refused(Path::new(&stream)).contains("a stream"));
            let through = home.path().join("through");
            symlink(stream, &through).expect("made");
            assert!(refused(&through).contains("a stream"));
        }
    }
}
