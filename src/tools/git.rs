//! The tool git.

mod answer;
pub(crate) mod args;
mod config;
mod helpers;
mod logins;
pub mod protocol;
mod scope;
mod setup;
mod wiring;

use super::row::{Docs, Link, Reader, SetupRow, Tool};
use crate::call::Helper;
use crate::edit::setup::Setup;

pub(super) const TOOL: Tool = Tool {
    name: "git",
    about: "Answer git as a credential helper",
    example: "\
Example (the empty value removes helpers that would store the token):
  git config --global --replace-all credential.https://git.acme.dev.helper ''
  git config --global --add credential.https://git.acme.dev.helper zitadel",
    words: &[],
    call: "git OPERATION",
    links: &[Link::packaged(helpers::LINK)],
    docs: Docs {
        recipe: None,
        way: "",
        without_rule: "0, and no output",
        without_token: "1, with `quit=1`: git does not prompt for a password",
    },
    reader: Reader::<dyn Helper>::of::<args::Git>(),
    setup: Some(SetupRow {
        about: "Add host rules, and set git up to use them",
        example: "\
Examples:
  zitadel-credential setup git git.acme.dev git.acme.dev:8443
  zitadel-credential setup git git.acme.dev --undo",
        words: &["gitconfig"],
        call: "git HOST",
        reader: Reader::<dyn Setup>::of::<args::SetupGit>(),
        owns: setup::owns,
    }),
    wiring: Some(wiring::read),
};
