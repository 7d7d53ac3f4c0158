//! Reads the journals of all setups.

use std::path::PathBuf;

use crate::call::World;
use crate::cli::options::Options;
use crate::config::Config;
use crate::edit::entry::Edit;
use crate::edit::file::FileChange;
use crate::edit::journal::Journal;
use crate::edit::plan::{Mode, Plan};
use crate::edit::setup::Setup;
use crate::error::{Error, Report};
use crate::setup::profile;
use crate::setup::row::{owns, rows};
use crate::sys::paths::canonicalize;
use crate::text::clock::UnixTime;
use crate::text::quote;

/// A current setup.
pub(super) struct Known {
    /// The word after `setup`.
    pub(super) tool: &'static str,
    /// The host, the user or the profile.
    pub(super) of: String,
    /// Name of the setup in the journal, without the tool.
    whole: String,
    /// Config file; `None` for a setup of the first edition that named none.
    pub(super) config: Option<PathBuf>,
    /// The tool's own file.
    pub(super) tool_file: Option<PathBuf>,
    /// All files that the setup changed.
    pub(super) files: Vec<PathBuf>,
    /// Time of the last run.
    pub(super) when: Option<UnixTime>,
    /// The arguments of its undo.
    pub(super) asked: Box<dyn Setup>,
}

/// Returns all current setups, profiles last: host rules name them.
///
/// # Errors
/// A journal cannot be read.
pub(super) fn known(world: &World<'_>, options: &Options) -> Result<Vec<Known>, Error> {
    let mut all = Vec::new();
    for place in Config::places(options, world.environment, &world.directories)? {
        let path = place.join("setup.json");
        let about = |report: Report| Error::Usage(report.about(&quote::path(&path)));
        let file = FileChange::open(&path).map_err(Error::Usage)?;
        let journal = Journal::parse(file.text(), "", owns).map_err(about)?;
        let setups = journal.setups();
        all.extend(setups.filter_map(|(config, name, edits)| Known::of(config, name, edits)));
    }
    all.sort_by_key(|setup| setup.tool == profile::NAME);
    Ok(all)
}

impl Known {
    /// Returns the setup with this name in the journal; `None` if it is no tool's.
    fn of(config: Option<&str>, name: &str, edits: &[Edit]) -> Option<Self> {
        let (tool, whole) = name.split_once(' ')?;
        let (tool, row) = rows().find(|(name, _)| *name == tool)?;
        let (of, tool_file) = if tool == profile::NAME {
            (whole, None)
        } else {
            parts(whole, edits)
        };
        let mut files: Vec<_> = edits.iter().map(|edit| PathBuf::from(&edit.file)).collect();
        files.sort();
        files.dedup();
        Some(Self {
            tool,
            of: of.to_owned(),
            whole: whole.to_owned(),
            config: config.map(PathBuf::from),
            tool_file,
            files,
            when: edits.iter().filter_map(|edit| edit.when).max(),
            asked: (row.reader.named)(of)?,
        })
    }

    /// Returns the setup's name in the journal.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.tool, self.whole)
    }

    /// Returns the setup as the user calls it.
    pub(super) fn title(&self) -> String {
        format!("setup {} {}", self.tool, quote::path(&self.of))
    }

    /// Opens a plan with the setup's config file and its tool's own file.
    ///
    /// # Errors
    /// As [`Plan::open`].
    pub(super) fn open<'w>(
        &self,
        world: &World<'w>,
        options: &Options,
        mode: Mode,
    ) -> Result<Plan<'w>, Error> {
        let mut options = options.clone();
        let place = Config::place(&options, world.environment, &world.directories);
        let real = |path: PathBuf| canonicalize(&path).unwrap_or(path);
        let is_here = |config: &PathBuf| {
            let place = place.as_ref().ok().cloned();
            place.is_some_and(|place| real(place) == real(config.clone()))
        };
        if let Some(config) = self.config.as_ref().filter(|config| !is_here(config)) {
            options.config = Some(config.into());
        }
        let mut plan = Plan::open(world, &options, mode, owns)?;
        plan.tool_file.clone_from(&self.tool_file);
        Ok(plan)
    }
}

/// Returns the name and the file of `NAME FILE`. Both may contain spaces.
fn parts<'n>(whole: &'n str, edits: &[Edit]) -> (&'n str, Option<PathBuf>) {
    let of_edit = edits.iter().find_map(|edit| {
        let name = whole.strip_suffix(&edit.file)?.strip_suffix(' ')?;
        Some((name, edit.file.as_str()))
    });
    let parts = of_edit.or_else(|| whole.split_once(' '));
    parts.map_or((whole, None), |(name, file)| (name, Some(file.into())))
}
