//! The tool kubectl, and every client-go program.

mod answer;
mod args;
mod edit;
mod kubeconfig;
pub mod protocol;
mod setup;
mod trial;
mod wiring;

use super::row::{Docs, Reader, SetupRow, Tool};
use crate::call::Helper;
use crate::edit::setup::Setup;

pub(super) const TOOL: Tool = Tool {
    name: "kubectl",
    about: "Print an ExecCredential for kubectl and every client-go program",
    example: "\
Example, in a kubeconfig:
  users:
  - name: ci
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        command: zitadel-credential
        args: [kubectl]
        interactiveMode: Never",
    words: &["k8s", "kubernetes"],
    call: "kubectl",
    links: &[],
    docs: Docs {
        recipe: None,
        way: "",
        without_rule: "needs no host rule: the kubeconfig's entry is the permission",
        without_token: "1 or 75",
    },
    reader: Reader::<dyn Helper>::of::<args::Kubectl>(),
    setup: Some(SetupRow {
        about: "Write a user to a kubeconfig, and point a context at it",
        example: "\
Examples:
  zitadel-credential setup kubectl --context acme --dry-run
  zitadel-credential setup kubectl --context acme
  zitadel-credential setup kubectl --undo",
        words: &["kubeconfig", "kube"],
        call: "kubectl --context CONTEXT",
        reader: Reader::<dyn Setup>::of::<args::SetupKubectl>(),
        owns: setup::owns,
    }),
    wiring: Some(wiring::read),
};
