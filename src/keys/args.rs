//! The arguments of `key`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};

use crate::cli::options::{EVERY, ListOutput, Options};

#[derive(Args, Debug)]
pub(crate) struct Keys {
    /// The subcommand.
    #[command(subcommand)]
    pub(crate) action: KeyAction,
}

/// List, add, rotate or remove the service user's own keys
#[derive(Debug, Subcommand)]
pub(crate) enum KeyAction {
    /// List the service user's keys at ZITADEL
    #[command(after_help = "\
Examples:
  zitadel-credential key list
  zitadel-credential key list --output json | jq -r '.[].expires_at'")]
    List(KeyList),
    /// Add a key: make a pair here, upload its public half, write the key file
    #[command(after_help = "\
Example:
  zitadel-credential key add --output new-key.json
The private key never leaves this machine. The file has mode 0600, and is
written once a token could be had with the key.")]
    Add(KeyAdd),
    /// Replace the profile's key by a new one, and remove the old one
    #[command(after_help = "\
Examples:
  zitadel-credential key rotate
  zitadel-credential key rotate --if-expires-within 14d
If it is interrupted, the key file holds a key that works, and the next call
finishes what was begun.")]
    Rotate(KeyRotate),
    /// Remove a key at ZITADEL
    #[command(after_help = "\
Example:
  zitadel-credential key remove 317240000000000002")]
    Remove(KeyRemove),
}

impl KeyAction {
    /// Returns the options after the command.
    pub(crate) fn options(&mut self) -> &mut Options {
        match self {
            Self::List(list) => &mut list.options,
            Self::Add(add) => &mut add.options,
            Self::Rotate(rotate) => &mut rotate.options,
            Self::Remove(remove) => &mut remove.options,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct KeyList {
    /// Output format
    #[arg(long, value_enum, default_value_t = ListOutput::Text, hide_possible_values = true,
          value_name = "text|json")]
    pub(crate) output: ListOutput,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

#[derive(Args, Debug)]
pub(crate) struct KeyAdd {
    /// File for the new key, which must not exist
    #[arg(long, required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
    /// Lifetime of the new key: a number with s, m, h, d or w
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = span)]
    pub(crate) lifetime: Duration,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

#[derive(Args, Debug)]
pub(crate) struct KeyRotate {
    /// Do nothing unless the key expires within this time
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(crate) if_expires_within: Option<Duration>,
    /// Lifetime of the new key: a number with s, m, h, d or w
    #[arg(long, value_name = "SPAN", default_value = "90d", value_parser = span)]
    pub(crate) lifetime: Duration,
    /// Leave the old key at ZITADEL
    #[arg(long)]
    pub(crate) keep_old: bool,
    /// File for the new key, which must not exist, in place of the profile's
    /// key file; the old key stays in use
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

#[derive(Args, Debug)]
pub(crate) struct KeyRemove {
    /// The key's ID, as key list shows it
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

/// The longest span, a hundred years: some programs read no date after the year 9999.
const LONGEST: u64 = 36_525 * 86_400;

/// Parses a span: a whole number with its unit.
fn span(text: &str) -> Result<Duration, String> {
    let wanted = || "write a number with s, m, h, d or w, such as 90d".to_owned();
    let at = text.len().saturating_sub(1);
    let (number, unit) = text.split_at_checked(at).ok_or_else(wanted)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return Err(wanted()),
    };
    let is_plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = number
        .parse()
        .ok()
        .filter(|_| is_plain)
        .ok_or_else(wanted)?;
    match number.checked_mul(unit) {
        Some(secs @ 1..=LONGEST) => Ok(Duration::from_secs(secs)),
        _ => Err("it must be from 1s to 36525d".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_with_its_unit() {
        for (text, secs) in [
            ("1s", 1),
            ("30m", 1800),
            ("12h", 43_200),
            ("90d", 7_776_000),
            ("2w", 1_209_600),
            ("36525d", LONGEST),
        ] {
            assert_eq!(span(text), Ok(Duration::from_secs(secs)), "{text}");
        }
        for text in [
            "",
            "d",
            "90",
            "0d",
            "-1d",
            "+1d",
            "1.5d",
            "1 d",
            "1y",
            "1ü",
            "36526d",
            "99999999999999999999d",
        ] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
