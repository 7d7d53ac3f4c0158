//! What would change, as a unified diff in which no secret of another's is
//! shown: a kubeconfig and docker's file hold tokens and passwords.

use std::fmt::Write;
use std::path::Path;

use diffy::{Line, create_patch};

use crate::quote;

/// Keys whose values are no secrets and help a reader. Any other value is left
/// out, unless it is one of the words that the change itself brings.
const SHOWN: [&str; 29] = [
    "allow-http",
    "apiVersion",
    "args",
    "auth",
    "cluster",
    "clusters",
    "command",
    "context",
    "contexts",
    "credHelpers",
    "credsStore",
    "current-context",
    "default-profile",
    "email",
    "exec",
    "interactiveMode",
    "issuer",
    "key-file",
    "key-id",
    "kind",
    "name",
    "namespace",
    "profile",
    "projects",
    "provideClusterInfo",
    "scopes",
    "user",
    "user-id",
    "username",
];

const LEFT_OUT: &str = "[…]";

/// The difference between two texts of a file; `words` are those that the
/// change brings.
pub(super) fn unified(
    path: &Path,
    before: Option<&str>,
    after: Option<&str>,
    words: &[String],
) -> String {
    let name = |text: Option<&str>| match text {
        Some(_) => quote::path(path),
        None => "/dev/null".to_owned(),
    };
    let changes = create_patch(before.unwrap_or_default(), after.unwrap_or_default());
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
            let _ = writeln!(shown, "{sign}{}", masked(text, words));
            if !line.ends_with('\n') {
                shown.push_str("\\ No newline at end of file\n");
            }
        }
    }
    shown
}

/// A line of TOML, YAML, JSON or git's configuration without a value that may
/// be a secret.
fn masked(line: &str, words: &[String]) -> String {
    let mut rest = line.trim_start();
    while let Some(item) = rest.strip_prefix("- ") {
        rest = item.trim_start();
    }
    let blank = &line[..line.len() - rest.len()];
    let is_comment = rest.starts_with('#') || rest.starts_with(';');
    let is_header = rest.starts_with('[') && rest.trim_end().ends_with(']');
    let shown = if is_comment {
        format!("{}{LEFT_OUT}", &rest[..1])
    } else if is_header {
        if is_plain(rest) { rest } else { LEFT_OUT }.to_owned()
    } else if let Some((key, value)) = split(rest) {
        if is_shown(key, value, words) {
            rest.to_owned()
        } else {
            // Only what separates it from its value stands between.
            let head = &rest[..rest.len() - value.len()];
            let head = if is_plain(head) { head } else { "" };
            format!("{head}{LEFT_OUT}")
        }
    } else if is_value_shown(rest, words) {
        rest.to_owned()
    } else {
        LEFT_OUT.to_owned()
    };
    format!("{blank}{}", quote::printable(&shown))
}

/// The key and the value of a line, whichever of the four forms it has.
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

fn is_shown(key: &str, value: &str, words: &[String]) -> bool {
    let is_known = SHOWN.contains(&key) && is_plain(value);
    // docker's `auth` is a password in base64; ours is one of three words.
    let is_word = |value| is_value_shown(value, words);
    match key {
        "auth" => matches!(bare(value), "auto" | "basic" | "bearer"),
        _ => is_known || is_word(value),
    }
}

/// Whether a value is structure, or one of the change's own words.
fn is_value_shown(value: &str, words: &[String]) -> bool {
    let bare = bare(value);
    let is_structure = bare.chars().all(|c| "{}[](),".contains(c));
    is_structure
        || matches!(bare, "true" | "false" | "null")
        || words.iter().any(|word| word == bare)
}

fn bare(value: &str) -> &str {
    value.trim().trim_end_matches(',').trim_matches(['"', '\''])
}

/// Whether nothing in it looks like a password or a token.
fn is_plain(text: &str) -> bool {
    !text.contains('@') && quote::redacted(text) == text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_is_shown_with_what_stands_around_it() {
        let before = "[profiles.prod]\nissuer = \"https://a.dev\"\n";
        let after = format!("{before}\n[hosts.\"git.a.dev\"]\nprofile = \"prod\"\n");
        assert_eq!(
            unified(Path::new("/c.toml"), Some(before), Some(&after), &[]),
            "--- /c.toml\n+++ /c.toml\n@@ -1,2 +1,5 @@\n [profiles.prod]\n \
             issuer = \"https://a.dev\"\n+\n+[hosts.\"git.a.dev\"]\n+profile = \"prod\"\n"
        );
        assert_eq!(
            unified(Path::new("x"), None, Some("{}"), &[]),
            "--- /dev/null\n+++ x\n@@ -0,0 +1 @@\n+{}\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn no_value_is_shown_that_may_be_anothers_secret() {
        let words = [
            "--flag".to_owned(),
            "zitadel".to_owned(),
            "/usr/bin/zitadel-credential".to_owned(),
        ];
        for (line, shown) in [
            ("    token: hunter2", "    token: […]"),
            ("\t\t\t\"auth\": \"aHVudGVyMg==\",", "\t\t\t\"auth\": […]"),
            ("auth = \"bearer\"", "auth = \"bearer\""),
            ("key-command = [\"op\", \"hunter2\"]", "key-command = […]"),
            (
                "\textraheader = AUTHORIZATION: hunter2",
                "\textraheader = […]",
            ),
            ("[url \"https://u:hunter2@h.dev/\"]", "[…]"),
            ("[http \"https://h.dev\"]", "[http \"https://h.dev\"]"),
            ("  - hunter2", "  - […]"),
            ("# hunter2", "#[…]"),
            ("hunter2", "[…]"),
            (
                "\t\t\"r.dev:5000\": \"zitadel\"",
                "\t\t\"r.dev:5000\": \"zitadel\"",
            ),
            ("\t\t\"r.dev\": \"other\"", "\t\t\"r.dev\": […]"),
            ("    server: https://u:hunter2@h.dev", "    server: […]"),
            ("    name: u@hunter2", "    name: […]"),
            (
                "      command: /usr/bin/zitadel-credential",
                "      command: /usr/bin/zitadel-credential",
            ),
            ("      - zitadel", "      - zitadel"),
            ("      - --flag", "      - --flag"),
            ("      - - a: hunter2", "      - - a: […]"),
            ("  \"auths\": {", "  \"auths\": {"),
            ("  },", "  },"),
            ("\"hunter2\": \"x\"", "\"hunter2\": […]"),
            ("", ""),
            ("hunter2@x: y", "[…]"),
            ("a: b\u{1b}[31m", "a: […]"),
        ] {
            assert_eq!(masked(line, &words), shown);
        }
    }

    proptest! {
        #[test]
        fn a_value_of_an_unknown_key_never_shows(
            before in "[ \t]{0,4}(- )?",
            key in "(\"token\"|password|client-key-data|\"auth\"|helper|value|- value)",
            separator in " ?[:=] ?",
            quotes in "(\"|'|)",
            after in "[, ]{0,2}",
        ) {
            let line = format!("{before}{key}{separator}{quotes}hunter2{quotes}{after}");
            prop_assert!(!masked(&line, &[]).contains("hunter2"), "{}", line);
        }
    }
}
