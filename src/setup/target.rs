//! A file that a setup changes: held under its lock, replaced in one step, with
//! its mode and the link that leads to it kept.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::cache::replace_file_with_mode;
use crate::clock::Deadline;
use crate::error::Report;
use crate::input;
use crate::quote::{self, system};

/// The most that is read of another tool's file: 4 MiB.
const LIMIT: usize = 4 * 1024 * 1024;

/// How long another writer of the same file is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// A file's text: none where there is no file.
pub(super) type Text = Option<Zeroizing<String>>;

/// A file that may be changed.
pub(super) struct Target {
    path: PathBuf,
    /// Where links lead.
    real: PathBuf,
    mode: u32,
    before: Text,
    /// What it is to be.
    pub(super) after: Text,
    /// The words that the change brings, which its diff may show.
    pub(super) words: Vec<String>,
    _guard: Option<Guard>,
}

impl Target {
    /// Reads a file, held until this is dropped where it is to be written. kubectl
    /// and git hold the same lock file while they change theirs.
    ///
    /// # Errors
    /// It is another user's, no regular file, too large, no text, or held.
    pub(super) fn open(path: &Path, hold: bool) -> Result<Self, Report> {
        let failed = |reason: &str| Report::new(format!("{}: {reason}", quote::path(path)));
        let path = std::path::absolute(path).map_err(|error| failed(&system(&error)))?;
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&system(&error)).hint("see who may read it"));
            }
            Err(_) if path.is_symlink() => {
                return Err(failed("it is a link to what is not there")
                    .hint("make the file that it leads to, or remove the link"));
            }
            Err(_) => path.clone(),
        };
        let guard = hold.then(|| Guard::take(&real)).transpose()?;
        let (before, mode) = match fs::metadata(&real) {
            Ok(meta) if !meta.is_file() => {
                return Err(failed("it is no regular file").hint("name the file itself"));
            }
            Ok(meta) if meta.uid() != rustix::process::geteuid().as_raw() => {
                return Err(failed("it belongs to another user")
                    .hint("run this as that user: what you wrote would lock them out"));
            }
            Ok(meta) => (
                Some(read(&real).map_err(|reason| failed(&reason))?),
                meta.mode() & 0o7777,
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (None, 0o600),
            Err(error) => return Err(failed(&system(&error))),
        };
        Ok(Self {
            path,
            real,
            mode,
            after: before.clone(),
            before,
            words: Vec::new(),
            _guard: guard,
        })
    }

    /// The file, as it is named.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file itself, where links lead.
    pub(super) fn real(&self) -> &Path {
        &self.real
    }

    /// What it is now.
    pub(super) fn before(&self) -> Option<&str> {
        self.before.as_ref().map(|text| text.as_str())
    }

    /// What it is to be, as text: of no file, an empty one.
    pub(super) fn text(&self) -> &str {
        self.after.as_ref().map_or("", |text| text.as_str())
    }

    /// Says what it is to be.
    pub(super) fn set(&mut self, text: String) {
        // A file that is not there is not made to hold nothing.
        if self.after.is_some() || !text.is_empty() {
            self.after = Some(Zeroizing::new(text));
        }
    }

    /// Whether it is to change.
    pub(super) fn is_changed(&self) -> bool {
        self.after != self.before
    }

    /// Makes it what it is to be.
    ///
    /// # Errors
    /// The system's own reason; the file is as it was.
    pub(super) fn write(&self) -> Result<(), Report> {
        self.put(&self.after)
    }

    /// Makes it again what it was.
    ///
    /// # Errors
    /// The system's own reason.
    pub(super) fn write_back(&self) -> Result<(), Report> {
        self.put(&self.before)
    }

    fn put(&self, text: &Text) -> Result<(), Report> {
        let written = match text {
            Some(text) => make_parent(&self.real)
                .and_then(|()| replace_file_with_mode(&self.real, text.as_bytes(), self.mode)),
            None => match fs::remove_file(&self.real) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        };
        written.map_err(|error| {
            let what = format!(
                "{}: it was not written: {}",
                quote::path(&self.path),
                system(&error)
            );
            Report::new(what)
                .hint("see who may write in its directory, and whether the disk is full")
        })
    }
}

/// Makes the directory that a file lies in, 0700 where it is missing.
fn make_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) => fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir),
        None => Ok(()),
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let bytes = input::read_file(path, LIMIT, &Deadline::after(PATIENCE))
        .map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The lock file `FILE.lock`, made only where there is none: the convention of
/// git and of kubectl.
struct Guard {
    lock: PathBuf,
    /// The directories that were made for it, the innermost first.
    made: Vec<PathBuf>,
}

impl Guard {
    fn take(file: &Path) -> Result<Self, Report> {
        let mut name = file.as_os_str().to_owned();
        name.push(".lock");
        let lock = PathBuf::from(name);
        let failed = |reason: &str| Report::new(format!("{}: {reason}", quote::path(&lock)));
        let dirs = file.ancestors().skip(1);
        let made = dirs.take_while(|dir| !dir.exists()).map(Path::to_owned);
        let made = made.collect();
        make_parent(file).map_err(|error| failed(&system(&error)))?;
        let patience = Deadline::after(PATIENCE);
        loop {
            let opened = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&lock);
            match opened {
                Ok(_) => return Ok(Self { lock, made }),
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(failed(&system(&error)).hint("see who may write in its directory"));
                }
                Err(_) if patience.remaining().is_zero() => {
                    return Err(failed("another program is changing the file").hint(
                        "wait for it; remove the .lock file if none is: one that was killed leaves it behind",
                    ));
                }
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // It is ours, and nobody else removes it.
        let _ = fs::remove_file(&self.lock);
        for dir in &self.made {
            // Only one that nothing came to lie in goes.
            let _ = fs::remove_dir(dir);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn open(path: &Path) -> Target {
        match Target::open(path, true) {
            Ok(target) => target,
            Err(report) => panic!("{report}"),
        }
    }

    #[test]
    fn a_file_keeps_its_mode_and_the_link_to_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("file");
        fs::write(&file, "old").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("a mode");
        let link = dir.path().join("link");
        symlink("file", &link).expect("a link");
        let mut target = open(&link);
        assert!(dir.path().join("file.lock").exists(), "held");
        target.set("new".into());
        target.write().expect("written");
        assert_eq!(fs::read_to_string(&file).expect("text"), "new");
        assert!(link.is_symlink());
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        target.write_back().expect("written");
        assert_eq!(fs::read_to_string(&file).expect("text"), "old");
        drop(target);
        assert!(!dir.path().join("file.lock").exists(), "let go");
    }

    #[test]
    fn a_new_file_is_its_owners_alone_and_goes_when_it_is_to_be_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("a/b/file");
        let mut target = open(&file);
        assert_eq!(target.before(), None);
        target.set(String::new());
        assert!(!target.is_changed(), "nothing is not written");
        target.set("new".into());
        target.write().expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(&dir.path().join("a"))), (0o600, 0o700));
        target.write_back().expect("removed");
        assert!(!file.exists());
    }

    #[test]
    fn what_is_no_file_of_ours_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let refused = |path: &Path| {
            let error = Target::open(path, false).err().expect("refused");
            error.headline()
        };
        assert!(refused(dir.path()).ends_with("it is no regular file"));
        let dangling = dir.path().join("dangling");
        symlink("nowhere", &dangling).expect("a link");
        assert!(refused(&dangling).ends_with("it is a link to what is not there"));
        let binary = dir.path().join("binary");
        fs::write(&binary, b"\xff").expect("written");
        assert!(refused(&binary).ends_with("it is not UTF-8"));
        fs::write(dir.path().join("x.lock"), "").expect("written");
        let error = Target::open(&dir.path().join("x"), true).err();
        let said = error.expect("held").headline();
        assert!(
            said.ends_with("another program is changing the file"),
            "{said}"
        );
    }
}
