//! A file that a setup changes.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::diff::Format;
use super::directory;
use super::directory::real_place;
use super::file_lock::FileLock;
use super::tool::Tool;
use crate::error::{Error, Report};
use crate::sys::absolute::names_directory;
use crate::sys::files::open_private;
use crate::sys::paths::canonicalize;
use crate::sys::replace;
use crate::sys::status::Status;
use crate::text::clock::Deadline;
use crate::text::input::TOOL_FILE_LIMIT;
use crate::text::input::encoding::{self, NotText};
use crate::text::quote::system;
use crate::text::{input, quote};

/// Read timeout for pipes.
const PATIENCE: Duration = Duration::from_secs(2);

/// A file's text; `None` if there is no file.
pub(crate) type Text = Option<String>;

/// The current and the new state of a file.
#[derive(Clone)]
pub(crate) struct FileChange {
    path: PathBuf,
    /// Path with all links resolved.
    real: PathBuf,
    before: Text,
    after: Text,
    /// Names of the tool's format, which the diff of the change may show.
    pub(crate) format: Format,
    /// Words of the change, which its diff may show.
    pub(crate) words: Vec<String>,
    /// True if the tool must reach the file by a link to its directory: kubectl shortens
    /// paths below that directory.
    pub(crate) by_link: bool,
    /// The calls of the tool, if this program does not write the file itself.
    steps: Vec<Step>,
    writer: Writer,
    has_other_names: bool,
}

/// The program that writes a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// This program.
    Us,
    /// git or kubectl, which lock the file. A revert is our own write, under that lock.
    Tool,
    /// This program, under the lock of a tool that could not make the change.
    UsForTool,
}

/// One call by which a tool changes its file, and the resulting text.
#[derive(Clone)]
struct Step {
    tool: Tool,
    words: Vec<String>,
    after: String,
}

impl FileChange {
    /// Reads a file.
    ///
    /// # Errors
    /// The file belongs to another user, is not a regular file, is too large, or is not
    /// text.
    pub(crate) fn open(path: &Path) -> Result<Self, Report> {
        let failed = |reason: &str| Report::new(format!("{}: {reason}", quote::path(path)));
        if names_directory(path) {
            return Err(failed("the name of a directory").hint("name the file itself"));
        }
        let path = std::path::absolute(path).map_err(|error| failed(&system(&error)))?;
        directory::check_links(&path).map_err(|error| {
            failed(&system(&error)).hint("name the file itself, if you mean it")
        })?;
        let real = match canonicalize(&path) {
            Ok(real) => real,
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&system(&error)).hint("make it readable for you"));
            }
            Err(_) if path.is_symlink() => {
                return Err(
                    failed("dangling symbolic link").hint("create its target, or remove the link")
                );
            }
            Err(_) => real_place(&path),
        };
        let mut has_other_names = false;
        let before = match Status::of(&real) {
            Ok(status) if !status.is_file() => {
                return Err(failed("not a regular file").hint("name the file itself"));
            }
            Ok(status) if !status.is_ours() => {
                return Err(failed("owned by another user")
                    .hint("run this as that user, who could not read a file of yours"));
            }
            Ok(status) => {
                has_other_names = status.links() > 1;
                Some(read(&real).map_err(|reason| failed(&reason))?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                directory::check_above(&real).map_err(|error| {
                    failed(&system(&error)).hint("run this as that user, or set HOME to your own")
                })?;
                None
            }
            Err(error) => return Err(failed(&system(&error))),
        };
        Ok(Self {
            path,
            real,
            after: before.clone(),
            before,
            format: Format::default(),
            words: Vec::new(),
            by_link: false,
            steps: Vec::new(),
            writer: Writer::Us,
            has_other_names,
        })
    }

    /// Returns the path as it was given.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path with all links resolved.
    pub(crate) fn real(&self) -> &Path {
        &self.real
    }

    /// Returns the path as text, for `setup.json`: the same through every link.
    pub(crate) fn name(&self) -> String {
        self.real.to_string_lossy().into_owned()
    }

    /// True if the path is this file's, by any of its names.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let identity = |path: &Path| Status::of(path).map(|status| status.identity()).ok();
        let same = identity(path).is_some_and(|other| identity(&self.real) == Some(other));
        same || self.real == real_place(path)
    }

    /// Returns the current text; `None` if there is no file.
    pub(crate) fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    /// Returns the new text; `None` if the file will be removed.
    pub(crate) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Returns the new text, which is empty for no file.
    pub(crate) fn text(&self) -> &str {
        self.after().unwrap_or_default()
    }

    /// Sets the new text. A missing file is not created empty.
    pub(crate) fn set(&mut self, text: String) {
        if self.after.is_some() || !text.is_empty() {
            self.after = Some(text);
        }
    }

    /// Restores the former text, even if the file was changed since.
    pub(crate) fn restore(&mut self, text: Text) {
        self.steps.clear();
        self.after = text;
    }

    /// Sets a text that the file's tool cannot produce: it is written as a whole, under the
    /// tool's lock.
    pub(crate) fn rewrite(&mut self, text: String) {
        self.writer = Writer::UsForTool;
        self.after = Some(text);
    }

    /// Makes [`Self::apply`] write the tool's text as a whole, under the tool's lock, instead
    /// of repeating the tool's calls, between which another program could write.
    pub(crate) fn write_whole(&mut self) {
        self.writer = Writer::UsForTool;
    }

    /// Has its tool change it: here on a copy, and on the file itself when the change
    /// is applied. `check` looks at the copy.
    ///
    /// # Errors
    /// The tool fails, the result is not text, or as `check`.
    pub(crate) fn edit_by<T>(
        &mut self,
        tool: &Tool,
        words: &[String],
        check: impl FnOnce(&Path, &str) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (copy, _own) = tool.try_on_copy(&self.path, &self.real, self.text(), words)?;
        let text = read_regular(&copy).map_err(|reason| tool.disbelieved(&self.path, &reason))?;
        let checked = check(&copy, &text)?;
        if self.writer == Writer::Us {
            self.writer = Writer::Tool;
        }
        self.steps.push(Step {
            tool: tool.clone(),
            words: words.to_vec(),
            after: text.clone(),
        });
        self.after = Some(text);
        Ok(checked)
    }

    /// Returns the file's text after each call of the tool.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| step.after.as_str())
    }

    /// True if the file will change.
    pub(crate) fn is_changed(&self) -> bool {
        self.after != self.before
    }

    /// Returns a message about the hard links that keep the former text.
    pub(crate) fn line_of_links(&self) -> Option<String> {
        let path = quote::path(&self.path);
        (self.has_other_names && self.is_changed()).then(|| {
            format!("{path} has other names (hard links): they may keep the former content")
        })
    }

    /// Checks that the file is unchanged since it was read.
    ///
    /// # Errors
    /// The file has changed, or is no longer readable.
    pub(crate) fn look_again(&self) -> Result<(), Error> {
        let now = self.now().map_err(|reason| {
            let what = format!("{}: {reason}", quote::path(&self.path));
            Error::Passing(Report::new(what).hint("nothing was changed: run the command again"))
        })?;
        if now == self.before {
            return Ok(());
        }
        Err(Error::Passing(self.changed()))
    }

    fn changed(&self) -> Report {
        let path = quote::path(&self.path);
        let what = format!("{path}: another program changed it at the same time");
        Report::new(what).hint("nothing was changed: run the command again")
    }

    fn now(&self) -> Result<Text, String> {
        match read_regular(&self.real) {
            Ok(text) => Ok(Some(text)),
            Err(_) if self.real.symlink_metadata().is_err() => Ok(None),
            Err(reason) => Err(reason),
        }
    }

    /// Writes the new state.
    ///
    /// # Errors
    /// Another program changed the file, the tool fails, or the operating system's error.
    pub(crate) fn apply(&self) -> Result<(), Error> {
        self.look_again()?;
        if self.steps.is_empty() || self.writer == Writer::UsForTool {
            return self.put(&self.after, || self.look_again());
        }
        let mut last = None;
        for step in &self.steps {
            if self.by_link {
                step.tool
                    .change_by_link(&self.path, &self.real, &step.words)?;
            } else {
                step.tool.change(&self.path, &self.real, &step.words)?;
            }
            last = Some(&step.tool);
        }
        match last {
            // Another program's change in between is left, as is that of such a tool.
            Some(tool) if self.now().ok().as_ref() != Some(&self.after) => {
                Err(tool.disbelieved(&self.path, "it is not exactly the requested change"))
            }
            _ => Ok(()),
        }
    }

    /// Restores the former state, if nobody else changed the file since.
    ///
    /// # Errors
    /// Another program changed the file, or the operating system's error.
    pub(crate) fn revert(&self) -> Result<(), Report> {
        let now = self.now().ok();
        if now.as_ref() == Some(&self.before) {
            return Ok(());
        }
        let steps = self.steps.iter().map(|step| Some(step.after.clone()));
        let is_ours = |now: &Text| *now == self.after || steps.clone().any(|step| *now == step);
        if let Some(now) = now.filter(is_ours) {
            let check = || match self.now() {
                Ok(again) if again == now => Ok(()),
                _ => Err(Error::Passing(self.changed())),
            };
            return self.put(&self.before, check).map_err(Error::into_report);
        }
        let path = quote::path(&self.path);
        Err(Report::new(format!(
            "{path} stays as it is: it has changed since"
        )))
    }

    /// Writes a text, or removes the file. `check` runs right before that, under the
    /// tool's lock.
    fn put(&self, text: &Text, check: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let mut changed = None;
        let mut lock = None;
        let check = || {
            let locked =
                (self.writer != Writer::Us).then(|| FileLock::take(&self.path, &self.real));
            let checked = locked.transpose().and_then(|locked| {
                lock = locked;
                check()
            });
            checked.map_err(|error| {
                changed = Some(error);
                io::ErrorKind::Other.into()
            })
        };
        let written = match text {
            Some(text) => self.replace(text.as_bytes(), check),
            None => check().and_then(|()| match std::fs::remove_file(&self.real) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }),
        };
        drop(lock);
        written.map_err(|error| {
            let what = format!(
                "{}: cannot write: {}",
                quote::path(&self.path),
                system(&error)
            );
            let report = Report::new(what);
            let hint = "check the directory's permissions and the free disk space";
            changed.unwrap_or_else(|| Error::Final(report.hint(hint)))
        })
    }

    fn replace(&self, content: &[u8], check: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let dir = self.real.parent().unwrap_or(Path::new("/"));
        let created = directory::create(dir)?;
        replace::keeping_mode(&self.real, content, check).inspect_err(|_| {
            for dir in created {
                let _ = std::fs::remove_dir(dir);
            }
        })
    }
}

/// Reads a text file.
///
/// # Errors
/// The file is too large, is not text, or cannot be read.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let bytes = input::read_file(path, TOOL_FILE_LIMIT, &Deadline::after(PATIENCE))
        .map_err(|error| error.to_string())?;
    text_of(&bytes)
}

/// Reads a file that a tool may have written: only a regular file, and no link.
fn read_regular(path: &Path) -> Result<String, String> {
    let file = open_private().read(true).open(path);
    let opened = file.and_then(|file| Ok((Status::of_open(&file)?, file)));
    match opened {
        Ok((status, file)) if status.is_file() => {
            let bytes = input::read_regular(file, &status, TOOL_FILE_LIMIT)
                .map_err(|error| error.to_string())?;
            text_of(&bytes)
        }
        _ => Err("not a regular file".to_owned()),
    }
}

fn text_of(bytes: &[u8]) -> Result<String, String> {
    if encoding::is_utf16(bytes) {
        return Err(format!("it is {}", NotText::Utf16));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
