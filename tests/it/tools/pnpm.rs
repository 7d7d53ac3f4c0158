//! `pnpm`: the line that it sends, and the refused hosts.

use crate::negative::Bait;
use crate::support::{Run, World};

const LINK: &str = "pnpm-credential-zitadel";

#[test]
fn the_answer_is_a_header_that_the_issuer_accepts() {
    let world = World::new();
    let ask = || world.home.command(world.home.link(LINK)).run();
    let answer = ask();
    assert!(answer.status.success() && answer.stderr.is_empty());
    let line = String::from_utf8(answer.stdout).unwrap();
    let token = line.strip_prefix("Bearer ").unwrap();
    assert!(world.issuer.accepts(token.strip_suffix('\n').unwrap()));
    assert_eq!(ask().stdout, line.as_bytes());
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn an_option_names_the_profile() {
    let world = World::new();
    let known = world.zitadel(["pnpm", "--profile", "test"]).run();
    assert!(known.status.success(), "{known:?}");
    let unknown = world.zitadel(["pnpm", "--profile", "other"]).run();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(unknown.stdout.is_empty());
}

/// pnpm passes no words of its own: any word is from somewhere else.
#[test]
fn a_word_other_than_an_option_gets_nothing() {
    let bait = Bait::new();
    for word in ["https://git.acme.test/", "get", "-x", "--host"] {
        bait.ask(&["pnpm", word], "").gets_nothing_but(2, "", word);
    }
}
