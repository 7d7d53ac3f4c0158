//! The helpers in git's configuration.
//!
//! Source: gitcredentials(7).

use std::ffi::OsString;
use std::path::Path;

use super::args::Git;
use super::scope::Scope;
use crate::call::Helper as _;
use crate::cli::options::{Options, read_call};
use crate::findings::wiring::{NAME, is_ours};
use crate::host::Ask;
use crate::sys::paths;
use crate::text::quote::quoted;
use crate::url::Origin;

const KEY: &str = "credential.";

/// The value of a helper's line that runs [`LINK`].
pub(super) const HELPER: &str = "zitadel";

/// The name by which git finds this program on `PATH`.
pub(super) const LINK: &str = "git-credential-zitadel";

/// The arguments by which git lists all helpers, for [`listed`].
pub(super) const LIST: [&str; 5] = [
    "config",
    "--null",
    "--show-origin",
    "--get-regexp",
    r"^credential\.(.*\.)?helper$",
];

/// A line of git's configuration that names a helper.
pub(super) struct Listed {
    /// The file, as git prints it.
    pub(super) place: String,
    pub(super) helper: Helper,
}

#[derive(Clone)]
pub(super) struct Helper {
    /// The URL between `credential.` and `.helper`; `None` for all hosts.
    pub(super) url: Option<String>,
    pub(super) value: String,
}

/// Parses `place NUL key LF value NUL`.
pub(super) fn listed(text: &str) -> Vec<Listed> {
    let mut items = text.split('\0');
    let mut listed = Vec::new();
    while let (Some(place), Some(item)) = (items.next(), items.next()) {
        let (key, value) = item.split_once('\n').unwrap_or((item, ""));
        let url = key
            .strip_prefix(KEY)
            .and_then(|rest| rest.strip_suffix(".helper"));
        listed.push(Listed {
            place: place.strip_prefix("file:").unwrap_or(place).to_owned(),
            helper: Helper {
                url: url.map(ToOwned::to_owned),
                value: value.to_owned(),
            },
        });
    }
    listed
}

/// Returns the helpers that run this program. An empty value removes earlier helpers.
pub(super) fn helpers(listed: &[Listed]) -> Vec<Helper> {
    let mut found: Vec<Helper> = Vec::new();
    for Listed { helper, .. } in listed {
        if helper.value.is_empty() {
            // For all hosts, an empty value removes every helper before it; for one
            // host, only the helpers of that host.
            found.retain(|known| helper.url.is_some() && known.url != helper.url);
        } else if is_helper(&helper.value) {
            found.push(helper.clone());
        }
    }
    found
}

/// Returns the helpers that git runs for requests of a scope, in git's order.
pub(super) fn helpers_for<'l>(listed: &'l [Listed], scope: &Scope) -> Vec<&'l Listed> {
    let mut helpers = Vec::new();
    for one in listed {
        let own = one.helper.scope();
        if !own.overlaps(scope) {
            continue;
        }
        if !one.helper.value.is_empty() {
            helpers.push(one);
        } else if own.covers(scope) {
            helpers.clear();
        }
    }
    helpers
}

/// True if a helper's value runs this program: a short name, a path or a shell command.
pub(super) fn is_helper(value: &str) -> bool {
    if let Some(line) = value.strip_prefix('!') {
        return is_ours(&program(line));
    }
    let program = program(value);
    program == HELPER || (is_absolute(&program) && is_ours(&program))
}

/// True if git treats a path as absolute: on Windows even one without a drive.
pub(super) fn is_absolute(program: &str) -> bool {
    program.starts_with('/') || Path::new(program).is_absolute()
}

/// Returns the first word of a shell command, as the shell reads it.
pub(super) fn program(line: &str) -> String {
    first_word(line).0
}

/// Returns the start of a helper's line for a message: the rest may be a password that a
/// shell command echoes.
pub(super) fn shown(line: &str) -> String {
    let program = line.split(|c: char| c.is_whitespace() || c == '=').next();
    quoted(program.unwrap_or_default())
}

/// Returns the first word of a shell command, and the rest.
fn first_word(line: &str) -> (String, &str) {
    let mut word = String::new();
    let mut quote = None;
    let mut rest = line.trim_ascii_start().chars();
    while let Some(c) = rest.next() {
        match quote {
            None if c.is_ascii_whitespace() => break,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None | Some('"') if c == '\\' => word.extend(rest.next()),
            Some(open) if c == open => quote = None,
            _ => word.push(c),
        }
    }
    (word, rest.as_str())
}

impl Helper {
    /// Describes the hosts.
    pub(super) fn place(&self) -> String {
        match &self.url {
            Some(url) => quoted(url),
            None => "all hosts".to_owned(),
        }
    }

    /// Returns one of the hosts; `None` for all hosts, and if the URL is invalid.
    pub(super) fn ask(&self) -> Option<Ask> {
        // In git, `*` matches one label of a host.
        Ask::typed(&self.url.as_ref()?.replace("://*.", "://any-label."))
    }

    /// Returns the options with which the helper runs this program; the default if the
    /// call is another one, or a shell command that cannot be parsed.
    pub(super) fn options(&self) -> Options {
        self.call().unwrap_or_default()
    }

    /// Returns the options with which the helper runs this program; `None` if this program
    /// refuses them. A shell command that cannot be parsed has the default.
    pub(super) fn call(&self) -> Option<Options> {
        let (program, mut rest) = first_word(self.value.trim_start_matches('!'));
        let mut words = vec![OsString::from(NAME)];
        if !paths::is_called(Path::new(&program), NAME) {
            // The helper runs this program's link.
            words.push("git".into());
        }
        while !rest.trim().is_empty() {
            let (word, left) = first_word(rest);
            words.push(word.into());
            rest = left;
        }
        words.push("get".into());
        let Some((before, mut call)) = read_call::<Git>("git", &words) else {
            return self.value.starts_with('!').then(Options::default);
        };
        Some(std::mem::take(call.options()).over(before))
    }

    /// Returns the name of the line in git's configuration.
    pub(super) fn key(&self) -> String {
        let url = self.url.iter().map(|url| format!("{}.", quoted(url)));
        format!("{KEY}{}helper", url.collect::<String>())
    }

    /// Returns the scope of the helper's section.
    pub(super) fn scope(&self) -> Scope {
        Scope::of(self.url.as_deref())
    }

    /// True if git runs the helper for a host: `*` matches one label.
    pub(super) fn reaches(&self, origin: &Origin) -> bool {
        self.scope().overlaps(&Scope::of_origin(origin))
    }

    /// True if the helper's URL matches a host by the wildcards of host rules, but not by
    /// git's.
    pub(super) fn misses(&self, origin: &Origin) -> bool {
        let domain = self.url.as_deref().and_then(|url| url.split_once("://*."));
        let domain = domain.and_then(|(_, rest)| rest.split(['/', ':']).next());
        let is_below = |domain: &str| {
            let host = origin
                .host
                .as_str()
                .strip_suffix(&domain.to_ascii_lowercase());
            host.is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        };
        domain.is_some_and(is_below) && !self.reaches(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_helpers_are_distinguished_from_others() {
        for ours in [
            "zitadel",
            "zitadel --profile ci",
            "/usr/bin/git-credential-zitadel",
            "!zitadel-credential git",
            "!/opt/zitadel-credential --profile ci git",
            "!'/opt/my tools/zitadel-credential' git --config '/a b'",
            r"!'/opt/it'\''s/zitadel-credential' git",
            "! \"/opt/my tools/zitadel-credential\" git",
            r"!/opt/my\ tools/zitadel-credential git",
        ] {
            assert!(is_helper(ours), "{ours}");
        }
        for other in [
            "",
            "store",
            "zitadel2",
            "!echo zitadel",
            "!'echo' zitadel-credential",
            "/usr/bin/zitadel",
        ] {
            assert!(!is_helper(other), "{other}");
        }
        for ours in [
            "!'C:/Program Files/zitadel/zitadel-credential.exe' git",
            "!C:/bin/Git-Credential-Zitadel.exe --profile ci",
            "C:/bin/git-credential-zitadel.exe",
            r"C:\\bin\\git-credential-zitadel.exe",
        ] {
            assert_eq!(is_helper(ours), cfg!(windows), "{ours}");
        }
    }

    /// Parses lines of `key LF value`.
    fn of(lines: &[&str]) -> Vec<Listed> {
        let items = lines.iter().map(|line| format!("file:/f\0{line}\0"));
        listed(&items.collect::<String>())
    }

    #[test]
    fn an_empty_value_removes_the_helpers_before_it() {
        let urls = |lines: &[&str]| {
            let found = helpers(&of(lines)).into_iter().map(|helper| helper.url);
            found.collect::<Vec<_>>()
        };
        let a = Some("https://a".to_owned());
        let (all, host) = (
            "credential.helper\nzitadel",
            "credential.https://a.helper\nzitadel",
        );
        assert_eq!(urls(&[all, host]), [None, a.clone()]);
        assert_eq!(
            urls(&[host, "credential.https://a.helper\n"]),
            [] as [Option<String>; 0]
        );
        assert_eq!(urls(&[all, "credential.helper\n", host]), [a]);
    }

    #[test]
    fn a_wildcard_of_git_matches_one_label() {
        for (url, asked, expected) in [
            ("https://a.dev", "https://a.dev", true),
            ("https://a.dev:443/x", "https://A.dev", true),
            ("https://a.dev", "http://a.dev", false),
            ("https://a.dev", "https://a.dev:444", false),
            ("https://*.a.dev", "https://x.a.dev", true),
            ("https://*.a.dev", "https://x.y.a.dev", false),
            ("https://*.a.dev", "https://a.dev", false),
            ("https://*.a.dev", "https://x.b.dev", false),
        ] {
            let helper = Helper {
                url: Some(url.to_owned()),
                value: "zitadel".to_owned(),
            };
            let (origin, _) = Origin::parse_url(asked).expect("a URL");
            assert_eq!(helper.reaches(&origin), expected, "{url} {asked}");
            let is_deeper = asked == "https://x.y.a.dev";
            assert_eq!(helper.misses(&origin), is_deeper, "{url} {asked}");
        }
    }

    #[test]
    fn an_empty_value_removes_the_helpers_before_it_for_a_host() {
        let (all, host) = ("credential.helper\n", "credential.https://a.helper\n");
        let line = |key: &str, value: &str| format!("{key}{value}");
        for (lines, expected) in [
            ([line(all, "store"), line(host, "us")], "store us"),
            ([line(host, "us"), line(all, "store")], "us store"),
            ([line(all, "store"), line(host, "")], ""),
            ([line(host, "us"), line(all, "")], ""),
            (
                [
                    line(host, "us"),
                    line("credential.https://A:443/b.helper\n", "store"),
                ],
                "us store",
            ),
            (
                [
                    line(host, "us"),
                    line("credential.https://b.helper\n", "store"),
                ],
                "us",
            ),
        ] {
            let listed = of(&lines.each_ref().map(String::as_str));
            let scope = Helper {
                url: Some("https://a".to_owned()),
                value: String::new(),
            };
            let found: Vec<_> = helpers_for(&listed, &scope.scope())
                .iter()
                .map(|one| one.helper.value.as_str())
                .collect();
            assert_eq!(found.join(" "), expected, "{lines:?}");
        }
    }
}
