//! git after a token expires or is revoked, or after its key is replaced or removed.

use std::fs;
use std::path::PathBuf;

use super::{BEARER, BOTH, Forge, for_each_forge, for_each_own_forge, gits, speaks_bearer};
use crate::gateway::{Seen, Shown};
use crate::program::{stderr_of_failure, stdout_of_success};
use crate::support::{Endpoint, Jwt, Run, entry};

const DAY: i64 = 24 * 60 * 60;

#[test]
fn happy_git_fetches_again_and_the_issuer_is_asked_nothing() {
    for_each_forge(|forge| {
        let issuer = &forge.world.issuer;
        forge.clones();
        // The server may ask about the token.
        let asked = || issuer.total_requests() - issuer.requests(Endpoint::Introspection);
        let before = asked();
        forge.gets_in();
        assert_eq!(asked(), before);
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
fn revoked_git_doubts_only_its_entry_and_the_next_call_works() {
    for_each_own_forge(|forge| {
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
        assert_eq!(issuer.token_requests(), 2, "nothing is minted for an erase");
        let doubted = |entry: &PathBuf| fs::read_to_string(entry).unwrap().contains("doubted");
        assert!(doubted(&refused[0]) && !doubted(&kept[0]));

        forge.gets_in();
        assert_eq!(issuer.token_requests(), 3);
        assert!(!doubted(&refused[0]));
        assert_eq!(issuer.requests(Endpoint::Userinfo), 1);
    });
}

/// A repository that refuses a valid token makes no other one lose its token.
#[test]
fn forbidden_git_keeps_its_token() {
    for_each_own_forge(|forge| {
        let issuer = &forge.world.issuer;
        let forbidden = format!("https://{}/forbidden.git", forge.gateway.host());
        for _ in 0..5 {
            stdout_of_success(forge.ls_remote());
            let said = stderr_of_failure(forge.git(&["ls-remote", &forbidden]));
            assert!(said.contains("Authentication failed"), "{said}");
        }
        stdout_of_success(forge.ls_remote());
        assert_eq!(issuer.token_requests(), 1);
        assert_eq!(issuer.requests(Endpoint::Userinfo), 1);
    });
}

/// A git that sends a login unasked does not learn that the server accepts only Bearer.
#[test]
fn proactive_git_at_a_server_for_bearer_mints_once() {
    for git in gits() {
        let forge = Forge::new(&git, BEARER);
        forge.allow();
        forge.configure("[http]\nproactiveAuth = auto\n");
        for _ in 0..4 {
            // A git before 2.46 cannot log in at all.
            let _ = forge.ls_remote().run();
        }
        assert!(!forge.gateway.take_seen().is_empty());
        assert_eq!(forge.world.issuer.token_requests(), 1);
        assert!(forge.world.issuer.requests(Endpoint::Userinfo) <= 1);
        forge.world.home.append_config("auth = \"bearer\"\n");
        if forge.best() == Shown::Bearer {
            stdout_of_success(forge.ls_remote());
        }
        assert_eq!(forge.world.issuer.token_requests(), 1);
    }
}

/// With Bearer, git 2.47 sends the probe before a large push without a token.
#[test]
fn git_pushes_more_than_its_buffer_as_documented() {
    for git in gits() {
        for (offers, rule, lines) in [
            (BOTH, "", ""),
            (BEARER, "", "[http]\npostBuffer = 500M\n"),
            (BOTH, "auth = \"bearer\"\n", "[http]\npostBuffer = 500M\n"),
        ] {
            if offers == BEARER && !speaks_bearer(&git) {
                continue;
            }
            let forge = Forge::new(&git, offers);
            forge.allow();
            forge.world.home.append_config(rule);
            forge.configure(lines);
            stdout_of_success(forge.git(&["init", "here"]));
            let mut large = vec![0_u8; 3 << 20];
            getrandom::fill(&mut large).unwrap();
            forge.world.home.write("here/large", large);
            for arguments in [
                ["-C", "here", "add", "large"].as_slice(),
                &["-C", "here", "commit", "-m", "a large file"],
                &["-C", "here", "push", &forge.url(), "main"],
            ] {
                stdout_of_success(forge.git(arguments));
            }
        }
    }
}

#[test]
fn rejected_git_forgets_the_hosts_token() {
    for_each_forge(|forge| {
        stdout_of_success(forge.ls_remote());
        let host = format!("url=https://{}\n\n", forge.gateway.host());
        forge.git(&["credential", "reject"]).run_with(host);
        assert!(forge.entries().is_empty());
        stdout_of_success(forge.ls_remote());
        assert_eq!(forge.world.issuer.token_requests(), 2);
    });
}

#[test]
fn rotated_git_goes_on_with_the_new_key_and_leaves_the_old_ones_token() {
    for_each_forge(|forge| {
        let issuer = &forge.world.issuer;
        forge.clones();
        let old = forge.entries();
        let rotated = forge.world.rotate_key();
        // Real servers still accept the token, so that its use would not show.
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
        // A token stays valid after its key is removed.
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
    /// Fetches, and asserts that no token of it is refused. Before a username and
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
