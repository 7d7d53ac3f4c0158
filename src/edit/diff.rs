//! The diff of a dry run: the changed lines, without other people's secrets. A kubeconfig
//! and docker's file contain tokens and passwords.

use std::fmt::Write;
use std::path::Path;

use diffy::{DiffOptions, Line};

use crate::text::quote;

/// Keys of our own file whose values are not secret. Of other files, only the values of
/// the change itself are shown.
const SHOWN: [&str; 20] = [
    "allow-http",
    "auth",
    "ca-file",
    "client-id",
    "client-secret-file",
    "default-profile",
    "issuer",
    "key-file",
    "key-id",
    "profile",
    "projects",
    "public-key-file",
    "roles",
    "scopes",
    "self-signed",
    "token-endpoint",
    "token-file",
    "user-id",
    "username",
    "zitadel-api",
];

/// More keys of our own file; their values are not shown.
const NAMED: [&str; 4] = [
    "client-secret-command",
    "key-command",
    "sign-command",
    "token-command",
];

/// Starts of the section headers of our own file.
const HEADERS: [&str; 2] = ["[profiles.", "[hosts."];

const LEFT_OUT: &str = "[…]";

/// The names in a tool's file that are shown: an unknown one may be part of a secret.
#[derive(Clone, Copy, Default)]
pub(crate) struct Format {
    /// Keys. Only the change's own values are shown after them.
    pub(crate) keys: &'static [&'static str],
    /// Starts of section headers.
    pub(crate) headers: &'static [&'static str],
}

/// The parts of a file that may be shown.
pub(crate) struct View<'w> {
    /// Names in the file, if it is a tool's.
    pub(crate) format: Format,
    /// Words of the change.
    pub(crate) words: &'w [String],
    /// True for our own config file.
    pub(crate) is_ours: bool,
}

/// Returns the changed lines between two texts of a file, as a unified diff without
/// context: the lines around them are not ours to show.
pub(crate) fn diff(
    path: &Path,
    before: Option<&str>,
    after: Option<&str>,
    view: &View<'_>,
) -> String {
    let name = |text: Option<&str>| match text {
        Some(_) => quote::path(path),
        None => "/dev/null".to_owned(),
    };
    let mut options = DiffOptions::new();
    options.set_context_len(0);
    let changes = options.create_patch(before.unwrap_or_default(), after.unwrap_or_default());
    let mut shown = format!("--- {}\n+++ {}\n", name(before), name(after));
    for hunk in changes.hunks() {
        // Writing to a String cannot fail.
        let _ = writeln!(shown, "@@ -{} +{} @@", hunk.old_range(), hunk.new_range());
        for line in hunk.lines() {
            let (sign, line) = match line {
                Line::Context(line) => (' ', line),
                Line::Delete(line) => ('-', line),
                Line::Insert(line) => ('+', line),
            };
            let text = line.trim_end_matches(['\r', '\n']);
            let _ = writeln!(shown, "{sign}{}", masked(text, view));
            if !line.ends_with('\n') {
                shown.push_str("\\ No newline at end of file\n");
            }
        }
    }
    shown
}

/// Returns a line of TOML, YAML, JSON or git's configuration with foreign values masked.
fn masked(line: &str, view: &View<'_>) -> String {
    let mut rest = line.trim_start();
    while let Some(item) = rest.strip_prefix("- ") {
        rest = item.trim_start();
    }
    let blank = &line[..line.len() - rest.len()];
    let shown = if rest.starts_with(['#', ';']) {
        format!("{}{LEFT_OUT}", &rest[..1])
    } else if view.is_header(rest) && is_plain(rest) || view.shows(rest) {
        rest.to_owned()
    } else if let Some((key, value)) = split(rest).filter(|(key, _)| view.names(key)) {
        if view.shows(value) || view.shows_of(key, value) {
            rest.to_owned()
        } else {
            format!("{}{LEFT_OUT}", &rest[..rest.len() - value.len()])
        }
    } else {
        LEFT_OUT.to_owned()
    };
    format!("{blank}{}", quote::printable(&shown))
}

/// Splits a line of one of these forms into key and value.
fn split(line: &str) -> Option<(&str, &str)> {
    let (key, after) = if let Some(quoted) = line.strip_prefix('"') {
        let (key, after) = quoted.split_once('"')?;
        (key, after.trim_start().strip_prefix([':', '='])?)
    } else {
        let end = line.find([':', '='])?;
        (line[..end].trim_end(), &line[end + 1..])
    };
    Some((key, after.trim_start()))
}

impl View<'_> {
    fn names(&self, key: &str) -> bool {
        let is_known = if self.is_ours {
            SHOWN.contains(&key) || NAMED.contains(&key)
        } else {
            self.format.keys.contains(&key)
        };
        is_known || self.words.iter().any(|word| word == key)
    }

    fn is_header(&self, line: &str) -> bool {
        let starts = if self.is_ours {
            &HEADERS[..]
        } else {
            self.format.headers
        };
        starts.iter().any(|start| line.starts_with(start)) && line.ends_with(']')
    }

    /// True if a value is structure, or one of the change's own words.
    fn shows(&self, value: &str) -> bool {
        let bare = bare(value);
        let is_structure = bare.chars().all(|c| "{}[](),".contains(c));
        is_structure
            || matches!(bare, "true" | "false" | "null")
            || self
                .words
                .iter()
                .any(|word| word == bare || word == value.trim())
    }

    /// True if a value of our own file may be shown because of its key.
    fn shows_of(&self, key: &str, value: &str) -> bool {
        self.is_ours && SHOWN.contains(&key) && is_plain(value) && !value.contains("\"\"\"")
    }
}

fn bare(value: &str) -> &str {
    value.trim().trim_end_matches(',').trim_matches(['"', '\''])
}

/// True if no part of the text looks like a password or a token.
fn is_plain(text: &str) -> bool {
    !text.contains('@') && quote::redacted(text) == text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORMAT: Format = Format {
        keys: &[
            "args",
            "auth",
            "auths",
            "client-key-data",
            "command",
            "helper",
            "server",
            "user",
        ],
        headers: &["[credential \"https://"],
    };

    const OURS: View<'_> = View {
        format: FORMAT,
        words: &[],
        is_ours: true,
    };

    #[test]
    fn the_changed_lines_are_shown_and_nothing_around_them() {
        let before = "[profiles.prod]\nissuer = \"https://a.dev\"\n";
        let after = format!("{before}\n[hosts.\"git.a.dev\"]\nprofile = \"prod\"\n");
        assert_eq!(
            diff(Path::new("/c.toml"), Some(before), Some(&after), &OURS),
            "--- /c.toml\n+++ /c.toml\n@@ -2,0 +3,3 @@\n\
             +\n+[hosts.\"git.a.dev\"]\n+profile = \"prod\"\n"
        );
        assert_eq!(
            diff(Path::new("x"), None, Some("{}"), &OURS),
            "--- /dev/null\n+++ x\n@@ -0,0 +1 @@\n+{}\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn values_that_may_be_secrets_of_others_are_hidden() {
        let words = ["--flag", "zitadel", "r.dev:5000", "/bin/us"].map(ToOwned::to_owned);
        let view = View {
            format: FORMAT,
            words: &words,
            is_ours: false,
        };
        for (line, shown) in [
            ("    token: hunter2", "    […]"),
            ("\t\t\t\"auth\": \"aHVudGVyMg==\",", "\t\t\t\"auth\": […]"),
            ("\textraheader = AUTHORIZATION: hunter2", "\t[…]"),
            ("[url \"https://u:hunter2@h.dev/\"]", "[…]"),
            ("[credential \"https://u:hunter2@h.dev\"]", "[…]"),
            (
                "[credential \"https://h.dev\"]",
                "[credential \"https://h.dev\"]",
            ),
            ("[\"hunter2\"]", "[…]"),
            ("[hunter2]", "[…]"),
            ("  - hunter2", "  - […]"),
            ("# hunter2", "#[…]"),
            ("hunter2", "[…]"),
            ("aHVudGVyMg==", "[…]"),
            (
                "\t\"r.dev:5000\": \"zitadel\"",
                "\t\"r.dev:5000\": \"zitadel\"",
            ),
            ("\t\t\"r.dev\": \"other\"", "\t\t[…]"),
            ("    server: https://u:hunter2@h.dev", "    server: […]"),
            ("    user: hunter2", "    user: […]"),
            ("  user: {token: hunter2, password: x}", "  user: […]"),
            ("  args: [\"--pw\", \"hunter2\"]", "  args: […]"),
            ("      command: /bin/us", "      command: /bin/us"),
            ("      - --flag", "      - --flag"),
            ("      - - a: hunter2", "      - - […]"),
            ("  \"auths\": {", "  \"auths\": {"),
            ("  },", "  },"),
            ("", ""),
            ("a: b\u{1b}[31m", "[…]"),
            ("issuer: hunter2", "[…]"),
            ("key-command: hunter2", "[…]"),
            ("[hosts.\"r.dev\"]", "[…]"),
        ] {
            assert_eq!(masked(line, &view), shown);
        }
        for (line, shown) in [
            ("auth = \"bearer\"", "auth = \"bearer\""),
            (
                "issuer = \"https://a.dev\"  # x",
                "issuer = \"https://a.dev\"  # x",
            ),
            ("key-command = [\"op\", \"hunter2\"]", "key-command = […]"),
            ("issuer = \"\"\"hunter2", "issuer = […]"),
            ("name = \"hunter2\"", "[…]"),
            ("helper = \"hunter2\"", "[…]"),
            ("[credential \"https://h.dev\"]", "[…]"),
            ("[hosts.\"r.dev\"]", "[hosts.\"r.dev\"]"),
        ] {
            assert_eq!(masked(line, &OURS), shown);
        }
    }

    proptest! {
        #[test]
        fn a_value_of_an_unknown_key_never_shows(
            before in "[ \t]{0,4}(- )?",
            key in "(\"token\"|password|client-key-data|\"auth\"|helper|value|user|args|- value)",
            separator in " ?[:=] ?",
            quotes in "(\"|'|\\[|\\{a: |)",
            after in "[, ]{0,2}",
        ) {
            let line = format!("{before}{key}{separator}{quotes}hunter2{quotes}{after}");
            let view = View { format: FORMAT, words: &[], is_ours: false };
            prop_assert!(!masked(&line, &view).contains("hunter2"), "{}", line);
        }
    }
}
