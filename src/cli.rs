//! The command line: types only.
#![expect(clippy::doc_markdown, reason = "these comments are the help's text")]

mod args;
mod helpers;
mod keyring;
mod options;
mod setup;
mod spelling;

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand};

use crate::version;

pub use args::{
    Agent, Assertion, Cache, CacheAction, CacheClear, CacheList, Completion, Completions, Doctor,
    Exec, ListOutput, Token, TokenOutput,
};
pub use helpers::{Bazel, Cargo, Docker, Git, Go, NAMES, Terraform};
pub use keyring::{Keyring, KeyringCall, KeyringMode, KeyringOutput};
pub use options::Options;
pub use setup::{
    Setup, SetupAction, SetupCargo, SetupDocker, SetupGit, SetupHosts, SetupKubectl, SetupMode,
    SetupProfile,
};

/// clap groups options, not commands, so the groups are written out here; a
/// test holds them against the commands.
const TEMPLATE: &str = "\
{about}

{usage-heading} {usage}

Helpers, called by other tools:
  kubectl      Print an ExecCredential for kubectl and every client-go program
  git          Answer git as a credential helper
  docker       Answer docker, podman, skopeo and others as a credential helper
  bazel        Answer Bazel as a credential helper
  cargo        Answer cargo as a credential provider
  go           Answer Go as a GOAUTH command
  terraform    Answer Terraform as a credentials helper
  kubelet      Answer the kubelet as an image credential provider
  gcp          Answer Google's clients as an external account's executable
  keyring      Answer pip and uv as their keyring

Direct, called by a person or a script:
  token        Print an access token
  exec         Run a command with an access token in its environment
  agent        Keep files with an access token fresh
  assertion    Print a signed assertion; needs no network
  whoami       Print what the issuer says of the token's user

Manage:
  setup        Write a profile, or wire a tool up to it
  cache        Show or remove the tokens in the cache
  doctor       Check key, clock, issuer, token, cache and wiring
  completions  Print a shell's completions
  help         Print this message or the help of a command

Options:
{options}{after-help}";

const AFTER: &str = "\
Every option above but -h and -V may stand before or after the command.
Exit codes: 0 done, 1 it failed and will fail again, 2 usage or configuration,
75 it failed for now.";

/// Credential helper for ZITADEL service users: turns a private key into access
/// tokens for kubectl, git, docker and other tools
#[derive(Debug, Parser)]
#[command(
    name = "zitadel-credential",
    version = version::FULL,
    help_template = TEMPLATE,
    after_help = AFTER,
    disable_help_subcommand = false,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 80
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub options: Options,
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Print an ExecCredential for kubectl and every client-go program
    #[command(after_help = "\
Example, in a kubeconfig:
  users:
  - name: ci
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        command: zitadel-credential
        args: [kubectl]
        interactiveMode: Never")]
    Kubectl(Options),

    /// Answer git as a credential helper
    #[command(after_help = "\
Example (the empty line takes out helpers that would write the token down):
  git config --global --replace-all credential.https://git.acme.dev.helper ''
  git config --global --add credential.https://git.acme.dev.helper zitadel")]
    Git(Git),

    /// Answer docker, podman, skopeo and others as a credential helper
    #[command(after_help = "\
Example, in ~/.docker/config.json:
  {\"credHelpers\": {\"registry.acme.dev:5000\": \"zitadel\"}}")]
    Docker(Docker),

    /// Answer Bazel as a credential helper
    #[command(after_help = "\
Example, in .bazelrc:
  common --credential_helper=*.acme.dev=bazel-credential-zitadel")]
    Bazel(Bazel),

    /// Answer cargo as a credential provider
    #[command(after_help = "\
Example, in .cargo/config.toml (options may follow the name):
  [registries.acme]
  index = \"sparse+https://cargo.acme.dev/index/\"
  credential-provider = [\"cargo-credential-zitadel\"]")]
    Cargo(Cargo),

    /// Answer Go as a GOAUTH command
    #[command(after_help = "\
Example:
  go env -w GOAUTH='zitadel-credential go; netrc'")]
    Go(Go),

    /// Answer Terraform as a credentials helper
    #[command(after_help = "\
Example, in ~/.terraformrc:
  credentials_helper \"zitadel\" {
    args = [\"--profile\", \"ci\"]
  }")]
    Terraform(Terraform),

    /// Answer the kubelet as an image credential provider
    #[command(after_help = "\
Example, in the file of the kubelet's --image-credential-provider-config:
  apiVersion: kubelet.config.k8s.io/v1
  kind: CredentialProviderConfig
  providers:
  - name: zitadel-credential
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    args: [kubelet, --config, /etc/zitadel-credential/config.toml]
    matchImages: [registry.acme.dev]
    defaultCacheDuration: 0s")]
    Kubelet(Options),

    /// Answer Google's clients as an external account's executable
    #[command(after_help = "\
Example, in a credential configuration:
  \"credential_source\": {
    \"executable\": {\"command\": \"zitadel-credential gcp\"}
  }")]
    Gcp(Options),

    /// Answer pip and uv as their keyring
    #[command(after_help = "\
Example, where DIR/keyring is a link to zitadel-credential:
  PATH=DIR:$PATH pip install --keyring-provider subprocess \\
    --index-url https://ci@pypi.acme.dev/simple/ acme-app")]
    Keyring(Keyring),

    /// Print an access token
    #[command(after_help = "\
Examples:
  zitadel-credential token --key-file key.json \\
    --issuer https://acme.zitadel.cloud
  curl -H @<(zitadel-credential token --output header) https://api.acme.dev/")]
    Token(Token),

    /// Run a command with an access token in its environment
    #[command(after_help = "\
Examples:
  zitadel-credential exec --env ACME_TOKEN -- ./deploy.sh
  AWS_ROLE_ARN=arn:aws:iam::123456789012:role/ci \\
    zitadel-credential exec --write-web-identity -- aws s3 ls")]
    Exec(Exec),

    /// Keep files with an access token fresh
    #[command(after_help = "\
Example, for Prometheus' credentials_file:
  zitadel-credential agent --write /run/prometheus/token
It stays until SIGTERM or SIGINT, and goes on through outages of the issuer. It
ends by itself only before the first file is written, where it would fail again.
With NOTIFY_SOCKET it tells systemd when all files are written.")]
    Agent(Agent),

    /// Print a signed assertion; needs no network
    #[command(after_help = "\
Example, the exchange by hand:
  curl https://acme.zitadel.cloud/oauth/v2/token -d scope=openid \\
    -d grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer \\
    -d assertion=\"$(zitadel-credential assertion)\"")]
    Assertion(Assertion),

    /// Print what the issuer says of the token's user
    #[command(after_help = "\
Example:
  zitadel-credential whoami --profile prod")]
    Whoami(Options),

    /// Write a profile, or wire a tool up to it
    #[command(after_help = "\
Examples, from a key file to a git that works:
  zitadel-credential setup profile prod --key-file key.json \\
    --issuer https://acme.zitadel.cloud
  zitadel-credential setup git git.acme.dev --dry-run
  zitadel-credential setup git git.acme.dev")]
    Setup(Setup),

    /// Show or remove the tokens in the cache
    #[command(after_help = "\
Examples:
  zitadel-credential cache list
  zitadel-credential cache clear --expired")]
    Cache(Cache),

    /// Check key, clock, issuer, token, cache and wiring
    #[command(after_help = "\
Examples:
  zitadel-credential doctor
  zitadel-credential doctor git.acme.dev
It changes nothing and shows no secret. Exit code 1 if any check failed.")]
    Doctor(Doctor),

    /// Print a shell's completions
    #[command(after_help = "\
Examples:
  zitadel-credential completions bash \\
    > ~/.local/share/bash-completion/completions/zitadel-credential
  mkdir -p ~/.config/fish/completions
  zitadel-credential completions fish \\
    > ~/.config/fish/completions/zitadel-credential.fish
  zitadel-credential completions zsh > DIR/_zitadel-credential  # DIR of $fpath")]
    Completions(Completions),
}

impl Cli {
    /// Reads the arguments, the program's name first.
    ///
    /// # Errors
    /// clap's own; its answers to `--help` and `--version` are among them.
    pub fn read(args: Vec<OsString>) -> Result<(Options, Command), clap::Error> {
        let args = help_last(helpers::by_name(args));
        let cli = match helpers::alone(&args) {
            Some(command) => Self {
                options: Options::default(),
                command,
            },
            None => Self::try_parse_from(&args)
                .map_err(|error| spelling::with_tip(error, Self::command(), &args))?,
        };
        Ok(cli.into_parts())
    }

    /// The options of both places as one, and the command.
    fn into_parts(self) -> (Options, Command) {
        let Self {
            options,
            mut command,
        } = self;
        let after = match &mut command {
            Command::Kubectl(options)
            | Command::Kubelet(options)
            | Command::Gcp(options)
            | Command::Whoami(options) => options,
            Command::Git(git) => &mut git.options,
            Command::Docker(docker) => &mut docker.options,
            Command::Bazel(bazel) => &mut bazel.options,
            Command::Cargo(cargo) => &mut cargo.options,
            Command::Go(go) => &mut go.options,
            Command::Terraform(terraform) => &mut terraform.options,
            Command::Keyring(keyring) => &mut keyring.options,
            Command::Token(token) => &mut token.options,
            Command::Exec(exec) => &mut exec.options,
            Command::Agent(agent) => &mut agent.options,
            Command::Assertion(assertion) => &mut assertion.options,
            Command::Setup(setup) => setup.action.options_mut(),
            Command::Completions(completions) => &mut completions.options,
            Command::Doctor(doctor) => &mut doctor.options,
            Command::Cache(cache) => match &mut cache.action {
                CacheAction::List(list) => &mut list.options,
                CacheAction::Clear(clear) => &mut clear.options,
            },
        };
        let after = std::mem::take(after);
        (after.over(options), command)
    }
}

/// `help COMMAND` as `COMMAND --help`, which knows the right spelling.
fn help_last(mut args: Vec<OsString>) -> Vec<OsString> {
    if args.len() > 2 && args[1] == "help" && args[2] != "help" {
        args.remove(1);
        args.push("--help".into());
    }
    args
}

#[cfg(test)]
mod tests;
