//! The tool keyring: for pip, uv and other programs that call `keyring`.

mod answer;
pub(crate) mod args;
pub mod protocol;
mod setup;
mod wiring;

use super::row::{Docs, Link, Reader, SetupRow, Tool};
use crate::call::Helper;
use crate::edit::setup::Setup;

pub(super) const TOOL: Tool = Tool {
    name: "keyring",
    about: "Answer pip and uv as their keyring",
    example: "\
Example, where DIR/keyring is a link to zitadel-credential:
  PATH=DIR:$PATH pip install --keyring-provider subprocess \\
    --index-url https://ci@pypi.acme.dev/simple/ acme-app",
    words: &["pip", "uv", "twine"],
    call: "keyring OPERATION",
    links: &[Link::shared("keyring")],
    docs: Docs {
        recipe: Some("pip and uv"),
        way: "keyring's command line: `setup keyring pypi.acme.dev`",
        without_rule: "1, and no output",
        without_token: "1 or 75",
    },
    reader: Reader::<dyn Helper>::of::<args::Keyring>(),
    setup: Some(SetupRow {
        about: "Add host rules, and link this program as pip's and uv's keyring",
        example: "\
Examples:
  zitadel-credential setup keyring pypi.acme.dev
  zitadel-credential setup keyring pypi.acme.dev --undo",
        words: &[],
        call: "keyring HOST",
        reader: Reader::<dyn Setup>::of::<setup::SetupKeyring>(),
        owns: setup::owns,
    }),
    wiring: Some(wiring::read),
};
