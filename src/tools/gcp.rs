//! Google's clients.

mod answer;
mod args;
pub mod protocol;

use super::row::{Reader, Tool};
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
    reader: Reader::<dyn Helper>::of::<args::Gcp>(),
    setup: None,
    wiring: None,
};
