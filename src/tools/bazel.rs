//! The tool Bazel.

mod answer;
mod args;
pub mod protocol;
mod setup;
mod wiring;

use super::row::{Docs, Link, Reader, SetupRow, Tool};
use crate::call::Helper;
use crate::edit::setup::Setup;

pub(super) const TOOL: Tool = Tool {
    name: "bazel",
    about: "Answer Bazel as a credential helper",
    example: "\
Example, in .bazelrc:
  common --credential_helper=*.acme.dev=bazel-credential-zitadel",
    words: &[],
    call: "bazel OPERATION",
    links: &[Link::packaged(wiring::LINK)],
    docs: Docs {
        recipe: Some("Bazel"),
        way: "a credential helper: `setup bazel '*.acme.dev'`",
        without_rule: "0, and an answer without credentials",
        without_token: "1 or 75",
    },
    reader: Reader::<dyn Helper>::of::<args::Bazel>(),
    setup: Some(SetupRow {
        about: "Add host rules, and print the line for .bazelrc",
        example: "\
Examples:
  zitadel-credential setup bazel '*.acme.dev'
  zitadel-credential setup bazel '*.acme.dev' --undo",
        words: &[],
        call: "bazel HOST",
        reader: Reader::<dyn Setup>::of::<setup::SetupBazel>(),
        owns: setup::owns,
    }),
    wiring: Some(wiring::read),
};
