//! The version and commit of this build.

/// The version only: `0.1.0`.
pub const NUMBER: &str = env!("CARGO_PKG_VERSION");

/// The version with commit and date, if known: a release's build sets them in a variable,
/// and git writes them into a source archive (gitattributes(5), export-subst).
pub const FULL: &str = match (TOLD, ARCHIVED.as_bytes()) {
    (Some(told), _) => told,
    (None, [.., b'$', b')']) => NUMBER,
    (None, _) => ARCHIVED,
};

const TOLD: Option<&str> = option_env!("ZITADEL_CREDENTIAL_VERSION");

const ARCHIVED: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    include_str!("archived.txt"),
    ")"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_shows_a_commit_only_if_known() {
        let known = FULL.strip_prefix(NUMBER).expect("the version comes first");
        let shown = known
            .strip_prefix(" (")
            .and_then(|rest| rest.strip_suffix(')'));
        let is_commit = |text: &str| {
            text.split_once(' ').is_some_and(|(commit, day)| {
                commit.len() == 40
                    && commit.bytes().all(|b| b.is_ascii_hexdigit())
                    && day.len() == 10
            })
        };
        assert!(known.is_empty() || shown.is_some_and(is_commit), "{FULL}");
    }
}
