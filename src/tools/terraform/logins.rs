//! Tokens that Terraform uses before it asks its credentials helper: variables, blocks
//! `credentials`, and the file of `terraform login`.
//!
//! Source: Terraform's "CLI Configuration File", "Credentials".

use serde_json::Value;

use super::files;
use crate::config::Directories;
use crate::findings::wiring::text;
use crate::host::{Ask, HostPattern};
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::{printable, quoted};

/// Terraform's own token for a host. The token itself is not stored.
pub(super) struct Login {
    pub(super) ask: Ask,
    place: String,
    remedy: String,
}

impl Login {
    /// Returns the line about Terraform's use of the token.
    pub(super) fn line(&self) -> String {
        let host = self.ask.origin.authority();
        format!(
            "{} has a token for {host}, which Terraform uses before this program's",
            self.place
        )
    }

    /// Returns the remedy.
    pub(super) fn remedy(&self) -> &str {
        &self.remedy
    }
}

/// Returns the tokens in files.
pub(super) fn in_files(
    environment: &Environment,
    directories: &Directories,
    deadline: &Deadline,
) -> Vec<Login> {
    let file = files::file(environment, directories).into_iter();
    let files = file.chain(files::beside(environment, directories));
    let mut logins = Vec::new();
    for file in files {
        let Ok(Some(text)) = text(&file, deadline) else {
            continue;
        };
        let place = quote::path(&file);
        logins.extend(hosts(&text).into_iter().filter_map(|host| {
            Some(Login {
                ask: Ask::of(&host)?,
                place: place.clone(),
                remedy: format!(
                    "terraform logout {0}, or remove the entry of {0} there",
                    quoted(&host)
                ),
            })
        }));
    }
    logins
}

/// Returns the token in a variable for a host of this pattern. A variable of a wildcard's
/// host is not found, because variables are looked up by name.
pub(super) fn in_variable(pattern: &HostPattern, environment: &Environment) -> Option<Login> {
    let ask = Ask::of(&pattern.single_host()?)?;
    let host = ask.origin.host.as_str();
    let dots = host.replace('.', "_");
    // A hyphen may stay, or be written as two underscores.
    let names = [dots.replace('-', "__"), dots.clone(), host.to_owned()];
    let upper = names.clone().map(|name| name.to_ascii_uppercase());
    let mut names = names
        .iter()
        .chain(&upper)
        .map(|name| format!("TF_TOKEN_{name}"));
    let name = names.find(|name| environment(name).is_some_and(|value| !value.is_empty()))?;
    let name = printable(&name);
    Some(Login {
        ask,
        place: format!("the variable {name}"),
        remedy: format!("unset {name}"),
    })
}

/// Returns the hosts with a token in a configuration, in either of its formats.
fn hosts(text: &str) -> Vec<String> {
    let Ok(file) = serde_json::from_str::<Value>(text) else {
        return files::credentials(text).unwrap_or_default();
    };
    // HCL's JSON allows an object, or a list of objects.
    let objects = match &file["credentials"] {
        Value::Array(list) => list.iter().collect(),
        other => vec![other],
    };
    let hosts = objects.into_iter().filter_map(Value::as_object).flatten();
    hosts.map(|(host, _)| host.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_in_both_formats() {
        for (text, expected) in [
            ("", &[][..]),
            ("credentials \"a.dev\" {\n  token = \"x\"\n}\n", &["a.dev"]),
            (
                "credentials \"a.dev\" {}\ncredentials \"b.dev\" {}",
                &["a.dev", "b.dev"],
            ),
            ("# credentials \"a.dev\" {}\nhost \"b.dev\" {}", &[]),
            (r#"{"credentials": {"a.dev": {"token": "x"}}}"#, &["a.dev"]),
            (
                r#"{"credentials": [{"a.dev": {}}, {"b.dev": {}}]}"#,
                &["a.dev", "b.dev"],
            ),
            (r#"{"credentials": 1}"#, &[]),
        ] {
            assert_eq!(hosts(text), expected, "{text}");
        }
    }

    #[test]
    fn a_variable_is_found_in_every_spelling() {
        let pattern = HostPattern::parse("my-app.acme.dev").expect("a pattern");
        for (name, is_found) in [
            ("TF_TOKEN_my__app_acme_dev", true),
            ("TF_TOKEN_my-app_acme_dev", true),
            ("TF_TOKEN_MY__APP_ACME_DEV", true),
            ("TF_TOKEN_app_acme_dev", false),
        ] {
            let environment = move |asked: &str| (asked == name).then(|| "secret".into());
            let found = in_variable(&pattern, &environment);
            assert_eq!(found.is_some(), is_found, "{name}");
            assert!(found.is_none_or(|login| !login.line().contains("secret")));
        }
    }
}
