//! The tool Go.

mod answer;
mod args;
mod files;
pub mod protocol;
mod setup;
mod wiring;

use super::row::{Docs, Reader, SetupRow, Tool};
use crate::call::Helper;
use crate::edit::setup::Setup;

pub(super) const TOOL: Tool = Tool {
    name: "go",
    about: "Answer Go as a GOAUTH command",
    example: "\
Example:
  go env -w GOAUTH='zitadel-credential go; netrc'",
    words: &[],
    call: "go",
    links: &[],
    docs: Docs {
        recipe: Some("Go"),
        way: "a GOAUTH command: `setup go go.acme.dev`",
        without_rule: "0, and no header",
        without_token: "with a URL 1 or 75; without one 0, no header, and the error on stderr",
    },
    reader: Reader::<dyn Helper>::of::<args::Go>(),
    setup: Some(SetupRow {
        about: "Add host rules, and print the value of GOAUTH",
        example: "\
Examples:
  zitadel-credential setup go go.acme.dev
  zitadel-credential setup go go.acme.dev --undo",
        words: &["golang"],
        call: "go HOST",
        reader: Reader::<dyn Setup>::of::<setup::SetupGo>(),
        owns: setup::owns,
    }),
    wiring: Some(wiring::read),
};
