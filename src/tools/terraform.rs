//! The tool Terraform.

mod answer;
pub(crate) mod args;
mod files;
mod logins;
pub mod protocol;
mod setup;
mod wiring;

use super::row::{Docs, Link, Reader, SetupRow, Tool};
use crate::call::Helper;
use crate::edit::setup::Setup;

pub(super) const TOOL: Tool = Tool {
    name: "terraform",
    about: "Answer Terraform as a credentials helper",
    example: "\
Example, in ~/.terraformrc:
  credentials_helper \"zitadel\" {
    args = [\"--profile\", \"ci\"]
  }",
    words: &["tofu", "opentofu"],
    call: "terraform OPERATION HOST",
    links: &[Link::plugin(files::PLUGIN)],
    docs: Docs {
        recipe: Some("Terraform"),
        way: "a credentials helper: `setup terraform app.acme.dev`",
        without_rule: "0, and an empty object",
        without_token: "1 or 75",
    },
    reader: Reader::<dyn Helper>::of::<args::Terraform>(),
    setup: Some(SetupRow {
        about: "Add host rules, and set Terraform up to use them",
        example: "\
Examples:
  zitadel-credential setup terraform app.acme.dev --dry-run
  zitadel-credential setup terraform app.acme.dev
  zitadel-credential setup terraform app.acme.dev --undo",
        words: &[],
        call: "terraform HOST",
        reader: Reader::<dyn Setup>::of::<setup::SetupTerraform>(),
        owns: setup::owns,
    }),
    wiring: Some(wiring::read),
};
