//! cargo's configuration: registries, and who logs in to them.
//!
//! Source: the cargo book, "Configuration" and "Registry Authentication".

use std::path::PathBuf;

use toml::de::{DeTable, DeValue};

use super::named;
use crate::config::Directories;
use crate::issuer::Environment;

/// What cargo runs.
pub(crate) const PROVIDER: &str = "cargo-credential-zitadel";

/// What the configuration says of credentials.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) registries: Vec<Registry>,
    /// The providers of all registries that have none of their own.
    pub(crate) for_all: Vec<Vec<String>>,
}

/// A registry.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) name: String,
    /// None where another place tells it: a variable, a workspace's file.
    pub(crate) index: Option<String>,
    /// The provider and its arguments; none for those of all registries.
    pub(crate) provider: Vec<String>,
}

/// The file that holds for all that a user builds.
pub(crate) fn file(environment: &Environment, directories: &Directories) -> Option<PathBuf> {
    let usual = || Some(directories.home.as_ref()?.join(".cargo"));
    let dir = named(environment, "CARGO_HOME").or_else(usual)?;
    // Where both are there, cargo reads this one.
    let older = dir.join("config");
    Some(if older.is_file() {
        older
    } else {
        dir.join("config.toml")
    })
}

/// Reads the file; none where it is no TOML.
pub(crate) fn read(text: &str) -> Option<Settings> {
    let file = DeTable::parse(text).ok()?;
    let table = |name: &str| file.get_ref().get(name)?.get_ref().as_table();
    let registries = table("registries").into_iter().flatten();
    let registries = registries.filter_map(|(name, value)| {
        let value = value.get_ref().as_table()?;
        let words = |key| value.get(key).map(|value| words(value.get_ref()));
        Some(Registry {
            name: name.get_ref().to_string(),
            index: words("index").and_then(|words| words.into_iter().next()),
            provider: words("credential-provider").unwrap_or_default(),
        })
    });
    let all = table("registry").and_then(|table| table.get("global-credential-providers"));
    let all = all.and_then(|value| value.get_ref().as_array());
    Some(Settings {
        registries: registries.collect(),
        for_all: all
            .into_iter()
            .flatten()
            .map(|value| words(value.get_ref()))
            .collect(),
    })
}

/// A program and its arguments, as a list or parted by blanks.
fn words(value: &DeValue<'_>) -> Vec<String> {
    match value {
        DeValue::String(text) => text.split_whitespace().map(ToOwned::to_owned).collect(),
        DeValue::Array(list) => {
            let words = list.iter().filter_map(|word| word.get_ref().as_str());
            words.map(ToOwned::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_and_their_providers_are_read_in_every_form() {
        let settings = read(
            "[registries]\n\
             a = { index = 'sparse+https://a.dev/' }\n\
             b.credential-provider = 'cargo-credential-zitadel --profile ci'\n\
             [registries.c]\nindex = \"https://c.dev\" # mine\n\
             credential-provider = ['x y', \"z\"]\n\
             [registry]\nglobal-credential-providers = ['cargo:token', 'p q']\n",
        )
        .expect("TOML");
        let found: Vec<_> = settings
            .registries
            .iter()
            .map(|registry| {
                let Registry {
                    name,
                    index,
                    provider,
                } = registry;
                (name.as_str(), index.as_deref(), provider.join("|"))
            })
            .collect();
        assert_eq!(
            found,
            [
                ("a", Some("sparse+https://a.dev/"), String::new()),
                ("b", None, format!("{PROVIDER}|--profile|ci")),
                ("c", Some("https://c.dev"), "x y|z".to_owned()),
            ]
        );
        assert_eq!(settings.for_all, [vec!["cargo:token"], vec!["p", "q"]]);
    }

    #[test]
    fn what_is_no_toml_is_none_and_what_is_no_registry_is_passed_over() {
        assert!(read("[registries").is_none());
        for other in ["", "registries = 1", "registries.a = 1", "registry = []"] {
            let settings = read(other).expect("TOML");
            assert!(settings.registries.is_empty() && settings.for_all.is_empty());
        }
    }
}
