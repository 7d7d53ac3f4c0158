//! The registry of tools, one row per tool. Help, links, setups, completions and
//! doctor's checks all read it.

pub mod askpass;
pub mod bazel;
pub mod cargo;
pub mod docker;
pub mod gcp;
pub mod git;
pub mod go;
pub mod keyring;
pub mod kubectl;
pub mod kubelet;
mod pnpm;
pub mod row;
pub mod terraform;

use std::ffi::OsString;
use std::path::Path;

use row::{Link, Tool};

use crate::call::Helper;
use crate::edit::entry::Edit;
use crate::sys::paths;

/// All tools, in the order of the help.
pub static TOOLS: [Tool; 12] = [
    kubectl::TOOL,
    git::TOOL,
    docker::TOOL,
    bazel::TOOL,
    cargo::TOOL,
    go::TOOL,
    terraform::TOOL,
    kubelet::TOOL,
    gcp::TOOL,
    keyring::TOOL,
    pnpm::TOOL,
    askpass::TOOL,
];

/// Returns the tool with this command.
pub(crate) fn find(command: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.name == command)
}

/// Parses a helper's call with only that command's arguments. Building all other commands
/// too takes a quarter of the time of a cached call.
///
/// `None` if options come before the command, if clap reports an error, or for
/// `--help`: parsing the whole command line gives better texts.
pub(crate) fn read_alone(args: &[OsString]) -> Option<Box<dyn Helper>> {
    let args = args.get(1..)?;
    let tool = find(args.first()?.to_str()?)?;
    (tool.reader.alone)(args)
}

/// Returns all links with their commands.
pub fn links() -> impl Iterator<Item = (&'static Link, &'static str)> {
    let of = |tool: &'static Tool| tool.links.iter().map(|link| (link, tool.name));
    TOOLS.iter().flat_map(of)
}

/// Returns the command for the name by which the program was called.
pub(crate) fn command_of(program: &Path) -> Option<&'static str> {
    let (_, command) = links().find(|(link, _)| paths::is_called(program, link.name))?;
    Some(command)
}

/// True if the setup with this name in `setup.json` makes such an edit.
pub(crate) fn owns(setup: &str, edit: &Edit) -> bool {
    let parts = setup.split_once(' ');
    let known = parts.and_then(|(name, of)| Some((find(name)?.setup.as_ref()?, of)));
    known.is_some_and(|(row, of)| (row.owns)(of, edit))
}
