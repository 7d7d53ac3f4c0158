//! Logins that git sends without asking a helper: `.netrc`, headers of its configuration,
//! and URLs that contain a login.
//!
//! Source: git-config(1), `http.<url>.extraHeader` and `url.<base>.insteadOf`.

use std::process::Command;

use super::scope::Scope;
use crate::findings::wiring::NetrcReader;
use crate::text::quote;

/// git reads `.netrc` through libcurl, which supports no variable.
pub(super) const NETRC: NetrcReader = NetrcReader {
    name: "git",
    knows_variable: false,
    knows_default: true,
};

/// A login in git's configuration. Contains no secret.
pub(super) struct Login {
    /// The requests with which git sends the login.
    scope: Scope,
    /// The key, without the URL's user and password.
    key: String,
    file: String,
    is_header: bool,
}

/// Adds the arguments by which `git config` lists such logins.
pub(super) fn list(command: &mut Command) {
    command.args([
        "config",
        "--null",
        "--show-origin",
        "--get-regexp",
        r"^(http\.(.*\.)?extraheader|url\..*\.(push)?insteadof)$",
    ]);
}

/// Parses `place NUL key LF value NUL`.
pub(super) fn parse(text: &str) -> Vec<Login> {
    let mut items = text.split('\0');
    let mut logins = Vec::new();
    while let (Some(place), Some(item)) = (items.next(), items.next()) {
        let (key, value) = item.split_once('\n').unwrap_or((item, ""));
        let file = place.strip_prefix("file:").unwrap_or(place).to_owned();
        logins.extend(login(key, value, file));
    }
    logins
}

fn login(key: &str, value: &str, file: String) -> Option<Login> {
    let (section, last) = key.rsplit_once('.')?;
    if last == "extraheader" {
        let name = value.split(':').next()?.trim();
        let url = section.strip_prefix("http").unwrap_or_default();
        let url = url.strip_prefix('.').unwrap_or_default();
        return name.eq_ignore_ascii_case("authorization").then(|| Login {
            scope: Scope::of((!url.is_empty()).then_some(url)),
            key: key.to_owned(),
            file,
            is_header: true,
        });
    }
    let base = section.strip_prefix("url.")?;
    let (scheme, rest) = base.split_once("://")?;
    let authority = rest.split('/').next()?;
    let (userinfo, host) = authority.rsplit_once('@')?;
    // A username without a password is not a login.
    userinfo.contains(':').then(|| Login {
        scope: Scope::of(Some(&format!("{scheme}://{host}"))),
        key: format!("url.{scheme}://…@{host}.{last}"),
        file,
        is_header: false,
    })
}

impl Login {
    /// True if git sends the login for some request of a scope.
    pub(super) fn is_for(&self, scope: &Scope) -> bool {
        self.scope.overlaps(scope)
    }

    /// Returns the line about git's use of the login.
    pub(super) fn line(&self) -> String {
        let file = quote::path(&self.file);
        let key = quote::printable(&self.key);
        let what = if self.is_header {
            "git sends that header instead of a token"
        } else {
            "git uses the login in that URL, and asks no helper"
        };
        format!("{key} in {file}: {what}")
    }

    /// Returns the remedy.
    pub(super) fn remedy(&self) -> String {
        format!("remove that line from {}", quote::path(&self.file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_headers_and_urls_with_a_login_are_found() {
        for (key, value, expected) in [
            (
                "http.https://a.dev/.extraheader",
                "AUTHORIZATION: basic eDp5",
                Some("http.https://a.dev/.extraheader"),
            ),
            (
                "http.extraheader",
                "Authorization:x",
                Some("http.extraheader"),
            ),
            ("http.extraheader", "X-Trace: authorization", None),
            (
                "url.https://u:secret@a.dev/.insteadof",
                "https://a.dev/",
                Some("url.https://…@a.dev.insteadof"),
            ),
            ("url.https://u@a.dev/.insteadof", "https://a.dev/", None),
            ("url.https://a.dev/.insteadof", "git@a.dev:", None),
            ("url.git@a.dev:.insteadof", "https://a.dev/", None),
        ] {
            let found = parse(&format!("file:/f\0{key}\n{value}\0"));
            let lines: Vec<_> = found.iter().map(|login| login.key.as_str()).collect();
            assert_eq!(lines.first().copied(), expected, "{key}");
            let all: String = found.iter().map(Login::line).collect();
            assert!(!all.contains("secret") && !all.contains("eDp5"), "{all}");
        }
    }
}
