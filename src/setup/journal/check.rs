//! Whether `setup.json` says only what a setup could have noted: it may have been
//! damaged, or written by somebody else to have an undo do their work.

use std::path::{Component, Path};

use super::super::copy::MOST;
use super::{Edit, Journal, Note};
use crate::host::HostPattern;
use crate::quote::{self, is_unprintable};

/// The longest path, name or key.
const LONGEST: usize = 4096;

/// The longest value: a profile's lines.
const LONGEST_VALUE: usize = 64 * 1024;

/// A profile's keys that setup writes.
const KEYS: [&str; 8] = [
    "issuer",
    "key-file",
    "key-id",
    "user-id",
    "scopes",
    "projects",
    "zitadel-api",
    "ca-file",
];

/// What is wrong with it, if anything is.
pub(super) fn fault(journal: &Journal) -> Option<String> {
    for (file, note) in &journal.files {
        if !is_path(file) {
            return Some(format!("{} is no plain absolute path", quote::path(file)));
        }
        if !is_note(note) {
            return Some(format!("what it says of {file} is no digest"));
        }
    }
    for (setup, edits) in &journal.setups {
        if setup.len() > LONGEST || setup.contains(is_unprintable) {
            let name = quote::quoted(setup);
            return Some(format!("setup {name} has no plain name"));
        }
        if !edits.iter().all(|edit| is_edit(setup, edit)) {
            return Some(format!("setup {setup} would not have done what it says"));
        }
    }
    None
}

fn is_path(text: &str) -> bool {
    let path = Path::new(text);
    let is_plain = text.len() <= LONGEST && !text.contains(is_unprintable);
    let is_up = |part: Component<'_>| part == Component::ParentDir;
    is_plain && path.is_absolute() && !path.components().any(is_up)
}

fn is_note(note: &Note) -> bool {
    let is_digest = |text: &String| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let digests = [&note.before, &note.left];
    let is_copy = note.copy.is_none_or(|copy| (1..=MOST).contains(&copy));
    is_copy && digests.into_iter().flatten().all(is_digest)
}

fn is_edit(setup: &str, edit: &Edit) -> bool {
    let Some((kind, of)) = setup.split_once(' ') else {
        return false;
    };
    let former = edit.former.as_deref();
    let is_short = |text: &str| text.len() <= LONGEST_VALUE;
    let is_plain = |text: &String| text.len() <= LONGEST && !text.contains(is_unprintable);
    if !is_path(&edit.file)
        || !edit.at.iter().all(is_plain)
        || !is_short(&edit.ours)
        || !former.is_none_or(is_short)
    {
        return false;
    }
    let ours = edit.ours.as_str();
    let is_host = |text: &str| HostPattern::parse(text).is_some();
    match (kind, edit.key().as_slice()) {
        ("profile", ["default-profile"]) => true,
        ("profile", ["profiles", name]) => *name == of,
        ("profile", ["profiles", name, key]) => *name == of && KEYS.contains(key),
        ("git" | "docker" | "bazel" | "cargo" | "go" | "terraform", ["hosts", host]) => {
            is_host(host) && former.is_none()
        }
        ("terraform", ["link"]) => {
            edit.file.ends_with("/terraform-credentials-zitadel")
                && is_path(ours)
                && former.is_none()
        }
        // The file of all else stands in the setup's name.
        _ if of
            .strip_suffix(&edit.file)
            .is_none_or(|of| !of.ends_with(' ')) =>
        {
            false
        }
        ("git", [key, value]) => {
            let key = key.strip_prefix("credential.https://");
            let key = key.and_then(|key| key.strip_suffix(".helper"));
            key.is_some_and(is_host) && *value == ours && former.is_none() && is_helper(value)
        }
        ("docker", ["credHelpers"]) => ours == "{}" && former.is_none_or(|was| was == "null"),
        ("docker", ["credHelpers", registry]) => is_host(registry) && ours == "zitadel",
        ("cargo", ["registries", _] | ["registries", _, "credential-provider"])
        | ("terraform", ["credentials_helper", "zitadel"]) => former.is_none(),
        ("kubectl", ["users", user]) => {
            is_name(user) && serde_json::from_str::<serde_json::Value>(ours).is_ok()
        }
        ("kubectl", ["contexts", context, "user"]) => is_name(context) && is_name(ours),
        _ => false,
    }
}

/// Whether git would take it for a helper of ours, and not for an option.
fn is_helper(value: &str) -> bool {
    value.is_empty() || value.starts_with("zitadel") || value.starts_with('!')
}

/// Whether kubectl would take it for a name.
fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-')
}
