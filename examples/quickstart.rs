//! Shows the main use from end to end, with only Rust installed:
//!
//! ```sh
//! cargo run --release --example quickstart
//! ```
//!
//! Starts an issuer that behaves like ZITADEL in this process, on loopback. Then the
//! real binary gets a token from it, and responds to requests of kubectl, git and docker.
//! A second round does the same, without another token request, and is shown as a table.
//! Any unexpected result ends the program with a message and exit code 1.
//!
//! `quickstart SHELL [BETWEEN]` tests a package the same way: another shell (for example
//! `chroot ROOT sh`, which must see this temporary directory) runs the program on its own
//! PATH, and the command BETWEEN, for example an upgrade, runs between the rounds.
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

  SHELL    runs each command in place of this machine's shell, and finds the
           program on its own PATH: \"chroot ROOT sh\", say
  BETWEEN  a command to run between the two rounds: an upgrade, say
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
        println!("Building the binary, where it is not built yet …\n");
        support::binary();
    }

    // At ZITADEL: an instance, and a service user with a key.
    let issuer = Issuer::start();
    let user = issuer.new_user();

    // On this machine: the user's key file as ZITADEL lets you download it, a
    // config file, and the binary with its names as a helper on PATH.
    let home = Home::new();
    home.write("key.json", user.key_json());
    let config = CONFIG.replace("ISSUER", &issuer.url());
    home.write_config(&config);
    if shell.is_none() {
        home.link("zitadel-credential");
        home.link("git-credential-zitadel");
        home.link("docker-credential-zitadel");
    }

    heading("The set-up");
    println!("issuer  {}, in this process", issuer.url());
    println!("user    {}, whose key is in ~/key.json", user.user_id);
    println!("home    {}, until the end", home.path().display());
    println!("config  ~/.config/zitadel-credential/config.toml:");
    show(&config);

    let desk = Desk {
        home,
        issuer,
        user_id: user.user_id,
        shell,
    };
    heading("Round 1: nothing is in the cache");
    let first = desk.round(&Desk::show)?;
    println!("requests: {}\n", named(&first.requests));
    if let Some(command) = between {
        heading("Between the rounds");
        println!("  $ {command}\n");
        #[expect(clippy::disallowed_methods, reason = "an upgrade takes its time")]
        let status = Command::new("sh").arg("-c").arg(command).status()?;
        expect(status.success(), "the command between the rounds succeeds")?;
    }
    heading("Round 2: the same again");
    row("command", "answer", "requests");
    let second = desk.round(&Desk::show_row)?;

    expect(
        first.requests == [1, 1, 1],
        "round 1 makes one request each",
    )?;
    expect(second.requests == [0, 0, 1], "round 2 asks userinfo alone")?;
    expect(first.token == second.token, "both rounds have one token")?;
    println!("\nAs it should be: ten commands, one request for a token.");
    Ok(())
}

/// What each round runs.
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

/// A user's environment: a home directory with the binary, and the issuer.
struct Desk {
    home: Home,
    issuer: Issuer,
    user_id: String,
    /// A shell with the program on its own PATH, instead of the built one.
    shell: Option<String>,
}

/// The result of one round.
struct Round {
    token: String,
    /// To discovery, the token endpoint and userinfo.
    requests: [usize; 3],
}

impl Desk {
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
            return Err("it should be that all five commands run".into());
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
        // From stdin, and not by -c: a shell may give its own process to the
        // last command of -c, and the kubectl helper looks at who calls it.
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

    /// Prints a row: the command, whose the token is or which, and its requests.
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

    /// Tokens are shown by their first eight characters.
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

/// Prints an output, its lines broken at 80 columns.
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

/// Names the requests that were made.
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

fn expect(so: bool, what: &str) -> Outcome<()> {
    let error = || format!("it should be that {what}").into();
    so.then_some(()).ok_or_else(error)
}
