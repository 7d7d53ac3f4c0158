//! The commands that come from the registry of tools.

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Subcommand};

use crate::call::Helper;
use crate::edit::plan::Mode;
use crate::edit::setup::SetupOptions;
use crate::setup::all::{ListArgs, UndoArgs};
use crate::setup::{Asked, rows, wizard};
use crate::tools::row::Tool;
use crate::tools::{self, TOOLS};

/// `setup list`.
const LIST: &str = "list";

const LISTS: &str = "\
Examples:
  zitadel-credential setup list
  zitadel-credential setup list --output json | jq '.[].files'";

/// `setup undo`.
const UNDO: &str = "undo";

const UNDOES: &str = "\
Examples:
  zitadel-credential setup undo --all --dry-run
  zitadel-credential setup undo --all
It goes on if a setup cannot be undone, and says why. To undo one setup, use
its own --undo.";

/// A call of a tool's helper.
#[derive(Debug)]
pub(crate) struct Called(pub(crate) Box<dyn Helper>);

impl Subcommand for Called {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(TOOLS.iter().map(Tool::command))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        tools::find(name).is_some()
    }
}

impl FromArgMatches for Called {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Self::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        let called = matches.remove_subcommand();
        let known = called.and_then(|(name, below)| Some((tools::find(&name)?, below)));
        let (tool, mut below) = known.ok_or_else(missing)?;
        tool.read(&mut below).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A call of `setup`.
#[derive(Debug)]
pub(crate) struct Setup {
    /// True without a profile or a tool: then the user is asked.
    pub(crate) is_bare: bool,
    pub(crate) asked: Asked,
    pub(crate) common: SetupOptions,
}

impl Args for Setup {
    fn augment_args(command: Command) -> Command {
        let rows = rows().map(|(name, row)| {
            let command = Command::new(name).about(row.about);
            command.after_help(row.example).defer(row.reader.augment)
        });
        let list = Command::new(LIST).about("List what setup has changed");
        let undo = Command::new(UNDO).about("Undo every setup that setup list shows");
        let command = command
            .subcommands(rows)
            .subcommand(list.after_help(LISTS).defer(ListArgs::augment_args))
            .subcommand(undo.after_help(UNDOES).defer(UndoArgs::augment_args));
        SetupOptions::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Setup {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Self::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        let called = matches.remove_subcommand();
        let before = SetupOptions::from_arg_matches_mut(matches)?;
        let Some((called, mut below)) = called else {
            return Ok(Self {
                is_bare: true,
                asked: Asked::One(wizard()),
                common: before,
            });
        };
        let (asked, common) = match called.as_str() {
            LIST => {
                let ListArgs { output, options } = ListArgs::from_arg_matches_mut(&mut below)?;
                let mode = Mode::default();
                (Asked::List(output), SetupOptions { mode, options })
            }
            UNDO => {
                let UndoArgs {
                    dry_run, options, ..
                } = UndoArgs::from_arg_matches_mut(&mut below)?;
                let mode = Mode {
                    dry_run,
                    undo: true,
                    ..Mode::default()
                };
                (Asked::Undo, SetupOptions { mode, options })
            }
            called => {
                let row = rows().find(|(name, _)| *name == called);
                let (_, row) = row.ok_or_else(missing)?;
                let asked = (row.reader.read)(&mut below)?;
                let common = SetupOptions::from_arg_matches_mut(&mut below)?;
                (Asked::One(asked), common)
            }
        };
        Ok(Self {
            is_bare: false,
            asked,
            common: common.over(before),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn missing() -> Error {
    Error::raw(ErrorKind::MissingSubcommand, "a command is missing")
}
