//! The tool gcp: Google's clients.

mod answer;
mod args;
pub mod protocol;

use super::row::{Docs, Reader, Tool};
use crate::call::Helper;

pub(super) const TOOL: Tool = Tool {
    name: "gcp",
    about: "Answer Google's clients as an external account's executable",
    example: "\
Example, in a credential configuration:
  \"credential_source\": {
    \"executable\": {\"command\": \"zitadel-credential gcp\"}
  }",
    links: &[],
    docs: Docs {
        recipe: Some("Google Cloud"),
        way: "the executable of an external account",
        without_rule: "needs no host rule: the credential configuration is the permission",
        without_token: "0, and the error on stdout",
    },
    reader: Reader::<dyn Helper>::of::<args::Gcp>(),
    setup: None,
    wiring: None,
};
