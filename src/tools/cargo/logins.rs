//! cargo's own tokens: from `cargo login`, and in variables.
//!
//! Source: the cargo book, "Registry Authentication".

use super::files;
use super::files::Registry;
use crate::config::Directories;
use crate::findings::wiring::text;
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::quote;

/// Returns the places of cargo's own tokens for these registries, each with its registry.
pub(super) fn tokens(
    registries: &[Registry],
    environment: &Environment,
    directories: &Directories,
    deadline: &Deadline,
) -> Vec<(String, String)> {
    let path = files::tokens(environment, directories);
    let text = path.as_ref().and_then(|path| text(path, deadline).ok()?);
    let in_file = files::with_token(&text.unwrap_or_default());
    let mut found = Vec::new();
    for Registry { name, .. } in registries {
        if let Some(path) = path.as_ref().filter(|_| in_file.contains(name)) {
            found.push((quote::path(path), name.clone()));
        }
        if files::variable_of(name, "TOKEN", environment).is_some() {
            let place = format!("the variable {}", files::variable(name, "TOKEN"));
            found.push((place, name.clone()));
        }
    }
    found
}

/// Returns the line about cargo's use of its own token.
pub(super) fn line_of_token(place: &str, registry: &str) -> String {
    let registry = quote::path(registry);
    format!(
        "{place} has a token for registry {registry}, which cargo ignores with a warning at each call"
    )
}

/// The remedy for cargo's own token.
pub(super) const REMOVE_TOKEN: &str = "remove it there: the provider makes it useless";
