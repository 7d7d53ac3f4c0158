//! The complete environment for tests of the whole binary.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::command::Command;
use super::entry;
use super::home::Home;
use super::issuer::Issuer;
use super::keys::ServiceUser;

/// A home whose default profile `test` is a service user of the issuer.
pub struct World {
    pub home: Home,
    pub issuer: Issuer,
    pub user: ServiceUser,
    pub key_file: PathBuf,
}

impl World {
    pub fn new() -> Self {
        Self::with(Issuer::start())
    }

    pub fn with(issuer: Issuer) -> Self {
        let home = Home::new();
        let user = issuer.new_user();
        let key_file = home.write("key.json", user.key_json());
        home.write_config(&format!(
            r#"default-profile = "test"

[profiles.test]
issuer = "{}"
key-file = "~/key.json"
"#,
            issuer.url()
        ));
        Self {
            home,
            issuer,
            user,
            key_file,
        }
    }

    /// Adds the host rule that gives the profile's token to `host`.
    pub fn allow(&self, host: &str) {
        self.home
            .append_config(&format!("[hosts.\"{host}\"]\nprofile = \"test\"\n"));
    }

    /// Simulates that so many seconds pass: makes every token that much older, in the
    /// cache and at the issuer.
    pub fn pass(&self, seconds: i64) {
        for entry in entry::files(&self.home, "json") {
            entry::age(&entry, seconds);
        }
        self.issuer.age_tokens(seconds);
    }

    /// Replaces the key file by a new key of the same user, and makes the issuer forget
    /// the old one.
    pub fn rotate_key(&self) -> ServiceUser {
        static ANOTHER: OnceLock<ServiceUser> = OnceLock::new();
        let another = ANOTHER.get_or_init(|| ServiceUser::with_bits(2048));
        let rotated = another.clone().with_user_id(&self.user.user_id);
        self.issuer.register(&rotated);
        self.home.write("key.json", rotated.key_json());
        self.issuer.remove_key(&self.user.key_id);
        rotated
    }

    /// Returns the binary under test, in this home.
    pub fn zitadel<I>(&self, arguments: I) -> Command
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        self.home.zitadel(arguments)
    }
}
