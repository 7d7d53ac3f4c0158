//! Shows the main use from end to end. Needs only Rust:
//!
//! ```sh
//! cargo run --release --example quickstart
//! ```
//!
//! Starts an issuer that behaves like ZITADEL in this process, on loopback. The real
//! binary gets a token from it, and answers kubectl, git and docker. A second round makes
//! the same calls without another token request, and prints a table. An unexpected result
//! ends the program with a message and exit code 1.
//!
//! `quickstart SHELL [BETWEEN]` tests a package the same way: another shell, such as
//! `chroot ROOT sh`, runs the program on its own PATH. It must see the temporary directory
//! of this program. The command BETWEEN, such as an upgrade, runs between the rounds.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "its purpose is its output"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::error::Error;
use std::process::{Command, ExitCode};

use serde_json::Value;
use support::{Endpoint, Home, Issuer, Run};

const USAGE: &str = "\
Usage: cargo run --release --example quickstart [-- SHELL [BETWEEN]]

  SHELL    runs each command instead of this machine's shell, with the program
           on its own PATH, for example \"chroot ROOT sh\"
  BETWEEN  a command to run between the two rounds, for example an upgrade
";

/// A profile, and the two hosts that get its token.
const CONFIG: &str = r#"[profiles.prod]
issuer   = "ISSUER"
key-file = "~/key.json"

[hosts."git.acme.dev"]
profile  = "prod"
username = "ci"

[hosts."registry.acme.dev:5000"]
profile  = "prod"
"#;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match quickstart() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

fn quickstart() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let [shell, between] = [arguments.next(), arguments.next()];
    if shell.as_ref().is_some_and(|word| word.starts_with('-')) {
        print!("{USAGE}");
        return Ok(());
    }
    if shell.is_none() {
        println!("Building the binary, if it is not built yet …\n");
        support::binary();
    }

    // At ZITADEL: an instance, and a service user with a key.
    let issuer = Issuer::start();
    let user = issuer.new_user();

    // On this machine: the user's key file as downloaded from ZITADEL, a config file, and
    // the binary with its helper names on PATH.
    let home = Home::new();
    home.write("key.json", user.key_json());
    let config = CONFIG.replace("ISSUER", &issuer.url());
    home.write_config(&config);
    if shell.is_none() {
        home.link("zitadel-credential");
        home.link("git-credential-zitadel");
        home.link("docker-credential-zitadel");
    }

    heading("The setup");
    println!("issuer  {}, in this process", issuer.url());
    println!("user    {}, whose key is in ~/key.json", user.user_id);
    println!("home    {}, removed at the end", home.path().display());
    println!("config  ~/.config/zitadel-credential/config.toml:");
    show(&config);

    let session = Session {
        home,
        issuer,
        user_id: user.user_id,
        shell,
    };
    heading("Round 1: nothing is in the cache");
    let first = session.round(&Session::show)?;
    println!("requests: {}\n", named(&first.requests));
    if let Some(command) = between {
        heading("Between the rounds");
        println!("  $ {command}\n");
        #[expect(clippy::disallowed_methods, reason = "an upgrade needs no time limit")]
        let status = Command::new("sh").arg("-c").arg(command).status()?;
        expect(status.success(), "the command between the rounds succeeds")?;
    }
    heading("Round 2: the same again");
    row("command", "answer", "requests");
    let second = session.round(&Session::show_row)?;

    expect(
        first.requests == [1, 1, 1],
        "round 1 makes one request each",
    )?;
    expect(second.requests == [0, 0, 1], "round 2 asks only userinfo")?;
    expect(
        first.token == second.token,
        "both rounds get the same token",
    )?;
    println!("\nAs expected: ten commands, one request for a token.");
    Ok(())
}

/// The calls of each round.
const CALLS: [(&str, &str); 5] = [
    ("a token", "zitadel-credential token"),
    ("whose token it is", "zitadel-credential whoami"),
    ("for kubectl", "zitadel-credential kubectl"),
    (
        "for git",
        r"printf 'protocol=https\nhost=git.acme.dev\n\n' | git-credential-zitadel get",
    ),
    (
        "for docker",
        "echo registry.acme.dev:5000 | docker-credential-zitadel get",
    ),
];

/// One command and its result.
struct Call {
    title: &'static str,
    line: &'static str,
    stdout: String,
    requests: [usize; 3],
}

/// The user's home directory with the binary, and the issuer.
struct Session {
    home: Home,
    issuer: Issuer,
    user_id: String,
    /// A shell with the program on its own PATH, instead of the built one.
    shell: Option<String>,
}

/// The result of one round.
struct Round {
    token: String,
    /// The requests to discovery, the token endpoint and userinfo.
    requests: [usize; 3],
}

impl Session {
    /// Runs all five commands, shows each, and verifies their responses with the issuer.
    fn round(&self, show: &dyn Fn(&Self, &Call)) -> Outcome<Round> {
        let before = self.requests();
        let mut answers = Vec::new();
        for (title, line) in CALLS {
            let before = self.requests();
            let stdout = self.run(line)?;
            let requests = since(before, self.requests());
            let call = Call {
                title,
                line,
                stdout,
                requests,
            };
            show(self, &call);
            answers.push(call.stdout);
        }
        let [token, claims, kubectl, git, docker] = &answers[..] else {
            return Err("expected that all five commands run".into());
        };
        let token = token.trim_end().to_owned();
        expect(self.issuer.accepts(&token), "the issuer accepts the token")?;
        let claims: Value = serde_json::from_str(claims)?;
        expect(claims["sub"] == *self.user_id, "the token is the user's")?;
        let answer: Value = serde_json::from_str(kubectl)?;
        let given = &answer["status"]["token"];
        expect(given == &token, "kubectl gets the token")?;
        let login = format!("username=ci\npassword={token}\npassword_expiry_utc=");
        expect(git.starts_with(&login), "git gets ci and the token")?;
        let answer: Value = serde_json::from_str(docker)?;
        expect(answer["Username"] == *self.user_id, "docker gets the user")?;
        expect(answer["Secret"] == *token, "docker gets the token")?;
        let requests = since(before, self.requests());
        Ok(Round { token, requests })
    }

    /// Runs one line in a shell, and returns its output.
    fn run(&self, line: &str) -> Outcome<String> {
        let shell = match &self.shell {
            None => {
                let mut shell = self.home.command("sh");
                shell.env("PATH", self.home.path_with_bin());
                shell
            }
            Some(words) => {
                let mut words = words.split(' ');
                let mut shell = self.home.command(words.next().unwrap_or_default());
                shell.args(words);
                shell
            }
        };
        // The line is passed on stdin, not with -c: a shell may replace itself by the last
        // command of -c, and the kubectl helper checks its parent process.
        let output = shell.run_with(format!("{line}\n"));
        let stderr = String::from_utf8(output.stderr)?;
        if !output.status.success() || !stderr.is_empty() {
            return Err(format!("{line}: {}\n{stderr}", output.status).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Prints the line and its output.
    fn show(&self, call: &Call) {
        println!("{}\n  $ {}", call.title, call.line);
        show(&self.shortened(&call.stdout));
    }

    /// Prints a row: the command, its token or the token's owner, and its requests.
    fn show_row(&self, call: &Call) {
        let command = call.line.rsplit(" | ").next().unwrap_or_default();
        let shown = self.shortened(&call.stdout);
        let mut words = shown.split(|c: char| !(c.is_alphanumeric() || "-_….".contains(c)));
        let token = words.find(|word| word.ends_with('…'));
        row(
            command,
            &token.map_or_else(
                || format!("user {}", self.user_id),
                |token| format!("token {token}"),
            ),
            &named(&call.requests),
        );
    }

    /// Shortens tokens to their first eight characters.
    fn shortened(&self, text: &str) -> String {
        let tokens = self.issuer.issued_tokens();
        tokens.iter().fold(text.to_owned(), |text, token| {
            text.replace(token, &format!("{}…", &token[..8]))
        })
    }

    fn requests(&self) -> [usize; 3] {
        [Endpoint::Discovery, Endpoint::Token, Endpoint::Userinfo]
            .map(|endpoint| self.issuer.requests(endpoint))
    }
}

fn heading(text: &str) {
    println!("{text}\n{}", "-".repeat(text.len()));
}

/// Prints a text with its lines broken at 80 columns.
fn show(text: &str) {
    for line in text.lines().filter(|line| !line.is_empty()) {
        let mut column = 0;
        for part in line.split_inclusive([',', ' ']) {
            let width = part.chars().count();
            if column == 0 || column + width > 80 {
                let indent = if column == 0 { "  " } else { "\n    " };
                print!("{indent}");
                column = indent.trim_start_matches('\n').len();
            }
            print!("{part}");
            column += width;
        }
        println!();
    }
    println!();
}

/// Prints a row of the table.
fn row(command: &str, answer: &str, requests: &str) {
    println!("{command:<29}  {answer:<23}  {requests}");
}

/// Returns the names of the requests made.
fn named(requests: &[usize; 3]) -> String {
    let names = ["discovery", "token", "userinfo"].iter().zip(requests);
    let made = names.filter(|(_, count)| **count > 0);
    let made: Vec<_> = made
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    if made.is_empty() {
        "none".to_owned()
    } else {
        made.join(", ")
    }
}

fn since(before: [usize; 3], after: [usize; 3]) -> [usize; 3] {
    [0, 1, 2].map(|endpoint| after[endpoint] - before[endpoint])
}

fn expect(is_so: bool, what: &str) -> Outcome<()> {
    let error = || format!("expected that {what}").into();
    is_so.then_some(()).ok_or_else(error)
}
