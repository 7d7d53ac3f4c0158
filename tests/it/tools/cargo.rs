//! `cargo`: the protocol at the process's edge.

mod doctor;
mod errors;
mod negative;
mod setup;

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

use crate::support::{Run, Running, World, entry};

const INDEX: &str = "sparse+https://cargo.acme.dev/index/";

const PATIENCE: Duration = Duration::from_secs(20);

/// A helper as a child process, as cargo starts it.
struct Helper {
    running: Running,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Helper {
    fn start(world: &World) -> Self {
        Self::with(world, &[])
    }

    fn with(world: &World, variables: &[(&str, &str)]) -> Self {
        let program = world.home.link("cargo-credential-zitadel");
        let mut command = world.home.command(program);
        command
            .arg("--cargo-plugin")
            .env("ZITADEL_CREDENTIAL_TIMEOUT", "2")
            .envs(variables.iter().copied());
        let (running, stdin, stdout) = Running::start_talking(command);
        let mut helper = Self {
            running,
            stdin,
            stdout: BufReader::new(stdout),
        };
        assert_eq!(helper.line(), "{\"v\":[1]}\n");
        helper
    }

    /// Returns the next line; a missing line fails the test.
    fn line(&mut self) -> String {
        let mut fds = [PollFd::new(self.stdout.get_ref(), PollFlags::IN)];
        let patience = Timespec::try_from(PATIENCE).unwrap();
        let ready = poll(&mut fds, Some(&patience)).unwrap();
        assert_eq!(ready, 1, "it says nothing");
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.stdin, "{question}").unwrap();
        serde_json::from_str(&self.line()).unwrap()
    }

    /// Closes the pipe, and asserts that the helper exits without another line.
    #[track_caller]
    fn ends(self) {
        drop(self.stdin);
        let output = self.running.output();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        assert_eq!(self.stdout.lines().count(), 0);
    }
}

fn get(index_url: &str, operation: &str) -> Value {
    json!({
        "v": 1,
        "registry": { "index-url": index_url, "name": "acme" },
        "kind": "get",
        "operation": operation,
    })
}

fn refused(kind: &str) -> Value {
    json!({ "Err": { "kind": kind } })
}

#[test]
fn one_call_answers_every_question_until_the_pipe_is_closed() {
    let world = World::new();
    world.allow("cargo.acme.dev");
    let mut helper = Helper::start(&world);
    let first = helper.ask(&get(INDEX, "read"));
    let token = first["Ok"]["token"].as_str().unwrap();
    assert!(world.issuer.accepts(token.strip_prefix("Bearer ").unwrap()));
    assert_eq!(first["Ok"]["cache"], "expires");
    assert!(first["Ok"]["expiration"].is_u64(), "{first}");
    for operation in ["publish", "yank", "unyank", "owners"] {
        assert_eq!(helper.ask(&get(INDEX, operation)), first, "{operation}");
    }
    let elsewhere = get("sparse+https://evil.test/", "read");
    assert_eq!(helper.ask(&elsewhere), refused("url-not-supported"));
    assert_eq!(helper.ask(&get(INDEX, "read")), first);
    helper.ends();
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn logout_drops_the_entry_and_login_keeps_nothing() {
    let world = World::new();
    world.allow("cargo.acme.dev");
    let mut helper = Helper::start(&world);
    let first = helper.ask(&get(INDEX, "read"));
    let of_kind = |kind: &str| {
        let mut question = get(INDEX, "read");
        question["kind"] = kind.into();
        question["token"] = "of-somebody".into();
        question
    };
    for kind in ["login", "later"] {
        let answer = helper.ask(&of_kind(kind));
        assert_eq!(answer, refused("operation-not-supported"), "{kind}");
    }
    assert_eq!(helper.ask(&get(INDEX, "read")), first);
    let answer = helper.ask(&of_kind("logout"));
    assert_eq!(answer, refused("operation-not-supported"));
    assert!(entry::files(&world.home, "json").is_empty());
    assert_ne!(helper.ask(&get(INDEX, "read")), first);
    helper.ends();
}

#[test]
fn words_after_the_name_are_options_and_cargo_gets_their_errors() {
    let world = World::new();
    let with = |args: &[&str]| {
        let mut question = get(INDEX, "read");
        question["args"] = json!(args);
        question
    };
    let mut helper = Helper::start(&world);
    let answer = helper.ask(&with(&["--host", "cargo.acme.dev"]));
    assert_eq!(answer["Ok"]["kind"], "get", "{answer}");
    // These count as one request.
    let answer = helper.ask(&with(&[]));
    assert_eq!(answer, refused("url-not-supported"));
    for (args, expected) in [
        (
            ["--host=cargo.acme.dev", "--profile=prod"],
            "no profile named \"prod\"",
        ),
        (["--hots", "a.dev"], "unexpected argument '--hots' found"),
        (["--help", "x"], "unexpected argument '--help' found"),
        (["--timeout", "x"], "invalid timeout: \"x\""),
    ] {
        let answer = helper.ask(&with(&args));
        assert_eq!(answer["Err"]["kind"], "other", "{args:?}");
        let message = answer["Err"]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
    helper.ends();
}

#[test]
fn a_failure_reaches_cargo_with_a_hint_and_nothing_else_is_printed() {
    let world = World::new();
    world.allow("cargo.acme.dev");
    world.issuer.remove_key(&world.user.key_id);
    let mut helper = Helper::start(&world);
    let answer = helper.ask(&get(INDEX, "publish"));
    assert_eq!(answer["Err"]["kind"], "other");
    let causes = answer["Err"]["caused-by"].as_array().unwrap();
    let with = format!("key ID {}", world.user.key_id);
    assert!(causes[0].as_str().unwrap().contains(&with), "{causes:?}");
    let last = causes.last().unwrap().as_str().unwrap();
    assert!(last.starts_with("hint: "), "{last}");
    helper.ends();
}

#[test]
fn an_invalid_variable_is_reported_to_cargo() {
    let world = World::new();
    world.allow("cargo.acme.dev");
    for (variable, expected) in [
        (
            "ZITADEL_CREDENTIAL_LOG",
            "invalid log level in ZITADEL_CREDENTIAL_LOG",
        ),
        ("ZITADEL_CREDENTIAL_TIMEOUT", "invalid timeout: \"bogus\""),
        ("ZITADEL_CREDENTIAL_CONFIG", "config file bogus"),
    ] {
        let mut helper = Helper::with(&world, &[(variable, "bogus")]);
        let answer = helper.ask(&get(INDEX, "read"));
        let message = answer["Err"]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
        helper.ends();
    }
}

#[test]
fn a_malformed_request_is_reported_and_the_next_answered() {
    let world = World::new();
    world.allow("cargo.acme.dev");
    let mut helper = Helper::start(&world);
    for bad in [json!({}), json!("get"), json!({ "v": 2 })] {
        let answer = helper.ask(&bad);
        assert_eq!(answer["Err"]["kind"], "other", "{bad}");
        let message = &answer["Err"]["message"];
        assert_eq!(message, "cargo's request on stdin is malformed");
    }
    assert_eq!(helper.ask(&get(INDEX, "read"))["Ok"]["kind"], "get");
    helper.ends();
}

#[test]
fn waiting_for_a_first_or_partial_request_ends_at_the_timeout() {
    let world = World::new();
    for said in ["", "{\"v\":1"] {
        let mut helper = Helper::with(&world, &[("ZITADEL_CREDENTIAL_TIMEOUT", "1")]);
        write!(helper.stdin, "{said}").unwrap();
        let answer: Value = serde_json::from_str(&helper.line()).unwrap();
        let message = &answer["Err"]["message"];
        assert_eq!(
            message,
            "cargo's request on stdin is not complete within 1 s"
        );
        assert_eq!(helper.line(), "", "it has ended");
        helper.ends();
    }
}

#[test]
fn an_unreadable_stdin_is_reported_in_a_sentence() {
    let world = World::new();
    let output = world
        .home
        .command(world.home.link("cargo-credential-zitadel"))
        .stdin(std::fs::File::open("/").unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .run_as_given();
    let said = String::from_utf8(output.stdout).unwrap();
    let message = "cargo's request on stdin is unreadable: is a directory";
    assert!(said.contains(message), "{said}");
}

#[test]
fn between_two_questions_cargo_may_take_its_time() {
    let world = World::new();
    let mut helper = Helper::with(&world, &[("ZITADEL_CREDENTIAL_TIMEOUT", "1")]);
    let refused = refused("url-not-supported");
    assert_eq!(helper.ask(&get(INDEX, "read")), refused);
    // The wait is longer than the timeout, which has its minimum.
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(helper.ask(&get(INDEX, "read")), refused);
    helper.ends();
}
