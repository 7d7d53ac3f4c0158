//! The config file's format. Unknown keys are errors. No error quotes a value,
//! because it may be a private key that was pasted into the wrong place.

mod advice;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::lines::{Fault, Lines, number};
use crate::error::Report;
use crate::host::Auth;
use crate::text::quote::quoted;

/// The most errors of one file that are looked for. Each costs a parse of the whole file.
const MOST_FAULTS: usize = 50;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    pub(super) default_profile: Option<String>,
    #[serde(default)]
    pub(super) profiles: BTreeMap<String, Profile>,
    #[serde(default)]
    pub(super) hosts: BTreeMap<String, Host>,
    #[serde(skip)]
    text: String,
}

impl File {
    /// Returns the text, for the lines of its keys.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// One `[profiles.NAME]`.
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Profile {
    pub(super) issuer: Option<String>,
    pub(super) key_file: Option<String>,
    pub(super) key_command: Option<Vec<String>>,
    pub(super) sign_command: Option<Vec<String>>,
    pub(super) public_key_file: Option<String>,
    pub(super) token_file: Option<String>,
    pub(super) token_command: Option<Vec<String>>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret_file: Option<String>,
    pub(super) client_secret_command: Option<Vec<String>>,
    #[serde(default)]
    pub(super) self_signed: bool,
    pub(super) key_id: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) scopes: Option<Vec<String>>,
    #[serde(default)]
    pub(super) projects: Vec<String>,
    #[serde(default)]
    pub(super) roles: bool,
    #[serde(default)]
    pub(super) zitadel_api: bool,
    pub(super) token_endpoint: Option<String>,
    pub(super) ca_file: Option<String>,
    #[serde(default)]
    pub(super) allow_http: bool,
    pub(super) shared: Option<Shared>,
}

/// One `[profiles.NAME.shared]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Shared {
    pub(super) url: String,
    pub(super) username: Option<String>,
    pub(super) password_file: Option<String>,
    pub(super) ca_file: Option<String>,
    pub(super) pool: Option<String>,
    pub(super) seal_key_file: Option<String>,
    #[serde(default)]
    pub(super) on_failure: OnFailureWord,
    pub(super) max_age: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnFailureWord {
    #[default]
    Mint,
    Fail,
}

/// One `[hosts."HOST"]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Host {
    pub(super) profile: Option<String>,
    pub(super) username: Option<String>,
    #[serde(default)]
    pub(super) auth: AuthWord,
    #[serde(default)]
    pub(super) allow_http: bool,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AuthWord {
    #[default]
    Auto,
    Basic,
    Bearer,
}

impl From<AuthWord> for Auth {
    fn from(word: AuthWord) -> Self {
        match word {
            AuthWord::Auto => Self::Auto,
            AuthWord::Basic => Self::Basic,
            AuthWord::Bearer => Self::Bearer,
        }
    }
}

/// Parses the file's text.
///
/// # Errors
/// The line, the key and the reason.
pub fn parse(text: &str) -> Result<File, Report> {
    read(text).map_err(|(_, Fault { line, report })| report.about(&format!("line {line}")))
}

/// Parses the file's text as far as possible. Returns all errors; the returned file's
/// text has spaces in their place. `None` for the file if there are too many errors.
pub(super) fn parse_on(text: &str) -> (Option<File>, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut rest = text.to_owned();
    // The last line without its error, and that error.
    let mut last = (0, String::new());
    for _ in 0..MOST_FAULTS {
        let (at, fault) = match read(&rest) {
            Ok(file) => return (Some(file), faults),
            Err(fault) => fault,
        };
        let (line, what) = (fault.line, fault.report.headline());
        let lines = Lines::of(&rest);
        // Each line of a pasted key would be a separate error, and a separate round.
        let (next, count) = if (last.0 + 1, &last.1) == (line, &what) {
            lines.without_all_from(at)
        } else {
            faults.push(fault);
            (lines.without(at), 1)
        };
        if next == rest {
            break;
        }
        last = (line + count - 1, what);
        rest = next;
    }
    (None, faults)
}

/// Parses a text, or returns the place of its first error.
fn read(text: &str) -> Result<File, (usize, Fault)> {
    let file = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = number(text, at);
        let report = reason(error.message(), text, line);
        (at, Fault { line, report })
    })?;
    let text = text.to_owned();
    Ok(File { text, ..file })
}

/// Returns the reason given by toml and serde, without the value that they quote.
fn reason(message: &str, text: &str, line: usize) -> Report {
    if message.starts_with("unknown field") {
        // The names in serde's list are ours, and the list is long. The key before them
        // may have any text, even serde's words.
        let end = message
            .rfind("`, expected ")
            .map_or(message.len(), |at| at + 1);
        let (wrong, known) = message.split_at(end);
        let wrong = quoted(wrong);
        // In the name of a table, a dot starts a table in it.
        let header = text.lines().nth(line - 1).unwrap_or_default().trim_start();
        let is_name = ["[hosts.", "[profiles."]
            .iter()
            .any(|start| header.starts_with(start));
        let dots = || "quote a name with dots, as in [hosts.\"git.acme.dev\"]".to_owned();
        let advice = advice::for_unknown(message).or_else(|| is_name.then(dots));
        return match advice {
            Some(advice) => Report::new(wrong).hint(advice),
            None => Report::new(format!("{wrong}{known}")),
        };
    }
    if message.starts_with("missing field") {
        return Report::new(quoted(message));
    }
    // "invalid type: string \"-----BEGIN …\", expected a sequence"
    let of_a_value = ["invalid type", "invalid value", "unknown variant"];
    let expected = message
        .rsplit_once(", expected ")
        .filter(|(found, _)| of_a_value.iter().any(|start| found.starts_with(start)));
    if let Some((_, expected)) = expected {
        let key = text.lines().nth(line - 1).and_then(key_of);
        let key = key.map_or_else(|| "this line".to_owned(), quoted);
        let expected = match expected {
            "a sequence" => "a list of strings, as in [\"one\", \"two\"]",
            "a map" => "a table",
            other if other.starts_with("struct ") => "a table",
            other => other,
        };
        let report = Report::new(format!(
            "{key} has a value of the wrong type, expected {expected}"
        ));
        return match expected {
            "a table" => report.hint(advice::TABLES),
            _ => report,
        };
    }
    let plain = quoted(message.lines().next().unwrap_or_default());
    if plain == "duplicate key" {
        return Report::new("duplicate table or key").hint("remove one of the two, or merge them");
    }
    Report::new(format!("invalid TOML: {plain}")).hint(
        "write a profile like [profiles.prod], and below it issuer = \"https://acme.zitadel.cloud\" and key-file = \"prod.json\"",
    )
}

/// Returns the bare key that a line sets.
fn key_of(line: &str) -> Option<&str> {
    let key = line.split_once('=')?.0.trim();
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    ((1..=40).contains(&key.len()) && key.bytes().all(is_bare)).then_some(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(text: &str) -> String {
        parse(text).expect_err("refused").headline()
    }

    #[test]
    fn the_documented_file_is_read() {
        let file = parse(
            r#"
            default-profile = "prod"
            [profiles.prod]
            issuer = "https://acme.zitadel.cloud"
            key-file = "~/prod.json"
            scopes = ["openid"]
            projects = ["317240000000000001"]
            roles = true
            zitadel-api = false
            ca-file = "/etc/ssl/acme-ca.pem"
            allow-http = false
            [hosts."git.acme.dev"]
            profile = "prod"
            username = "ci"
            auth = "auto"
            [hosts."*.registry.acme.dev:5000"]
            profile = "prod"
            "#,
        )
        .expect("a config");
        assert_eq!(file.hosts.len(), 2);
        assert_eq!(file.default_profile.as_deref(), Some("prod"));
        assert!(parse("").is_ok());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = "[profiles.prod]\nissuer = \"https://a.dev\"\nkeyfile = \"x\"\n";
        let said = refused(text);
        assert!(
            said.starts_with("line 3: unknown field `keyfile`"),
            "{said}"
        );
        assert!(refused("[host.\"a\"]\n").contains("unknown field `host`"));
    }

    #[test]
    fn no_error_quotes_a_value() {
        for text in [
            "[profiles.prod]\nscopes = \"TOPSECRET\"\n",
            "[profiles.prod]\nallow-http = \"TOPSECRET\"\n",
            "[hosts.\"a\"]\nauth = \"TOPSECRET\"\n",
            "[profiles.prod]\nkey-file = \"TOPSECRET\nmore\"\n",
            "[profiles.prod]\nkey-file = TOPSECRET\n",
            "-----BEGIN RSA PRIVATE KEY-----\nTOPSECRET==\n",
            "default-profile = { TOPSECRET = 1 }",
            "profiles = \"TOPSECRET\"",
        ] {
            let said = refused(text);
            assert!(!said.contains("TOPSECRET"), "{said}");
            assert!(said.starts_with("line "), "{said}");
        }
        // A line of base64 that ends in = looks like a TOML key.
        let piece = "MIIEowIBAAKCAQEAvV3b9zQ0Xx5vJQ1nW0pT";
        for text in [
            format!("{piece} = true\n"),
            format!("{piece} = \"\\udefa\"\n"),
        ] {
            assert!(!refused(&text).contains(piece), "{}", refused(&text));
        }
        assert_eq!(
            refused("[profiles.prod]\nallow-http = \"yes\"\n"),
            "line 2: allow-http has a value of the wrong type, expected a boolean"
        );
    }

    proptest! {
        #[test]
        fn a_secret_pasted_anywhere_is_in_no_error(
            key in "(\\[profiles\\.prod\\]\n)?(issuer|key-file|scopes|projects|allow-http|auth|\\[hosts|x|=|\"){1,2}",
            sign in "( = )?[\"'\\[{\n]{0,3}",
            after in "[\"'\\]}\n=,a]{0,4}",
        ) {
            const SECRET: &str = "eyJhbGciOiJSUzI1NiJ9eyJhbGciOiJSUzI1NiJ9";
            if let Err(report) = parse(&format!("{key}{sign}{SECRET}{after}")) {
                prop_assert!(!report.to_string().contains("UzI1NiJ9"), "{report}");
                prop_assert!(report.headline().starts_with("line "), "{report}");
            }
        }

        #[test]
        fn any_file_parses_without_panic(text: String) {
            let _ = parse(&text);
        }
    }
}
