//! The user's view of every failure: exact stderr, exit code and stdout.

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

/// The host of the rule of [`ruled`].
pub const HOST: &str = "git.acme.test";

/// A case with a rule for [`HOST`].
pub fn ruled() -> Case {
    let case = Case::new();
    case.world.allow(HOST);
    case
}

/// A case with that rule, whose issuer no longer has the key.
pub fn refused() -> Case {
    let case = ruled();
    case.world.issuer.remove_key(&case.world.user.key_id);
    case
}

/// The content of a tool's file, the call, and its stderr.
pub type Row<'a> = (&'a str, &'a str, Inline);

/// Asserts the error of each call.
pub fn hold<const ROWS: usize>(file: &str, rows: [Row<'_>; ROWS]) {
    let case = Case::new();
    for (text, words, told) in rows {
        case.world.home.write(file, text);
        case.run(words.split(' ')).fails(2, told);
    }
}
