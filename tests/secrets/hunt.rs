//! Runs every command with maximum output, and searches all its traces.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rsa::PrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use serde_json::Value;

use crate::commands::{EXEC_DUMP, NEW_KEYS, WRITTEN, rows, uses_key};
use crate::needles::Needles;
use crate::support::tools::{Row, Shows};
use crate::support::{Endpoint, Running, ServiceUser, World, binary};

/// Writes down everything that a child process can see of the binary.
const DUMP: &str =
    "#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ /proc/$PPID/cmdline > \"$1\"\n";

/// A world, its secrets, and its home's former files.
pub struct Hunt {
    pub world: World,
    /// Additional arguments of each call, before the command.
    pub arguments: Vec<OsString>,
    pub environment: Vec<(&'static str, OsString)>,
    /// A text that stderr may contain once: the output of a key-command.
    pub let_through: Option<String>,
    /// A text that `exec`'s environment contains wherever its caller set it.
    pub inherited: Option<String>,
    /// Replaces the tool's request.
    pub input: Option<String>,
    /// True to run lists and reports in text and JSON too, if their default format is not
    /// enough.
    pub in_each_form: bool,
    needles: Needles,
    before: HashMap<PathBuf, Vec<u8>>,
    seen: (usize, usize),
}

impl Hunt {
    pub fn in_world(world: World) -> Self {
        world
            .home
            .append_config("[hosts.\"git.acme.dev\"]\nprofile = \"test\"\n");
        let dump = world.home.write("dump", DUMP);
        fs::set_permissions(dump, PermissionsExt::from_mode(0o700)).unwrap();
        fs::create_dir(world.home.path().join("tmp")).unwrap();
        world.home.write("rotated.json", world.user.key_json());
        let needles = Needles::of_the_shared_key(&world.user);
        Self {
            world,
            arguments: Vec::new(),
            environment: Vec::new(),
            let_through: None,
            inherited: None,
            input: None,
            in_each_form: false,
            needles,
            before: HashMap::new(),
            seen: (0, 0),
        }
    }

    pub fn new() -> Self {
        Self::in_world(World::new())
    }

    /// Adds another secret, as it is written.
    pub fn hide(&mut self, secret: &str) {
        self.needles.add_token(secret);
    }

    /// Runs all commands. Returns the number of expected responses.
    pub fn run(&mut self) -> usize {
        self.run_by(|command| command)
    }

    /// Runs all commands through another program.
    pub fn run_by(&mut self, way: impl Fn(Command) -> Command) -> usize {
        self.run_rows(|_| true, way)
    }

    /// Runs the commands that use the key or ask the issuer.
    pub fn run_with_key(&mut self) -> usize {
        self.run_rows(uses_key, |command| command)
    }

    /// Runs only the command of these words.
    pub fn run_only(&mut self, words: &str) -> usize {
        self.run_rows(|row| row.words == words, |command| command)
    }

    fn run_rows(
        &mut self,
        choice: impl Fn(&Row) -> bool,
        way: impl Fn(Command) -> Command,
    ) -> usize {
        self.before = files(self.world.home.path());
        let in_each_form = self.in_each_form;
        let rows = rows().filter(|row| in_each_form || !is_other_form(row));
        let rows = rows.filter(|row| choice(row));
        rows.filter(|row| self.shows(row, &way)).count()
    }

    fn shows(&mut self, row: &Row, way: &impl Fn(Command) -> Command) -> bool {
        let tokens = self.world.issuer.issued_tokens();
        let last = tokens.last().map_or("none", String::as_str);
        let words = row.words.replace("ISSUER", &self.world.issuer.url());
        let mut command = self.world.home.command(binary());
        command
            .args(&self.arguments)
            .args(["-vv", "--timeout", "2"])
            .args(words.split(' ').map(|word| word.replace('␣', " ")))
            .env("TMPDIR", self.world.home.path().join("tmp"))
            .env("ZITADEL_CREDENTIAL_LOG", "debug")
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "full")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        let input = self.input.as_deref().unwrap_or(row.input);
        let input = input.replace("TOKEN", last);
        let output = Running::start_with(way(command), &input).output();
        self.learn(row, &output);
        self.search(row, &output)
    }

    /// Adds the secrets that are new since the last call.
    fn learn(&mut self, row: &Row, output: &Output) {
        let asked = self.world.issuer.log(Endpoint::Token);
        let tokens = self.world.issuer.issued_tokens();
        for request in &asked[self.seen.0..] {
            // A client secret's request has no assertion.
            if let Some(assertion) = request.form_value("assertion") {
                self.needles.add_token(&assertion);
            }
        }
        for token in &tokens[self.seen.1..] {
            self.needles.add_token(token);
        }
        self.seen = (asked.len(), tokens.len());
        for name in NEW_KEYS {
            self.learn_key(self.world.home.path().join(name));
        }
        if row.shows == Shows::Assertion {
            self.needles
                .add_token(std::str::from_utf8(&output.stdout).unwrap().trim());
        }
    }

    /// Adds the private key in a command's new file, which only its owner may read.
    fn learn_key(&mut self, path: PathBuf) {
        let Ok(content) = fs::read(&path) else { return };
        if self.before.get(&path) == Some(&content) {
            return;
        }
        let file: Value = serde_json::from_slice(&content).unwrap();
        let private = PrivateKey::from_pkcs1_pem(file["key"].as_str().unwrap()).unwrap();
        self.needles.add_key(&ServiceUser {
            private,
            ..self.world.user.clone()
        });
        let mode = path.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
        self.before.insert(path, content);
    }

    /// Searches the output of a command, and returns true if it showed its secret; only
    /// one place may show it.
    fn search(&self, row: &Row, output: &Output) -> bool {
        let world = &self.world;
        let words = row.words;
        let tokens = world.issuer.issued_tokens();
        let stdout = String::from_utf8_lossy(&output.stdout);
        let shown = match row.shows {
            Shows::Nothing => None,
            Shows::Assertion => Some(stdout.trim()),
            Shows::Token | Shows::Jwt => tokens
                .iter()
                .map(String::as_str)
                .find(|token| stdout.contains(*token)),
        };
        let shown = shown.filter(|shown| !shown.is_empty());
        let rest = shown.map_or(stdout.to_string(), |shown| stdout.replacen(shown, "", 1));
        self.nowhere_in(rest.as_bytes(), &format!("stdout of {words}"));

        let stderr = String::from_utf8_lossy(&output.stderr);
        let rest = match &self.let_through {
            Some(text) => stderr.replacen(text, "", 1),
            None => stderr.into_owned(),
        };
        self.nowhere_in(rest.as_bytes(), &format!("stderr of {words}"));

        for (path, content) in files(world.home.path()) {
            if self.before.get(&path) == Some(&content) {
                continue;
            }
            let relative = path.strip_prefix(world.home.path()).unwrap();
            let place = format!("{} after {words}", relative.display());
            self.nowhere_in(relative.as_os_str().as_encoded_bytes(), &place);
            let text = String::from_utf8_lossy(&content);
            let held = tokens.iter().find(|token| text.contains(*token));
            let rest = match held {
                Some(token) if may_hold_a_token(relative) => {
                    let mode = path.metadata().unwrap().mode() & 0o777;
                    assert!(
                        mode == 0o600 || relative == Path::new(EXEC_DUMP),
                        "{place}: {mode:o}"
                    );
                    text.replacen(token, "", 1)
                }
                _ => text.into_owned(),
            };
            let rest = match &self.inherited {
                Some(text) if relative == Path::new(EXEC_DUMP) => rest.replace(text, ""),
                _ => rest,
            };
            self.nowhere_in(rest.as_bytes(), &place);
        }
        shown.is_some()
    }

    fn nowhere_in(&self, bytes: &[u8], place: &str) {
        let found = self.needles.find_in_text(bytes);
        assert_eq!(found, None, "in {place}");
    }
}

/// True for a list or report in a selected format.
fn is_other_form(row: &Row) -> bool {
    let has_form = |form: &str| row.words.ends_with(&format!(" --output {form}"));
    row.shows == Shows::Nothing && ["text", "json"].into_iter().any(has_form)
}

/// True for the entry and the file beside it, the requested file, and the environment of
/// `exec`'s command: only their owner may read them.
fn may_hold_a_token(relative: &Path) -> bool {
    let entries = Path::new(".cache/zitadel-credential/v1");
    let is_entry = relative.parent().and_then(Path::parent) == Some(entries)
        && relative
            .extension()
            .is_some_and(|extension| extension == "json" || extension == "token");
    is_entry || relative == Path::new(WRITTEN) || relative == Path::new(EXEC_DUMP)
}

/// Returns all files below a directory.
fn files(directory: &Path) -> HashMap<PathBuf, Vec<u8>> {
    let mut found = HashMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let meta = path.symlink_metadata().unwrap();
        if meta.is_dir() {
            found.extend(files(&path));
        } else if meta.is_file() {
            let content = fs::read(&path).unwrap();
            found.insert(path, content);
        }
    }
    found
}
