//! The tool cargo.

mod answer;
mod args;
mod files;
mod logins;
pub mod protocol;
mod setup;
mod wiring;

use super::row::{Docs, Link, Reader, SetupRow, Tool};
use crate::call::Helper;
use crate::edit::setup::Setup;

pub(super) const TOOL: Tool = Tool {
    name: "cargo",
    about: "Answer cargo as a credential provider",
    example: "\
Example, in .cargo/config.toml (options may follow the name):
  [registries.acme]
  index = \"sparse+https://cargo.acme.dev/index/\"
  credential-provider = [\"cargo-credential-zitadel\"]",
    words: &[],
    call: "cargo",
    links: &[Link::packaged(files::PROVIDER)],
    docs: Docs {
        recipe: Some("cargo"),
        way: "a credential provider: `setup cargo cargo.acme.dev`",
        without_rule: "0, and `url-not-supported` on stdout",
        without_token: "0, and the error on stdout",
    },
    reader: Reader::<dyn Helper>::of::<args::Cargo>(),
    setup: Some(SetupRow {
        about: "Add host rules, and set cargo up to use them",
        example: "\
Examples, for a known registry and for a new one:
  zitadel-credential setup cargo cargo.acme.dev
  zitadel-credential setup cargo cargo.acme.dev --registry acme \\
    --index sparse+https://cargo.acme.dev/index/
  zitadel-credential setup cargo cargo.acme.dev --undo",
        words: &[],
        call: "cargo HOST",
        reader: Reader::<dyn Setup>::of::<args::SetupCargo>(),
        owns: setup::owns,
    }),
    wiring: Some(wiring::read),
};
