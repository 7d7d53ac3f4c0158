//! git's own helpers beside ours: they store our response, and not all of them know its
//! expiry.

use super::{BASIC, BEARER, Forge, gits, is_at_least, speaks_bearer};
use crate::program::{stderr_of_failure, stdout_of_success};
use crate::support::until;

const DAY: i64 = 24 * 60 * 60;

/// `credential-store` keeps no expiry in any version.
#[test]
fn a_store_before_ours_costs_one_refused_call_per_expired_token() {
    for git in gits() {
        let forge = Forge::new(&git, BASIC);
        forge.allow();
        forge.has_helpers(&["store", &forge.helper()]);
        stdout_of_success(forge.ls_remote());
        let token = forge.world.issuer.issued_tokens().remove(0);
        assert!(forge.stored().contains(&token), "in plain text");

        forge.world.pass(DAY);
        let said = stderr_of_failure(forge.ls_remote());
        assert!(said.contains("Authentication failed"), "{said}");
        assert_eq!(forge.stored(), "", "erased everywhere");
        stdout_of_success(forge.ls_remote());
        assert_eq!(forge.world.issuer.token_requests(), 2);
    }
}

#[test]
fn a_store_after_ours_is_never_asked() {
    for git in gits() {
        let forge = Forge::new(&git, BASIC);
        forge.allow();
        forge.has_helpers(&[&forge.helper(), "store"]);
        for requests in [1, 2] {
            stdout_of_success(forge.ls_remote());
            assert_eq!(forge.world.issuer.token_requests(), requests);
            forge.world.pass(DAY);
        }
    }
}

#[test]
fn a_bearer_token_is_stored_nowhere() {
    for git in gits().into_iter().filter(|git| speaks_bearer(git)) {
        let forge = Forge::new(&git, BEARER);
        forge.allow();
        forge.has_helpers(&["store", &forge.helper()]);
        stdout_of_success(forge.ls_remote());
        assert_eq!(forge.stored(), "");
        forge.world.pass(DAY);
        stdout_of_success(forge.ls_remote());
    }
}

/// git respects an expiry since 2.40; its cache returns one since then.
#[test]
fn a_cache_before_ours_is_asked_in_vain_only_where_git_is_old() {
    for git in gits() {
        let forge = Forge::new(&git, BASIC);
        forge.allow();
        forge.has_helpers(&["cache --timeout 300", &forge.helper()]);
        // The lifetime is real: the cache is another process, with a separate clock.
        forge.world.issuer.set_lifetime(5);
        stdout_of_success(forge.ls_remote());
        let token = forge.world.issuer.issued_tokens().remove(0);
        until("the token ends", || !forge.world.issuer.accepts(&token));
        forge.world.issuer.set_lifetime(DAY);

        let second = forge.ls_remote();
        if is_at_least(&git, (2, 40)) {
            stdout_of_success(second);
        } else {
            let said = stderr_of_failure(second);
            assert!(said.contains("Authentication failed"), "{said}");
            stdout_of_success(forge.ls_remote());
        }
        assert_eq!(forge.world.issuer.token_requests(), 2);
        stdout_of_success(forge.git(&["credential-cache", "exit"]));
    }
}

const STORE: &str = ".git-credentials";

impl Forge<'_> {
    /// Configures these helpers in this order, and no others.
    fn has_helpers(&self, helpers: &[&str]) {
        self.world.home.write(STORE, "");
        self.configure(&format!(
            "[credential \"https://{}\"]\nhelper =\n",
            self.gateway.host()
        ));
        for helper in helpers {
            self.configure(&format!("helper = {helper}\n"));
        }
    }

    /// Returns the content of `credential-store`.
    fn stored(&self) -> String {
        self.world.home.read(STORE)
    }
}
