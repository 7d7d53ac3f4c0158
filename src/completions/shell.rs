//! The shells, and their rules for quoting names.

use clap::ValueEnum;
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};

/// A shell that completions are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Shell {
    pub(super) const fn completer(self) -> &'static dyn EnvCompleter {
        match self {
            Self::Bash => &Bash,
            Self::Elvish => &Elvish,
            Self::Fish => &Fish,
            Self::Powershell => &Powershell,
            Self::Zsh => &Zsh,
        }
    }

    /// Returns a file's name or path as this shell reads it; `None` if the shell would
    /// run or split it.
    pub(super) fn escape(self, text: &str) -> Option<String> {
        if text.contains(char::is_control) {
            return None;
        }
        match self {
            Self::Bash => Some(escape_for_bash(text)),
            // PowerShell's script inserts candidates unchanged.
            Self::Powershell if !text.chars().all(|c| is_plain(c) || c == '/') => None,
            // The other shells quote candidates themselves.
            _ => Some(text.to_owned()),
        }
    }
}

/// True if no shell needs to quote the character.
pub(super) fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "-_.@".contains(c)
}

/// Returns the text with a backslash before each character that may be syntax.
fn escape_for_bash(text: &str) -> String {
    let mut escaped = String::new();
    for (at, c) in text.char_indices() {
        // A path may start with the home directory.
        let is_home = at == 0 && text.starts_with("~/");
        if !(is_plain(c) || c == '/' || is_home) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_neither_run_nor_split() {
        assert_eq!(escape_for_bash("~/keys/prod.json"), "~/keys/prod.json");
        assert_eq!(escape_for_bash("a b$(touch ran)"), r"a\ b\$\(touch\ ran\)");
        assert_eq!(escape_for_bash("~root"), r"\~root");
    }
}
