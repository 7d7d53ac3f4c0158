//! Where a setup is worked out and carried out: the config file, `setup.json`,
//! and the other files that change with them.

use std::fs;
use std::path::{Path, PathBuf};

use super::diff::{View, unified};
use super::journal::{Edit, Journal, Note};
use super::target::{Target, Text};
use crate::cache::replace_file;
use crate::cli::{Options, SetupMode};
use crate::clock::Deadline;
use crate::config::{Config, Directories};
use crate::error::{Error, Report};
use crate::issuer::Environment;
use crate::quote::{self, system};
use crate::{Answer, World};

/// What is added to a file's name for the copy of what it was.
const COPY: &str = ".before-zitadel-credential";

/// What is left to do once the files are written: it says what it saw.
pub(super) type After<'d> = Box<dyn FnOnce() -> Result<Vec<String>, Error> + 'd>;

/// A setup in the making.
pub(super) struct Desk<'w> {
    pub(super) environment: &'w Environment,
    pub(super) directories: Directories,
    pub(super) options: Options,
    pub(super) deadline: Deadline,
    /// This program, as another is to call it.
    pub(super) program: PathBuf,
    pub(super) mode: SetupMode,
    // Let go of first: the directory is the config file's to remove again.
    journal_file: Target,
    pub(super) config: Target,
    pub(super) journal: Journal,
    others: Vec<Target>,
    said: Vec<String>,
}

impl<'w> Desk<'w> {
    /// Reads the config file and `setup.json`.
    ///
    /// # Errors
    /// One of them is not to be read, or held by another.
    pub(super) fn open(
        world: &World<'w>,
        options: &Options,
        mode: SetupMode,
    ) -> Result<Self, Error> {
        let environment = world.environment;
        let directories = world.directories.clone();
        let path = Config::place(options, environment, &directories)?;
        let config = Target::open(&path, !mode.dry_run).map_err(Error::Usage)?;
        let beside = config.path().with_file_name("setup.json");
        // Another config file in the same directory shares it.
        let journal_file = Target::open(&beside, !mode.dry_run).map_err(Error::Usage)?;
        let journal = Journal::parse(journal_file.text())
            .map_err(|report| Error::Usage(report.about(&quote::path(&beside))))?;
        let mut desk = Self {
            environment,
            program: program(world)?,
            options: options.clone(),
            deadline: Deadline::after(crate::config::TIMEOUT),
            directories,
            mode,
            config,
            journal,
            journal_file,
            others: Vec::new(),
            said: Vec::new(),
        };
        desk.deadline = *desk.config()?.deadline();
        Ok(desk)
    }

    /// The configuration as the config file is to be.
    ///
    /// # Errors
    /// As any call would meet it.
    pub(super) fn config(&self) -> Result<Config<'_>, Error> {
        Config::with_text(
            &self.options,
            self.environment,
            &self.directories,
            self.config.path(),
            self.config.text(),
        )
    }

    /// The profile that a tool is wired up to; none where flags or environment
    /// do without.
    ///
    /// # Errors
    /// There is none to answer with.
    pub(super) fn profile(&self) -> Result<Option<String>, Error> {
        let config = self.config()?;
        let name = config.profile_name()?;
        if name.is_none() && config.caller().issuer.is_none() {
            return Err(Error::Usage(
                Report::new("there is no profile to get tokens with").hint(
                    "zitadel-credential setup profile NAME writes one; --profile chooses among several",
                ),
            ));
        }
        Ok(name)
    }

    /// Refuses options that are a profile's, where a tool is wired up: nothing
    /// would keep them.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the option.
    pub(super) fn refuse_profiles_options(&self) -> Result<(), Error> {
        let options = &self.options;
        let given = [
            ("--issuer", options.issuer.is_some()),
            ("--key-file", options.key_file.is_some()),
            ("--key-id", options.key_id.is_some()),
            ("--user-id", options.user_id.is_some()),
            ("--scope", !options.scope.is_empty()),
            ("--project", !options.project.is_empty()),
            ("--zitadel-api", options.zitadel_api),
            ("--ca-file", options.ca_file.is_some()),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(Error::Usage(
                Report::new(format!("{option} is a profile's, not a tool's")).hint(
                    "zitadel-credential setup profile NAME keeps it; --profile names that one here",
                ),
            )),
            None => Ok(()),
        }
    }

    /// Opens a file that changes as well.
    ///
    /// # Errors
    /// It is not to be read, or held by another.
    pub(super) fn open_file(&self, path: &Path) -> Result<Target, Error> {
        Target::open(path, !self.mode.dry_run).map_err(Error::Usage)
    }

    /// Takes a file that is to change.
    pub(super) fn add(&mut self, target: Target) {
        self.others.push(target);
    }

    /// Tells a person something.
    pub(super) fn says(&mut self, line: impl Into<String>) {
        self.said.push(line.into());
    }

    /// Shows what is to change, or makes the change and does what comes after.
    ///
    /// # Errors
    /// A file could not be written: all are as they were.
    pub(super) fn finish(mut self, after: Option<After<'_>>) -> Result<Answer, Error> {
        let mut copies = Vec::new();
        for target in std::iter::once(&mut self.config).chain(&mut self.others) {
            copies.extend(settle(&mut self.journal, target));
        }
        let journal = self.journal.text();
        let journal = journal.map_err(|e| Error::Final(Report::new(format!("setup.json: {e}"))))?;
        self.journal_file.after = journal.map(Into::into);
        if self.mode.dry_run {
            return Ok(Answer::new(self.shown()));
        }
        if self.is_unchanged() {
            self.said.insert(0, "nothing to change".to_owned());
        } else {
            self.carry_out(&copies)?;
        }
        let mut lines = self.said.clone();
        // The files are let go of: what comes after may read them.
        drop(self);
        if let Some(after) = after {
            lines.extend(after()?);
        }
        Ok(Answer::new(lines.join("\n") + "\n"))
    }

    fn targets(&self) -> impl Iterator<Item = &Target> {
        std::iter::once(&self.config)
            .chain(&self.others)
            .filter(|target| target.is_changed())
    }

    fn is_unchanged(&self) -> bool {
        self.targets().next().is_none() && !self.journal_file.is_changed()
    }

    fn shown(&self) -> String {
        let mut text = String::new();
        for target in self.targets() {
            let after = target.after.as_ref().map(|text| text.as_str());
            let is_ours = target.path() == self.config.path();
            let view = View {
                words: &target.words,
                is_ours,
            };
            text += &unified(target.path(), target.before(), after, &view);
        }
        if text.is_empty() {
            text.push_str("nothing to change\n");
        }
        for line in &self.said {
            text = text + "# " + line + "\n";
        }
        text
    }

    /// Copies first, then what is remembered, then the files: whatever breaks
    /// off in between can be undone.
    fn carry_out(&mut self, copies: &[Copy]) -> Result<(), Error> {
        for copy in copies {
            copy.make().map_err(Error::Final)?;
        }
        let mut written: Vec<&Target> = Vec::new();
        let all = std::iter::once(&self.journal_file).filter(|file| file.is_changed());
        for target in all.chain(self.targets()) {
            if let Err(report) = target.write() {
                let mut report = report;
                for target in written.iter().rev() {
                    if let Err(error) = target.write_back() {
                        report = report.found(error.headline());
                    }
                }
                return Err(Error::Final(report));
            }
            written.push(target);
        }
        let told: Vec<_> = self.targets().map(told).collect();
        for copy in copies {
            copy.remove();
        }
        self.said.splice(0..0, told);
        Ok(())
    }
}

fn told(target: &Target) -> String {
    let path = quote::path(target.path());
    match (target.before(), &target.after) {
        (None, _) => format!("made {path}"),
        (_, None) => format!("removed {path}"),
        _ => format!("changed {path}"),
    }
}

/// What becomes of the copy of a file.
enum Copy {
    /// It is made, because no setup has changed the file yet.
    Make(PathBuf, Text),
    /// It is removed, because the file is again what it was.
    Remove(PathBuf),
}

impl Copy {
    fn make(&self) -> Result<(), Report> {
        match self {
            Self::Make(path, Some(text)) => replace_file(path, text.as_bytes()).map_err(|error| {
                let what = format!("{}: {}", quote::path(path), system(&error));
                Report::new(what).hint("nothing was changed: first the file is copied")
            }),
            _ => Ok(()),
        }
    }

    fn remove(&self) {
        if let Self::Remove(path) = self
            && let Err(error) = fs::remove_file(path)
        {
            log::info!("{} stays: {}", quote::path(path), system(&error));
        }
    }
}

/// Notes how a file was found and is left; where no setup is left in it that
/// nobody else changed, it becomes again what it was, to the byte.
fn settle(journal: &mut Journal, target: &mut Target) -> Option<Copy> {
    let name = target.name();
    let copy = copy_of(target.path());
    let is_used = journal.uses(&name);
    let first = target.before().map(ToOwned::to_owned);
    if !target.is_changed() {
        return None;
    }
    if is_used {
        let is_first = !journal.files.contains_key(&name);
        let note = journal
            .files
            .entry(name)
            .or_insert_with(|| Note::first(first.as_deref()));
        note.see(first.as_deref());
        note.leave(target.after.as_ref().map(|text| text.as_str()));
        return (is_first && first.is_some()).then(|| Copy::Make(copy, first.map(Into::into)));
    }
    let mut note = journal.files.remove(&name)?;
    note.see(first.as_deref());
    if note.was_absent() {
        if note.is_ours_alone() || is_blank(target.text()) {
            target.after = None;
        }
        return None;
    }
    let former = fs::read_to_string(&copy)
        .ok()
        .filter(|text| note.was(text))?;
    if note.is_ours_alone() {
        target.after = Some(former.clone().into());
    }
    (target.text() == former).then_some(Copy::Remove(copy))
}

/// Whether a file that a tool left holds nothing.
fn is_blank(text: &str) -> bool {
    let text: String = text.split_ascii_whitespace().collect();
    text.is_empty() || text == "{}"
}

fn copy_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(COPY);
    name.into()
}

/// This program, by the name on `PATH` where that leads to it: an upgrade may
/// move the file itself.
fn program(world: &World<'_>) -> Result<PathBuf, Error> {
    let program = (world.program)().map_err(|error| {
        let what = format!("where this program lies is not known: {}", system(&error));
        Error::Final(Report::new(what).hint("call it by its whole path"))
    })?;
    let named = super::tool::find("zitadel-credential", world.environment);
    let same = |path: &PathBuf| path.canonicalize().ok() == program.canonicalize().ok();
    Ok(named.filter(same).unwrap_or(program))
}

impl Target {
    /// Its path as text, for `setup.json`.
    pub(super) fn name(&self) -> String {
        self.path().to_string_lossy().into_owned()
    }
}

/// An edit of another file.
pub(super) fn edit_of(target: &Target, at: &[&str], ours: &str, former: Option<String>) -> Edit {
    Edit {
        file: target.name(),
        at: at.iter().map(|&part| part.to_owned()).collect(),
        ours: ours.to_owned(),
        former,
    }
}
