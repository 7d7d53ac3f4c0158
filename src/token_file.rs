//! The file of `--write`, for programs that read a token from a file.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use crate::config::Config;
use crate::edit::backup::ENDING as BACKUP;
use crate::edit::directory::real_place;
use crate::error::{Error, Report};
use crate::secret::Secret;
use crate::sys::dir::Dir;
use crate::sys::files::is_open_file;
use crate::sys::status::Status;
use crate::text::clock::Deadline;
use crate::text::quote::system;
use crate::text::{input, quote};

/// Linux's own limit on followed symbolic links.
const MOST_LINKS: usize = 40;

/// Writes the text to a regular file, through symbolic links, in a directory that no
/// other user can write to. Adds no newline: not every reader of token files strips it.
///
/// # Errors
/// The file must not be replaced, or the system's error.
pub fn write(path: &Path, text: &Secret) -> Result<(), Error> {
    let failed = |(reason, hint): Refusal| {
        let what = format!("{}: token not written: {reason}", quote::path(path));
        Error::Final(Report::new(what).hint(hint))
    };
    let (dir, name) = place(path).map_err(failed)?;
    dir.replace(&name, text.expose().as_bytes())
        .map_err(|error| {
            let hint = match error.kind() {
                io::ErrorKind::ResourceBusy => "mount the file's directory instead of the file",
                _ => DIRECTORY,
            };
            failed((system(&error), hint))
        })
}

/// Returns an error if the path leads to a file of this program, which the token would
/// replace: a key, the config file, setup's journal or a backup, a file of the cache.
///
/// # Errors
/// [`Error::Usage`].
pub fn refuse_ours(path: &Path, config: &Config<'_>) -> Result<(), Error> {
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
        if name.contains(BACKUP) {
            Some("a backup of setup")
        } else if cache.is_some_and(|cache| real_path.starts_with(cache)) {
            Some("a file of the cache")
        } else {
            None
        }
    });
    match kind {
        Some(kind) => {
            let what = format!("{}: the token would replace {kind}", quote::path(path));
            Err(Error::Usage(Report::new(what).hint("choose another file")))
        }
        None => Ok(()),
    }
}

/// Returns where a path leads, even if there is no file yet.
fn real(path: &Path) -> PathBuf {
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for _ in 0..MOST_LINKS {
        let Ok(target) = path.read_link() else { break };
        path = path.parent().unwrap_or(Path::new("/")).join(target);
    }
    path.canonicalize().unwrap_or_else(|_| real_place(&path))
}

/// The reason why a file is not written, and a hint.
type Refusal = (String, &'static str);

const DIRECTORY: &str = "choose a directory that you can write to";

const NAME: &str = "give a file's name, in a directory that you can write to";

const OWN_DIRECTORY: &str =
    "choose a directory that no other user can write to, or remove their permission: chmod go-w";

const FILE_ITSELF: &str = "give the path of the file itself";

/// Walks to the file, and returns its directory and its name there.
///
/// Follows only links that belong to this user or to root, and that nobody else can
/// replace: elsewhere a link leads where somebody else wants. Each directory is
/// opened in the one before, so that nobody can swap a part of the path meanwhile.
fn place(path: &Path) -> Result<(Dir, OsString), Refusal> {
    let failed = |error: io::Error| (system(&error), DIRECTORY);
    let mut ahead = reversed(path);
    // The open directories, and the path by which they were reached.
    let mut way = vec![Dir::open(Path::new(".")).map_err(failed)?];
    let mut at = PathBuf::from(".");
    let mut links = 0;
    while let Some(part) = ahead.pop() {
        let dir = &way[way.len() - 1];
        match Path::new(&part).components().next() {
            Some(Component::RootDir) => {
                way = vec![Dir::open(Path::new("/")).map_err(failed)?];
                at = PathBuf::from("/");
                continue;
            }
            Some(Component::ParentDir) if way.len() > 1 => {
                way.pop();
                at.pop();
                continue;
            }
            Some(Component::ParentDir) => {
                way = vec![dir.enter(&part).map_err(failed)?];
                at.push(&part);
                continue;
            }
            Some(Component::CurDir) => continue,
            _ => {}
        }
        at.push(&part);
        let status = match dir.status_of(&part) {
            Ok(status) => Some(status),
            // A new file.
            Err(error) if error.kind() == io::ErrorKind::NotFound && ahead.is_empty() => None,
            Err(error) => return Err(failed(error)),
        };
        if status.as_ref().is_some_and(Status::is_link) {
            links += 1;
            check_link(dir, &part, &at, links)?;
            ahead.extend(reversed(&dir.read_link(&part).map_err(failed)?));
            at.pop();
        } else if !ahead.is_empty() {
            way.push(dir.enter(&part).map_err(failed)?);
        } else {
            check_file(dir, status.as_ref())?;
            return Ok((way.swap_remove(way.len() - 1), part));
        }
    }
    Err(("not a regular file".to_owned(), NAME))
}

/// Returns a path's components, the last one first.
fn reversed(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev();
    parts.map(|part| part.as_os_str().to_owned()).collect()
}

/// Returns an error if a link must not be followed.
fn check_link(dir: &Dir, name: &OsStr, at: &Path, count: usize) -> Result<(), Refusal> {
    let failed = |error: io::Error| (system(&error), DIRECTORY);
    let refused = |why: &str, hint| Err((why.to_owned(), hint));
    // In this order: whose link it is counts only where nobody can replace it.
    let can_be_replaced = !dir.status().map_err(failed)?.keeps_ours();
    if !dir.status_of(name).map_err(failed)?.is_ours_or_roots() {
        return refused("the path has a symbolic link of another user", FILE_ITSELF);
    }
    if is_open_file(at) {
        // Its target would be replaced, for example a log file.
        let hint = "leave out --write to get the token on stdout";
        return refused("not a file but a stream", hint);
    }
    if can_be_replaced {
        let why = "the path has a symbolic link that other users can replace";
        return refused(why, FILE_ITSELF);
    }
    if count > MOST_LINKS {
        return refused("too many symbolic links", FILE_ITSELF);
    }
    Ok(())
}

/// Returns an error if the file or its directory is not for a token.
fn check_file(dir: &Dir, file: Option<&Status>) -> Result<(), Refusal> {
    if file.is_some_and(|file| !file.is_file()) {
        return Err(("not a regular file".to_owned(), NAME));
    }
    let dir = dir.status().map_err(|error| (system(&error), DIRECTORY))?;
    if !dir.is_ours_or_roots() {
        let why = "its directory belongs to another user".to_owned();
        return Err((why, "choose a directory of your own"));
    }
    if !dir.keeps_ours() {
        let mode = dir.shown_mode();
        let why = format!("other users can write to its directory ({mode})");
        return Err((why, OWN_DIRECTORY));
    }
    // In a sticky directory, another user's file can be changed back.
    if dir.is_writable_by_others() && file.is_some_and(|file| !file.is_ours()) {
        let why = "the file belongs to another user".to_owned();
        return Err((why, "choose another file name, or a directory of your own"));
    }
    Ok(())
}

/// Returns true if a file is as [`write()`] leaves it; another agent may have written
/// it.
pub fn holds(path: &Path, text: &Secret) -> bool {
    let is_ours =
        |status: Status| status.is_file() && status.is_ours() && status.has_private_mode();
    let soon = Deadline::after(Duration::ZERO);
    Status::of(path).is_ok_and(is_ours)
        && input::read_file(path, text.expose().len(), &soon)
            .is_ok_and(|bytes| *bytes == text.expose().as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn refused(path: &Path) -> String {
        let error = write(path, &Secret::new("token".to_owned())).expect_err("refused");
        error.report().headline()
    }

    fn written(path: &Path) {
        write(path, &Secret::new("token".to_owned())).expect("written");
    }

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
    fn a_link_whose_directory_is_gone_stays_a_link() {
        let home = tempfile::tempdir().expect("a directory");
        let link = home.path().join("link");
        symlink("gone/token", &link).expect("made");
        assert!(refused(&link).contains("no such file"));
        assert!(link.is_symlink());
    }

    #[test]
    fn a_link_of_another_users_is_refused_wherever_it_stands() {
        let home = tempfile::tempdir().expect("a directory");
        let [ours, theirs, file] = ["ours", "theirs", "file"].map(|name| home.path().join(name));
        fs::write(&file, "kept").expect("written");
        symlink(&file, &theirs).expect("made");
        symlink(&theirs, &ours).expect("made");
        // Only root can give one away.
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
        // Even if the stream is a regular file: it may be the user's log.
        let log = fs::File::create(home.path().join("log")).expect("made");
        let stream = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&log));
        assert!(refused(Path::new(&stream)).contains("a stream"));
        let through = home.path().join("through");
        symlink(stream, &through).expect("made");
        assert!(refused(&through).contains("a stream"));
    }
}
