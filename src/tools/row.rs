//! A row of the registry of tools.

use std::ffi::OsString;

use clap::{ArgMatches, Args, Command};

use crate::call::Helper;
use crate::cli::options::read_args;
use crate::edit::entry::Edit;
use crate::edit::setup::{Setup, SetupOptions};
use crate::findings::wiring::{Machine, Wiring};

/// One tool: its command, its links, its setup and its wiring.
pub struct Tool {
    /// The command, and the word after `setup`.
    pub name: &'static str,
    /// The command's description.
    pub about: &'static str,
    /// The examples at the end of its help.
    pub example: &'static str,
    /// Words that users type for the tool: other programs that it stands for.
    pub(crate) words: &'static [&'static str],
    /// The call to propose for such a word: command and arguments.
    pub(crate) call: &'static str,
    /// The names by which the tool runs this program.
    pub links: &'static [Link],
    /// The tool's rows in the tables of the documentation.
    pub docs: Docs,
    /// Reads the command's arguments.
    pub(crate) reader: Reader<dyn Helper>,
    /// `setup TOOL`; `None` if there is nothing to set up.
    pub(crate) setup: Option<SetupRow>,
    /// Reads the tool's own files; `None` if they cannot name this program.
    pub(crate) wiring: Option<ReadWiring>,
}

/// A tool's cells in the tables of the documentation.
pub struct Docs {
    /// The heading of its recipe in `docs/tools.md`; `None` if the README has it.
    pub recipe: Option<&'static str>,
    /// The tool's way to get its token, in the README's table of recipes.
    pub way: &'static str,
    /// The helper's exit code and answer if there is no host rule.
    pub without_rule: &'static str,
    /// The helper's exit code and answer if there is a host rule but no token.
    pub without_token: &'static str,
}

/// Reads the tool's own files and returns the places that name this program.
pub(crate) type ReadWiring = fn(&Machine<'_>) -> Box<dyn Wiring>;

/// A name by which a tool runs this program.
pub struct Link {
    /// The file's name.
    pub name: &'static str,
    /// The creator of the link.
    pub place: Place,
}

/// The creator of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The packages, in a directory on `PATH`.
    Package,
    /// The packages; and `setup`, in the tool's plugin directory.
    Plugin,
    /// The user: another program has the same name.
    Person,
}

impl Link {
    pub(super) const fn packaged(name: &'static str) -> Self {
        let place = Place::Package;
        Self { name, place }
    }

    pub(super) const fn plugin(name: &'static str) -> Self {
        let place = Place::Plugin;
        Self { name, place }
    }

    pub(super) const fn shared(name: &'static str) -> Self {
        let place = Place::Person;
        Self { name, place }
    }
}

/// The command `setup TOOL`.
pub(crate) struct SetupRow {
    pub(crate) about: &'static str,
    pub(crate) example: &'static str,
    /// Words that users type after `setup`, beside the tool's own words.
    pub(crate) words: &'static [&'static str],
    /// The call to propose for such a word: what follows `setup`.
    pub(crate) call: &'static str,
    pub(crate) reader: Reader<dyn Setup>,
    /// True if this tool's setup makes such an edit. The text is the setup's name in
    /// `setup.json` without the tool: `HOST FILE`.
    pub(crate) owns: fn(&str, &Edit) -> bool,
}

impl SetupRow {
    /// True if the setup takes hosts, for which it adds host rules.
    pub(crate) fn takes_hosts(&self) -> bool {
        let command = (self.reader.augment)(Command::default());
        command
            .get_positionals()
            .any(|argument| argument.get_id() == "hosts")
    }
}

/// Reads one command's arguments.
pub(crate) struct Reader<T: ?Sized> {
    /// Adds the arguments to a command.
    pub(crate) augment: fn(Command) -> Command,
    /// Reads the arguments from clap's matches.
    pub(crate) read: fn(&mut ArgMatches) -> Result<Box<T>, clap::Error>,
    /// Parses only this command with its arguments. `None` if their meaning depends on
    /// the whole command line.
    pub(crate) alone: fn(&[OsString]) -> Option<Box<T>>,
    /// Returns the arguments that undo the setup with this name in `setup.json`; `None`
    /// for a helper.
    pub(crate) named: fn(&str) -> Option<Box<T>>,
}

impl Reader<dyn Helper> {
    pub(super) const fn of<T: Helper + Args + 'static>() -> Self {
        Self {
            augment: T::augment_args,
            read: |matches| Ok(Box::new(T::from_arg_matches_mut(matches)?)),
            alone: |args| {
                let read = match T::from_plain_words(args.get(1..)?) {
                    Some(read) => read,
                    None => read_args::<T>(args).ok()?,
                };
                read.is_unambiguous()
                    .then(|| Box::new(read) as Box<dyn Helper>)
            },
            named: |_| None,
        }
    }
}

impl Reader<dyn Setup> {
    pub(crate) const fn of<T: Setup + Args + 'static>() -> Self {
        Self {
            augment: |command| SetupOptions::augment_args(T::augment_args(command)),
            read: |matches| Ok(Box::new(T::from_arg_matches_mut(matches)?)),
            alone: |_| None,
            named: |name| Some(Box::new(T::of_name(name))),
        }
    }
}

impl Tool {
    /// Returns the command with its arguments.
    pub(crate) fn command(&self) -> Command {
        let command = Command::new(self.name).about(self.about);
        command.after_help(self.example).defer(self.reader.augment)
    }

    /// Reads the tool's arguments from clap's matches.
    ///
    /// # Errors
    /// clap's errors.
    pub(crate) fn read(&self, matches: &mut ArgMatches) -> Result<Box<dyn Helper>, clap::Error> {
        (self.reader.read)(matches)
    }
}
