//! The file that `--write` names, for programs that read a token from one.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::cache::replace_file;
use crate::error::{Error, Report};
use crate::key::{KeySource, KeySpec};
use crate::quote::{self, system};
use crate::secret::Secret;

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

/// Writes the file that a path leads to, and only a regular one. Without a line's
/// end: not every reader of token files cuts it off.
///
/// # Errors
/// It is no file that may be replaced, or the system's own reason.
pub fn write(path: &Path, text: &Secret) -> Result<(), Error> {
    let failed = |(reason, hint): Refusal| {
        let what = format!("{}: the token was not written: {reason}", quote::path(path));
        Error::Final(Report::new(what).hint(hint))
    };
    let target = target(path).map_err(failed)?;
    replace_file(&target, text.expose().as_bytes())
        .map_err(|error| failed((system(&error), DIRECTORY)))
}

/// Refuses the file that the key is in, which would be lost.
///
/// # Errors
/// [`Error::Usage`].
pub fn refuse_key(path: &Path, key: &KeySpec) -> Result<(), Error> {
    let KeySource::File(file) = &key.source else {
        return Ok(());
    };
    let place = |path: &Path| path.metadata().ok().map(|meta| (meta.dev(), meta.ino()));
    match place(path) {
        Some(named) if Some(named) == place(file) => {
            let what = format!("--write {}: it is the key file", quote::path(path));
            Err(Error::Usage(
                Report::new(what).hint("name another file for the token"),
            ))
        }
        _ => Ok(()),
    }
}

/// Why a file is not written, and what to do.
type Refusal = (String, &'static str);

const DIRECTORY: &str = "--write needs a directory that you can write to";

/// The file itself, link after link. A link in a directory that others may write
/// to leads where its owner wants, so that only our own and root's are followed;
/// those further up the kernel judges (`fs.protected_symlinks`).
fn target(path: &Path) -> Result<PathBuf, Refusal> {
    let failed = |error: io::Error| (system(&error), DIRECTORY);
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        let link = match target.symlink_metadata() {
            Ok(meta) if meta.is_symlink() => meta,
            Ok(meta) if meta.is_file() => return Ok(target),
            Ok(_) => return Err(("it is no regular file".to_owned(), DIRECTORY)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(target),
            Err(error) => return Err(failed(error)),
        };
        let ours = [rustix::process::geteuid().as_raw(), 0];
        if !ours.contains(&link.uid()) {
            let why = "it leads to a link of another user's";
            return Err((why.to_owned(), "name the file itself"));
        }
        if is_stream(&target) {
            // What it leads to is somebody's log, say, and would be replaced.
            let why = "it is a stream and no file";
            return Err((why.to_owned(), "leave --write out to have it on stdout"));
        }
        let next = fs::read_link(&target).map_err(failed)?;
        // It is still the one that was looked at.
        let now = target.symlink_metadata().map_err(failed)?;
        if (now.dev(), now.ino()) != (link.dev(), link.ino()) {
            let why = "it was replaced meanwhile";
            return Err((why.to_owned(), "name the file itself"));
        }
        target.pop();
        target.push(next);
    }
    Err((
        "it leads from link to link".to_owned(),
        "name the file itself",
    ))
}

/// Whether it is one of the links by which a process has its open files.
fn is_stream(link: &Path) -> bool {
    let dir = link.parent().and_then(|dir| dir.canonicalize().ok());
    dir.is_some_and(|dir| dir.starts_with("/proc") || dir.starts_with("/dev/fd"))
}

/// What a file is like as it was written, by which it is seen whether anybody has
/// changed it since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    place: (u64, u64),
    mode: u32,
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// None where there is no file.
    pub fn of(path: &Path) -> Option<Self> {
        let meta = path.metadata().ok()?;
        Some(Self {
            place: (meta.dev(), meta.ino()),
            mode: meta.mode(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
        })
    }
}

#[cfg(test)]
mod tests {
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
    fn a_link_of_ones_own_is_followed_to_the_file_also_where_there_is_none_yet() {
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
        for path in [&theirs, &ours] {
            assert!(refused(path).contains("another user"));
        }
        assert_eq!(fs::read_to_string(&file).ok().as_deref(), Some("kept"));
    }

    #[test]
    fn a_loop_a_directory_and_a_stream_are_refused() {
        let home = tempfile::tempdir().expect("a directory");
        let link = home.path().join("link");
        symlink("link", &link).expect("made");
        assert!(refused(&link).contains("from link to link"));
        assert!(refused(home.path()).contains("no regular file"));
        // Whatever the stream leads to: a person's log would be lost.
        let log = fs::File::create(home.path().join("log")).expect("made");
        let stream = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&log));
        assert!(refused(Path::new(&stream)).contains("a stream"));
        let through = home.path().join("through");
        symlink(stream, &through).expect("made");
        assert!(refused(&through).contains("a stream"));
    }
}
