//! The tool docker, and others with its protocol: podman, skopeo, buildah, helm.

mod answer;
pub(crate) mod args;
mod document;
mod files;
mod logins;
mod podman;
pub mod protocol;
mod setup;
mod wiring;

use super::row::{Docs, Link, Reader, SetupRow, Tool};
use crate::call::Helper;
use crate::edit::setup::Setup;

pub(super) const TOOL: Tool = Tool {
    name: "docker",
    about: "Answer docker, podman, skopeo and others as a credential helper",
    example: "\
Example, in ~/.docker/config.json:
  {\"credHelpers\": {\"registry.acme.dev:5000\": \"zitadel\"}}",
    words: &["podman", "skopeo", "buildah", "helm", "oras", "crane"],
    call: "docker OPERATION",
    links: &[Link::packaged(files::LINK)],
    docs: Docs {
        recipe: None,
        way: "",
        without_rule: "1, and docker's `credentials not found`",
        without_token: "1; one line of the error on stdout, the whole error on stderr",
    },
    reader: Reader::<dyn Helper>::of::<args::Docker>(),
    setup: Some(SetupRow {
        about: "Add host rules, and set docker up to use them",
        example: "\
Examples:
  zitadel-credential setup docker registry.acme.dev:5000
  zitadel-credential setup docker registry.acme.dev:5000 \\
    --authfile ~/.config/containers/auth.json
  zitadel-credential setup docker registry.acme.dev:5000 --undo",
        words: &["registry"],
        call: "docker HOST",
        reader: Reader::<dyn Setup>::of::<args::SetupDocker>(),
        owns: setup::owns,
    }),
    wiring: Some(wiring::read),
};
