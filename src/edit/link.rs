//! A link by which a tool finds this program: created if missing, removed if its target
//! is still the setup's.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::diff::{Format, View, diff};
use super::directory;
use super::directory::real_place;
use crate::error::{Error, Report};
use crate::sys::files::symlink;
use crate::text::quote;
use crate::text::quote::system;

/// The current and the new target of a link.
#[derive(Clone)]
pub(crate) struct LinkChange {
    path: PathBuf,
    /// Current target; `None` if there is no link.
    pub(crate) before: Option<PathBuf>,
    /// New target.
    pub(crate) after: Option<PathBuf>,
}

impl LinkChange {
    /// Reads the link.
    ///
    /// # Errors
    /// The path is not a link.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let before = match fs::read_link(path) {
            Ok(leads) => Some(leads),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let why = match error.kind() {
                    io::ErrorKind::InvalidInput => "it is not a link".to_owned(),
                    _ => system(&error),
                };
                let what = format!("{}: {why}", quote::path(path));
                return Err(Error::Usage(Report::new(what).hint("move it away first")));
            }
        };
        Ok(Self {
            path: path.to_owned(),
            after: before.clone(),
            before,
        })
    }

    /// Returns the path as text, for `setup.json`: the same through every directory's
    /// link.
    pub(crate) fn name(&self) -> String {
        real_place(&self.path).to_string_lossy().into_owned()
    }

    /// Returns its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// True if the link will change.
    pub(crate) fn is_changed(&self) -> bool {
        self.after != self.before
    }

    /// Sets the new target.
    ///
    /// # Errors
    /// Another program changed the link, or the operating system's error. After the
    /// latter, [`LinkChange::revert`] restores a link that is already removed.
    pub(crate) fn apply(&self) -> Result<(), Report> {
        self.put(self.before.as_deref(), self.after.as_deref())
    }

    /// Restores the former target.
    ///
    /// # Errors
    /// The operating system's error.
    pub(crate) fn revert(&self) -> Result<(), Report> {
        match fs::read_link(&self.path).ok() {
            now if now == self.before => Ok(()),
            // The old link was removed, and the new one not created.
            None => self.put(None, self.before.as_deref()),
            Some(_) => self.put(self.after.as_deref(), self.before.as_deref()),
        }
    }

    fn put(&self, now: Option<&Path>, then: Option<&Path>) -> Result<(), Report> {
        let put = || {
            if let Some(now) = now {
                if fs::read_link(&self.path)? != now {
                    return Err(io::Error::other("another program changed it"));
                }
                fs::remove_file(&self.path)?;
            }
            let Some(then) = then else { return Ok(()) };
            let created = directory::create(self.path.parent().unwrap_or(Path::new("/")))?;
            symlink(then, &self.path).inspect_err(|_| {
                for dir in created {
                    let _ = fs::remove_dir(dir);
                }
            })
        };
        put().map_err(|error| {
            let what = format!(
                "{}: the link was not changed: {}",
                quote::path(&self.path),
                system(&error)
            );
            Report::new(what).hint(match error.kind() {
                io::ErrorKind::Other => "look at the link, then repeat this call",
                _ => "check the directory's permissions",
            })
        })
    }

    /// Returns the change of the target as a diff.
    pub(crate) fn diff(&self) -> String {
        let text = |leads: &Option<PathBuf>| Some(leads.as_ref()?.to_string_lossy().into_owned());
        let (before, after) = (text(&self.before), text(&self.after));
        let words: Vec<_> = before.iter().chain(&after).cloned().collect();
        let view = View {
            format: Format::default(),
            words: &words,
            is_ours: false,
        };
        diff(&self.path, before.as_deref(), after.as_deref(), &view)
    }

    /// Returns the message about the change.
    pub(crate) fn line(&self) -> String {
        let path = quote::path(&self.path);
        match &self.after {
            Some(leads) => format!("linked {path} to {}", quote::path(leads)),
            None => format!("removed the link {path}"),
        }
    }
}

// Few users of Windows may create a link.
#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_made_with_its_directories_and_taken_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a/b/link");
        let mut link = LinkChange::open(&path).expect("none yet");
        link.after = Some("/bin/us".into());
        link.apply().expect("made");
        assert_eq!(fs::read_link(&path).expect("a link"), Path::new("/bin/us"));
        link.revert().expect("removed");
        assert!(!path.is_symlink());
    }

    #[test]
    fn links_and_files_of_others_stay() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("link");
        let mut link = LinkChange::open(&path).expect("none yet");
        link.after = Some("/bin/us".into());
        symlink(Path::new("/bin/other"), &path).expect("a link");
        assert!(link.apply().is_err());
        assert!(link.revert().is_err());
        assert_eq!(
            fs::read_link(&path).expect("a link"),
            Path::new("/bin/other")
        );
        fs::remove_file(&path).expect("removed");
        fs::write(&path, "other").expect("written");
        assert!(LinkChange::open(&path).is_err());
        assert!(link.apply().is_err());
        assert_eq!(fs::read_to_string(&path).expect("text"), "other");
    }
}
