//! `pnpm`: the line that it sends, and who gets none.

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

#[test]
fn without_a_token_there_is_no_answer() {
    let world = World::new();
    world.issuer.remove_key(&world.user.key_id);
    let refused = world.zitadel(["pnpm"]).run();
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.is_empty() && !refused.stderr.is_empty());
}

/// pnpm passes no words of its own: whatever stands there is somebody else's.
#[test]
fn a_word_that_is_no_option_gets_nothing() {
    let bait = Bait::new();
    for word in ["https://git.acme.test/", "get", "-x", "--host"] {
        bait.ask(&["pnpm", word], "").gets_nothing_but(2, "", word);
    }
}
