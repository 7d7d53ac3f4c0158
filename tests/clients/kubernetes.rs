//! Kubernetes: clients whose kubeconfig runs the binary for a token, and the results of
//! changes to that token.
//!
//! The real kube-apiserver is in `servers/kubernetes`: this one records the tokens, and
//! sends responses that a real one sends only during failures.

mod client;
pub mod cluster;
pub mod kubectl;
mod living;

use std::fs;

use client::{Client, FAILED, REFUSED};
use cluster::{Cluster, MINOR};
use serde_json::Value;

use crate::support::{Endpoint, Jwt, Running, World, binary, entry, until};

/// A change after a client's first call, and the results of its next two.
struct Flow {
    happens: fn(&Cluster),
    /// True if a library makes both calls in one process.
    in_one: bool,
    /// The results of the two calls.
    answers: fn(&Client) -> [&'static str; 2],
    /// The statuses of requests with a token, without repetitions.
    statuses: fn(&Client) -> &'static [u16],
    /// Number of tokens that the issuer issues.
    minted: usize,
    /// Number of requests to the issuer about a token.
    checked: fn(&Client) -> usize,
}

const NOTHING: Flow = Flow {
    happens: |_| {},
    in_one: false,
    answers: |_| [MINOR, MINOR],
    statuses: |_| &[200],
    minted: 0,
    checked: |_| 0,
};

const EXPIRY: Flow = Flow {
    happens: |cluster| cluster.lets_the_token_expire(),
    minted: 1,
    ..NOTHING
};

const REVOCATION: Flow = Flow {
    happens: |cluster| cluster.revokes_the_token(),
    in_one: true,
    // The switch asks twice before the call that counts, and gets a new token there.
    answers: |client| match client {
        Client::Kubectl(kubectl) if kubectl.is_switch => [MINOR, MINOR],
        _ => [REFUSED, MINOR],
    },
    statuses: |client| match client {
        Client::Kubectl(kubectl) if kubectl.is_switch => &[200],
        _ => &[401, 200],
    },
    minted: 1,
    checked: |_| 1,
};

const ROTATION: Flow = Flow {
    happens: |cluster| cluster.rotates_the_key(),
    minted: 1,
    // The new key's entry has a separate record of its last check.
    checked: |client| usize::from(client.asks_more_than_once()),
    ..NOTHING
};

const DELETION: Flow = Flow {
    happens: |cluster| {
        cluster.lets_the_token_expire();
        cluster.deletes_the_key();
    },
    answers: |client| match client {
        // The client continues without a token.
        Client::Python(_) => [REFUSED, REFUSED],
        Client::Kubectl(_) | Client::Kube(_) => [FAILED, FAILED],
    },
    statuses: |_| &[],
    ..NOTHING
};

impl Flow {
    /// Runs this with every client.
    fn with_all(&self) -> Vec<(Client, Cluster, String)> {
        let clients = Client::all().into_iter();
        clients
            .map(|client| {
                let (cluster, said) = self.with(&client, client.versions()[0]);
                (client, cluster, said)
            })
            .collect()
    }

    /// Runs this with one client, in a separate cluster. Returns that cluster, and the
    /// client's stderr.
    fn with(&self, client: &Client, version: &str) -> (Cluster, String) {
        let cluster = Cluster::new();
        let World { issuer, home, .. } = &cluster.world;
        cluster.configure(version, None);
        let first = client.calls(home, 1, false);
        assert_eq!(first.answers, [MINOR], "{client}: {}", first.said);
        assert_eq!(cluster.take_statuses(), [200], "{client}");
        assert_eq!(issuer.token_requests(), 1, "{client}");
        let minted = issuer.issued_tokens().len();
        let checked = issuer.requests(Endpoint::Userinfo);

        (self.happens)(&cluster);
        let next = client.calls(home, 2, self.in_one);
        let context = format!("{client}: {}", next.said);
        assert_eq!(next.answers, (self.answers)(client), "{context}");
        assert_eq!(
            cluster.take_statuses(),
            (self.statuses)(client),
            "{context}"
        );
        let minted = issuer.issued_tokens().len() - minted;
        assert_eq!(minted, self.minted, "{context}");
        let checked = issuer.requests(Endpoint::Userinfo) - checked;
        assert_eq!(checked, (self.checked)(client), "{context}");
        (cluster, next.said)
    }
}

#[test]
fn a_client_gets_in_and_its_next_calls_ask_the_issuer_nothing() {
    for client in Client::all() {
        for version in client.versions() {
            let (cluster, _) = NOTHING.with(&client, version);
            let checked = usize::from(client.asks_more_than_once());
            let asked = cluster.world.issuer.total_requests();
            assert_eq!(asked, 2 + checked, "{client}");
        }
    }
}

#[test]
fn an_expired_token_is_followed_by_a_fresh_one() {
    EXPIRY.with_all();
}

#[test]
fn a_token_that_was_revoked_is_followed_by_another_when_the_same_process_asks_again() {
    for (client, _, said) in REVOCATION.with_all() {
        // Without a terminal, stderr may be read as a part of the response.
        assert!(!said.contains("requesting a new one"), "{client}: {said}");
    }
}

#[test]
fn the_user_sees_that_only_the_api_server_refuses_the_token() {
    for client in Client::all() {
        if !matches!(client, Client::Kubectl(_)) {
            continue;
        }
        let cluster = Cluster::of_another_issuer();
        cluster.configure("client.authentication.k8s.io/v1", None);
        let said = client.calls(&cluster.world.home, 1, false).said;
        // It asks again after the 401, and shows only that.
        assert!(said.contains("ZITADEL accepts it"), "{client}: {said}");
        assert!(said.contains("found: an opaque token"), "{client}: {said}");
    }
}

#[test]
fn a_rotated_key_is_used_at_once_and_the_old_keys_entry_stays() {
    for (client, cluster, _) in ROTATION.with_all() {
        let World {
            issuer, home, user, ..
        } = &cluster.world;
        let key: Value = serde_json::from_str(&home.read("key.json")).unwrap();
        let assertion = issuer.last_token_request().form_value("assertion").unwrap();
        let signed_with = Jwt::parse(&assertion).unwrap().header["kid"].clone();
        assert_eq!(signed_with, key["keyId"], "{client}");
        assert_eq!(key["userId"], *user.user_id);

        let [old, new] = &issuer.issued_tokens()[..] else {
            unreachable!("two tokens, as the flow says");
        };
        let held = |key_id: &str| {
            let entries = entry::files(home, "json").into_iter();
            let mut of_key = entries.filter(|entry| entry.parent().unwrap().ends_with(key_id));
            let entry = fs::read(of_key.next().unwrap()).unwrap();
            let entry: Value = serde_json::from_slice(&entry).unwrap();
            entry["access_token"].as_str().unwrap().to_owned()
        };
        assert_eq!(held(&user.key_id), *old, "{client}");
        assert_eq!(held(key["keyId"].as_str().unwrap()), *new, "{client}");
    }
}

#[test]
fn a_deleted_key_gives_an_error_that_the_user_sees() {
    for (client, _, said) in DELETION.with_all() {
        for part in [
            "the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)",
            "is listed under its Keys and not expired",
        ] {
            assert!(said.contains(part), "{client}: {said}");
        }
    }
}

#[test]
fn a_missing_profile_gives_an_error_that_the_user_sees() {
    for client in Client::all() {
        let cluster = Cluster::new();
        cluster.configure(client.versions()[0], Some("absent"));
        let calls = client.calls(&cluster.world.home, 1, false);
        assert_ne!(calls.answers, [MINOR], "{client}");
        assert!(
            calls.said.contains("no profile named "),
            "{client}: {}",
            calls.said
        );
        assert!(cluster.take_statuses().is_empty(), "{client}");
        assert_eq!(cluster.world.issuer.total_requests(), 0, "{client}");
    }
}

/// The issuer's tokens are valid for about two seconds here.
#[test]
fn the_file_of_an_agent_lets_every_client_in_before_and_after_a_renewal() {
    for client in Client::all() {
        let cluster = Cluster::new();
        let World { issuer, home, .. } = &cluster.world;
        issuer.set_lifetime(4);
        let token = home.path().join("token");
        cluster.configure_file(&token);
        let mut command = home.command(binary());
        command.args(["agent", "--write"]).arg(&token);
        let _agent = Running::start(command);
        for _ in 0..2 {
            let held = fs::read(&token).unwrap_or_default();
            until("it is renewed", || {
                fs::read(&token).is_ok_and(|token| token != held)
            });
            let calls = client.calls(home, 1, false);
            assert_eq!(calls.answers, [MINOR], "{client}: {}", calls.said);
            assert_eq!(cluster.take_statuses(), [200], "{client}");
        }
    }
}

#[test]
fn the_clusters_extension_names_the_profile() {
    for client in Client::all() {
        for version in client.versions() {
            let cluster = Cluster::new();
            let World { issuer, home, .. } = &cluster.world;
            let user = issuer.new_user();
            home.write("staging.json", user.key_json());
            home.append_config(&format!(
                "[profiles.staging]\nissuer = \"{}\"\nkey-file = \"~/staging.json\"\n",
                issuer.url()
            ));
            cluster.configure(version, Some("staging"));
            let calls = client.calls(home, 1, false);
            assert_eq!(calls.answers, [MINOR], "{client}: {}", calls.said);
            let assertion = issuer.last_token_request().form_value("assertion").unwrap();
            let claims = Jwt::parse(&assertion).unwrap().claims;
            assert_eq!(claims["sub"], *user.user_id, "{client}");
        }
    }
}
