//! keyring's arguments, of which some are no caller's own: pip hands over the
//! username of a URL that anybody may have written.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use crate::call::question::split_operation;
use crate::cli::options::{EVERY, Options, read_more};
use crate::error::Report;

#[derive(Args, Debug)]
pub struct Keyring {
    #[command(flatten)]
    pub(crate) form: Form,
    /// get or del; set is refused. Then the index's URL, and the username, which
    /// get can do without in --mode creds. Of options only --mode and --output are
    /// read after the operation
    // The operation and all after it: none of these words is an option of ours,
    // whatever it looks like.
    #[arg(required = true, num_args = 2.., trailing_var_arg = true, allow_hyphen_values = true,
          value_names = ["OPERATION", "SERVICE", "USERNAME"])]
    pub(crate) words: Vec<OsString>,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

#[derive(Args, Debug, Default)]
pub(crate) struct Form {
    /// What get prints: the token, or the username and the token
    /// [default: password]
    #[arg(
        long,
        value_enum,
        hide_possible_values = true,
        verbatim_doc_comment,
        value_name = "password|creds"
    )]
    pub(super) mode: Option<KeyringMode>,
    /// As lines, or as JSON
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

/// What `keyring get` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyringMode {
    /// The token
    Password,
    /// The username and the token
    Creds,
}

/// How `keyring get` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyringOutput {
    /// Lines
    Plain,
    /// An object
    Json,
}

/// The words of one call, each in its place.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyringCall<'a> {
    /// get, set or del.
    pub operation: &'a OsString,
    /// The index's URL.
    pub service: &'a OsString,
    /// The username.
    pub username: Option<&'a OsString>,
    /// What is printed.
    pub mode: KeyringMode,
    /// How it is printed.
    pub output: KeyringOutput,
}

impl Keyring {
    /// Takes the words apart. uv puts `--mode creds` where a username could
    /// stand; a word from a URL is only one, so that one alone is the username.
    ///
    /// # Errors
    /// Too few words, or too many.
    pub fn call(&self) -> Result<KeyringCall<'_>, Report> {
        let (operation, words) = split_operation("keyring", &self.words)?;
        let Some((service, rest)) = words.split_first() else {
            let report = Report::new("keyring: no service stands after the operation");
            return Err(report.hint("pip and uv call this themselves: keyring get URL USER"));
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

    /// Every option that there is, as one word and as the first of two.
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
    fn a_service_and_a_username_are_no_options_whatever_they_look_like() {
        let url = "https://a.dev/";
        for word in &options() {
            // As pip 26 asks, as uv and pip 25 do, and with a word in both places.
            for words in [
                ["--mode=creds", "--output=json", "get", url, word].as_slice(),
                &["--mode=creds", "--output=json", "get", word],
                &["get", url, word],
                &["get", word, "ci"],
                &["get", word, word],
                &["--profile", "own", "get", url, word],
                &["get", url, word, "--mode", "creds"],
            ] {
                let (options, asked) = keyring(words);
                let own = words.contains(&"own").then(|| OsString::from("own"));
                let expected = Options {
                    profile: own,
                    ..Options::default()
                };
                assert_eq!(format!("{options:?}"), format!("{expected:?}"), "{words:?}");
                let Ok(call) = asked.call() else {
                    // `--mode --mode creds` is one too often.
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
    fn mode_and_output_stand_before_or_after() {
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
            let (_, asked) = keyring(words);
            let call = asked.call().expect("a call");
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
