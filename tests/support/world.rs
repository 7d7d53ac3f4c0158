//! All that a test of the whole binary needs, made ready.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::home::Home;
use super::issuer::Issuer;
use super::keys::ServiceUser;

/// A home whose default profile `test` is a service user that the issuer knows.
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

    /// Adds the host rule that lets `host` have the profile's token.
    pub fn allow(&self, host: &str) {
        self.home
            .append_config(&format!("[hosts.\"{host}\"]\nprofile = \"test\"\n"));
    }

    /// The binary under test, in this home.
    pub fn zitadel<I>(&self, arguments: I) -> assert_cmd::Command
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        self.home.zitadel(arguments)
    }
}
