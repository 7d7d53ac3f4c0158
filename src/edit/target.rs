//! A file that a setup changes: replaced in one step, if it is still what was
//! read, with its mode, its group, its ACL and the link that leads to it kept.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use zeroize::Zeroizing;

use super::acl::Acl;
use super::fresh::{fresh_file, sync};
use super::guard::{Guard, look_above, make_directory};
use crate::error::{Error, Report};
use crate::text::clock::Deadline;
use crate::text::quote::system;
use crate::text::{input, quote};

/// The most that is read of another tool's file: 4 MiB.
pub(crate) const LIMIT: usize = 4 * 1024 * 1024;

/// How long a file that is none, a pipe, is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// A file's text: none where there is no file.
pub(crate) type Text = Option<Zeroizing<String>>;

/// A file that may be changed.
pub(crate) struct Target {
    path: PathBuf,
    /// Where links lead.
    real: PathBuf,
    mode: u32,
    /// None where there is no file.
    group: Option<u32>,
    pub(crate) acl: Acl,
    before: Text,
    /// What it is to be.
    pub(crate) after: Text,
    /// The words that the change brings, which its diff may show.
    pub(crate) words: Vec<String>,
    /// Whether the tool that it belongs to looks for `FILE.lock`.
    pub(crate) has_lock_file: bool,
}

impl Target {
    /// Reads a file.
    ///
    /// # Errors
    /// It is another user's, no regular file, too large, or no text.
    pub(crate) fn open(path: &Path) -> Result<Self, Report> {
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
            Err(_) => real_place(&path),
        };
        let (before, mode, group) = match fs::metadata(&real) {
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
                Some(meta.gid()),
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                look_above(&real).map_err(|error| {
                    failed(&system(&error)).hint("run this as that user, or set HOME to your own")
                })?;
                (None, 0o600, None)
            }
            Err(error) => return Err(failed(&system(&error))),
        };
        Ok(Self {
            acl: Acl::of(&real),
            path,
            real,
            mode,
            group,
            after: before.clone(),
            before,
            words: Vec::new(),
            has_lock_file: false,
        })
    }

    /// The file, as it is named.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file itself, where links lead.
    pub(crate) fn real(&self) -> &Path {
        &self.real
    }

    /// Whether it is the file that lies at a path, by whichever name.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let file = |path: &Path| fs::metadata(path).map(|meta| (meta.dev(), meta.ino())).ok();
        let same = file(path).is_some_and(|other| file(&self.real) == Some(other));
        same || self.real == real_place(path)
    }

    /// What it is now.
    pub(crate) fn before(&self) -> Option<&str> {
        self.before.as_ref().map(|text| text.as_str())
    }

    /// What it is to be, as text: of no file, an empty one.
    pub(crate) fn text(&self) -> &str {
        self.after.as_ref().map_or("", |text| text.as_str())
    }

    /// Says what it is to be.
    pub(crate) fn set(&mut self, text: String) {
        // A file that is not there is not made to hold nothing.
        if self.after.is_some() || !text.is_empty() {
            self.after = Some(Zeroizing::new(text));
        }
    }

    /// Whether it is to change.
    pub(crate) fn is_changed(&self) -> bool {
        self.after != self.before
    }

    /// Holds it against the tool that it belongs to. git looks where a link leads,
    /// kubectl beside the link itself.
    ///
    /// # Errors
    /// The tool is changing it.
    pub(crate) fn guards(&self) -> Result<Vec<Guard>, Error> {
        let link = real_place(&self.path);
        let link = Some(&link).filter(|link| **link != self.real);
        let places = std::iter::once(&self.real).chain(link);
        // Where there is no directory, there is nobody in it.
        places
            .filter(|place| self.has_lock_file && place.parent().is_some_and(Path::is_dir))
            .map(|place| Guard::take(place))
            .collect()
    }

    /// Looks whether it is still what was read.
    ///
    /// # Errors
    /// It is not, or cannot be read any more.
    pub(crate) fn look_again(&self) -> Result<(), Error> {
        let now = match read(&self.real) {
            Ok(text) => Some(text),
            Err(_) if !self.real.exists() => None,
            Err(reason) => {
                let what = format!("{}: {reason}", quote::path(&self.path));
                return Err(Error::Passing(
                    Report::new(what).hint("nothing was changed: run it again"),
                ));
            }
        };
        if now == self.before {
            return Ok(());
        }
        let what = format!(
            "{}: another program changed it meanwhile",
            quote::path(&self.path)
        );
        Err(Error::Passing(
            Report::new(what).hint("nothing was changed: run it again"),
        ))
    }

    /// Makes it what it is to be.
    ///
    /// # Errors
    /// The system's own reason; the file is as it was.
    pub(crate) fn write(&self) -> Result<(), Report> {
        self.put(&self.after)
    }

    /// Makes it again what it was.
    ///
    /// # Errors
    /// The system's own reason.
    pub(crate) fn write_back(&self) -> Result<(), Report> {
        self.put(&self.before)
    }

    fn put(&self, text: &Text) -> Result<(), Report> {
        let written = match text {
            Some(text) => self.replace(text.as_bytes()),
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

    fn replace(&self, content: &[u8]) -> io::Result<()> {
        let dir = self.real.parent().unwrap_or(Path::new("/"));
        let new_dirs = make_directory(dir)?;
        let replaced = fresh_file(dir, content).and_then(|file| {
            let is_kept = self.group.is_none_or(|group| {
                let has_it = file.as_file().metadata().is_ok_and(|m| m.gid() == group);
                has_it || fchown(file.as_file(), None, Some(group)).is_ok()
            });
            // Before the mode, which could let in others than the list names.
            let is_kept = self.acl.give(file.as_file()) && is_kept;
            // What its group might do is not for another to do.
            let mode = if is_kept {
                self.mode
            } else {
                self.mode & !0o2070
            };
            let permissions = Permissions::from_mode(mode);
            file.as_file().set_permissions(permissions)?;
            // Else a crash may leave a file that holds nothing.
            file.as_file().sync_all()?;
            file.persist(&self.real)?;
            Ok(())
        });
        match replaced {
            Ok(()) => sync(dir),
            Err(_) => {
                for dir in new_dirs {
                    let _ = fs::remove_dir(dir);
                }
            }
        }
        replaced
    }
}

/// Where a file that is not there would lie, whichever of the directories above
/// it are there.
pub(crate) fn real_place(path: &Path) -> PathBuf {
    let mut above = path.ancestors().skip(1);
    let place = above.find_map(|dir| {
        let below = path.strip_prefix(dir).ok()?;
        Some(dir.canonicalize().ok()?.join(below))
    });
    place.unwrap_or_else(|| path.to_owned())
}

/// Reads a text.
///
/// # Errors
/// It is too large, none, or not to be read.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    let bytes = input::read_file(path, LIMIT, &Deadline::after(PATIENCE))
        .map_err(|error| error.to_string())?;
    text_of(&bytes)
}

/// Reads a copy that a tool has changed: a file, and not one that another path
/// leads to.
///
/// # Errors
/// It is no such file, too large, or no text.
pub(crate) fn read_copy(path: &Path) -> Result<Zeroizing<String>, String> {
    let file = input::private_file().read(true).open(path);
    let meta = file.as_ref().ok().and_then(|file| file.metadata().ok());
    match (file, meta) {
        (Ok(file), Some(meta)) if meta.is_file() => {
            let bytes =
                input::read_regular(file, &meta, LIMIT).map_err(|error| error.to_string())?;
            text_of(&bytes)
        }
        _ => Err("it is no regular file".to_owned()),
    }
}

fn text_of(bytes: &[u8]) -> Result<Zeroizing<String>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn open(path: &Path) -> Target {
        match Target::open(path) {
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
        target.set("new".into());
        target.write().expect("written");
        assert_eq!(fs::read_to_string(&file).expect("text"), "new");
        assert!(link.is_symlink());
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        target.write_back().expect("written");
        assert_eq!(fs::read_to_string(&file).expect("text"), "old");
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
            let error = Target::open(path).err().expect("refused");
            error.headline()
        };
        assert!(refused(dir.path()).ends_with("it is no regular file"));
        let dangling = dir.path().join("dangling");
        symlink("nowhere", &dangling).expect("a link");
        assert!(refused(&dangling).ends_with("it is a link to what is not there"));
        let binary = dir.path().join("binary");
        fs::write(&binary, b"\xff").expect("written");
        assert!(refused(&binary).ends_with("it is not UTF-8"));
    }

    #[test]
    fn a_file_that_another_changed_meanwhile_is_seen() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("file");
        let none = open(&file);
        assert!(none.look_again().is_ok());
        fs::write(&file, "old").expect("written");
        assert!(none.look_again().is_err());
        let old = open(&file);
        assert!(old.look_again().is_ok());
        fs::write(&file, "new").expect("written");
        assert!(matches!(old.look_again(), Err(Error::Passing(_))));
        fs::remove_file(&file).expect("removed");
        assert!(old.look_again().is_err());
    }

    #[test]
    fn a_files_group_is_kept_where_it_may_be() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("file");
        fs::write(&file, "old").expect("written");
        fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("a mode");
        let own = fs::metadata(&file).expect("a file").gid();
        let groups = rustix::process::getgroups().expect("groups");
        let all = groups.iter().map(|group| group.as_raw());
        // Root may give it any.
        let others = all.chain([54321]).filter(|group| *group != own);
        for group in others {
            if std::os::unix::fs::chown(&file, None, Some(group)).is_err() {
                continue;
            }
            let mut target = open(&file);
            target.set(group.to_string());
            target.write().expect("written");
            let meta = fs::metadata(&file).expect("a file");
            assert_eq!((meta.gid(), meta.mode() & 0o777), (group, 0o640));
        }
    }

    #[test]
    fn a_file_has_one_name_by_whichever_link() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().canonicalize().expect("a directory");
        fs::create_dir(root.join("real")).expect("a directory");
        symlink("real", root.join("link")).expect("a link");
        let file = root.join("real/a/b/file");
        let name = || open(&root.join("link/../link/a/b/file")).name();
        assert_eq!(name(), file.display().to_string());
        fs::create_dir_all(file.parent().expect("a directory")).expect("directories");
        assert_eq!(name(), file.display().to_string());
        fs::write(&file, "").expect("written");
        assert_eq!(name(), file.display().to_string());
    }
}
