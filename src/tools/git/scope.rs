//! The URLs that a section of git's configuration matches: `credential.<url>.helper`.
//!
//! Source: git-config(1), `http.<url>.*`, and gitcredentials(7). A section matches as
//! much as git may match: its path or its user may be those of a request.

use crate::host::HostPattern;
use crate::url::Origin;

/// The URLs that a section, a host rule or one host matches.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    /// `None` for any scheme.
    scheme: Option<String>,
    /// `None` for any host.
    host: Option<Host>,
    /// True if the URL has a path or a user, so that it matches only a part of the host.
    is_part: bool,
}

#[derive(Clone, Debug)]
struct Host {
    labels: Vec<String>,
    port: Option<String>,
    /// True if the first label, `*`, matches any number of labels, as in a host rule.
    is_deep: bool,
}

impl Scope {
    /// Reads the text between `credential.` and `.helper`; `None` matches all URLs.
    pub(super) fn of(url: Option<&str>) -> Self {
        let Some(url) = url else {
            return Self {
                scheme: None,
                host: None,
                is_part: false,
            };
        };
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, url),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (user, host),
            None => ("", authority),
        };
        let default = match scheme.as_deref() {
            Some("https") => ":443",
            Some("http") => ":80",
            _ => "",
        };
        let host = host.strip_suffix(default).unwrap_or(host);
        Self {
            is_part: !path.is_empty() || !user.is_empty(),
            host: (!host.is_empty()).then(|| Host::of(host)),
            scheme,
        }
    }

    /// Returns the scope of a host rule; its `*` matches any number of labels.
    pub(super) fn of_rule(pattern: &HostPattern) -> Self {
        let mut scope = Self::of(Some(&format!("https://{pattern}")));
        if let Some(host) = &mut scope.host {
            host.is_deep = host.labels.first().is_some_and(|label| label == "*");
        }
        scope
    }

    /// Returns the scope for any scheme, including plain http.
    pub(super) fn over_any_scheme(self) -> Self {
        Self {
            scheme: None,
            ..self
        }
    }

    /// Returns the scope of one host.
    pub(super) fn of_origin(origin: &Origin) -> Self {
        Self::of(Some(&origin.to_string()))
    }

    /// True if some request matches both scopes.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let same_scheme = match (&self.scheme, &other.scheme) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        let same_host = match (&self.host, &other.host) {
            (Some(ours), Some(theirs)) => ours.overlaps(theirs),
            _ => true,
        };
        same_scheme && same_host
    }

    /// True if every request that matches the other scope matches this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let has_scheme = self.scheme.is_none() || self.scheme == other.scheme;
        let has_host = match (&self.host, &other.host) {
            (None, _) => true,
            (Some(ours), Some(theirs)) => ours.covers(theirs),
            (Some(_), None) => false,
        };
        !self.is_part && has_scheme && has_host
    }
}

impl Host {
    fn of(text: &str) -> Self {
        // Skips the colons within the brackets of IPv6.
        let after = text.rfind(']').unwrap_or(0);
        let (name, port) = match text[after..].rfind(':') {
            Some(at) => (&text[..after + at], Some(text[after + at + 1..].to_owned())),
            None => (text, None),
        };
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        Self {
            labels: name.split('.').map(ToOwned::to_owned).collect(),
            port,
            is_deep: false,
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let lengths = match (self.is_deep, other.is_deep) {
            (false, false) => self.labels.len() == other.labels.len(),
            (true, false) => self.labels.len() <= other.labels.len(),
            (false, true) => self.labels.len() >= other.labels.len(),
            (true, true) => true,
        };
        // Compares from the last label on: the first labels may differ in number.
        let mut pairs = self.labels.iter().rev().zip(other.labels.iter().rev());
        let is_same =
            |(ours, theirs): (&String, &String)| ours == theirs || ours == "*" || theirs == "*";
        lengths && self.port == other.port && pairs.all(is_same)
    }

    fn covers(&self, other: &Self) -> bool {
        let mut pairs = self.labels.iter().zip(&other.labels);
        !other.is_deep
            && self.port == other.port
            && self.labels.len() == other.labels.len()
            && pairs.all(|(ours, theirs)| ours == theirs || ours == "*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(url: &str) -> Scope {
        Scope::of((!url.is_empty()).then_some(url))
    }

    #[test]
    fn a_section_matches_a_host_in_many_spellings() {
        let host = of("https://git.acme.dev");
        for url in [
            "",
            "https://",
            "https://git.acme.dev/",
            "https://git.acme.dev/team",
            "https://git.acme.dev:443",
            "https://GIT.acme.dev",
            "https://ci@git.acme.dev",
            "https://*.acme.dev",
            "https://*.*.dev",
            "https://git.*.dev",
            "git.acme.dev",
        ] {
            assert!(of(url).overlaps(&host) && host.overlaps(&of(url)), "{url}");
        }
        for url in [
            "http://git.acme.dev",
            "http://",
            "https://acme.dev",
            "https://git.acme.dev:8443",
            "https://*.dev",
            "https://x.git.acme.dev",
            "https://git.acme.test",
        ] {
            assert!(!of(url).overlaps(&host), "{url}");
        }
        assert!(of("https://[::1]:8443/x").overlaps(&of("https://[::1]:8443")));
        assert!(!of("https://[::1]:8443").overlaps(&of("https://[::1]")));
    }

    #[test]
    fn a_rules_wildcard_matches_any_number_of_labels() {
        let pattern = HostPattern::parse("*.acme.dev").expect("a pattern");
        let rule = Scope::of_rule(&pattern);
        for url in [
            "https://a.acme.dev",
            "https://a.b.acme.dev",
            "https://*.acme.dev",
            "",
        ] {
            assert!(of(url).overlaps(&rule) && rule.overlaps(&of(url)), "{url}");
        }
        for url in [
            "https://acme.dev",
            "https://a.acme.test",
            "http://a.acme.dev",
        ] {
            assert!(!of(url).overlaps(&rule), "{url}");
        }
    }

    #[test]
    fn only_a_section_for_all_of_a_host_covers_it() {
        let host = of("https://git.acme.dev");
        for url in [
            "",
            "https://",
            "https://git.acme.dev/",
            "https://*.acme.dev",
            "git.acme.dev",
        ] {
            assert!(of(url).covers(&host), "{url}");
        }
        for url in [
            "https://ci@git.acme.dev",
            "https://git.acme.dev/x",
            "https://*.dev",
        ] {
            assert!(!of(url).covers(&host), "{url}");
        }
        assert!(!host.covers(&of("https://*.acme.dev")));
        assert!(of("https://*.acme.dev").covers(&of("https://*.acme.dev")));
    }
}
