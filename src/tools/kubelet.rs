//! The tool kubelet.

mod answer;
mod args;
pub mod protocol;
mod setup;
mod wiring;

use super::row::{Docs, Reader, SetupRow, Tool};
use crate::call::Helper;
use crate::edit::setup::Setup;

pub(super) const TOOL: Tool = Tool {
    name: "kubelet",
    about: "Answer the kubelet as an image credential provider",
    example: "\
Example, in the file of the kubelet's --image-credential-provider-config:
  apiVersion: kubelet.config.k8s.io/v1
  kind: CredentialProviderConfig
  providers:
  - name: zitadel-credential
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    args: [kubelet, --config, /etc/zitadel-credential/config.toml]
    matchImages: [registry.acme.dev]
    defaultCacheDuration: 0s",
    words: &[],
    call: "kubelet",
    links: &[],
    docs: Docs {
        recipe: Some("The kubelet"),
        way: "an image credential provider: `setup kubelet`",
        without_rule: "0, and an answer without credentials",
        without_token: "1 or 75",
    },
    reader: Reader::<dyn Helper>::of::<args::Kubelet>(),
    setup: Some(SetupRow {
        about: "Add host rules, and print the kubelet's configuration or write it",
        example: "\
Examples, as root on a node:
  zitadel-credential setup kubelet registry.acme.dev \\
    --config /etc/zitadel-credential/config.toml
  zitadel-credential setup kubelet registry.acme.dev \\
    --config /etc/zitadel-credential/config.toml \\
    --output /etc/kubernetes/credential-providers.yaml",
        words: &[],
        call: "kubelet HOST",
        reader: Reader::<dyn Setup>::of::<setup::SetupKubelet>(),
        owns: setup::owns,
    }),
    wiring: Some(wiring::read),
};
