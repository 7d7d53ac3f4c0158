//! The command line: types only.

mod help;
pub mod options;
mod registered;
mod spelling;
mod usage;

use std::ffi::OsString;
use std::fmt::Write;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use options::Options;
pub(crate) use registered::{Called, Setup};

use crate::agent::Agent;
use crate::completions::Completions;
use crate::direct::{AssertionArgs, ExecArgs, TokenArgs};
use crate::doctor::Doctor;
use crate::error::Report;
use crate::keys::Keys;
use crate::look::{Config, ConfigAction, Profile, ProfileAction};
use crate::manage::{Cache, CacheAction};
use crate::text::version;
use crate::tools::row::Tool;
use crate::tools::{self, TOOLS};

/// Returns the help template. clap has no groups of commands, so they are written
/// out here; a test compares them with the commands.
fn template() -> String {
    let mut helpers = String::new();
    for Tool { name, about, .. } in &TOOLS {
        // Writing to a String cannot fail.
        let _ = writeln!(helpers, "  {name:<12} {about}");
    }
    format!(
        "\
{{about}}

{{usage-heading}} {{usage}}

Helpers, called by other tools:
{helpers}
For people and scripts:
  token        Print an access token
  exec         Run a command with an access token in its environment
  agent        Keep files with an access token fresh
  assertion    Print a signed assertion; needs no network
  whoami       Print the issuer's claims about the token's user

Manage:
  setup        Write a profile, or set up a tool to use it
  profile      List the profiles
  config       Show or check the configuration
  key          List, add, rotate or remove the service user's own keys
  cache        Show or remove the tokens in the cache
  doctor       Check key, clock, issuer, token, cache and wiring
  completions  Print a shell's completions
  help         Print this message or the help of a command

Options:
{{options}}{{after-help}}"
    )
}

const CODES: &str = "\
Exit codes: 0 success, 1 permanent error, 2 usage or configuration error,
75 temporary error.";

const PLACES_AND_CODES: &str = "\
All options above, except -h and -V, work before or after the command.
The password of a shared cache: in ZITADEL_CREDENTIAL_SHARED_PASSWORD.
Exit codes: 0 success, 1 permanent error, 2 usage or configuration error,
75 temporary error.";

/// Credential helper for ZITADEL service users: turns a private key into access
/// tokens for kubectl, git, docker and other tools
#[derive(Debug, Parser)]
#[command(
    name = "zitadel-credential",
    version = version::FULL,
    help_template = template(),
    after_help = CODES,
    after_long_help = PLACES_AND_CODES,
    disable_help_subcommand = false,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 80
)]
pub struct Cli {
    /// The options of every command.
    #[command(flatten)]
    pub options: Options,
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    /// A tool's helper.
    #[command(flatten)]
    Tool(Called),

    /// Print an access token
    #[command(after_help = "\
Examples:
  zitadel-credential token --key-file key.json \\
    --issuer https://acme.zitadel.cloud
  header=$(zitadel-credential token --output header) &&
    printf '%s\\n' \"$header\" | curl -H @- https://api.acme.dev/")]
    Token(TokenArgs),

    /// Run a command with an access token in its environment
    #[command(after_help = "\
Examples:
  zitadel-credential exec --env ACME_TOKEN -- ./deploy.sh
  AWS_ROLE_ARN=arn:aws:iam::123456789012:role/ci \\
    zitadel-credential exec --write-web-identity -- aws s3 ls")]
    Exec(ExecArgs),

    /// Keep files with an access token fresh
    #[command(after_help = "\
Example, for Prometheus' credentials_file:
  zitadel-credential agent --write /run/prometheus/token
It runs until SIGTERM or SIGINT, even while the issuer is down. A permanent
error stops it only before the first file is written. With NOTIFY_SOCKET it
notifies systemd when all files are written.")]
    Agent(Agent),

    /// Print a signed assertion; needs no network
    #[command(after_help = "\
Example, the exchange by hand:
  curl https://acme.zitadel.cloud/oauth/v2/token -d scope=openid \\
    -d grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer \\
    -d assertion=\"$(zitadel-credential assertion)\"")]
    Assertion(AssertionArgs),

    /// Print the issuer's claims about the token's user
    #[command(after_help = "\
Example:
  zitadel-credential whoami --profile prod")]
    Whoami(Options),

    /// Write a profile, or set up a tool to use it
    #[command(after_help = "\
Examples (the first asks for its values, at a terminal):
  zitadel-credential setup
  zitadel-credential setup profile prod --key-file key.json \\
    --issuer https://acme.zitadel.cloud
  zitadel-credential setup git git.acme.dev --dry-run
  zitadel-credential setup git git.acme.dev")]
    Setup(Setup),

    /// List the profiles
    #[command(after_help = "\
Example:
  zitadel-credential profile list")]
    Profile(Profile),

    /// Show or check the configuration
    #[command(after_help = "\
Examples:
  zitadel-credential config show
  zitadel-credential config check")]
    Config(Config),

    /// List, add, rotate or remove the service user's own keys
    #[command(after_help = "\
Examples:
  zitadel-credential key list
  zitadel-credential key rotate --if-expires-within 14d")]
    Key(Keys),

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
  mkdir -p ~/.local/share/bash-completion/completions
  zitadel-credential completions bash \\
    > ~/.local/share/bash-completion/completions/zitadel-credential
  mkdir -p ~/.config/fish/completions
  zitadel-credential completions fish \\
    > ~/.config/fish/completions/zitadel-credential.fish
  zitadel-credential completions zsh > DIR/_zitadel-credential  # DIR of $fpath")]
    Completions(Completions),
}

/// The outcome of a command line that runs no command.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The help text or the version, on request.
    Text(String),
    /// A help text in place of a missing command.
    Guide(String),
    /// An error.
    Error(Report),
}

impl Refusal {
    /// Returns the help of `setup`, for a call without a profile or a tool if no user can
    /// be asked, or for an undo.
    pub(crate) fn of_setup(is_undo: bool) -> Self {
        let args = ["zitadel-credential", "setup"].map(OsString::from);
        let mut root = Cli::command();
        root.build();
        let help = help::text(help::place(&root, &args).clone(), true);
        let missing = if is_undo {
            "missing argument <TOOL>"
        } else {
            "missing argument <TOOL>: without it, setup asks for a profile, only at a terminal outside CI"
        };
        Self::Guide(format!("zitadel-credential: error: {missing}\n\n{help}"))
    }
}

impl Cli {
    /// Parses the arguments, the program's name first.
    ///
    /// # Errors
    /// [`Refusal`]: an error, or a requested text.
    pub(crate) fn read(args: Vec<OsString>) -> Result<(Options, Command), Refusal> {
        let args = help_last(by_name(args));
        let cli = match tools::read_alone(&args) {
            Some(helper) => Self {
                options: Options::default(),
                command: Command::Tool(Called(helper)),
            },
            None => Self::try_parse_from(&args).or_else(|error| {
                let meant = spelling::with_dashes(&error, &args)
                    .find_map(|call| Self::try_parse_from(call).ok());
                meant.ok_or_else(|| refusal(error, &args))
            })?,
        };
        Ok(cli.into_parts())
    }

    /// Merges the options before and after the command, and returns them with it.
    fn into_parts(self) -> (Options, Command) {
        let Self {
            options,
            mut command,
        } = self;
        let after = match &mut command {
            Command::Tool(Called(helper)) => helper.options(),
            Command::Whoami(options) => options,
            Command::Token(token) => &mut token.options,
            Command::Exec(exec) => &mut exec.options,
            Command::Agent(agent) => &mut agent.options,
            Command::Assertion(assertion) => &mut assertion.options,
            Command::Setup(setup) => &mut setup.common.options,
            Command::Completions(completions) => &mut completions.options,
            Command::Doctor(doctor) => &mut doctor.options,
            Command::Profile(profile) => match &mut profile.action {
                ProfileAction::List(look) => &mut look.options,
            },
            Command::Config(config) => match &mut config.action {
                ConfigAction::Show(look) | ConfigAction::Check(look) => &mut look.options,
            },
            Command::Key(keys) => keys.action.options(),
            Command::Cache(cache) => match &mut cache.action {
                CacheAction::List(list) => &mut list.options,
                CacheAction::Clear(clear) => &mut clear.options,
            },
        };
        let after = std::mem::take(after);
        (after.over(options), command)
    }
}

/// Returns the text for clap's error.
fn refusal(error: clap::Error, args: &[OsString]) -> Refusal {
    let mut root = Cli::command();
    // Subcommands exist only after the build.
    root.build();
    let place = help::place(&root, args);
    match error.kind() {
        ErrorKind::DisplayVersion => Refusal::Text(error.render().to_string()),
        ErrorKind::DisplayHelp => Refusal::Text(help::text(place.clone(), help::is_short(args))),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let is_root = place.get_name() == root.get_name();
            Refusal::Guide(if is_root {
                help::GUIDE.to_owned()
            } else {
                help::text(place.clone(), true)
            })
        }
        _ => Refusal::Error(usage::report(
            &spelling::with_tip(error, place, args),
            place,
        )),
    }
}

/// Returns true if a command line, which may not be parsed, names JSON as the log's format.
pub(crate) fn names_json(args: &[OsString]) -> bool {
    let ours = args.iter().take_while(|arg| *arg != "--");
    let mut last = None;
    for arg in ours {
        if arg == "--log-format=json" || (arg == "json" && last == Some("--log-format")) {
            return true;
        }
        last = arg.to_str();
    }
    false
}

/// Rewrites `help COMMAND` as `COMMAND --help`, which suggests the right spelling of
/// a misspelt command.
fn help_last(mut args: Vec<OsString>) -> Vec<OsString> {
    if args.len() > 2 && args[1] == "help" && args[2] != "help" {
        args.remove(1);
        args.push("--help".into());
    }
    args
}

/// Replaces the name by which the program was called, such as `git-credential-zitadel`,
/// with `zitadel-credential` and the command.
fn by_name(mut args: Vec<OsString>) -> Vec<OsString> {
    let command = args.first().and_then(|arg| tools::command_of(arg.as_ref()));
    // The help shows the first argument, so it must not be the caller's text.
    let first = args.len().min(1);
    let known = std::iter::once("zitadel-credential").chain(command);
    args.splice(..first, known.map(OsString::from));
    args
}

#[cfg(test)]
mod tests;
