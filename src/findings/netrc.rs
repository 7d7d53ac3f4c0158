//! Logins in `.netrc` files, which several tools send without asking this program.
//!
//! Source: curl's manual page (`--netrc`), `go help goauth`, Python's `netrc`.

use std::path::PathBuf;

use super::wiring::{NetrcReader, text};
use crate::config::Directories;
use crate::host::{Ask, HostPattern};
use crate::sys::{Environment, named};
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::quoted;

/// The logins of this user's files.
#[derive(Default)]
pub(crate) struct Netrc {
    entries: Vec<Entry>,
    has_variable: bool,
}

/// One login, without its secrets.
pub(crate) struct Entry {
    file: PathBuf,
    is_of_variable: bool,
    /// The host as written; `None` for the entry `default`.
    host: Option<String>,
}

impl Netrc {
    /// Reads the files; an unreadable one has no logins.
    pub(crate) fn read(
        environment: &Environment,
        directories: &Directories,
        deadline: &Deadline,
    ) -> Self {
        let variable = named(environment, "NETRC");
        let has_variable = variable.is_some();
        let home = directories.home.as_deref();
        let usual = [".netrc", "_netrc"];
        let usual = usual.iter().filter_map(|name| Some(home?.join(name)));
        let files = variable.into_iter().map(|file| (file, true));
        let files = files.chain(usual.map(|file| (file, false)));
        let mut entries = Vec::new();
        for (file, is_of_variable) in files {
            let text = text(&file, deadline).ok().flatten();
            let hosts = hosts(&text.unwrap_or_default());
            entries.extend(hosts.into_iter().map(|host| Entry {
                file: file.clone(),
                is_of_variable,
                host,
            }));
        }
        Self {
            entries,
            has_variable,
        }
    }

    /// Returns the logins.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// True if a tool reads this login.
    pub(crate) fn is_read_by(&self, entry: &Entry, reader: &NetrcReader) -> bool {
        // The variable's file replaces the default one.
        let is_its_file = entry.is_of_variable == (self.has_variable && reader.knows_variable);
        is_its_file && (entry.host.is_some() || reader.knows_default)
    }

    /// Returns the warnings for a tool that is set up for these hosts.
    pub(crate) fn warnings(&self, reader: &NetrcReader, pattern: &HostPattern) -> Vec<String> {
        let is_read = |entry: &&Entry| self.is_read_by(entry, reader) && entry.is_for(pattern);
        let entries = self.entries.iter().filter(is_read);
        let line = |entry: &Entry| format!("{}: {}", entry.line(&[reader.name]), entry.remedy());
        entries.map(line).collect()
    }
}

impl Entry {
    /// Returns the login's host; `None` for the entry `default`, or if it is invalid.
    pub(crate) fn ask(&self) -> Option<Ask> {
        Ask::of(self.host.as_deref()?)
    }

    /// True for the entry `default`, which is for all hosts.
    pub(crate) const fn is_default(&self) -> bool {
        self.host.is_none()
    }

    /// True if the login is for a host of this pattern, at any port.
    pub(crate) fn is_for(&self, pattern: &HostPattern) -> bool {
        let ask = self.ask();
        self.is_default() || ask.is_some_and(|ask| pattern.matches_host(&ask.origin))
    }

    /// Returns the line that names the tools which send the login.
    pub(crate) fn line(&self, readers: &[&str]) -> String {
        let file = quote::path(&self.file);
        let readers = match readers {
            [others @ .., last] if !others.is_empty() => {
                format!("{} and {last}", others.join(", "))
            }
            one => one.concat(),
        };
        match &self.host {
            Some(host) => format!(
                "{file} has a login for {}, sent by {readers} instead of a token",
                quoted(host)
            ),
            None => format!(
                "{file} has a default login, sent by {readers} to all other hosts instead of a token"
            ),
        }
    }

    /// Returns the remedy.
    pub(crate) fn remedy(&self) -> String {
        match &self.host {
            Some(host) => format!("remove the entry of machine {} there", quoted(host)),
            None => "remove the entry default there".to_owned(),
        }
    }
}

/// Returns the hosts of a file's entries; `None` for the entry `default`.
fn hosts(text: &str) -> Vec<Option<String>> {
    enum Next {
        Keyword,
        Host,
        Value,
    }
    let mut hosts = Vec::new();
    let mut next = Next::Keyword;
    let mut is_macro = false;
    for line in text.lines() {
        let mut rest = line.trim();
        if is_macro {
            // An empty line ends a macro.
            is_macro = !rest.is_empty();
            continue;
        }
        while !rest.is_empty() {
            let (word, after) = word(rest);
            rest = after.trim_start();
            next = match (next, word.as_str()) {
                (Next::Host, _) => {
                    hosts.push(Some(word));
                    Next::Keyword
                }
                (Next::Value, _) => Next::Keyword,
                (Next::Keyword, "machine") => Next::Host,
                (Next::Keyword, "login" | "user" | "password" | "account") => Next::Value,
                (Next::Keyword, "default") => {
                    hosts.push(None);
                    Next::Keyword
                }
                (Next::Keyword, "macdef") => {
                    is_macro = true;
                    rest = "";
                    Next::Keyword
                }
                (Next::Keyword, word) => {
                    if word.starts_with('#') {
                        rest = "";
                    }
                    Next::Keyword
                }
            };
        }
    }
    hosts
}

/// Splits off the first word, which may be in quotes.
fn word(text: &str) -> (String, &str) {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut word = String::new();
    let mut letters = inside.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (word, &inside[at + 1..]),
            '\\' => word.extend(letters.next().map(|(_, escaped)| escaped)),
            letter => word.push(letter),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_hosts_of_entries_are_read() {
        for (text, expected) in [
            ("", &[][..]),
            ("machine a.dev login x password y\n", &["a.dev"]),
            ("machine\n  a.dev\n\tlogin x\n\tpassword y", &["a.dev"]),
            ("machine a.dev login machine password default", &["a.dev"]),
            (
                "machine a.dev password \"b machine c\"\ndefault login x",
                &["a.dev", "*"],
            ),
            (
                "# machine a.dev\nmachine b.dev # machine c.dev\nlogin #d",
                &["b.dev"],
            ),
            ("macdef init\nmachine a.dev\n\nmachine b.dev", &["b.dev"]),
            ("machine \"a.dev\"machine b.dev", &["a.dev", "b.dev"]),
            ("machine", &[]),
        ] {
            let found: Vec<_> = hosts(text)
                .into_iter()
                .map(|host| host.unwrap_or("*".to_owned()))
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(machine|default|login|password|macdef|[a-c#\"\\\\ \n]){0,20}") {
            let _ = hosts(&text);
        }
    }
}
