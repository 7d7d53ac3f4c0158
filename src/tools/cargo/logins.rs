//! Tokens that cargo has itself: from `cargo login`, and in variables.
//!
//! Source: the cargo book, "Registry Authentication".

use super::files;
use super::files::Registry;
use crate::config::Directories;
use crate::findings::wiring::text;
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::quote;

/// Returns the places of cargo's own tokens, each with its registry of these.
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
            let variable = name.to_ascii_uppercase().replace('-', "_");
            let place = format!("the variable CARGO_REGISTRIES_{variable}_TOKEN");
            found.push((place, name.clone()));
        }
    }
    found
}

/// Says what cargo does with a token of its own.
pub(super) fn line_of_token(place: &str, registry: &str) -> String {
    let registry = quote::quoted(registry);
    format!(
        "{place} has a token for registry {registry}, which cargo ignores with a warning at each call"
    )
}

/// The remedy for a token of cargo's own.
pub(super) const REMOVE_TOKEN: &str = "remove it there: the provider makes it useless";
