//! Machines of one fleet: each has its own home and cache, and all have the same key.

use std::time::{Duration, Instant};

use assert_cmd::assert::Assert;

use super::home::Home;
use super::issuer::Issuer;
use super::keys::ServiceUser;

/// Machines that share a store.
pub struct Fleet {
    pub issuer: Issuer,
    pub user: ServiceUser,
    url: String,
}

impl Fleet {
    pub fn new(url: &str) -> Self {
        let issuer = Issuer::start();
        let user = issuer.new_user();
        Self {
            issuer,
            user,
            url: url.to_owned(),
        }
    }

    /// Creates a machine with these lines in the table of the shared cache.
    pub fn machine_with(&self, lines: &str) -> Home {
        let home = Home::new();
        home.write("key.json", self.user.key_json());
        home.write_config(&format!(
            "default-profile = \"test\"\n\n[profiles.test]\nissuer = \"{}\"\nkey-file = \"~/key.json\"\n\n[profiles.test.shared]\nurl = \"{}\"\n{lines}",
            self.issuer.url(),
            self.url
        ));
        home
    }

    pub fn machine(&self) -> Home {
        self.machine_with("")
    }
}

/// Runs `token`, and returns how long it took.
pub fn token(home: &Home) -> (Assert, Duration) {
    let start = Instant::now();
    let assert = home.zitadel(["token"]).assert();
    (assert, start.elapsed())
}

/// Returns the token from `token`, which must print no message.
pub fn quiet_token(home: &Home) -> String {
    let assert = token(home).0.success().stderr("");
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}
