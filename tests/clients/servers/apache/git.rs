//! The real git at Apache.

use std::path::Path;

use super::{Apache, Asks};
use crate::git::gits;
use crate::servers::cast::Cast;
use crate::servers::person::configure_git;
use crate::support::TokenKind::{Jwt, Opaque};

fn for_each_git(test: impl Fn(&Apache, &Path)) {
    for git in gits() {
        for asks in Asks::ALL {
            let cast = Cast::new();
            let kind = match asks {
                Asks::Introspection => Opaque,
                Asks::Keys | Asks::OpenIdc => Jwt,
            };
            cast.issuer().set_token_kind(kind);
            let Some(apache) = Apache::start(&cast, asks) else {
                return;
            };
            configure_git(&apache);
            test(&apache, &git);
        }
    }
}

#[test]
fn git_clones_and_pushes_by_role() {
    for_each_git(|apache, git| {
        apache.assert_git_clones_and_pushes_by_role(git);
        apache.assert_no_secret_written();
    });
}

#[test]
fn hooks_know_the_user_and_not_the_token() {
    for_each_git(|apache, git| apache.assert_hooks_know_the_user_and_not_the_token(git));
}
