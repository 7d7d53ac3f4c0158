//! Terminals and pipes that fail.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::Duration;

use crate::support::entry::only;
use crate::support::program::client;
use crate::support::tools::{CALLS, HOST, Shows};
use crate::support::{Run, Running, TokenKind, World, binary};

const GET: &str = "protocol=https\nhost=git.acme.test\n\n";

fn assert_no_panic(stderr: &str) {
    for bug in ["panicked", "bug at", "RUST_BACKTRACE", "stack overflow"] {
        assert!(!stderr.contains(bug), "{stderr}");
    }
}

#[test]
fn the_help_shows_no_name_that_a_caller_chose() {
    let world = World::new();
    for arguments in [["--help"].as_slice(), &["token", "--help"], &["tokn"]] {
        let mut command = world.home.command(binary());
        let output = command
            .arg0("/x/\u{1b}[31mevil\u{202e}")
            .args(arguments)
            .run();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        let is_help = text.contains("Usage: zitadel-credential ");
        let is_error = text.starts_with("zitadel-credential: error: ");
        assert!(is_help || is_error, "{text:?}");
        assert!(!text.contains("evil"), "{text:?}");
    }
}

#[test]
fn output_to_closed_descriptors_never_reaches_the_cache() {
    let world = World::new();
    world.allow("git.acme.test");
    for command in [
        "token",
        "kubectl",
        "git get",
        "docker get",
        "whoami",
        "cache list",
    ] {
        for closed in 1..8 {
            let redirects = ["<&-", ">&-", "2>&-"].into_iter().enumerate();
            let redirects = redirects.filter(|(bit, _)| closed & (1 << bit) != 0);
            let redirects: Vec<_> = redirects.map(|(_, one)| one).collect();
            let redirects = redirects.join(" ");
            // -vv causes much output on stderr.
            let script = format!("exec \"$0\" {command} --refresh -vv {redirects}");
            let output = world
                .home
                .command("sh")
                .args(["-c", &script])
                .arg(binary())
                .env("RUST_BACKTRACE", "full")
                .run();
            assert_no_panic(&String::from_utf8_lossy(&output.stderr));
            assert!(output.status.code().is_some(), "{script}");
            let entry = fs::read_to_string(only(&world.home)).unwrap();
            let entry: serde_json::Value = serde_json::from_str(&entry).unwrap();
            let token = entry["access_token"].as_str().unwrap();
            assert!(world.issuer.accepts(token), "{script}");
            let lock = fs::read(only(&world.home).with_extension("lock")).unwrap();
            assert!(lock.is_empty() || lock.len() == 8, "{script}: {lock:?}");
        }
    }
}

#[test]
fn an_unwritable_answer_is_an_error() {
    let world = World::new();
    for arguments in [
        ["token"].as_slice(),
        &["kubectl"],
        &["--version"],
        &["cache", "list"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = world
            .home
            .command(binary())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(full)
            .stderr(Stdio::piped())
            .run_as_given();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert_eq!(
            stderr,
            "zitadel-credential: error: cannot write the answer: no space left on device\n"
        );
        let (reader, gone) = std::io::pipe().unwrap();
        drop(reader);
        let output = world
            .home
            .command(binary())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(gone)
            .stderr(Stdio::piped())
            .run_as_given();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), &*stderr),
            (Some(1), ""),
            "{arguments:?}"
        );
    }
}

/// All output is lost there, so no helper or command succeeds.
#[test]
fn no_call_that_prints_succeeds_on_a_full_stdout() {
    let world = World::new();
    world.issuer.set_token_kind(TokenKind::Jwt);
    world.allow(HOST);
    let helpers = CALLS.iter().filter(|call| call.shows != Shows::Nothing);
    let helpers = helpers.map(|call| (call.words(), call.input));
    let commands = [
        "whoami",
        "token --output json",
        "assertion",
        "cache list --output json",
        "setup list",
        "setup list --output json",
        "profile list",
        "config show",
        "doctor",
        "completions bash",
        "--help",
    ];
    let commands = commands.map(|words| (words.split(' ').map(str::to_owned).collect(), ""));
    for (words, input) in helpers.chain(commands) {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (asked, mut asking) = std::io::pipe().unwrap();
        asking.write_all(input.as_bytes()).unwrap();
        drop(asking);
        let mut command = world.home.command(binary());
        command.args(&words).stdin(asked).stdout(full);
        let output = command.stderr(Stdio::piped()).run_as_given();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}: {stderr}");
        let told = "zitadel-credential: error: cannot write the answer: no space left on device\n";
        assert!(stderr.ends_with(told), "{words:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{words:?}: {stderr}");
    }
}

#[test]
fn a_full_stderr_prevents_no_answer() {
    let world = World::new();
    world.allow("git.acme.test");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (asked, mut asking) = std::io::pipe().unwrap();
    asking.write_all(GET.as_bytes()).unwrap();
    drop(asking);
    let output = world
        .home
        .command(binary())
        .args(["git", "get", "-vv"])
        .stdin(asked)
        .stdout(Stdio::piped())
        .stderr(full)
        .run_as_given();
    assert!(output.status.success());
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(answer.contains("\npassword="), "{answer}");
}

/// A tool may keep its end open while it waits for the response. `ulimit -f`: the signal
/// would end the call silently.
#[test]
fn a_file_size_limit_prevents_no_answer() {
    let world = World::new();
    let token = world.zitadel(["token"]).run().stdout;
    let limited = |stdout: &str| {
        let script = format!("ulimit -f 1; \"$0\" -vv token {stdout} 2>>stderr");
        let mut shell = world.home.command("bash");
        shell.args(["-c", &script]).arg(binary());
        shell.run()
    };
    world.home.write("stderr", [b'x'; 1020]);
    let output = limited("| cat");
    assert_eq!(output.stdout, token, "{output:?}");
    assert_eq!(world.home.read("stderr").len(), 1020);
    world.home.write("stdout", [b'x'; 1020]);
    let output = limited(">>stdout");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(world.home.read("stdout").len(), 1020, "not a part of it");
}

#[test]
fn git_is_answered_at_the_end_of_its_message() {
    let world = World::new();
    world.allow("git.acme.test");
    for message in [GET, &GET.replace('\n', "\r\n"), "\n"] {
        for operation in ["get", "erase", "store"] {
            let mut command = world.home.command(binary());
            command.args(["git", operation]);
            let (running, stdin) = Running::start_open(command, message);
            let output = running.output_within(Duration::from_secs(20));
            drop(stdin);
            let stdout = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success(), "{operation} {message:?}");
            let is_answer = operation == "get" && message != "\n";
            assert_eq!(stdout.contains("\npassword="), is_answer, "{stdout}");
        }
    }
}

#[test]
fn an_open_stdin_is_waited_for_until_the_timeout() {
    let world = World::new();
    world.allow("git.acme.test");
    let late = "the server URL on stdin is not complete within 1 s";
    let late_docker = format!("zitadel-credential: {late}\n");
    let late_docker = late_docker.as_str();
    let late_login = "zitadel-credential: the login on stdin is not complete within 1 s\n";
    let cases = [
        ("git get", "", 0, ""),
        ("git get", "protocol=https\nhost=git.acme.test\n", 0, ""),
        ("git erase", "", 0, ""),
        ("git store", "", 0, ""),
        ("docker get", "", 1, late_docker),
        ("docker get", "git.acme.test", 1, late_docker),
        ("docker erase", "", 1, late_docker),
        ("docker store", "{", 1, late_login),
    ];
    let start = |(command, input, ..): &(&str, &str, i32, &str), by_flag| {
        let mut calling = world.home.command(binary());
        calling.args(command.split(' '));
        if by_flag {
            calling.args(["--timeout", "1"]);
        } else {
            calling.env("ZITADEL_CREDENTIAL_TIMEOUT", "1");
        }
        Running::start_open(calling, input)
    };
    for by_flag in [true, false] {
        let under_way: Vec<_> = cases.iter().map(|case| start(case, by_flag)).collect();
        for ((command, input, code, stdout), (running, stdin)) in cases.iter().zip(under_way) {
            let output = running.output_within(Duration::from_secs(20));
            drop(stdin);
            let said = String::from_utf8(output.stdout).unwrap();
            let expected = (Some(*code), *stdout);
            assert_eq!(
                (output.status.code(), &*said),
                expected,
                "{command} {input:?}"
            );
            assert_no_panic(&String::from_utf8(output.stderr).unwrap());
        }
    }
    assert_eq!(world.issuer.total_requests(), 0);
}

/// By hand, the response comes after the empty line, without Ctrl-D.
#[test]
fn a_user_at_a_terminal_gets_the_answer_at_the_empty_line() {
    let world = World::new();
    world.allow("git.acme.test");
    let typescript = world.home.path().join("typescript");
    let by_hand = format!("'{}' git get", binary().display());
    let mut command = world.home.command("script");
    command.args(["-qec", &by_hand]).arg(&typescript);
    let (running, stdin) = Running::start_open(command, GET);
    let output = running.output_within(Duration::from_secs(20));
    drop(stdin);
    assert!(output.status.success());
    let shown = String::from_utf8(output.stdout).unwrap();
    let mut lines = shown.lines();
    let token = lines.find_map(|line| line.strip_prefix("password="));
    assert!(world.issuer.accepts(token.unwrap()), "{shown:?}");
}

#[test]
fn an_error_of_any_length_is_written_to_a_stderr_that_nobody_reads() {
    let world = World::new();
    let long = "x".repeat(100_000);
    for words in [
        vec!["token", &long],
        vec![&*long],
        vec!["token", "--output", &long],
        vec!["setup", "git", "--bogus", &long],
        vec!["token", "--profile", &long],
        vec!["git", &long, &long],
    ] {
        let (unread, stderr) = std::io::pipe().unwrap();
        let mut command = world.home.command(binary());
        command.args(&words).stdin(Stdio::null()).stderr(stderr);
        let running = Running::start_as_given(command);
        let ended = running.output_within(Duration::from_secs(10));
        assert_eq!(ended.status.code(), Some(2), "{}", words[0]);
        drop(unread);
        let output = world.home.command(binary()).args(&words).run();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.len() < 10_000, "{} bytes", stderr.len());
        assert!(stderr.contains("rror: "), "{stderr}");
    }
}

#[test]
fn a_mount_point_is_named_in_the_error() {
    let world = World::new();
    world.home.write("mounted", "before");
    let script = "mount --bind mounted mounted || exit 99; exec \"$0\" token --write mounted";
    let Some(unshare) = client("unshare") else {
        return;
    };
    let mut command = world.home.command(unshare);
    command.args(["--mount", "sh", "-c", script]).arg(binary());
    let output = command.run();
    let stderr = String::from_utf8(output.stderr).unwrap();
    // Only root can mount.
    if output.status.code() == Some(99) || stderr.contains("unshare failed") {
        return;
    }
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("mounted: token not written: a mount point"),
        "{stderr}"
    );
    assert!(
        stderr.contains("hint: mount the file's directory"),
        "{stderr}"
    );
    assert_eq!(world.home.read("mounted"), "before");
}
