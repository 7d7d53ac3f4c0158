//! The table of setups: that of profiles, and those of the tools.

use super::profile;
use crate::edit::entry::Edit;
use crate::tools::row::SetupRow;
use crate::tools::{self, TOOLS};

/// Returns all setups, each with its name.
pub(crate) fn rows() -> impl Iterator<Item = (&'static str, &'static SetupRow)> {
    let tools = TOOLS
        .iter()
        .filter_map(|tool| Some((tool.name, tool.setup.as_ref()?)));
    std::iter::once((profile::NAME, &profile::ROW)).chain(tools)
}

/// True if the setup of this name in `setup.json` makes such an edit.
pub(crate) fn owns(setup: &str, edit: &Edit) -> bool {
    match setup.split_once(' ') {
        Some((profile::NAME, of)) => (profile::ROW.owns)(of, edit),
        _ => tools::owns(setup, edit),
    }
}
