//! skopeo and docker after a token expires or is revoked, or after its key is replaced or
//! removed.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{IMAGE, Store, at_gate};
use crate::gateway::{Seen, Shown};
use crate::program::{client, output, output_of, stderr_of_failure, stdout_of_success};
use crate::support::{Jwt, entry};

const DAY: i64 = 24 * 60 * 60;

#[test]
fn an_expired_token_is_followed_by_a_fresh_one_before_the_registry_can_refuse_it() {
    for_each_reader(|store, read| {
        store.world.pass(DAY);
        store.lets_in(read());
        assert_eq!(store.world.issuer.token_requests(), 2);
    });
}

/// Neither reports a refusal to the helper: only `docker logout` erases.
#[test]
fn a_revoked_token_is_refused_until_it_is_forgotten() {
    let docker = client("docker");
    let test = |store: &Store, read: &dyn Fn() -> Command| {
        let issuer = &store.world.issuer;
        issuer.revoke_all();
        for _ in 0..2 {
            stderr_of_failure(read());
            assert_eq!(issuer.token_requests(), 1);
        }
        assert_eq!(store.entries().len(), 1);

        let helper = store.world.home.link("docker-credential-zitadel");
        let host = store.gateway.host();
        let forgot = output_of(store.command(&helper, &["erase"]), host.as_bytes());
        assert!(forgot.status.success());
        assert_eq!(store.entries(), [] as [PathBuf; 0]);
        store.lets_in(read());
        assert_eq!(issuer.token_requests(), 2);
    };
    for program in [None, docker.as_deref()] {
        let Some(store) = Store::new() else {
            return;
        };
        store.has_a_reader(program, test);
    }
}

#[test]
fn a_rotated_key_is_used_at_once_and_the_old_keys_entry_is_not() {
    for_each_reader(|store, read| {
        let issuer = &store.world.issuer;
        let old = store.entries();
        let rotated = store.world.rotate_key();
        // Real registries still accept the token, so that its use would not show.
        issuer.revoke_all();
        store.lets_in(read());
        assert_eq!(issuer.token_requests(), 2);
        let assertion = issuer.last_token_request().form_value("assertion").unwrap();
        let header = Jwt::parse(&assertion).unwrap().header;
        assert_eq!(header["kid"], *rotated.key_id);
        let entries = store.entries();
        assert_eq!(entries.len(), 2);
        assert!(entries.contains(&old[0]), "nobody asked to forget it");
    });
}

#[test]
fn a_deleted_key_gives_an_error_and_no_token_is_sent() {
    for_each_reader(|store, read| {
        store.world.issuer.remove_key(&store.world.user.key_id);
        // A token stays valid after its key is removed.
        store.lets_in(read());

        store.world.pass(DAY);
        store.gateway.take_seen();
        let failed = output(read());
        assert!(!failed.status.success());
        let said = String::from_utf8(failed.stderr).unwrap();
        assert!(said.contains("the issuer refused the assertion"), "{said}");
        let shown = store.gateway.take_shown();
        assert!(shown.iter().all(|s| *s == Shown::Nothing), "{shown:?}");
    });
}

/// Runs a test for skopeo and for docker, each after a successful call, at the registry
/// of `docs/servers.md`.
fn for_each_reader(test: impl Fn(&Store, &dyn Fn() -> Command)) {
    let docker = client("docker");
    for program in [None, docker.as_deref()] {
        at_gate(|store| store.has_a_reader(program, &test));
    }
}

impl Store {
    fn has_a_reader(&self, docker: Option<&Path>, test: impl Fn(&Self, &dyn Fn() -> Command)) {
        self.allow();
        self.pushes();
        let read = || self.reads(docker);
        stdout_of_success(read());
        assert_eq!(self.world.issuer.token_requests(), 1);
        test(self, &read);
    }

    /// Returns the command by which docker, or else skopeo, reads the manifest.
    fn reads(&self, docker: Option<&Path>) -> Command {
        let image = format!("{}/{IMAGE}", self.gateway.host());
        docker.map_or_else(
            || self.inspect(),
            |docker| self.docker(docker, &["manifest", "inspect", &image]),
        )
    }

    /// Asserts that the command succeeds, and that no token of it is refused.
    fn lets_in(&self, command: Command) {
        self.gateway.take_seen();
        stdout_of_success(command);
        let mut shown = self.gateway.take_seen();
        shown.retain(|seen| seen.shown != Shown::Nothing);
        let got_in = Seen {
            shown: Shown::Basic("ci".to_owned()),
            status: 200,
        };
        assert!(shown.contains(&got_in));
        assert!(shown.iter().all(|seen| *seen == got_in), "{shown:?}");
    }

    fn entries(&self) -> Vec<PathBuf> {
        entry::files(&self.world.home, "json")
    }
}
