//! The tool gcp: Google's clients.

mod answer;
mod args;
pub mod protocol;
mod setup;

use super::row::{Docs, Reader, SetupRow, Tool};
use crate::call::Helper;
use crate::edit::setup::Setup;

pub(super) const TOOL: Tool = Tool {
    name: "gcp",
    about: "Answer Google's clients as an external account's executable",
    example: "\
Example, in a credential configuration:
  \"credential_source\": {
    \"executable\": {\"command\": \"zitadel-credential gcp\"}
  }",
    words: &["google", "gcloud"],
    call: "gcp",
    links: &[],
    docs: Docs {
        recipe: Some("Google Cloud"),
        way: "the executable of an external account: `setup gcp`",
        without_rule: "needs no host rule: the credential configuration is the permission",
        without_token: "0, and the error on stdout",
    },
    reader: Reader::<dyn Helper>::of::<args::Gcp>(),
    setup: Some(SetupRow {
        about: "Write a credential configuration for Google's clients",
        example: "\
Examples:
  zitadel-credential setup gcp --audience //iam.googleapis.com/PROVIDER
  zitadel-credential setup gcp --undo",
        words: &[],
        call: "gcp --audience AUDIENCE",
        reader: Reader::<dyn Setup>::of::<setup::SetupGcp>(),
        owns: setup::owns,
    }),
    wiring: None,
};
