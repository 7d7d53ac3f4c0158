//! The options that every command takes.
#![expect(clippy::doc_markdown, reason = "these comments are the help's text")]

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Args, FromArgMatches, ValueEnum, ValueHint};

use crate::error::Report;
use crate::text::logger::Format;
use crate::text::quote::redacted;

/// The output formats of `cache list` and `doctor`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ListOutput {
    /// A table
    Text,
    /// An array of objects
    Json,
}

/// The heading of the common options in a command's help.
pub const EVERY: &str = "Options of every command";

/// Parses the arguments of one command, its name first.
///
/// # Errors
/// clap's errors.
pub(crate) fn read_args<T: Args>(args: &[OsString]) -> Result<T, clap::Error> {
    let command = clap::Command::default().disable_help_flag(true);
    let mut command = T::augment_args(command);
    let mut matches = command.try_get_matches_from_mut(args)?;
    // The process exits soon, so dropping the parser would only cost time.
    std::mem::forget(command);
    T::from_arg_matches_mut(&mut matches)
}

/// Parses a call of one command, the program's name first. Returns the options before
/// the command, and its arguments; `None` if it is another call.
pub(crate) fn read_call<T: Args>(name: &'static str, args: &[OsString]) -> Option<(Options, T)> {
    let command = clap::Command::new("zitadel-credential").subcommand_required(true);
    let of_name = T::augment_args(clap::Command::new(name));
    let mut command = Options::augment_args(command).subcommand(of_name);
    let mut matches = command.try_get_matches_from_mut(args).ok()?;
    let (_, mut below) = matches.remove_subcommand()?;
    let options = Options::from_arg_matches_mut(&mut matches).ok()?;
    Some((options, T::from_arg_matches_mut(&mut below).ok()?))
}

/// Parses options without a command.
pub(crate) fn read_more<T: Args + Default>(words: Vec<OsString>) -> Result<T, Report> {
    if words.is_empty() {
        return Ok(T::default());
    }
    let args: Vec<_> = std::iter::once(OsString::new()).chain(words).collect();
    read_args(&args).map_err(|error| {
        // The message quotes an argument, which may be a key.
        let what = redacted(&headline(&error));
        Report::new(what).hint("run zitadel-credential --help for the options")
    })
}

/// Returns the failure that clap's error names, in one line.
pub(super) fn headline(error: &clap::Error) -> String {
    match error.kind() {
        ErrorKind::MissingRequiredArgument => {
            let missing = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(missing)) => missing.join(", "),
                _ => String::new(),
            };
            format!("missing argument {missing}")
        }
        ErrorKind::MissingSubcommand => "missing command".to_owned(),
        _ => {
            let text = error.render().to_string();
            let text = text.split("\n\n").next().unwrap_or_default();
            let text = text.strip_prefix("error: ").unwrap_or(text);
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        }
    }
}

// The options of every command. They may come before or after the command; those
// after it win. (clap's global options are cloned into every command, which takes a
// fifth of the time of a cached call.)
#[expect(missing_docs, reason = "it would be the command's description")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Profile of the config file
    /// [env: ZITADEL_CREDENTIAL_PROFILE]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Username, verbatim_doc_comment)]
    pub profile: Option<OsString>,

    /// Another config file
    /// [env: ZITADEL_CREDENTIAL_CONFIG]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, verbatim_doc_comment)]
    pub config: Option<OsString>,

    /// The ZITADEL instance's URL
    /// [env: ZITADEL_CREDENTIAL_ISSUER]
    #[arg(long, value_name = "URL", verbatim_doc_comment)]
    pub issuer: Option<OsString>,

    /// Key file as downloaded, or a bare PEM with
    /// --key-id and --user-id
    /// [env: ZITADEL_CREDENTIAL_KEY_FILE]
    /// [env: ZITADEL_CREDENTIAL_KEY: the key itself]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, verbatim_doc_comment)]
    pub key_file: Option<OsString>,

    /// Key ID of a bare PEM
    /// [env: ZITADEL_CREDENTIAL_KEY_ID]
    #[arg(long, value_name = "ID", verbatim_doc_comment)]
    pub key_id: Option<OsString>,

    /// User ID of a bare PEM
    /// [env: ZITADEL_CREDENTIAL_USER_ID]
    #[arg(long, value_name = "ID", verbatim_doc_comment)]
    pub user_id: Option<OsString>,

    /// File with a token from another program
    /// [env: ZITADEL_CREDENTIAL_TOKEN_FILE]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, verbatim_doc_comment)]
    pub token_file: Option<OsString>,

    /// Client ID of a client secret
    /// [env: ZITADEL_CREDENTIAL_CLIENT_ID]
    #[arg(long, value_name = "ID", verbatim_doc_comment)]
    pub client_id: Option<OsString>,

    /// File with a client secret, which is weaker than
    /// a key
    /// [env: ZITADEL_CREDENTIAL_CLIENT_SECRET_FILE]
    /// [env: ZITADEL_CREDENTIAL_CLIENT_SECRET: itself]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, verbatim_doc_comment)]
    pub client_secret_file: Option<OsString>,

    /// Scope in place of the profile's; may be repeated
    /// [env: ZITADEL_CREDENTIAL_SCOPES] [default: openid]
    #[arg(long, value_name = "SCOPE", action = ArgAction::Append, verbatim_doc_comment)]
    pub scope: Vec<OsString>,

    /// Project to add to the audience; may be repeated
    /// [env: ZITADEL_CREDENTIAL_PROJECTS]
    #[arg(long, value_name = "ID", action = ArgAction::Append, verbatim_doc_comment)]
    pub project: Vec<OsString>,

    /// Ask for the user's roles, which servers check
    #[arg(long)]
    pub roles: bool,

    /// Add ZITADEL's own APIs to the token's audience
    #[arg(long)]
    pub zitadel_api: bool,

    /// Host that may receive the token; may be repeated
    /// [env: ZITADEL_CREDENTIAL_HOSTS]
    #[arg(long, value_name = "HOST", action = ArgAction::Append, verbatim_doc_comment)]
    pub host: Vec<OsString>,

    /// PEM roots to trust in place of the system's
    /// [env: ZITADEL_CREDENTIAL_CA_FILE]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, verbatim_doc_comment)]
    pub ca_file: Option<OsString>,

    /// Directory of cached tokens
    /// [env: ZITADEL_CREDENTIAL_CACHE_DIR]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, verbatim_doc_comment)]
    pub cache_dir: Option<OsString>,

    /// Do not read or write the cache
    #[arg(long)]
    pub no_cache: bool,

    /// Get a new token even if the cache has a valid one
    #[arg(long)]
    pub refresh: bool,

    /// Total timeout for network and locks
    /// [env: ZITADEL_CREDENTIAL_TIMEOUT] [default: 30;
    /// of key add and key rotate: 90]
    #[arg(long, value_name = "SECONDS", verbatim_doc_comment)]
    pub timeout: Option<OsString>,

    /// Log to stderr; twice logs more
    /// [env: ZITADEL_CREDENTIAL_LOG: off, error, warn,
    /// info or debug]
    #[arg(short, long, action = ArgAction::Count, verbatim_doc_comment)]
    pub verbose: u8,

    /// Log and errors on stderr: lines of text, or
    /// JSON objects with the time, one per line
    /// [env: ZITADEL_CREDENTIAL_LOG_FORMAT]
    /// [default: text]
    #[arg(
        long,
        value_enum,
        value_name = "text|json",
        hide_possible_values = true,
        verbatim_doc_comment
    )]
    pub log_format: Option<Format>,
}

impl Options {
    /// Adds options that a tool passes inside its request.
    ///
    /// # Errors
    /// A word is not a valid option.
    pub fn with(self, words: Vec<String>) -> Result<Self, Report> {
        let after: Self = read_more(words.into_iter().map(OsString::from).collect())?;
        Ok(after.over(self))
    }

    /// Returns these options, completed from `before`.
    pub(crate) fn over(self, before: Self) -> Self {
        let list = |mut before: Vec<OsString>, after| {
            before.extend::<Vec<_>>(after);
            before
        };
        Self {
            profile: self.profile.or(before.profile),
            config: self.config.or(before.config),
            issuer: self.issuer.or(before.issuer),
            key_file: self.key_file.or(before.key_file),
            key_id: self.key_id.or(before.key_id),
            user_id: self.user_id.or(before.user_id),
            token_file: self.token_file.or(before.token_file),
            client_id: self.client_id.or(before.client_id),
            client_secret_file: self.client_secret_file.or(before.client_secret_file),
            scope: list(before.scope, self.scope),
            project: list(before.project, self.project),
            roles: self.roles || before.roles,
            zitadel_api: self.zitadel_api || before.zitadel_api,
            host: list(before.host, self.host),
            ca_file: self.ca_file.or(before.ca_file),
            cache_dir: self.cache_dir.or(before.cache_dir),
            no_cache: self.no_cache || before.no_cache,
            refresh: self.refresh || before.refresh,
            timeout: self.timeout.or(before.timeout),
            verbose: self.verbose.saturating_add(before.verbose),
            log_format: self.log_format.or(before.log_format),
        }
    }
}
