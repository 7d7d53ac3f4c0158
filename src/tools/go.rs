//! Go.

mod answer;
mod args;
mod files;
pub mod protocol;
mod setup;
mod wiring;

use super::row::{Reader, SetupRow, Tool};
use crate::call::Helper;
use crate::edit::setup::Setup;

pub(super) const TOOL: Tool = Tool {
    name: "go",
    about: "Answer Go as a GOAUTH command",
    example: "\
Example:
  go env -w GOAUTH='zitadel-credential go; netrc'",
    links: &[],
    reader: Reader::<dyn Helper>::of::<args::Go>(),
    setup: Some(SetupRow {
        about: "Let hosts have the token, and print the value of GOAUTH",
        example: "\
Examples:
  zitadel-credential setup go go.acme.dev
  zitadel-credential setup go go.acme.dev --undo",
        reader: Reader::<dyn Setup>::of::<setup::SetupGo>(),
        owns: setup::owns,
    }),
    wiring: Some(wiring::read),
};
