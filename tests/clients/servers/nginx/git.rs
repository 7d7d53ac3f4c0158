//! The real git, with the binary as its helper.

use std::path::Path;

use super::{Asks, Nginx};
use crate::git::{gits, speaks_bearer};
use crate::program::{stderr_of_failure, stdout_of_success};
use crate::servers::cast::{Cast, Who};
use crate::servers::person::{Person, configure_git};
use crate::support::TokenKind::{Jwt, Opaque};
use crate::support::{Ca, Trouble, entry};

impl Nginx<'_> {
    /// Makes nginx trust this authority, and no other.
    pub fn trust(&self, ca: &Ca) {
        self.files
            .write("/etc/ssl/certs/ca-certificates.crt", &ca.pem());
        self.reload();
        crate::support::until("nginx has reloaded", || {
            self.error_log().contains("gracefully shutting down")
        });
    }
}

fn for_each_git(test: impl Fn(&Nginx, &Path)) {
    for git in gits() {
        for asks in Asks::BOTH {
            for kind in [Jwt, Opaque] {
                let cast = Cast::new();
                cast.issuer().set_token_kind(kind);
                let Some(nginx) = Nginx::with_git(&cast, asks) else {
                    return;
                };
                nginx.create_repository();
                configure_git(&nginx);
                test(&nginx, &git);
            }
        }
    }
}

#[test]
fn git_clones_and_pushes_by_role() {
    for_each_git(|nginx, git| {
        nginx.assert_git_clones_and_pushes_by_role(git);
        nginx.assert_no_secret_written("git");
    });
}

/// The gate offers only Basic, and accepts Bearer too.
#[test]
fn git_gets_in_with_bearer_if_its_rule_says_so() {
    for_each_git(|nginx, git| {
        if !speaks_bearer(git) {
            return;
        }
        nginx.cast.world.home.append_config("auth = \"bearer\"\n");
        let who = Who::Deployer;
        let deployer = Person {
            gate: nginx,
            git,
            who,
        };
        deployer.clones("deployer");
        deployer.commits("deployer", "a change");
        stdout_of_success(deployer.push("deployer"));
        nginx.assert_no_secret_written("git");
    });
}

/// A user's own gate may offer Bearer as well, as products do.
#[test]
fn git_pushes_more_than_its_buffer_at_a_gate_that_offers_both() {
    const GATE: &str = "/etc/nginx/zitadel/gate.conf";
    const BASIC: &str = "    add_header WWW-Authenticate 'Basic ";
    for git in gits() {
        for bearer in [
            format!("    add_header WWW-Authenticate 'Bearer realm=\"x\"' always;\n{BASIC}"),
            BASIC.replace('\'', "'Bearer realm=\"x\", "),
        ] {
            let cast = Cast::new();
            let Some(mut nginx) = Nginx::with_git_files(&cast, Asks::Introspection) else {
                return;
            };
            let gate = std::fs::read_to_string(nginx.files.path(GATE)).unwrap();
            assert!(gate.contains(BASIC));
            nginx.files.write(GATE, &gate.replace(BASIC, &bearer));
            let Some(()) = nginx.start() else {
                return;
            };
            nginx.create_repository();
            configure_git(&nginx);
            nginx.assert_git_clones_and_pushes_by_role(&git);
        }
    }
}

#[test]
fn hooks_know_the_user_and_not_the_token() {
    for_each_git(|nginx, git| nginx.assert_hooks_know_the_user_and_not_the_token(git));
}

#[test]
fn git_keeps_its_token_while_zitadel_is_down_and_gets_in_again() {
    for_each_git(|nginx, git| {
        let who = Who::Deployer;
        let deployer = Person {
            gate: nginx,
            git,
            who,
        };
        let issuer = nginx.cast.issuer();
        let token = nginx.cast.world.zitadel(["token"]).run();
        assert!(token.status.success());
        let kept = entry::files(&nginx.cast.world.home, "json");
        issuer.set_trouble(Trouble::DatabaseDown);
        let said = stderr_of_failure(deployer.git(&["ls-remote", &nginx.url("/app.git")]));
        assert!(
            said.contains("The requested URL returned error: 500"),
            "{said}"
        );
        assert_eq!(entry::files(&nginx.cast.world.home, "json"), kept);
        issuer.set_trouble(None);
        deployer.clones("deployer");
        assert_eq!(issuer.token_requests(), 1);
    });
}

#[test]
fn git_of_a_deactivated_user_is_refused() {
    for_each_git(|nginx, git| nginx.assert_git_of_a_deactivated_user_is_refused(git));
}
