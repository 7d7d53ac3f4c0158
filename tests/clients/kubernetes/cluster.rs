//! A cluster that accepts only requests with a token that the issuer accepts, and a
//! kubeconfig whose user is the binary.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::gateway::{Gateway, Scheme, Shown};
use crate::support::http::Response;
use crate::support::{Ca, Issuer, World, binary, entry};

/// The server's version, which identifies its responses.
pub const MINOR: &str = "33";

/// The lifetime of the issuer's tokens.
const TWELVE_HOURS: i64 = 43_200;

pub struct Cluster {
    pub world: World,
    pub gateway: Gateway,
    ca: Ca,
}

impl Cluster {
    pub fn new() -> Self {
        let world = World::new();
        let issuer = world.issuer.clone();
        Self::of(world, &issuer)
    }

    /// Creates a cluster that accepts another issuer's tokens.
    pub fn of_another_issuer() -> Self {
        Self::of(World::new(), &Issuer::start())
    }

    fn of(world: World, issuer: &Issuer) -> Self {
        let ca = Ca::new();
        let version = json!({
            "major": "1",
            "minor": MINOR,
            "gitVersion": "v1.33.0",
            "gitCommit": "",
            "gitTreeState": "clean",
            "buildDate": "2025-04-23T00:00:00Z",
            "goVersion": "go1.24.2",
            "compiler": "gc",
            "platform": "linux/amd64",
        });
        let gateway = Gateway::start(&ca, issuer, &[Scheme::Bearer], move |request| match request
            .path()
            .trim_end_matches('/')
        {
            "/version" => Response::json(200, &version),
            _ => Response::json(404, &json!({ "kind": "Status" })),
        });
        Self { world, gateway, ca }
    }

    pub const fn ca(&self) -> &Ca {
        &self.ca
    }

    /// Writes the kubeconfig of a user whose `exec` entry is the binary. A profile is in
    /// the cluster's extension and is passed on.
    pub fn configure(&self, version: &str, profile: Option<&str>) {
        let extensions: Vec<Value> = profile
            .map(|profile| {
                json!({
                    "name": "client.authentication.k8s.io/exec",
                    "extension": { "profile": profile },
                })
            })
            .into_iter()
            .collect();
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "test", "cluster": {
                "server": format!("https://{}", self.gateway.host()),
                "certificate-authority-data": BASE64_STANDARD.encode(self.ca.pem()),
                "extensions": extensions,
            } }],
            "users": [{ "name": "test", "user": { "exec": {
                "apiVersion": version,
                "command": binary(),
                "args": ["kubectl"],
                "interactiveMode": "Never",
                "provideClusterInfo": profile.is_some(),
            } } }],
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
            "current-context": "test",
        });
        self.world.home.write(".kube/config", config.to_string());
    }

    /// Writes a kubeconfig whose user's token is in a file.
    pub fn configure_file(&self, token: &Path) {
        self.configure("client.authentication.k8s.io/v1", None);
        let config = self.world.home.read(".kube/config");
        let mut config: Value = serde_json::from_str(&config).unwrap();
        config["users"][0]["user"] = json!({ "tokenFile": token });
        self.world.home.write(".kube/config", config.to_string());
    }

    /// Lets time pass: by our clock for the entry, by the issuer's for the token.
    pub fn lets_the_token_expire(&self) {
        entry::age(&entry::only(&self.world.home), TWELVE_HOURS);
        self.world.issuer.revoke_all();
    }

    /// Revokes the token a while after the last check.
    pub fn revokes_the_token(&self) {
        entry::age_check(&entry::only(&self.world.home));
        self.world.issuer.revoke_all();
    }

    /// Replaces the key by another one of the same user, here and at the issuer; tokens
    /// of the old key are no longer valid.
    pub fn rotates_the_key(&self) {
        self.world.rotate_key();
        self.world.issuer.revoke_all();
    }

    /// Removes the cluster's first key.
    pub fn deletes_the_key(&self) {
        self.world.issuer.remove_key(&self.world.user.key_id);
    }

    /// Returns the statuses of requests with a token since the last call, without
    /// repetitions, in their order.
    pub fn take_statuses(&self) -> Vec<u16> {
        let mut statuses = Vec::new();
        for seen in self.gateway.take_seen() {
            if seen.shown == Shown::Bearer && !statuses.contains(&seen.status) {
                statuses.push(seen.status);
            }
        }
        statuses
    }
}
