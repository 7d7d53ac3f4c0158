//! What a person reads at every failure: exact stderr, exit code and stdout.

mod agent;
mod config;
mod direct;
mod issuer;
mod key;
mod key_source;
mod options;
mod refusal;
mod setup;
mod setup_files;
mod tls;
mod token;
mod tools;
mod usage;

use snapbox::data::Inline;

use crate::support::Case;

/// The host that [`ruled`] has a rule for.
pub const HOST: &str = "git.acme.test";

/// A case with a rule for [`HOST`].
pub fn ruled() -> Case {
    let case = Case::new();
    case.world.allow(HOST);
    case
}

/// A case with that rule, whose issuer knows the key no longer.
pub fn refused() -> Case {
    let case = ruled();
    case.world.issuer.remove_key(&case.world.user.key_id);
    case
}

/// What a tool's file holds, the call, and what is said.
pub type Row<'a> = (&'a str, &'a str, Inline);

/// Holds each call to its error.
pub fn hold<const ROWS: usize>(file: &str, rows: [Row<'_>; ROWS]) {
    let case = Case::new();
    for (text, words, told) in rows {
        case.world.home.write(file, text);
        case.run(words.split(' ')).fails(2, told);
    }
}
