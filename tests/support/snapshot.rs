//! Calls of the binary as the user sees them: the exit code, stdout to the byte, and
//! stderr as a snapshot in the test.
//!
//! Each call is also checked for results that are always wrong: a hang, a panic, a
//! control character on the terminal, part of a secret.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::time::{Duration, Instant};

use snapbox::{Assert, Data, Redactions};

use super::command::Command;
use super::issuer::{Endpoint, Issuer};
use super::world::World;

/// A call that takes longer hangs: the longest `--timeout` is its default, 30 s.
const PATIENCE: Duration = Duration::from_secs(40);

/// A part of a secret that is this long counts as a leak.
const PIECE: usize = 16;

/// A world, the texts that change in it from run to run, and those that must never be
/// shown.
pub struct Case {
    pub world: World,
    redactions: RefCell<Redactions>,
    secrets: RefCell<Vec<String>>,
}

impl Case {
    pub fn new() -> Self {
        Self::with(World::new())
    }

    pub fn with(world: World) -> Self {
        let case = Self {
            redactions: RefCell::default(),
            secrets: RefCell::default(),
            world,
        };
        let World {
            home, issuer, user, ..
        } = &case.world;
        case.hide("[HOME]", home.path().display().to_string());
        case.hide("[ISSUER]", issuer.url());
        case.hide("[KEY_ID]", user.key_id.clone());
        case.hide("[USER_ID]", user.user_id.clone());
        case.guard(&user.pkcs1_pem());
        case.guard(&user.pkcs8_pem());
        case
    }

    /// Creates a case whose only profile, `test`, has these lines.
    pub fn with_profile(lines: &str) -> Self {
        let case = Self::new();
        case.profile(lines);
        case
    }

    /// Replaces the lines of the profile `test`.
    pub fn profile(&self, lines: &str) {
        let issuer = self.world.issuer.url();
        let config = format!("[profiles.test]\nissuer = \"{issuer}\"\n{lines}\n");
        self.world.home.write_config(&config);
    }

    /// Creates a case whose key file has this content.
    pub fn with_key_file(contents: impl AsRef<[u8]>) -> Self {
        let case = Self::new();
        case.world.home.write("key.json", contents);
        case
    }

    /// Shows `value` as `placeholder` in snapshots.
    pub fn hide(&self, placeholder: &'static str, value: String) {
        let mut redactions = self.redactions.borrow_mut();
        redactions.insert(placeholder, value).unwrap();
    }

    /// Sets the issuer's clock ahead by this many seconds; one more may pass until a
    /// check.
    pub fn set_clock(&self, seconds: i64) {
        self.world.issuer.set_date_offset(seconds);
        for seconds in seconds.abs() - 1..=seconds.abs() + 1 {
            self.hide("[OFFSET]", format!("{seconds} s"));
        }
    }

    /// Treats the lines of a PEM, or a word, as secrets.
    pub fn guard(&self, secret: &str) {
        let lines = secret.lines().filter(|line| !line.starts_with("-----"));
        let lines = lines.filter(|line| line.len() >= PIECE);
        self.secrets
            .borrow_mut()
            .extend(lines.map(ToOwned::to_owned));
    }

    /// Calls the binary with these arguments.
    pub fn run<I>(&self, arguments: I) -> Call<'_>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        self.end(self.world.zitadel(arguments))
    }

    /// Calls the binary like git or docker: with a message on stdin.
    pub fn ask<I>(&self, arguments: I, message: &str) -> Call<'_>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let mut command = self.world.zitadel(arguments);
        command.write_stdin(message);
        self.end(command)
    }

    /// Runs a prepared call to its exit.
    pub fn end(&self, mut command: Command) -> Call<'_> {
        let start = Instant::now();
        let output = command.run_within(PATIENCE);
        let call = Call {
            case: self,
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            took: start.elapsed(),
        };
        call.check_stderr();
        call
    }

    /// Asserts that a text is as expected, with its changing parts hidden.
    #[track_caller]
    pub fn matches(&self, text: &str, expected: impl Into<Data>) {
        // Paths stay unchanged: a backslash here is an escaped character.
        Assert::new()
            .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
            .normalize_paths(false)
            .redact_with(self.redactions.borrow().clone())
            .eq(text, expected.into());
    }

    /// Returns the number of all requests to the issuer.
    pub fn requests(&self) -> usize {
        self.world.issuer.total_requests()
    }

    fn secrets(&self) -> Vec<String> {
        let mut secrets = self.secrets.borrow().clone();
        let issuer = &self.world.issuer;
        secrets.extend(issuer.issued_tokens());
        secrets.extend(assertions(issuer));
        secrets
    }
}

/// Returns every assertion that an issuer received.
pub fn assertions(issuer: &Issuer) -> Vec<String> {
    let requests = issuer.log(Endpoint::Token);
    let assertions = requests.iter().map(|r| r.form_value("assertion"));
    assertions.flatten().collect()
}

/// The result of a call.
pub struct Call<'c> {
    case: &'c Case,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Call<'_> {
    /// Asserts a failure: an empty stdout, this stderr.
    #[track_caller]
    pub fn fails(&self, code: i32, stderr: impl Into<Data>) -> &Self {
        self.answers(code, "", stderr)
    }

    /// Asserts exactly this output, without a secret.
    #[track_caller]
    pub fn answers(&self, code: i32, stdout: &str, stderr: impl Into<Data>) -> &Self {
        self.says(stderr);
        assert_eq!((self.code, &*self.stdout), (Some(code), stdout));
        self.check_secrets(&self.stdout);
        self
    }

    /// As [`Call::answers`], with the changing parts of stdout hidden.
    #[track_caller]
    pub fn prints(&self, code: i32, stdout: impl Into<Data>, stderr: impl Into<Data>) -> &Self {
        self.says(stderr);
        self.case.matches(&self.stdout, stdout);
        assert_eq!(self.code, Some(code));
        self.check_secrets(&self.stdout);
        self
    }

    /// Asserts an empty stderr, and a stdout without secrets.
    #[track_caller]
    pub fn gives_nothing_away(&self, code: i32) -> &Self {
        self.check_secrets(&self.stdout);
        assert_eq!((self.code, &*self.stderr), (Some(code), ""));
        self
    }

    /// Asserts that `token` printed a token that the issuer knows, and this stderr.
    #[track_caller]
    pub fn gives_a_token(&self, stderr: impl Into<Data>) -> &Self {
        self.says(stderr);
        assert_eq!(self.code, Some(0));
        let token = self.stdout.strip_suffix('\n').unwrap();
        assert!(self.case.world.issuer.accepts(token), "{token}");
        self
    }

    /// Asserts that the call ended by its `--timeout 1`, not by the default.
    #[track_caller]
    pub fn soon(&self) -> &Self {
        assert!(self.took < Duration::from_secs(10), "{:?}", self.took);
        self
    }

    #[track_caller]
    fn says(&self, stderr: impl Into<Data>) {
        self.case.matches(&self.stderr, stderr);
    }

    fn check_stderr(&self) {
        let text = &self.stderr;
        for bug in ["panicked", "bug at", "RUST_BACKTRACE"] {
            assert!(!text.contains(bug), "{text}");
        }
        let is_bad = |c: char| c.is_control() && c != '\n';
        assert!(!text.contains(is_bad), "{text:?}");
        self.check_secrets(text);
    }

    fn check_secrets(&self, text: &str) {
        let shown: HashSet<_> = text.as_bytes().windows(PIECE).collect();
        for secret in self.case.secrets() {
            let mut pieces = secret.as_bytes().windows(PIECE);
            let is_shown = pieces.any(|piece| shown.contains(piece));
            assert!(!is_shown, "a piece of a secret: {text}");
        }
    }
}
