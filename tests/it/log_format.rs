//! `--log-format json`: all of stderr is JSON, one object per line, with the time.

use std::process::{Command, Output};

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::support::{Endpoint, Fault, Run, Running, Times, World, binary, until};

const VARIABLE: &str = "ZITADEL_CREDENTIAL_LOG_FORMAT";

/// Returns the lines of stderr, each of which begins with time, level and message.
#[track_caller]
fn lines(output: &Output) -> Vec<Value> {
    let stderr = std::str::from_utf8(&output.stderr).unwrap();
    let parse = |line: &str| {
        let object: Value = serde_json::from_str(line).expect(stderr);
        let time = object["time"].as_str().unwrap();
        let time = OffsetDateTime::parse(time, &Rfc3339).unwrap();
        let age = OffsetDateTime::now_utc() - time;
        assert!(age.whole_seconds().abs() < 600 && time.offset().is_utc());
        assert!(object["message"].is_string(), "{line}");
        let level = object["level"].as_str().unwrap();
        assert!(["error", "warn", "info", "debug"].contains(&level));
        let start = format!("{{\"time\":{},\"level\":\"{level}\",", object["time"]);
        assert!(line.starts_with(&(start + "\"message\":")), "{line}");
        object
    };
    stderr.lines().map(parse).collect()
}

#[track_caller]
fn run(world: &World, words: &[&str]) -> Output {
    let mut command = world.home.command(binary());
    command.args(words).args(["--log-format", "json"]).run()
}

#[test]
fn an_error_has_its_parts_as_fields() {
    let world = World::new();
    world.issuer.remove_key(&world.user.key_id);
    let output = run(&world, &["token"]);
    assert_eq!(output.status.code(), Some(1));
    let [error] = &lines(&output)[..] else {
        panic!("{output:?}");
    };
    assert_eq!(error["level"], "error");
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("the issuer refused"), "{message}");
    let with = error["with"].as_str().unwrap();
    assert!(with.starts_with("key ID "), "{with}");
    assert!(error["hints"][0].is_string() && error.get("lines").is_none());
}

#[test]
fn log_lines_are_json_and_the_answer_is_unchanged() {
    let world = World::new();
    let output = run(&world, &["token", "-vv"]);
    let token = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(world.issuer.accepts(token.trim_end()));
    let all = lines(&output);
    let says = |level: &str, text: &str| {
        all.iter()
            .any(|line| line["level"] == level && line["message"] == text)
    };
    assert!(says("info", "got a new token from the issuer"), "{all:?}");
    let output = run(&world, &["token"]);
    assert!(output.status.success() && output.stderr.is_empty());
}

#[test]
fn the_variable_works_too_and_the_flag_overrides_it() {
    let world = World::new();
    let call = |value: &str, words: &[&str]| {
        let mut command = world.home.command(binary());
        command.args(words).env(VARIABLE, value).run()
    };
    let absent = &["token", "--profile", "absent"][..];
    assert_eq!(lines(&call("json", absent)).len(), 1);
    let flag = [absent, &["--log-format", "text"]].concat();
    for (value, words) in [("text", absent), ("", absent), ("json", &flag)] {
        let stderr = String::from_utf8(call(value, words).stderr).unwrap();
        assert!(
            stderr.starts_with("zitadel-credential: error: "),
            "{stderr}"
        );
    }
    let before = call("", &["--log-format=json", "token", "--profile", "absent"]);
    assert_eq!(lines(&before).len(), 1);
}

#[test]
fn errors_before_the_options_are_known_are_json_too() {
    let world = World::new();
    for words in [
        &["token", "--nonsense"][..],
        &["tokn"],
        &["agent"],
        &["--config", "none.toml", "token"],
        &["token", "--timeout", "x"],
        &["token", "extra"],
        &[],
    ] {
        let output = run(&world, words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert_eq!(lines(&output).len(), 1, "{words:?}");
        let mut command = world.home.command(binary());
        let output = command.args(words).env(VARIABLE, "json").run();
        assert_eq!(lines(&output).len(), 1, "{words:?}");
    }
    // The arguments after -- are another program's.
    let mut command = world.home.command(binary());
    command.args(["exec", "--nonsense", "--", "x", "--log-format", "json"]);
    let stderr = String::from_utf8(command.run().stderr).unwrap();
    assert!(
        stderr.starts_with("zitadel-credential: error: "),
        "{stderr}"
    );
    command = world.home.command(binary());
    command.args(["token", "--log-format"]);
    assert_eq!(command.run().status.code(), Some(2));
}

#[test]
fn helpers_of_tools_write_it_too() {
    let world = World::new();
    world.allow("git.acme.test");
    world.issuer.remove_key(&world.user.key_id);
    let request = r#"{"v":1,"kind":"get","operation":"read","registry":{"index-url":"sparse+https://git.acme.test/"}}"#;
    for (words, input) in [
        ("docker get", "git.acme.test"),
        ("git get", "protocol=https\nhost=git.acme.test\n\n"),
        ("cargo", request),
        ("kubectl", ""),
    ] {
        let mut command = world.home.command(binary());
        command.args(words.split(' '));
        command.env(VARIABLE, "json").args(["-v"]);
        let output = Running::start_with(command, input).output();
        assert!(!lines(&output).is_empty(), "{words}: {output:?}");
    }
}

#[test]
fn the_stderr_of_a_key_command_is_wrapped_with_its_source() {
    let world = World::new();
    world.home.write_config(&format!(
        "[profiles.p]\nissuer = \"{}\"\nkey-command = [\"sh\", \"-c\", \"printf 'a\\\\nb \\\"c\\\"' >&2; exit 3\"]\n",
        world.issuer.url()
    ));
    let all = lines(&run(&world, &["token"]));
    let said = |line: &&Value| line["from"] == json!("key-command");
    let said: Vec<_> = all
        .iter()
        .filter(said)
        .map(|line| &line["message"])
        .collect();
    assert_eq!(said, [&json!("a"), &json!("b \"c\"")]);
    assert_eq!(all.last().unwrap()["level"], "error");
}

#[test]
fn an_agent_logs_an_outage_and_its_end() {
    let world = World::new();
    world
        .issuer
        .fault(Endpoint::Any, Fault::rate_limit(), Times::Forever);
    let mut command: Command = world.home.command(binary());
    command.args(["--log-format", "json", "agent", "--write", "token"]);
    let running = Running::start(command);
    until("it was tried twice", || world.issuer.total_requests() > 3);
    world.issuer.clear_faults();
    let file = world.home.path().join("token");
    until("it is written", || file.exists());
    running.signal(rustix::process::Signal::TERM);
    let all = lines(&running.output());
    assert!(all[0]["message"].as_str().unwrap().contains("HTTP 429"));
    assert!(all.iter().all(|line| line["level"] == "warn"), "{all:?}");
}
