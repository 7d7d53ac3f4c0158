//! `setup`: what it writes, what it leaves alone, and the way back. kubectl and
//! git are set up in `tests/clients`, where they are.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

#[path = "../support/mod.rs"]
mod support;

mod cargo;
mod docker;
mod files;
mod go;
mod kills;
mod owners;
mod printed;
mod profile;
mod terraform;
mod tools;
mod undo;

use std::path::Path;

use support::tree::Node;
use support::{Home, Issuer, ServiceUser, tree};

/// A home with a key file and nothing else.
struct Desk {
    home: Home,
    issuer: Issuer,
    user: ServiceUser,
}

const CONFIG: &str = ".config/zitadel-credential/config.toml";
const JOURNAL: &str = ".config/zitadel-credential/setup.json";
const PROFILE: &str = "[profiles.prod]\nissuer = \"ISSUER\"\nkey-file = \"~/key.json\"\n";
const COPY: &str = ".before-zitadel-credential";

impl Desk {
    fn new() -> Self {
        let (home, issuer) = (Home::new(), Issuer::start());
        let user = issuer.new_user();
        home.write("key.json", user.key_json());
        Self { home, issuer, user }
    }

    /// A desk with this config file; ISSUER stands for the issuer.
    fn with_config(toml: &str) -> Self {
        let desk = Self::new();
        let toml = toml.replace("ISSUER", &desk.issuer.url());
        desk.home.write_config(&toml);
        desk
    }

    /// Calls `setup` with these words, apart by blanks.
    fn setup(&self, words: &str) -> Outcome {
        let words = words.replace("ISSUER", &self.issuer.url());
        let mut command = self.home.zitadel(["setup"]);
        command.env("PATH", self.home.path_with_bin());
        let output = command.args(words.split(' ')).output().unwrap();
        let home = self.home.path().display().to_string();
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(&home, "~");
        Outcome {
            code: output.status.code().unwrap(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// As [`Desk::setup`], where it must succeed; what it says.
    #[track_caller]
    fn done(&self, words: &str) -> String {
        let outcome = self.setup(words);
        assert_eq!((outcome.code, &*outcome.stderr), (0, ""), "{words}");
        outcome.stdout
    }

    /// As [`Desk::setup`], where it must be refused and change nothing; why.
    #[track_caller]
    fn refused(&self, code: i32, words: &str) -> String {
        let before = self.files();
        let outcome = self.setup(words);
        assert_eq!((outcome.code, &*outcome.stdout), (code, ""), "{words}");
        assert_eq!(self.files(), before, "{words}");
        outcome.stderr
    }

    /// All files but the key's and the cache's.
    fn files(&self) -> std::collections::BTreeMap<String, Node> {
        tree(self.home.path(), &["key.json", ".cache"])
    }

    fn exists(&self, relative: &str) -> bool {
        self.home.path().join(relative).exists()
    }

    fn path(&self) -> &Path {
        self.home.path()
    }
}

struct Outcome {
    code: i32,
    stdout: String,
    stderr: String,
}
