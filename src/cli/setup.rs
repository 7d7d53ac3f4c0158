//! What each setup takes.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::args::EVERY;
use super::options::Options;

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct Setup {
    /// What is set up.
    #[command(subcommand)]
    pub action: SetupAction,
}

/// Write a profile, or wire a tool up to it
#[derive(Debug, Subcommand)]
pub enum SetupAction {
    /// Write a profile into the config file, and prove it by getting a token
    #[command(after_help = "\
Examples (without --issuer and --key-file, a person is asked for them):
  zitadel-credential setup profile prod --key-file key.json \\
    --issuer https://acme.zitadel.cloud
  zitadel-credential setup profile prod --project 317240000000000001
  zitadel-credential setup profile prod --undo")]
    Profile(SetupProfile),

    /// Write a user into a kubeconfig, and point a context at it
    #[command(after_help = "\
Examples:
  zitadel-credential setup kubectl --user zitadel --context acme --dry-run
  zitadel-credential setup kubectl --user zitadel --context acme
  zitadel-credential setup kubectl --user zitadel --undo")]
    Kubectl(SetupKubectl),

    /// Let hosts have the token, and make git ask for it
    #[command(after_help = "\
Examples:
  zitadel-credential setup git git.acme.dev git.acme.dev:8443
  zitadel-credential setup git git.acme.dev --undo")]
    Git(SetupGit),

    /// Let registries have the token, and make docker ask for it
    #[command(after_help = "\
Examples:
  zitadel-credential setup docker registry.acme.dev:5000
  zitadel-credential setup docker registry.acme.dev:5000 \\
    --authfile ~/.config/containers/auth.json
  zitadel-credential setup docker registry.acme.dev:5000 --undo")]
    Docker(SetupDocker),

    /// Let hosts have the token, and print the line for .bazelrc
    #[command(after_help = "\
Examples:
  zitadel-credential setup bazel *.acme.dev
  zitadel-credential setup bazel *.acme.dev --undo")]
    Bazel(SetupHosts),

    /// Let registries have the token, and make cargo ask for it
    #[command(after_help = "\
Examples, for a registry that cargo knows already and for a new one:
  zitadel-credential setup cargo cargo.acme.dev
  zitadel-credential setup cargo cargo.acme.dev --registry acme \\
    --index sparse+https://cargo.acme.dev/index/
  zitadel-credential setup cargo cargo.acme.dev --undo")]
    Cargo(SetupCargo),

    /// Let hosts have the token, and print the value of GOAUTH
    #[command(after_help = "\
Examples:
  zitadel-credential setup go go.acme.dev
  zitadel-credential setup go go.acme.dev --undo")]
    Go(SetupHosts),

    /// Let registries have the token, and make Terraform ask for it
    #[command(after_help = "\
Examples:
  zitadel-credential setup terraform app.acme.dev --dry-run
  zitadel-credential setup terraform app.acme.dev
  zitadel-credential setup terraform app.acme.dev --undo")]
    Terraform(SetupHosts),
}

// How a setup is gone about.
#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Clone, Copy, Debug)]
pub struct SetupMode {
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Take out what this setup put in, and nothing else
    #[arg(long)]
    pub undo: bool,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct SetupProfile {
    /// The profile's name
    #[arg(value_hint = ValueHint::Username)]
    pub name: OsString,
    #[command(flatten)]
    pub mode: SetupMode,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct SetupKubectl {
    /// The user's name in the kubeconfig
    #[arg(long, value_name = "NAME")]
    pub user: OsString,
    /// The context that is to use it
    #[arg(long, value_name = "CONTEXT")]
    pub context: Option<OsString>,
    /// The kubeconfig [default: KUBECONFIG, or ~/.kube/config]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    #[command(flatten)]
    pub mode: SetupMode,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct SetupGit {
    /// Hosts, as host, host:port or *.host
    #[arg(required = true, value_name = "HOST")]
    pub hosts: Vec<OsString>,
    /// The username to show [default: the user ID]
    #[arg(long, value_name = "NAME")]
    pub username: Option<OsString>,
    #[command(flatten)]
    pub mode: SetupMode,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct SetupDocker {
    /// Registries, as host or host:port
    #[arg(required = true, value_name = "HOST")]
    pub hosts: Vec<OsString>,
    /// The username to show [default: the user ID]
    #[arg(long, value_name = "NAME")]
    pub username: Option<OsString>,
    /// Another file of that form, such as podman's auth.json
    /// [default: DOCKER_CONFIG/config.json, or ~/.docker/config.json]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, verbatim_doc_comment)]
    pub authfile: Option<PathBuf>,
    #[command(flatten)]
    pub mode: SetupMode,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct SetupHosts {
    /// Hosts, as host, host:port or *.host
    #[arg(required = true, value_name = "HOST")]
    pub hosts: Vec<OsString>,
    #[command(flatten)]
    pub mode: SetupMode,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

#[expect(missing_docs, reason = "it would be the command's description")]
#[derive(Args, Debug)]
pub struct SetupCargo {
    /// The hosts of indexes, as host, host:port or *.host
    #[arg(required = true, value_name = "HOST")]
    pub hosts: Vec<OsString>,
    /// The one registry that is meant, by its name in cargo's configuration
    /// [default: all whose index is at HOST]
    #[arg(long, value_name = "NAME", verbatim_doc_comment)]
    pub registry: Option<String>,
    /// The index of a registry that cargo does not know yet
    #[arg(long, value_name = "URL", requires = "registry", value_hint = ValueHint::Url)]
    pub index: Option<String>,
    #[command(flatten)]
    pub mode: SetupMode,
    #[command(flatten, next_help_heading = EVERY)]
    pub(super) options: Options,
}

impl SetupAction {
    /// How it is gone about.
    pub const fn mode(&self) -> SetupMode {
        match self {
            Self::Profile(profile) => profile.mode,
            Self::Kubectl(kubectl) => kubectl.mode,
            Self::Git(git) => git.mode,
            Self::Docker(docker) => docker.mode,
            Self::Cargo(cargo) => cargo.mode,
            Self::Bazel(hosts) | Self::Go(hosts) | Self::Terraform(hosts) => hosts.mode,
        }
    }

    /// The options that stand after it.
    pub(super) const fn options_mut(&mut self) -> &mut Options {
        match self {
            Self::Profile(profile) => &mut profile.options,
            Self::Kubectl(kubectl) => &mut kubectl.options,
            Self::Git(git) => &mut git.options,
            Self::Docker(docker) => &mut docker.options,
            Self::Cargo(cargo) => &mut cargo.options,
            Self::Bazel(hosts) | Self::Go(hosts) | Self::Terraform(hosts) => &mut hosts.options,
        }
    }
}
