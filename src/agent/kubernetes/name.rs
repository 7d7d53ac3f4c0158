//! The name of a Secret, in the format of `--kubernetes-secret`. Pure.

use std::fmt;
use std::str::FromStr;

/// The option that names a Secret.
pub const OPTION: &str = "--kubernetes-secret";

/// A Secret: `NAMESPACE/NAME`, or `NAME` in the pod's own namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName {
    /// The namespace; `None` for the pod's own.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

/// The text is not the name of a Secret.
#[derive(Debug, thiserror::Error)]
#[error("write NAMESPACE/NAME, in lower-case letters, digits and hyphens, like ci/zitadel-token")]
pub struct NotASecret;

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}

impl FromStr for SecretName {
    type Err = NotASecret;

    fn from_str(text: &str) -> Result<Self, NotASecret> {
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, text),
        };
        if !namespace.is_none_or(is_namespace) || !is_name(name) {
            return Err(NotASecret);
        }
        Ok(Self {
            namespace: namespace.map(ToOwned::to_owned),
            name: name.to_owned(),
        })
    }
}

/// True for the name of a namespace: a label (RFC 1123), which cannot escape from its
/// place in a URL's path.
pub fn is_namespace(text: &str) -> bool {
    text.len() <= 63 && is_label(text)
}

/// True for labels with dots between them.
fn is_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_label(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let has_edge = text.starts_with('-') || text.ends_with('-');
    !text.is_empty() && !has_edge && text.bytes().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_a_label_and_a_name_is_labels() {
        for (text, namespace, name) in [
            ("ci/zitadel-token", Some("ci"), "zitadel-token"),
            ("ci/a.b-c.9", Some("ci"), "a.b-c.9"),
            ("zitadel-token", None, "zitadel-token"),
        ] {
            let parsed: SecretName = text.parse().expect("a name");
            assert_eq!(parsed.namespace.as_deref(), namespace);
            assert_eq!(parsed.name, name);
        }
        let long = "a".repeat(64);
        for bad in [
            "",
            "/",
            "ci/",
            "/token",
            "ci/a/b",
            "../token",
            "ci/..",
            "ci/a..b",
            "ci/-a",
            "ci/a-",
            "a.b/token",
            "CI/token",
            "ci/token?x",
            "ci/token%2e",
            "ci/tok en",
            "ci/tokän",
            &format!("{long}/token"),
            &format!("ci/{}", "a".repeat(254)),
        ] {
            assert!(bad.parse::<SecretName>().is_err(), "{bad}");
        }
        assert!(format!("ci/{long}").parse::<SecretName>().is_ok());
    }
}
