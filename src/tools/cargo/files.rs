//! cargo's configuration: registries and their credential providers.
//!
//! Source: the cargo book, "Configuration" and "Registry Authentication".

use std::path::PathBuf;

use toml::de::{DeTable, DeValue};

use crate::config::Directories;
use crate::sys::{Environment, named};

/// The program that cargo runs.
pub(crate) const PROVIDER: &str = "cargo-credential-zitadel";

/// The variable that adds providers for all registries.
pub(crate) const FOR_ALL: &str = "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS";

/// The configuration's settings for credentials.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) registries: Vec<Registry>,
    /// The providers for all registries without their own.
    pub(crate) for_all: Vec<Vec<String>>,
    /// The aliases of providers (`[credential-alias]`).
    aliases: Vec<(String, Vec<String>)>,
}

impl Settings {
    /// Resolves an alias as cargo does: only if no argument follows.
    pub(crate) fn resolved(&self, words: Vec<String>) -> Vec<String> {
        let [name] = words.as_slice() else {
            return words;
        };
        let alias = self.aliases.iter().find(|(alias, _)| alias == name);
        alias
            .map(|(_, stands_for)| stands_for.clone())
            .unwrap_or(words)
    }
}

/// A registry.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) name: String,
    /// `None` if it is set elsewhere, in a variable or a workspace's file.
    pub(crate) index: Option<String>,
    /// The provider and its arguments; empty if the providers for all registries apply.
    pub(crate) provider: Vec<String>,
}

/// Returns the user's configuration file, which applies to all workspaces.
pub(crate) fn file(environment: &Environment, directories: &Directories) -> Option<PathBuf> {
    let default = || Some(directories.home.as_ref()?.join(".cargo"));
    let dir = named(environment, "CARGO_HOME").or_else(default)?;
    // If both exist, cargo reads this one.
    let older = dir.join("config");
    Some(if older.is_file() {
        older
    } else {
        dir.join("config.toml")
    })
}

/// Returns the files of `cargo login`; if both exist, cargo reads the first one.
pub(crate) fn tokens(environment: &Environment, directories: &Directories) -> Option<PathBuf> {
    let dir = file(environment, directories)?.parent()?.to_owned();
    let older = dir.join("credentials");
    Some(if older.is_file() {
        older
    } else {
        dir.join("credentials.toml")
    })
}

/// Returns the registries that have a token in a file of `cargo login`.
pub(crate) fn with_token(text: &str) -> Vec<String> {
    let file = DeTable::parse(text).ok();
    let table = file.as_ref().and_then(|file| {
        let registries = file.get_ref().get("registries")?;
        registries.get_ref().as_table()
    });
    let has_token = |value: &DeValue<'_>| {
        let keys = value.as_table();
        keys.is_some_and(|keys| {
            ["token", "secret-key"]
                .iter()
                .any(|key| keys.contains_key(*key))
        })
    };
    let registries = table.into_iter().flatten();
    let registries = registries.filter(|(_, value)| has_token(value.get_ref()));
    registries
        .map(|(name, _)| name.get_ref().to_string())
        .collect()
}

/// Parses the file; `None` if it is invalid TOML.
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
    let aliases = table("credential-alias").into_iter().flatten();
    let aliases = aliases.map(|(name, value)| (name.get_ref().to_string(), words(value.get_ref())));
    Some(Settings {
        registries: registries.collect(),
        aliases: aliases.collect(),
        for_all: all
            .into_iter()
            .flatten()
            .map(|value| words(value.get_ref()))
            .collect(),
    })
}

/// Returns the providers in the variable [`FOR_ALL`].
pub(crate) fn variable_for_all(environment: &Environment) -> Vec<Vec<String>> {
    let value = environment(FOR_ALL).unwrap_or_default();
    let words = value.to_string_lossy();
    words
        .split_whitespace()
        .map(|word| vec![word.to_owned()])
        .collect()
}

/// Returns the name of a registry's variable.
pub(crate) fn variable(registry: &str, key: &str) -> String {
    let registry = registry.to_ascii_uppercase().replace('-', "_");
    format!("CARGO_REGISTRIES_{registry}_{key}")
}

/// Returns a registry's setting from its variable, which overrides the file.
pub(crate) fn variable_of(
    registry: &str,
    key: &str,
    environment: &Environment,
) -> Option<Vec<String>> {
    let value = environment(&variable(registry, key))?;
    let words = value.to_string_lossy();
    Some(words.split_whitespace().map(ToOwned::to_owned).collect())
}

/// Parses a program and its arguments: a list, or a string with spaces.
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
    fn registries_with_a_token_are_found() {
        let text = "[registry]\ntoken = 'x'\n[registries.a]\ntoken = 'x'\n\
            [registries.b]\nsecret-key = 'k'\n[registries.c]\nindex = 'i'\n";
        assert_eq!(with_token(text), ["a", "b"]);
        assert_eq!(with_token("registries = 1"), [] as [&str; 0]);
        assert_eq!(with_token("["), [] as [&str; 0]);
    }

    #[test]
    fn an_alias_is_resolved_only_without_arguments() {
        let settings = read("[credential-alias]\nz = 'p --a'\ny = ['q r']\n").expect("TOML");
        for (words, expected) in [
            (&["z"][..], &["p", "--a"][..]),
            (&["y"], &["q r"]),
            (&["z", "b"], &["z", "b"]),
            (&["x"], &["x"]),
        ] {
            let words = words.iter().map(ToString::to_string).collect();
            assert_eq!(settings.resolved(words), expected);
        }
    }

    #[test]
    fn invalid_toml_is_none_and_other_values_are_ignored() {
        assert!(read("[registries").is_none());
        for other in ["", "registries = 1", "registries.a = 1", "registry = []"] {
            let settings = read(other).expect("TOML");
            assert!(settings.registries.is_empty() && settings.for_all.is_empty());
        }
    }
}
