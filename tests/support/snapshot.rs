//! Calls of the binary as a person meets them: the exit code, stdout to the
//! byte, and stderr as a snapshot that stands in the test.
//!
//! Whatever a test asks, each call is also held to what must never happen: a
//! hang, a panic, a control character on the terminal, a piece of a secret.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::time::{Duration, Instant};

use snapbox::{Assert, Data, Redactions};

use super::command::Command;
use super::issuer::{Endpoint, Issuer};
use super::world::World;

/// A call that has not ended by then hangs: the longest `--timeout` is its
/// default, 30 s.
const PATIENCE: Duration = Duration::from_secs(40);

/// A piece of a secret that is this long gives it away.
const PIECE: usize = 16;

/// A world, what changes in it from run to run, and what must never be shown.
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

    /// A case whose only profile, `test`, holds these lines.
    pub fn with_profile(lines: &str) -> Self {
        let case = Self::new();
        case.profile(lines);
        case
    }

    /// Puts these lines in place of what the profile `test` held.
    pub fn profile(&self, lines: &str) {
        let issuer = self.world.issuer.url();
        let config = format!("[profiles.test]\nissuer = \"{issuer}\"\n{lines}\n");
        self.world.home.write_config(&config);
    }

    /// A case whose key file holds this.
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

    /// Sets the issuer's clock by this many seconds; one more may pass until it
    /// is looked at.
    pub fn set_clock(&self, seconds: i64) {
        self.world.issuer.set_date_offset(seconds);
        for seconds in seconds.abs() - 1..=seconds.abs() + 1 {
            self.hide("[OFFSET]", format!("{seconds} s"));
        }
    }

    /// Takes the lines of a PEM, or a word, for secrets.
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

    /// Calls it as git or docker do: a message on stdin.
    pub fn ask<I>(&self, arguments: I, message: &str) -> Call<'_>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let mut command = self.world.zitadel(arguments);
        command.write_stdin(message);
        self.end(command)
    }

    /// Runs a call that is ready to its end.
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

    /// The text is this, with what changes from run to run hidden.
    #[track_caller]
    pub fn matches(&self, text: &str, expected: impl Into<Data>) {
        // Paths stay as they are: a backslash here is an escaped character.
        Assert::new()
            .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
            .normalize_paths(false)
            .redact_with(self.redactions.borrow().clone())
            .eq(text, expected.into());
    }

    /// How often the issuer was asked for anything.
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

/// Every assertion that an issuer has seen.
pub fn assertions(issuer: &Issuer) -> Vec<String> {
    let requests = issuer.log(Endpoint::Token);
    let assertions = requests.iter().map(|r| r.form_value("assertion"));
    assertions.flatten().collect()
}

/// How a call ended.
pub struct Call<'c> {
    case: &'c Case,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Call<'_> {
    /// It failed: nothing on stdout, this on stderr.
    #[track_caller]
    pub fn fails(&self, code: i32, stderr: impl Into<Data>) -> &Self {
        self.answers(code, "", stderr)
    }

    /// It said exactly this, without a secret.
    #[track_caller]
    pub fn answers(&self, code: i32, stdout: &str, stderr: impl Into<Data>) -> &Self {
        self.says(stderr);
        assert_eq!((self.code, &*self.stdout), (Some(code), stdout));
        self.check_secrets(&self.stdout);
        self
    }

    /// As [`Call::answers`], stdout with what changes from run to run hidden.
    #[track_caller]
    pub fn prints(&self, code: i32, stdout: impl Into<Data>, stderr: impl Into<Data>) -> &Self {
        self.says(stderr);
        self.case.matches(&self.stdout, stdout);
        assert_eq!(self.code, Some(code));
        self.check_secrets(&self.stdout);
        self
    }

    /// It said nothing on stderr, and whatever stands on stdout holds no secret.
    #[track_caller]
    pub fn gives_nothing_away(&self, code: i32) -> &Self {
        self.check_secrets(&self.stdout);
        assert_eq!((self.code, &*self.stderr), (Some(code), ""));
        self
    }

    /// `token` printed one that the issuer knows, and this on stderr.
    #[track_caller]
    pub fn gives_a_token(&self, stderr: impl Into<Data>) -> &Self {
        self.says(stderr);
        assert_eq!(self.code, Some(0));
        let token = self.stdout.strip_suffix('\n').unwrap();
        assert!(self.case.world.issuer.accepts(token), "{token}");
        self
    }

    /// It ended with its `--timeout 1`, not with the default.
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
