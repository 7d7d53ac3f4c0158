//! What git does where a token ends, is revoked, or its key changes or goes.

use std::path::PathBuf;

use super::{Forge, for_each_forge};
use crate::gateway::{Seen, Shown};
use crate::program::{stderr_of_failure, stdout_of_success};
use crate::support::{Jwt, entry};

const DAY: i64 = 24 * 60 * 60;

#[test]
fn happy_git_fetches_again_and_the_issuer_is_asked_nothing() {
    for_each_forge(|forge| {
        let issuer = &forge.world.issuer;
        forge.clones();
        let asked = issuer.total_requests();
        forge.gets_in();
        assert_eq!(issuer.total_requests(), asked);
        assert_eq!(issuer.token_requests(), 1);
    });
}

#[test]
fn expired_git_is_given_a_fresh_token_before_the_server_can_refuse_the_old() {
    for_each_forge(|forge| {
        forge.clones();
        forge.world.pass(DAY);
        forge.gets_in();
        assert_eq!(forge.world.issuer.token_requests(), 2);
    });
}

#[test]
fn revoked_git_has_the_very_entry_forgotten_and_the_next_call_works() {
    for_each_forge(|forge| {
        let issuer = &forge.world.issuer;
        forge.clones();
        let refused = forge.entries();
        let other = ["token", "--scope", "openid", "--scope", "email"];
        forge.world.zitadel(other).assert().success();
        let mut kept = forge.entries();
        kept.retain(|entry| !refused.contains(entry));
        assert_eq!((refused.len(), kept.len()), (1, 1));

        issuer.revoke_all();
        let said = stderr_of_failure(forge.fetch());
        assert!(said.contains("Authentication failed"), "{said}");
        assert_eq!(forge.entries(), kept);
        assert_eq!(issuer.token_requests(), 2, "nothing is minted for an erase");

        forge.gets_in();
        assert_eq!(issuer.token_requests(), 3);
    });
}

#[test]
fn rotated_git_goes_on_with_the_new_key_and_leaves_the_old_ones_token() {
    for_each_forge(|forge| {
        let issuer = &forge.world.issuer;
        forge.clones();
        let old = forge.entries();
        let rotated = forge.world.rotate_key();
        // Real servers go on taking it, so that a use of it would not show.
        issuer.revoke_all();

        forge.gets_in();
        assert_eq!(issuer.token_requests(), 2);
        let assertion = issuer.last_token_request().form_value("assertion").unwrap();
        let header = Jwt::parse(&assertion).unwrap().header;
        assert_eq!(header["kid"], *rotated.key_id);
        let entries = forge.entries();
        assert_eq!(entries.len(), 2);
        assert!(entries.contains(&old[0]), "nobody asked to forget it");
    });
}

#[test]
fn deleted_git_says_why_there_is_no_token_and_asks_for_no_password() {
    for_each_forge(|forge| {
        let key_id = &forge.world.user.key_id;
        forge.clones();
        forge.world.issuer.remove_key(key_id);
        // A token outlives the key that got it.
        forge.gets_in();

        forge.world.pass(DAY);
        let said = stderr_of_failure(forge.fetch());
        assert!(said.contains("zitadel-credential: error: "), "{said}");
        assert!(said.contains("the issuer refused the assertion"), "{said}");
        assert!(said.contains(key_id), "{said}");
        assert!(said.contains("told us to quit"), "{said}");
        assert!(!said.contains("terminal prompts disabled"), "{said}");
        assert_eq!(forge.gateway.take_shown(), [Shown::Nothing]);
    });
}

impl Forge<'_> {
    /// Fetches, and no token that it shows is refused. Before a username and
    /// password, curl tries without.
    fn gets_in(&self) {
        self.gateway.take_seen();
        stdout_of_success(self.fetch());
        let (asked, shown): (Vec<_>, Vec<_>) = self
            .gateway
            .take_seen()
            .into_iter()
            .partition(|seen| seen.shown == Shown::Nothing);
        assert!(asked.iter().all(|seen| seen.status == 401), "{asked:?}");
        let got_in = Seen {
            shown: self.best(),
            status: 200,
        };
        assert!(shown.contains(&got_in));
        assert!(shown.iter().all(|seen| *seen == got_in), "{shown:?}");
    }

    fn entries(&self) -> Vec<PathBuf> {
        entry::files(&self.world.home, "json")
    }
}
