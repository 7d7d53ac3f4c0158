//! What a dry run shows: the changed lines, without other people's secrets. A
//! kubeconfig and docker's file hold tokens and passwords.

use std::fmt::Write;
use std::path::Path;

use diffy::{DiffOptions, Line};

use crate::text::quote;

/// Keys of our own file whose values are no secrets. Of other files only the values
/// that the change itself brings are shown.
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

/// Keys whose names are shown: an unknown one may be a piece of a secret.
const NAMED: [&str; 35] = [
    "apiVersion",
    "args",
    "auths",
    "certificate-authority",
    "certificate-authority-data",
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "client-secret-command",
    "cluster",
    "clusters",
    "command",
    "context",
    "contexts",
    "credHelpers",
    "credential-provider",
    "credsStore",
    "current-context",
    "env",
    "exec",
    "extensions",
    "helper",
    "index",
    "interactiveMode",
    "key-command",
    "kind",
    "name",
    "preferences",
    "provideClusterInfo",
    "server",
    "sign-command",
    "token-command",
    "user",
    "users",
];

const LEFT_OUT: &str = "[…]";

/// What may be shown of a file.
pub(crate) struct View<'w> {
    /// The words that the change brings.
    pub(crate) words: &'w [String],
    /// True for our own config file.
    pub(crate) is_ours: bool,
}

/// Returns the changed lines between two texts of a file, as a unified diff without
/// context: what stands around them is not ours to show.
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

/// Returns a line of TOML, YAML, JSON or git's configuration without values that are
/// not ours.
fn masked(line: &str, view: &View<'_>) -> String {
    let mut rest = line.trim_start();
    while let Some(item) = rest.strip_prefix("- ") {
        rest = item.trim_start();
    }
    let blank = &line[..line.len() - rest.len()];
    let starts = [
        "[profiles.",
        "[hosts.",
        "[registries.",
        "[credential \"https://",
    ];
    let is_header = starts.iter().any(|start| rest.starts_with(start)) && rest.ends_with(']');
    let shown = if rest.starts_with(['#', ';']) {
        format!("{}{LEFT_OUT}", &rest[..1])
    } else if is_header && is_plain(rest) || view.shows(rest) {
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
        SHOWN.contains(&key) || NAMED.contains(&key) || self.words.iter().any(|word| word == key)
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

/// True if nothing in it looks like a password or a token.
fn is_plain(text: &str) -> bool {
    !text.contains('@') && quote::redacted(text) == text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OURS: View<'_> = View {
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
    fn no_value_is_shown_that_may_be_anothers_secret() {
        let words = ["--flag", "zitadel", "r.dev:5000", "/bin/us"].map(ToOwned::to_owned);
        let view = View {
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
            ("name = \"hunter2\"", "name = […]"),
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
            let view = View { words: &[], is_ours: false };
            prop_assert!(!masked(&line, &view).contains("hunter2"), "{}", line);
        }
    }
}
