//! The arguments of `keyring`. Some are untrusted: pip passes the username of a URL that
//! an attacker may have written.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use crate::call::request::split_operation;
use crate::cli::options::{EVERY, Options, read_more};
use crate::error::Report;

#[derive(Args, Debug)]
pub struct Keyring {
    #[command(flatten)]
    pub(crate) form: Form,
    /// get or del (set is not supported), then the index's URL and the username.
    /// get with --mode creds needs no username. After the operation, only the
    /// options --mode and --output are read
    // The operation and all words after it are never our options, even if they look like
    // options.
    #[arg(required = true, num_args = 2.., trailing_var_arg = true, allow_hyphen_values = true,
          value_names = ["OPERATION", "SERVICE", "USERNAME"])]
    pub(crate) words: Vec<OsString>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

#[derive(Args, Debug, Default)]
pub(crate) struct Form {
    /// Output of get: the token, or the username and the token
    /// [default: password]
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        verbatim_doc_comment,
        value_name = "password|creds"
    )]
    pub(super) mode: Option<KeyringMode>,
    /// Output format: lines or JSON
    /// [default: plain]
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        verbatim_doc_comment,
        value_name = "plain|json"
    )]
    output: Option<KeyringOutput>,
}

/// The output of `keyring get`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyringMode {
    /// The token
    Password,
    /// The username and the token
    Creds,
}

/// The output format of `keyring get`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyringOutput {
    /// Lines
    Plain,
    /// An object
    Json,
}

/// A parsed call.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyringCall<'a> {
    /// get, set or del.
    pub operation: &'a OsString,
    /// The index's URL.
    pub service: &'a OsString,
    /// The username.
    pub username: Option<&'a OsString>,
    /// The output.
    pub mode: KeyringMode,
    /// The output format.
    pub output: KeyringOutput,
}

impl Keyring {
    /// Parses the words. uv passes `--mode creds` in the place of the username. A
    /// username from a URL is one word, so a single word is always the username.
    ///
    /// # Errors
    /// There are too few words, or too many.
    pub fn call(&self) -> Result<KeyringCall<'_>, Report> {
        let (operation, words) = split_operation("keyring", &self.words)?;
        let Some((service, rest)) = words.split_first() else {
            let report = Report::new("keyring: missing service after the operation");
            return Err(report.hint("call it as pip and uv do: keyring get URL USER"));
        };
        let (username, rest) = match rest {
            [option, _, ..] if option == "--mode" || option == "--output" => (None, rest),
            [username, rest @ ..] => (Some(username), rest),
            [] => (None, rest),
        };
        let after: Form = read_more(rest.to_vec())?;
        let mode = after.mode.or(self.form.mode);
        let output = after.output.or(self.form.output);
        Ok(KeyringCall {
            operation,
            service,
            username,
            mode: mode.unwrap_or(KeyringMode::Password),
            output: output.unwrap_or(KeyringOutput::Plain),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Called, Cli, Command};

    fn keyring(words: &[&str]) -> (Options, Keyring) {
        let words = std::iter::once(&"keyring").chain(words);
        match Cli::read(words.map(OsString::from).collect()) {
            Ok((options, Command::Tool(Called(helper)))) => {
                let helper: Box<dyn std::any::Any> = helper;
                (options, *helper.downcast().expect("keyring"))
            }
            other => panic!("{other:?}"),
        }
    }

    /// Returns every option, as one word and as the first of two.
    fn options() -> Vec<String> {
        let command = Keyring::augment_args(clap::Command::default());
        let longs = command.get_arguments().filter_map(clap::Arg::get_long);
        let mut words: Vec<_> = longs
            .flat_map(|long| [format!("--{long}"), format!("--{long}=creds")])
            .collect();
        assert!(words.contains(&"--host=creds".to_owned()));
        words.extend(["--help", "--version", "--", "-h", "-v", "-vv", "-"].map(str::to_owned));
        words
    }

    #[test]
    fn a_service_or_username_is_never_parsed_as_an_option() {
        let url = "https://a.dev/";
        for word in &options() {
            // The calls of pip 26, of uv and pip 25, and one with the word twice.
            for words in [
                ["--mode=creds", "--output=json", "get", url, word].as_slice(),
                &["--mode=creds", "--output=json", "get", word],
                &["get", url, word],
                &["get", word, "ci"],
                &["get", word, word],
                &["--profile", "own", "get", url, word],
                &["get", url, word, "--mode", "creds"],
            ] {
                let (options, args) = keyring(words);
                let own = words.contains(&"own").then(|| OsString::from("own"));
                let expected = Options {
                    profile: own,
                    ..Options::default()
                };
                assert_eq!(format!("{options:?}"), format!("{expected:?}"), "{words:?}");
                let Ok(call) = args.call() else {
                    // `--mode --mode creds` repeats an option.
                    assert!(["--mode", "--output"].contains(&&**word), "{words:?}");
                    continue;
                };
                let after = words.iter().skip_while(|word| **word != "get");
                let after: Vec<_> = after.skip(1).map(OsString::from).collect();
                assert_eq!(call.service, &after[0], "{words:?}");
                assert_eq!(call.username, after.get(1), "{words:?}");
            }
        }
    }

    #[test]
    fn mode_and_output_may_come_before_or_after() {
        for words in [
            ["--mode=creds", "--output=json", "get", "u"].as_slice(),
            &["get", "u", "--mode", "creds", "--output=json"],
            &["get", "u", "--output", "json", "--mode", "creds"],
            &["--output", "json", "get", "u", "--mode", "creds"],
            &[
                "--mode=password",
                "--output=json",
                "get",
                "u",
                "--mode",
                "creds",
            ],
        ] {
            let (_, args) = keyring(words);
            let call = args.call().expect("a call");
            assert_eq!(call.username, None);
            assert_eq!(call.mode, KeyringMode::Creds);
            assert_eq!(call.output, KeyringOutput::Json);
        }
        for bad in [
            ["get", "u", "ci", "x"],
            ["get", "u", "ci", "--refresh"],
            ["get", "u", "--mode", "all"],
        ] {
            assert!(keyring(&bad).1.call().is_err(), "{bad:?}");
        }
    }
}
