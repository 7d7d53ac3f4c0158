//! Requests without permission get no byte, and cause no request at the issuer and no
//! access to the cache or the key, for any input of the tool.
//!
//! strace watches each call in a world in which an error would return a token. Without
//! strace the calls are made unwatched; with `CI=true` that is a failure.

pub mod hosts;
mod path;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Output};

use crate::support::entry::only;
use crate::support::issuer::TokenKind;
use crate::support::trace::{Seen, watched};
use crate::support::{Run, World, binary};

/// A host with a rule.
pub const GOOD: &str = "git.acme.test";

/// A world with a valid token in its cache, a working issuer, and rules for hosts that
/// are similar to the requested ones.
pub struct Bait {
    pub world: World,
    pub token: String,
}

/// The result of a call of the bait, and the files and sockets that it used.
pub struct Call<'b> {
    pub bait: &'b Bait,
    pub seen: Option<Seen>,
    pub output: Output,
    pub requests: usize,
}

impl Bait {
    pub fn new() -> Self {
        Self::with(TokenKind::default())
    }

    pub fn with(kind: TokenKind) -> Self {
        let world = World::new();
        world.issuer.set_token_kind(kind);
        for host in [GOOD, "*.wild.test", "127.0.0.1", "[::1]"] {
            world.allow(host);
        }
        world.allow("ci.acme.test");
        world.home.append_config("username = \"ci\"\n");
        let token = world.zitadel(["token"]).run().stdout;
        let token = String::from_utf8(token).unwrap().trim_end().to_owned();
        assert!(world.issuer.accepts(&token), "{token}");
        Self { world, token }
    }

    pub fn cache(&self) -> PathBuf {
        self.world.home.path().join(".cache")
    }

    /// Calls the binary with this input on stdin.
    pub fn ask(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Call<'_> {
        self.call(arguments, &[], input.as_ref())
    }

    /// Calls the binary as kubectl does, with this value in its variable.
    pub fn kubectl(&self, info: impl AsRef<OsStr>) -> Call<'_> {
        self.call(
            &["kubectl"],
            &[("KUBERNETES_EXEC_INFO", info.as_ref())],
            b"",
        )
    }

    pub fn call(&self, arguments: &[&str], variables: &[(&str, &OsStr)], input: &[u8]) -> Call<'_> {
        let home = &self.world.home;
        let requests = self.world.issuer.total_requests();
        let watching = watched(home);
        let is_watched = watching.is_some();
        let mut command = match watching {
            Some(mut strace) => {
                strace.arg(binary());
                strace
            }
            None => home.command(binary()),
        };
        command.args(arguments).envs(variables.iter().copied());
        let (seen, output) = if is_watched {
            let seen = Seen::of(home, command, input);
            let output = seen.output.clone();
            (Some(seen), output)
        } else {
            (None, command.run_with(input))
        };
        Call {
            bait: self,
            seen,
            output,
            requests,
        }
    }
}

impl Call<'_> {
    /// Asserts that the call responded exactly with this, and accessed nothing that could
    /// contain or issue a token.
    #[track_caller]
    pub fn gets_nothing_but(&self, code: i32, stdout: &str, what: &str) -> &Self {
        let Output {
            status,
            stdout: said,
            stderr,
        } = &self.output;
        let said = String::from_utf8_lossy(said);
        assert_eq!((&*said, *status), (stdout, exited(code)), "{what}");
        let stderr = String::from_utf8_lossy(stderr);
        assert!(!stderr.contains(&self.bait.token), "{what}: {stderr}");
        let requests = self.bait.world.issuer.total_requests();
        assert_eq!(requests, self.requests, "{what}: the issuer was asked");
        let entry = fs::read_to_string(only(&self.bait.world.home)).unwrap();
        assert!(entry.contains(&self.bait.token), "{what}: it is forgotten");
        if let Some(seen) = &self.seen {
            let none: [&str; 0] = [];
            assert_eq!(seen.on(&self.bait.cache()), none, "{what}: the cache");
            assert_eq!(seen.on(&self.bait.world.key_file), none, "{what}: the key");
            assert_eq!(seen.on_sockets(), none, "{what}: a socket");
            assert_eq!(seen.starts().len(), 1, "{what}: another program");
        }
        self
    }

    /// Asserts that stderr is empty: tools show it to users.
    #[track_caller]
    pub fn silently(&self) {
        let stderr = String::from_utf8_lossy(&self.output.stderr);
        assert_eq!(stderr, "");
    }

    /// Asserts that the call responded with the cached token, without a request: this
    /// shows that the other calls could have got it.
    #[track_caller]
    pub fn gets_the_token(&self, what: &str) {
        let stdout = String::from_utf8_lossy(&self.output.stdout);
        let stderr = String::from_utf8_lossy(&self.output.stderr);
        assert!(
            stdout.contains(&self.bait.token),
            "{what}: {stdout}{stderr}"
        );
        assert_eq!(self.output.status, exited(0), "{what}");
        if let Some(seen) = &self.seen {
            assert!(!seen.on(&self.bait.cache()).is_empty(), "{what}");
            assert!(seen.on_sockets().is_empty(), "{what}");
            assert_eq!(seen.starts().len(), 1, "{what}: another program");
        }
    }
}

pub fn exited(code: i32) -> ExitStatus {
    ExitStatus::from_raw(code << 8)
}

#[test]
fn the_trace_sees_access_to_cache_key_and_network() {
    let bait = Bait::new();
    fs::remove_file(only(&bait.world.home)).unwrap();
    let cold = bait.ask(&["token"], "");
    assert_eq!(cold.output.status, exited(0));
    assert_eq!(bait.world.issuer.total_requests(), cold.requests + 2);
    if let Some(seen) = &cold.seen {
        assert!(!seen.on(&bait.cache()).is_empty());
        assert!(!seen.on(&bait.world.key_file).is_empty());
        let sockets = seen.on_sockets();
        assert!(sockets.iter().any(|call| call.contains("connect(")));
        assert_eq!(seen.starts().len(), 1, "it needs no other program");
    }
    let profile = "[profiles.vault]\nkey-command = [\"cat\", \"key.json\"]\n";
    bait.world.home.append_config(profile);
    let vault = bait.ask(&["assertion", "--profile", "vault", "--audience", "x"], "");
    assert_eq!(vault.output.status, exited(0));
    if let Some(seen) = &vault.seen {
        assert!(seen.starts().len() > 1);
    }
}
