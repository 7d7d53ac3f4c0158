//! `setup`: its changes, the files that it keeps, and the undo. The tests with the real
//! kubectl and git are in `tests/clients`.

mod all;
mod attacked;
mod cut_off;
mod files;
mod kills;
mod logins;
mod owners;
mod profile;
mod tools;
mod trial;
mod undo;
mod wizard;
mod wrong_answers;

use std::path::Path;

use crate::support::tree::Node;
use crate::support::{Home, Issuer, ServiceUser, tree};

/// A home with only a key file.
pub struct Fixture {
    pub home: Home,
    pub issuer: Issuer,
    pub user: ServiceUser,
}

pub const CONFIG: &str = ".config/zitadel-credential/config.toml";
pub const JOURNAL: &str = ".config/zitadel-credential/setup.json";
pub const PROFILE: &str = "[profiles.prod]\nissuer = \"ISSUER\"\nkey-file = \"~/key.json\"\n";
pub const BACKUP: &str = ".before-zitadel-credential";

impl Fixture {
    pub fn new() -> Self {
        let (home, issuer) = (Home::new(), Issuer::start());
        let user = issuer.new_user();
        home.write("key.json", user.key_json());
        Self { home, issuer, user }
    }

    /// Returns a fixture with this config file; ISSUER is replaced by the issuer.
    pub fn with_config(toml: &str) -> Self {
        let fixture = Self::new();
        let toml = toml.replace("ISSUER", &fixture.issuer.url());
        fixture.home.write_config(&toml);
        fixture
    }

    /// Calls `setup` with these words, separated by spaces.
    pub fn setup(&self, words: &str) -> Outcome {
        let words = words.replace("ISSUER", &self.issuer.url());
        let mut command = self.home.zitadel(["setup"]);
        command.env("PATH", self.home.path_with_bin());
        let output = command.args(words.split(' ')).run();
        let home = self.home.path().display().to_string();
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(&home, "~");
        Outcome {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Calls [`Fixture::setup`], which must succeed. Returns its output.
    #[track_caller]
    pub fn done(&self, words: &str) -> String {
        let outcome = self.setup(words);
        assert_eq!((outcome.code, &*outcome.stderr), (0, ""), "{words}");
        outcome.stdout
    }

    /// Calls [`Fixture::setup`], which must refuse and change nothing. Returns the error.
    #[track_caller]
    pub fn refused(&self, code: i32, words: &str) -> String {
        let before = self.files();
        let outcome = self.setup(words);
        assert_eq!((outcome.code, &*outcome.stdout), (code, ""), "{words}");
        assert_eq!(self.files(), before, "{words}");
        outcome.stderr
    }

    /// Returns all files but the key's and the cache's.
    pub fn files(&self) -> std::collections::BTreeMap<String, Node> {
        tree(self.home.path(), &["key.json", ".cache"])
    }

    pub fn exists(&self, relative: &str) -> bool {
        self.home.path().join(relative).exists()
    }

    pub fn path(&self) -> &Path {
        self.home.path()
    }
}

pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}
