//! bash splits words differently than for a program, and does not quote candidates.

use std::ffi::OsString;

use clap::Command;
use clap_complete::engine::complete;

use super::candidates::{HERE, Sources};
use super::shell::Shell;
use crate::call::World;

/// Returns the candidates as the script reads them; `None` if there is no cursor.
pub(super) fn answer(world: &World<'_>, words: Vec<OsString>, root: Command) -> Option<String> {
    let variable = |name| (world.environment)(name)?.into_string().ok();
    let cursor: usize = variable("_CLAP_COMPLETE_INDEX")?.parse().ok()?;
    let separator = variable("_CLAP_IFS")?;
    let (words, kept) = join(words.into_iter().take(cursor.checked_add(1)?));
    let mut command = Sources::of(world, Shell::Bash, &words).add_to(root);
    let cursor = words.len().checked_sub(1)?;
    let candidates = complete(&mut command, words, cursor, Some(HERE.as_ref())).ok()?;
    let candidates = candidates.iter().filter_map(|candidate| {
        let candidate = candidate.get_value().to_str()?;
        candidate.strip_prefix(kept.as_str())
    });
    Some(candidates.collect::<Vec<_>>().join(&separator))
}

/// Returns the words as a program would get them, and the start of the last one that
/// stays in the line: readline splits words at `=` and `:`, and replaces what follows.
fn join(parts: impl Iterator<Item = OsString>) -> (Vec<OsString>, String) {
    let mut words: Vec<OsString> = Vec::new();
    let mut kept = OsString::new();
    let mut is_open = false;
    for part in parts {
        let is_mark = matches!(part.as_encoded_bytes(), [b'=' | b':', ..]);
        // Candidates are UTF-8 only.
        let part = match part.into_string() {
            Ok(text) => text.replace('\\', "").into(),
            Err(part) => part,
        };
        match words.last_mut() {
            Some(word) if is_mark || is_open => {
                kept.clone_from(word);
                word.push(part);
            }
            _ => {
                kept.clear();
                words.push(part);
            }
        }
        is_open = is_mark;
    }
    (words, kept.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_split_by_readline_are_joined_again() {
        for (parts, words, kept) in [
            ("a --output = r", "a --output=r", "--output="),
            ("a --output =", "a --output=", "--output"),
            (
                "a --issuer https : //a.dev pr",
                "a --issuer https://a.dev pr",
                "",
            ),
            (
                "a --issuer https : //a.dev",
                "a --issuer https://a.dev",
                "https:",
            ),
            ("a --output=r", "a --output=r", ""),
        ] {
            let parts = parts.split(' ').map(OsString::from);
            let expected: Vec<_> = words.split(' ').map(OsString::from).collect();
            assert_eq!(join(parts), (expected, kept.to_owned()), "{words}");
        }
        let (words, _) = join([r"a\ b".into()].into_iter());
        assert_eq!(words, ["a b"]);
    }
}
