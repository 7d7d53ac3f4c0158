//! A setup as a plan: its changes in the config file, in `setup.json` and in the tool's
//! own files, and its messages. Shown (`--dry-run`), or applied.

mod directories;
mod files;
mod say;

use std::cell::OnceCell;
use std::path::PathBuf;

use clap::Args;

use super::apply::{Change, apply};
use super::backup::{Backup, settle};
use super::check::Owns;
use super::diff::{View, diff};
use super::file::FileChange;
use super::journal::Journal;
use super::link::LinkChange;
use super::lock::DirLock;
use super::moved::Moved;
use super::tool;
use super::trial;
use super::trial::Trial;
use crate::call::{Answer, World};
use crate::cli::options::Options;
use crate::config;
use crate::config::{Config, Directories, SourceSetting};
use crate::error::{Error, Report};
use crate::sys::paths::{FIND_PROGRAM, is_same_program};
use crate::sys::{Environment, signals};
use crate::text::clock::{Deadline, UnixTime};
use crate::text::input::TOOL_FILE_LIMIT;
use crate::text::quote;
use crate::text::quote::system;

/// The work after the files are written. Returns lines to show.
type After = Box<dyn FnOnce() -> Result<Vec<String>, Error>>;

// Options for how a setup runs.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Mode {
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Remove what this setup added, and nothing else
    #[arg(long)]
    pub undo: bool,
    /// Skip the test of the setup, which needs ZITADEL
    #[arg(long)]
    pub no_try: bool,
}

/// A setup that is being planned.
pub(crate) struct Plan<'w> {
    pub(crate) environment: &'w Environment<'w>,
    pub(crate) directories: Directories,
    pub(crate) options: Options,
    pub(crate) deadline: Deadline,
    /// The command by which other programs run this one.
    pub(crate) program: PathBuf,
    pub(crate) mode: Mode,
    owns: Owns,
    now: UnixTime,
    pub(crate) config: FileChange,
    pub(crate) journal: Journal,
    journal_file: FileChange,
    files: Vec<FileChange>,
    links: Vec<LinkChange>,
    lines: Vec<String>,
    /// Messages about edits that were changed or removed since.
    pub(crate) drift: Vec<String>,
    /// The tool's file in the journal, which replaces the one that the environment names
    /// now.
    pub(crate) tool_file: Option<PathBuf>,
    /// True if the undo is only tried, to see which edits are still there.
    pub(crate) only_looks: bool,
    /// True if every setup is undone: none is left that needs a host rule.
    pub(crate) all_go: bool,
    trials: Vec<Trial>,
    after: Option<After>,
    /// The key that moves when the plan is applied.
    pub(crate) moved: OnceCell<Moved>,
    /// Messages about the commands to type next.
    next: Vec<String>,
    /// Empty for a dry run.
    locks: Vec<DirLock>,
}

impl<'w> Plan<'w> {
    /// Reads the config file and `setup.json`.
    ///
    /// # Errors
    /// One of the files cannot be read, or another setup is running.
    pub(crate) fn open(
        world: &World<'w>,
        options: &Options,
        mode: Mode,
        owns: Owns,
    ) -> Result<Self, Error> {
        let environment = world.environment;
        let directories = world.directories.clone();
        let path = Config::place(options, environment, &directories)?;
        let path = std::path::absolute(&path).unwrap_or(path);
        let beside = path.with_file_name("setup.json");
        let deadline = config::deadline(options, environment);
        let now = (world.clock)();
        let mut locks = Vec::new();
        if let Some(dir) = path.parent().filter(|_| !mode.dry_run) {
            locks.push(DirLock::take(dir, &deadline, now)?);
        }
        let config = FileChange::open(&path).map_err(Error::Usage)?;
        let journal_file = FileChange::open(&beside).map_err(Error::Usage)?;
        let mut journal = Journal::parse(journal_file.text(), &config.name(), owns)
            .map_err(|report| Error::Usage(report.about(&quote::path(&beside))))?;
        journal.follow(config.real());
        journal.set_time(now);
        let mut plan = Self {
            environment,
            program: program(world)?,
            options: options.clone(),
            deadline,
            directories,
            mode,
            owns,
            now,
            config,
            journal,
            journal_file,
            files: Vec::new(),
            links: Vec::new(),
            lines: Vec::new(),
            drift: Vec::new(),
            tool_file: None,
            only_looks: false,
            all_go: false,
            trials: Vec::new(),
            after: None,
            moved: OnceCell::new(),
            next: Vec::new(),
            locks,
        };
        plan.deadline = *plan.config()?.deadline();
        if plan.config.real() != plan.config.path() {
            // The path is a link to a file in another directory.
            plan.config = plan.locked(&path)?;
        }
        Ok(plan)
    }

    /// Returns the configuration from the new config file.
    ///
    /// # Errors
    /// As in any call.
    pub(crate) fn config(&self) -> Result<Config<'_>, Error> {
        self.config_with(&self.options)
    }

    /// Returns the configuration from the new config file, with other options.
    ///
    /// # Errors
    /// As in any call.
    pub(crate) fn config_with<'a>(&'a self, options: &'a Options) -> Result<Config<'a>, Error> {
        Config::with_text(
            options,
            self.environment,
            &self.directories,
            self.config.path(),
            self.config.text(),
        )
    }

    /// Returns the profile of a tool's setup; `None` if flags or environment replace it.
    ///
    /// # Errors
    /// No profile can be used.
    pub(crate) fn profile(&self) -> Result<Option<String>, Error> {
        let config = self.config()?;
        let name = config.profile_name()?;
        let caller = config.caller();
        // As with an issuer, the call that setup tries at its end finds the other errors.
        let is_supplied = matches!(caller.source, Some(SourceSetting::Supplier(_)));
        if name.is_none() && caller.issuer.is_none() && !is_supplied {
            let report = Report::new("no profile");
            let report = report.hint("run zitadel-credential setup profile NAME");
            return Err(Error::Usage(
                report.hint("with several profiles, choose one with --profile"),
            ));
        }
        Ok(name)
    }

    /// Refuses a profile's options in a tool's setup: nothing would store them.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the option.
    pub(crate) fn refuse_profiles_options(&self) -> Result<(), Error> {
        let options = &self.options;
        let given = [
            ("--issuer", options.issuer.is_some()),
            ("--key-file", options.key_file.is_some()),
            ("--token-file", options.token_file.is_some()),
            ("--client-id", options.client_id.is_some()),
            ("--client-secret-file", options.client_secret_file.is_some()),
            ("--key-id", options.key_id.is_some()),
            ("--user-id", options.user_id.is_some()),
            ("--scope", !options.scope.is_empty()),
            ("--project", !options.project.is_empty()),
            ("--roles", options.roles),
            ("--zitadel-api", options.zitadel_api),
            ("--ca-file", options.ca_file.is_some()),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(Error::Usage(
                Report::new(format!("{option} is an option of setup profile")).hint(
                    "set it with zitadel-credential setup profile NAME, and choose that profile here with --profile",
                ),
            )),
            None => Ok(()),
        }
    }

    /// Plans an undo; if it fails, the planned changes and messages stay as they were. An
    /// undo plans no work after them.
    ///
    /// # Errors
    /// As `undo`.
    pub(crate) fn attempt(
        &mut self,
        undo: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let documents = (self.config.clone(), self.journal.clone());
        let changes = (self.files.clone(), self.links.clone());
        let messages = (self.lines.clone(), self.drift.clone(), self.next.clone());
        undo(self).inspect_err(|_| {
            (self.config, self.journal) = documents;
            (self.files, self.links) = changes;
            (self.lines, self.drift, self.next) = messages;
        })
    }

    /// Adds the change of a link.
    pub(crate) fn add_link(&mut self, link: LinkChange) {
        self.links.push(link);
    }

    /// Adds a call to test after the files are written.
    pub(crate) fn try_out(&mut self, trial: Trial) {
        if !self.mode.no_try {
            self.trials.push(trial);
        }
    }

    /// Sets the work for after the files are written.
    pub(crate) fn then(&mut self, after: impl FnOnce() -> Result<Vec<String>, Error> + 'static) {
        self.after = Some(Box::new(after));
    }

    /// Shows the changes, or applies them and does the work after them.
    ///
    /// # Errors
    /// A change failed, and all are reverted; or as the work after them.
    pub(crate) fn finish(mut self) -> Result<Answer, Error> {
        let mut backups = Vec::new();
        for file in std::iter::once(&mut self.config).chain(&mut self.files) {
            backups.extend(settle(&mut self.journal, file, self.mode.undo));
        }
        self.journal.forget_unused_files();
        let emptied = self.settle_directories();
        let verbs = self.verbs();
        self.lines
            .extend(backups.iter().filter_map(|backup| backup.line(verbs)));
        let of_hard_links: Vec<_> = self
            .changed_files()
            .filter_map(FileChange::line_of_links)
            .collect();
        self.lines.extend(of_hard_links);
        let file = quote::path(self.journal_file.path());
        let journal = self.journal.text(self.owns);
        let journal = journal.map_err(|report| Error::Usage(report.about(&file)))?;
        self.journal_file.restore(journal);
        self.check_sizes()?;
        if self.mode.dry_run {
            return Ok(Answer::new(self.diff()));
        }
        if self.is_unchanged() && !backups.iter().any(Backup::is_change) {
            self.lines.insert(0, "nothing to change".to_owned());
        } else {
            self.apply(&backups)?;
            // Done under the locks, so that no other setup is about to write there.
            self.remove_empty(&emptied);
        }
        let mut lines = std::mem::take(&mut self.lines);
        let (trials, after) = (std::mem::take(&mut self.trials), self.after.take());
        let (next, deadline) = (std::mem::take(&mut self.next), self.deadline);
        let config = self.config_option();
        // The work after may read the files, so release the locks.
        drop(self);
        let (tried, failed) = trial::run_all(trials, &config, &deadline);
        lines.extend(tried);
        if let Some(after) = after {
            lines.extend(after()?);
        }
        lines.extend(next);
        if lines.is_empty() {
            // Only the journal changed: another setup needs the same rule, say.
            lines.push("nothing else to change".to_owned());
        }
        let answer = Answer::new(lines.join("\n") + "\n");
        Ok(match failed {
            Some(error) => answer.with_error(error),
            None => answer,
        })
    }

    fn changed_files(&self) -> impl Iterator<Item = &FileChange> {
        let files = std::iter::once(&self.config).chain(&self.files);
        files.filter(|file| file.is_changed())
    }

    fn changed_links(&self) -> impl Iterator<Item = &LinkChange> {
        self.links.iter().filter(|link| link.is_changed())
    }

    fn is_unchanged(&self) -> bool {
        self.changed_files().next().is_none()
            && self.changed_links().next().is_none()
            && !self.journal_file.is_changed()
            && self.moved.get().is_none()
    }

    /// Refuses files that would be too large to read again.
    fn check_sizes(&self) -> Result<(), Error> {
        let others = self.files.iter().chain([&self.journal_file]);
        let others = others.map(|file| (file, TOOL_FILE_LIMIT));
        let mut files = others.chain([(&self.config, config::FILE_LIMIT)]);
        let too_large = files.find(|(file, limit)| file.is_changed() && file.text().len() > *limit);
        match too_large {
            Some((file, limit)) => {
                let path = quote::path(file.path());
                let what = format!("{path}: larger than {limit} bytes after the change");
                Err(Error::Usage(Report::new(what).hint(
                    "remove unused entries: a larger file could not be read again",
                )))
            }
            None => Ok(()),
        }
    }

    fn diff(&self) -> String {
        let mut text = String::new();
        for file in self.changed_files() {
            let is_ours = file.path() == self.config.path();
            let view = View {
                format: file.format,
                words: &file.words,
                is_ours,
            };
            text += &diff(file.path(), file.before(), file.after(), &view);
        }
        text.extend(self.changed_links().map(LinkChange::diff));
        if text.is_empty() {
            text.push_str("nothing to change\n");
        }
        for line in self.lines.iter().chain(&self.next) {
            text = text + "# " + line + "\n";
        }
        text
    }

    /// Applies the journal first, then the files and links; in an undo the journal comes
    /// last. An interrupted run can always be undone. A key moves after the files that name
    /// it: a killed run leaves no copy that no file names.
    fn apply(&mut self, backups: &[Backup]) -> Result<(), Error> {
        let journal = Some(&self.journal_file).filter(|file| file.is_changed());
        let (first, last) = if self.mode.undo {
            (None, journal)
        } else {
            (journal, None)
        };
        let files = self.changed_files().map(Change::File);
        let symlinks = self.changed_links().map(Change::Link);
        let changes = first.map(Change::Journal).into_iter().chain(files);
        let changes = changes.chain(symlinks).chain(last.map(Change::Journal));
        let mut changes: Vec<_> = changes.collect();
        if let Some(moved) = self.moved.get() {
            changes.push(Change::Key(moved));
        }
        let uninterrupted = signals::unbroken();
        apply(&changes, backups)?;
        backups.iter().for_each(Backup::clear);
        let moved = self.moved.take().map(Moved::finish);
        drop(uninterrupted);
        let lines = self.changed_files().map(|file| line_of(file, backups));
        let mut lines: Vec<_> = lines
            .chain(self.changed_links().map(LinkChange::line))
            .collect();
        lines.extend(moved);
        self.lines.splice(0..0, lines);
        Ok(())
    }
}

/// Returns the message about a file's change.
fn line_of(file: &FileChange, backups: &[Backup]) -> String {
    let path = quote::path(file.path());
    match (file.before(), file.after()) {
        (None, _) => format!("created {path}"),
        (_, None) => format!("removed {path}"),
        _ if backups.iter().any(|backup| backup.is_needless_for(file)) => {
            format!("changed {path}: restored to its state before the first setup")
        }
        _ => format!("changed {path}"),
    }
}

/// Returns this program's name if `PATH` resolves it to this program: an upgrade may move
/// the file itself.
fn program(world: &World<'_>) -> Result<PathBuf, Error> {
    let program = (world.program)().map_err(|error| {
        let what = format!("cannot find the path of this program: {}", system(&error));
        Error::Final(Report::new(what).hint(FIND_PROGRAM))
    })?;
    let named = tool::find("zitadel-credential", world.environment);
    let same = |path: &PathBuf| is_same_program(path, &program);
    Ok(named.filter(same).unwrap_or(program))
}
