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
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    /// The commands, and theirs.
    fn commands(of: &clap::Command) -> Vec<clap::Command> {
        let subs = of.get_subcommands().filter(|c| c.get_name() != "help");
        subs.flat_map(|sub| [vec![sub.clone()], commands(sub)].concat())
            .collect()
    }

    fn built() -> clap::Command {
        let mut command = Cli::command();
        command.build();
        command
    }

    #[test]
    fn the_help_lists_every_command_as_it_describes_itself() {
        let command = built();
        for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
            let about = sub.get_about().expect("a description").to_string();
            let line = format!("  {:<12} {about}\n", sub.get_name());
            assert!(TEMPLATE.contains(&line), "{line:?}");
        }
    }

    #[test]
    fn every_command_and_theirs_has_an_example_that_calls_it() {
        let commands = commands(&built());
        assert!(commands.len() > 10);
        let (helpers, _) = TEMPLATE.split_once("\nDirect").expect("the next heading");
        for command in commands {
            let name = command.get_bin_name().expect("built").to_owned();
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_else(|| panic!("{name} has no example"));
            assert!(help.starts_with("Example"), "{name}: {help}");
            // Helpers are called by other tools, which have their own spelling.
            let line = format!("\n  {:<12} ", command.get_name());
            let is_helper = helpers.contains(&line);
            let calls = if is_helper { "zitadel" } else { &name };
            assert!(help.contains(calls), "{name}: {help}");
            // clap would break a longer line, which nobody could copy.
            let longest = help.lines().map(str::len).max();
            assert!(longest <= Some(80), "{name}: {help}");
        }
    }

    #[test]
    fn every_help_fits_into_80_columns() {
        for mut command in [vec![built()], commands(&built())].concat() {
            let help = command.render_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{line}");
                // A bracket that is broken reads badly.
                let opens = line.matches("[env").count() > line.matches(']').count();
                assert!(!opens || line.contains("_LOG"), "{line}");
            }
        }
    }

    #[test]
    fn help_is_the_same_however_it_is_asked_for() {
        let read = |args: &[&str]| {
            let args = args.iter().map(OsString::from).collect();
            Cli::read(args).expect_err("help").to_string()
        };
        for words in [["cache", "list"].as_slice(), &["token"], &["exec"]] {
            let [asked, short, long] = [
                [&["zitadel-credential", "help"], words].concat(),
                [&["zitadel-credential"], words, &["-h"]].concat(),
                [&["zitadel-credential"], words, &["--help"]].concat(),
            ]
            .map(|args| read(&args));
            assert_eq!((&asked, &short), (&long, &long));
            assert!(long.contains("\n\nExample"), "{long}");
        }
    }

    #[test]
    fn the_help_has_a_heading_for_the_options_and_single_blank_lines() {
        let help = Cli::command().render_help().to_string();
        assert!(help.contains("\n\nOptions:\n      --profile"), "{help}");
        assert!(!help.contains("\n\n\n"), "{help}");
    }

    #[test]
    fn a_name_stands_for_its_command() {
        let read = |args: &[&str]| {
            let args = args.iter().map(OsString::from).collect();
            Cli::read(args).expect("parsed").1
        };
        for args in [
            ["/usr/bin/git-credential-zitadel", "get"].as_slice(),
            &["git-credential-zitadel", "--profile", "ci", "get"],
            &["zitadel-credential", "--profile", "ci", "git", "get"],
            &["zitadel-credential", "git", "get", "--profile", "ci"],
        ] {
            assert!(
                matches!(read(args), Command::Git(git) if git.operation == "get"),
                "{args:?}"
            );
        }
        assert!(matches!(
            read(&["docker-credential-zitadel", "list"]),
            Command::Docker(_)
        ));
        let words = ["--profile", "ci", "get", "a.dev"];
        assert!(matches!(
            read(&[&["terraform-credentials-zitadel"], &words[..]].concat()),
            Command::Terraform(asked) if asked.words == ["get", "a.dev"]
        ));
        let words = ["--mode=creds", "--output=json", "get", "https://a.dev/"];
        assert!(matches!(
            read(&[&["bin/keyring"], &words[..]].concat()),
            Command::Keyring(asked)
                if asked.call().is_ok_and(|call| {
                    call.mode == KeyringMode::Creds && call.username.is_none()
                })
        ));
    }

    #[test]
    fn the_host_that_terraform_names_is_no_option_whatever_it_looks_like() {
        for word in [
            "--host=a.dev",
            "--config=x",
            "--refresh",
            "-h",
            "--help",
            "-v",
            "--",
        ] {
            let words = [
                "terraform-credentials-zitadel",
                "--profile",
                "ci",
                "get",
                word,
            ];
            let read = Cli::read(words.map(OsString::from).to_vec());
            let Ok((options, Command::Terraform(asked))) = read else {
                panic!("{read:?}");
            };
            let own = Options {
                profile: Some("ci".into()),
                ..Options::default()
            };
            assert_eq!(format!("{options:?}"), format!("{own:?}"), "{word}");
            assert_eq!(asked.call().expect("a call"), ["get", word]);
        }
    }

    const WORDS: [&str; 21] = [
        "zitadel-credential",
        "kubectl",
        "git",
        "docker",
        "terraform",
        "kubelet",
        "keyring",
        "--mode=creds",
        "token",
        "get",
        "help",
        "--",
        "-h",
        "--help",
        "--profile",
        "--profile=ci",
        "--refresh",
        "--no-cache",
        "-vv",
        "-hv",
        "--help=x",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_helper_read_alone_is_what_the_whole_command_line_reads(
            words in prop::collection::vec(prop::sample::select(&WORDS), 0..5),
        ) {
            let args: Vec<OsString> = words.iter().map(OsString::from).collect();
            if let Some(command) = helpers::alone(&args) {
                let whole = Cli::try_parse_from(&args).map_err(|error| error.to_string());
                let whole = whole.map(|cli| format!("{:?} {:?}", cli.options, cli.command));
                let alone = format!("{:?} {command:?}", Options::default());
                prop_assert_eq!(whole, Ok(alone));
            }
        }
    }
}
