//! Where a setup is worked out and carried out: the config file, `setup.json`,
//! and the other files that change with them.

use std::cell::RefCell;
use std::path::{Component, Path, PathBuf};

use super::carry::{Change, carry_out};
use super::copy::{Copy, settle};
use super::diff::{View, unified};
use super::guard::Held;
use super::journal::{Edit, Journal, Owns};
use super::link::Link;
use super::setup::Mode;
use super::target::{LIMIT, Target};
use crate::call::{Answer, World};
use crate::cli::options::Options;
use crate::config;
use crate::config::{Config, Directories};
use crate::error::{Error, Report};
use crate::sys::{Environment, temporary};
use crate::text::clock::{Deadline, UnixTime};
use crate::text::quote;
use crate::text::quote::system;

/// What is left to do once the files are written: it says what it saw.
pub(crate) type After<'d> = Box<dyn FnOnce() -> Result<Vec<String>, Error> + 'd>;

/// A setup in the making.
pub(crate) struct Desk<'w> {
    pub(crate) environment: &'w Environment,
    pub(crate) directories: Directories,
    pub(crate) options: Options,
    pub(crate) deadline: Deadline,
    /// This program, as another is to call it.
    pub(crate) program: PathBuf,
    pub(crate) mode: Mode,
    owns: Owns,
    now: UnixTime,
    pub(crate) config: Target,
    pub(crate) journal: Journal,
    journal_file: Target,
    others: Vec<Target>,
    links: Vec<Link>,
    said: Vec<String>,
    /// None where nothing is to be written.
    held: RefCell<Vec<Held>>,
}

impl<'w> Desk<'w> {
    /// Reads the config file and `setup.json`.
    ///
    /// # Errors
    /// One of them is not to be read, or held by another.
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
        let held = match path.parent().filter(|_| !mode.dry_run) {
            Some(dir) => {
                let held = Held::take(dir, &deadline)?;
                sweep(dir, now);
                Some(held)
            }
            None => None,
        };
        let config = Target::open(&path).map_err(Error::Usage)?;
        // Another config file in the same directory shares it.
        let journal_file = Target::open(&beside).map_err(Error::Usage)?;
        let mut journal = Journal::parse(journal_file.text(), owns)
            .map_err(|report| Error::Usage(report.about(&quote::path(&beside))))?;
        journal.follow(config.real());
        let mut desk = Self {
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
            others: Vec::new(),
            links: Vec::new(),
            said: Vec::new(),
            held: RefCell::new(held.into_iter().collect()),
        };
        desk.deadline = *desk.config()?.deadline();
        Ok(desk)
    }

    /// The configuration as the config file is to be.
    ///
    /// # Errors
    /// As any call would meet it.
    pub(crate) fn config(&self) -> Result<Config<'_>, Error> {
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
    pub(crate) fn profile(&self) -> Result<Option<String>, Error> {
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
    pub(crate) fn refuse_profiles_options(&self) -> Result<(), Error> {
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
    /// It is not to be read, or is one of ours.
    pub(crate) fn open_file(&mut self, path: &Path) -> Result<Target, Error> {
        let mut target = Target::open(path).map_err(Error::Usage)?;
        let config = self.config()?;
        let key_files = config.key_files();
        let ours = [
            ("our config file", self.config.real()),
            ("what setup remembers", self.journal_file.real()),
        ];
        let keys = key_files.iter().map(|key| ("a key file", key.as_path()));
        if let Some((what, _)) = ours
            .into_iter()
            .chain(keys)
            .find(|(_, file)| target.is_at(file))
        {
            return Err(Error::Usage(
                Report::new(format!("{}: it is {what}", quote::path(path)))
                    .hint("name the tool's own file"),
            ));
        }
        if let Some(dir) = target.real().parent().filter(|_| !self.mode.dry_run) {
            self.hold(dir)?;
            sweep(dir, self.now);
            // As it is now that no other setup changes it, by another config file.
            target = Target::open(path).map_err(Error::Usage)?;
        }
        self.journal.follow(target.real());
        Ok(target)
    }

    fn hold(&self, dir: &Path) -> Result<(), Error> {
        let mut held = self.held.borrow_mut();
        // It is held once: against itself, a second time would wait in vain. One
        // that lies above what is not there is none that could be remembered.
        let is_place = !dir.components().any(|part| part == Component::ParentDir);
        if is_place && !held.iter().any(|held| held.is_of(dir)) {
            held.push(Held::take(dir, &self.deadline)?);
        }
        Ok(())
    }

    /// Takes a file that is to change.
    pub(crate) fn add(&mut self, target: Target) {
        self.others.push(target);
    }

    /// Takes a link that is to change.
    pub(crate) fn add_link(&mut self, link: Link) {
        self.links.push(link);
    }

    /// Tells a person something.
    pub(crate) fn says(&mut self, line: impl Into<String>) {
        self.said.push(line.into());
    }

    /// Shows what is to change, or makes the change and does what comes after.
    ///
    /// # Errors
    /// A file could not be written: all are as they were.
    pub(crate) fn finish(mut self, after: Option<After<'_>>) -> Result<Answer, Error> {
        let mut copies = Vec::new();
        for target in std::iter::once(&mut self.config).chain(&mut self.others) {
            copies.extend(settle(&mut self.journal, target));
        }
        let kept = copies.iter().filter_map(Copy::told_of);
        self.said.extend(kept);
        let file = quote::path(self.journal_file.path());
        let journal = self.journal.text(self.owns);
        let journal = journal.map_err(|report| Error::Usage(report.about(&file)))?;
        self.journal_file.after = journal.map(Into::into);
        self.check_sizes()?;
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

    fn changed_links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|link| link.is_changed())
    }

    /// Refuses files that would be too large to be read again.
    fn check_sizes(&self) -> Result<(), Error> {
        let others = self.others.iter().chain([&self.journal_file]);
        let others = others.map(|file| (file, LIMIT));
        let mut files = others.chain([(&self.config, config::FILE_LIMIT)]);
        let too_large = files.find(|(file, limit)| file.is_changed() && file.text().len() > *limit);
        match too_large {
            Some((file, limit)) => {
                let path = quote::path(file.path());
                let what = format!("{path}: it would be larger than {limit} bytes");
                Err(Error::Usage(Report::new(what).hint(
                    "it could not be read any more: take out of it what nobody needs",
                )))
            }
            None => Ok(()),
        }
    }

    fn is_unchanged(&self) -> bool {
        self.targets().next().is_none()
            && self.changed_links().next().is_none()
            && !self.journal_file.is_changed()
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
        text.extend(self.changed_links().map(Link::shown));
        if text.is_empty() {
            text.push_str("nothing to change\n");
        }
        for line in &self.said {
            text = text + "# " + line + "\n";
        }
        text
    }

    /// What is remembered first, then the files and links; in an undo these
    /// before what is remembered: whatever breaks off in between can be undone.
    fn carry_out(&mut self, copies: &[Copy]) -> Result<(), Error> {
        let journal = Some(&self.journal_file).filter(|file| file.is_changed());
        let (first, last) = if self.mode.undo {
            (None, journal)
        } else {
            (journal, None)
        };
        let files = first.into_iter().chain(self.targets()).map(Change::File);
        let links = self.changed_links().map(Change::Link);
        let last = last.map(Change::File);
        let changes: Vec<_> = files.chain(links).chain(last).collect();
        carry_out(&changes, copies)?;
        let told = self.targets().map(|target| told(target, copies));
        let told: Vec<_> = told.chain(self.changed_links().map(Link::told)).collect();
        for copy in copies {
            copy.remove();
        }
        self.said.splice(0..0, told);
        Ok(())
    }
}

/// Removes what a setup that was killed left: files that were to replace others,
/// and copies that a tool worked on.
fn sweep(dir: &Path, now: UnixTime) {
    if let Err(error) = temporary::sweep(dir, now) {
        log::debug!("{} is not swept: {error}", quote::path(dir));
    }
}

fn told(target: &Target, copies: &[Copy]) -> String {
    let path = quote::path(target.path());
    match (target.before(), &target.after) {
        (None, _) => format!("made {path}"),
        (_, None) => format!("removed {path}"),
        _ if copies.iter().any(|copy| copy.is_needless_for(target)) => {
            format!("changed {path}: it is again as it was before the first setup")
        }
        _ => format!("changed {path}"),
    }
}

/// This program, by the name on `PATH` where that leads to it: an upgrade may
/// move the file itself.
fn program(world: &World<'_>) -> Result<PathBuf, Error> {
    let program = (world.program)().map_err(|error| {
        let what = format!("where this program lies is not known: {}", system(&error));
        Error::Final(Report::new(what).hint("on Linux, /proc tells it: mount that"))
    })?;
    let named = super::tool::find("zitadel-credential", world.environment);
    let same = |path: &PathBuf| path.canonicalize().ok() == program.canonicalize().ok();
    Ok(named.filter(same).unwrap_or(program))
}

impl Target {
    /// Its path as text, for `setup.json`: the same by whichever link.
    pub(crate) fn name(&self) -> String {
        self.real().to_string_lossy().into_owned()
    }
}

/// An edit of another file.
pub(crate) fn edit_of(target: &Target, at: &[&str], ours: &str, former: Option<String>) -> Edit {
    Edit {
        file: target.name(),
        at: at.iter().map(|&part| part.to_owned()).collect(),
        ours: ours.to_owned(),
        former,
    }
}
