//! The command line: types only.
#![expect(clippy::doc_markdown, reason = "these comments are the help's text")]

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// clap groups options, not commands, so the groups are written out here; a
/// test holds them against the commands.
const TEMPLATE: &str = "\
{about}

{usage-heading} {usage}

Helpers, called by other tools:
  kubectl     Print an ExecCredential for kubectl and every client-go program
  git         Answer git as a credential helper
  docker      Answer docker, podman, skopeo and others as a credential helper

Direct, called by a person or a script:
  token       Print an access token
  exec        Run a command with an access token in its environment
  assertion   Print a signed assertion; needs no network
  whoami      Print what the issuer says of the token's user
  help        Print this message or the help of a command

{options}

{after-help}";

const AFTER: &str = "\
Every option but -h and -V may stand before or after the command.
Exit codes: 0 done, 1 it failed and will fail again, 2 usage or configuration,
75 it failed for now.";

/// Credential helper for ZITADEL service users: turns a private key into access
/// tokens for kubectl, git, docker and other tools
#[derive(Debug, Parser)]
#[command(
    name = "zitadel-credential",
    version,
    help_template = TEMPLATE,
    after_help = AFTER,
    disable_help_subcommand = false,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub options: Options,
    /// What is to be done.
    #[command(subcommand)]
    pub command: Command,
}

/// The global options.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Profile of the config file [env: ZITADEL_CREDENTIAL_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<OsString>,

    /// Another config file [env: ZITADEL_CREDENTIAL_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<OsString>,

    /// The ZITADEL instance's URL [env: ZITADEL_CREDENTIAL_ISSUER]
    #[arg(long, global = true, value_name = "URL")]
    pub issuer: Option<OsString>,

    /// Key file as downloaded, or a bare PEM with --key-id and --user-id
    /// [env: ZITADEL_CREDENTIAL_KEY_FILE; the key itself: ZITADEL_CREDENTIAL_KEY]
    #[arg(long, global = true, value_name = "FILE")]
    pub key_file: Option<OsString>,

    /// Key ID of a bare PEM [env: ZITADEL_CREDENTIAL_KEY_ID]
    #[arg(long, global = true, value_name = "ID")]
    pub key_id: Option<OsString>,

    /// User ID of a bare PEM [env: ZITADEL_CREDENTIAL_USER_ID]
    #[arg(long, global = true, value_name = "ID")]
    pub user_id: Option<OsString>,

    /// Scope to ask for, in place of the profile's; may be repeated
    /// [env: ZITADEL_CREDENTIAL_SCOPES] [default: openid]
    #[arg(long, global = true, value_name = "SCOPE", action = ArgAction::Append)]
    pub scope: Vec<OsString>,

    /// Project to add to the token's audience; may be repeated
    /// [env: ZITADEL_CREDENTIAL_PROJECTS]
    #[arg(long, global = true, value_name = "ID", action = ArgAction::Append)]
    pub project: Vec<OsString>,

    /// Add ZITADEL's own APIs to the token's audience
    #[arg(long, global = true)]
    pub zitadel_api: bool,

    /// Host that may receive the token, for this call; may be repeated
    /// [env: ZITADEL_CREDENTIAL_HOSTS]
    #[arg(long, global = true, value_name = "HOST", action = ArgAction::Append)]
    pub host: Vec<OsString>,

    /// PEM roots to trust in place of the system's [env: ZITADEL_CREDENTIAL_CA_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_file: Option<OsString>,

    /// Where tokens are kept [env: ZITADEL_CREDENTIAL_CACHE_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    pub cache_dir: Option<OsString>,

    /// Neither read nor write the cache
    #[arg(long, global = true)]
    pub no_cache: bool,

    /// Get a new token even if the cache holds a good one
    #[arg(long, global = true, conflicts_with = "no_cache")]
    pub refresh: bool,

    /// Bound on all waiting, network and locks [env: ZITADEL_CREDENTIAL_TIMEOUT]
    /// [default: 30]
    #[arg(long, global = true, value_name = "SECONDS")]
    pub timeout: Option<OsString>,

    /// Say what is done, on stderr; twice says more [env: ZITADEL_CREDENTIAL_LOG]
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
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
    Kubectl,

    /// Answer git as a credential helper
    #[command(after_help = "\
Example:
  git config --global credential.https://git.acme.dev.helper zitadel")]
    Git {
        /// get, store, erase or capability; any other word is passed over, as
        /// git asks of a helper
        operation: OsString,
    },

    /// Answer docker, podman, skopeo and others as a credential helper
    #[command(after_help = "\
Example, in ~/.docker/config.json:
  {\"credHelpers\": {\"registry.acme.dev:5000\": \"zitadel\"}}")]
    Docker {
        /// get, store, erase, list or version
        operation: OsString,
    },

    /// Print an access token
    #[command(after_help = "\
Examples:
  zitadel-credential token --issuer https://acme.zitadel.cloud --key-file key.json
  curl -H @<(zitadel-credential token --output header) https://api.acme.dev/")]
    Token {
        /// How it is printed
        #[arg(long, value_enum, default_value_t = TokenOutput::Raw)]
        output: TokenOutput,
        /// Write it to a file instead: whole, 0600, by atomic replace
        #[arg(long, value_name = "FILE")]
        write: Option<PathBuf>,
    },

    /// Run a command with an access token in its environment
    #[command(after_help = "\
Example:
  zitadel-credential exec --env ACME_TOKEN -- ./deploy.sh")]
    Exec {
        /// The environment variable
        #[arg(long, value_name = "NAME", default_value = "ZITADEL_ACCESS_TOKEN")]
        env: OsString,
        /// The command and its arguments
        #[arg(required = true, last = true, value_name = "CMD")]
        command: Vec<OsString>,
    },

    /// Print a signed assertion; needs no network
    #[command(after_help = "\
Example, the exchange by hand:
  curl https://acme.zitadel.cloud/oauth/v2/token -d scope=openid \\
    -d grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer \\
    -d assertion=\"$(zitadel-credential assertion)\"")]
    Assertion {
        /// Its audience [default: the issuer]
        #[arg(long, value_name = "URL")]
        audience: Option<String>,
        /// How long it lasts from now
        #[arg(long, value_name = "SECONDS", default_value_t = 600,
              value_parser = clap::value_parser!(u32).range(1..))]
        lifetime: u32,
    },

    /// Print what the issuer says of the token's user
    #[command(after_help = "\
Example:
  zitadel-credential whoami --profile prod")]
    Whoami,
}

/// How `token` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TokenOutput {
    /// The token
    Raw,
    /// Authorization: Bearer …, for curl -H @<(…)
    Header,
    /// JSON with the expiry
    Json,
}

/// The arguments as `zitadel-credential` would have got them: a name that the
/// program is called by stands for its command.
pub fn by_name(mut args: Vec<OsString>) -> Vec<OsString> {
    const NAMES: [(&str, &str); 2] = [
        ("git-credential-zitadel", "git"),
        ("docker-credential-zitadel", "docker"),
    ];
    let name = args
        .first()
        .and_then(|arg| std::path::Path::new(arg).file_name())
        .and_then(|name| NAMES.iter().find(|(alias, _)| name == *alias));
    if let Some((_, command)) = name {
        args.insert(1, (*command).into());
    }
    args
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_lists_every_command_as_it_describes_itself() {
        let command = Cli::command();
        for sub in command.get_subcommands() {
            let about = sub.get_about().expect("a description").to_string();
            let line = format!("  {:<11} {about}\n", sub.get_name());
            assert!(TEMPLATE.contains(&line), "{line:?}");
            let help = sub.get_after_help().expect("an example").to_string();
            assert!(help.starts_with("Example"), "{help}");
        }
    }

    #[test]
    fn a_name_stands_for_its_command() {
        let read = |args: &[&str]| {
            let args = args.iter().map(OsString::from).collect();
            Cli::try_parse_from(by_name(args)).expect("parsed").command
        };
        for args in [
            ["/usr/bin/git-credential-zitadel", "get"].as_slice(),
            &["git-credential-zitadel", "--profile", "ci", "get"],
            &["zitadel-credential", "--profile", "ci", "git", "get"],
            &["zitadel-credential", "git", "get", "--profile", "ci"],
        ] {
            assert!(
                matches!(read(args), Command::Git { operation } if operation == "get"),
                "{args:?}"
            );
        }
        assert!(matches!(
            read(&["docker-credential-zitadel", "list"]),
            Command::Docker { .. }
        ));
    }
}
