//! The user at a terminal sees the reason for a wait, and no other output shows it.

use std::fs::File;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use crate::support::entry::only;
use crate::support::patience::{in_time, patient};
use crate::support::screen::Screen;
use crate::support::{Endpoint, Fault, Run, Times, World, binary, side_by_side};

const XTERM: (&str, &str) = ("TERM", "xterm");

/// Returns the text that stays on the screen, without overwritten text.
fn left(shown: &str) -> String {
    let lines = shown.split('\n').map(|line| {
        let mut cells: Vec<char> = Vec::new();
        for part in line.split('\r') {
            for (at, cell) in part.chars().enumerate() {
                match cells.get_mut(at) {
                    Some(old) => *old = cell,
                    None => cells.push(cell),
                }
            }
        }
        cells.into_iter().collect::<String>().trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns a world whose issuer delays the token.
fn slow(delay: Duration) -> World {
    let world = World::new();
    world
        .issuer
        .fault(Endpoint::Token, Fault::Delay(delay), Times::Forever);
    world
}

fn host(world: &World) -> String {
    world.issuer.url().replace("http://", "")
}

#[test]
fn a_slow_issuer_is_named_with_the_seconds_and_the_line_is_cleared() {
    patient(|| {
        let world = slow(Duration::from_millis(3300));
        let (code, shown) = Screen::of(&world.home, "token").end();
        assert_eq!(code, Some(0), "{shown:?}");
        let line = format!("zitadel-credential: waiting for {}, ", host(&world));
        let seconds = shown.split(&line).skip(1);
        let seconds: Vec<u8> = seconds
            .map(|rest| rest.split_once(" s").unwrap().0.parse().unwrap())
            .collect();
        // A busy machine may be too late for one of them.
        in_time(seconds.len() > 1, &shown);
        assert!(seconds.is_sorted_by(|one, next| one < next), "{shown:?}");
        assert!(!shown.contains('\x1b'), "{shown:?}");
        let token = left(&shown);
        assert!(world.issuer.accepts(token.trim_end()), "{token:?}");
    });
}

#[test]
fn the_line_is_cleared_before_an_error_and_after_the_timeout() {
    patient(|| {
        let world = slow(Duration::from_secs(60));
        let (code, shown) = Screen::of(&world.home, "token --timeout 2").end();
        assert_eq!(code, Some(75), "{shown:?}");
        let line = format!("waiting for {}, 1 s", host(&world));
        in_time(shown.contains(&line), &shown);
        let left = left(&shown);
        assert!(left.starts_with("zitadel-credential: error: "), "{left}");
        assert!(!left.contains(&line), "{left}");
    });
}

#[test]
fn ctrl_c_clears_the_line_also_of_an_agent() {
    let world = slow(Duration::from_secs(60));
    for (words, code) in [
        ("token", 130),
        ("agent --once --write t", 130),
        ("agent --write t", 0),
    ] {
        // The shell gets Ctrl-C too, and continues.
        let line = format!(
            "trap : INT; '{}' {words}; echo ended $?",
            binary().display()
        );
        let mut screen = Screen::of_shell(&world.home, &line, &[XTERM]);
        screen.see("waiting for ");
        screen.types("\x03");
        let (_, shown) = screen.end();
        let left = left(&shown);
        assert!(!left.contains("waiting for"), "{words}: {left:?}");
        assert!(
            left.ends_with(&format!("ended {code}\n")),
            "{words}: {left:?}"
        );
    }
}

/// Replaces the key file by a shell command that prints it.
fn with_key_command(world: &World, words: &str) {
    let config = world.home.read(".config/zitadel-credential/config.toml");
    let key = world.home.path().join("key.json");
    let command = format!(
        "key-command = [\"sh\", \"-c\", \"{words}; cat {}\"]",
        key.display()
    );
    let lines = config.lines().map(|line| {
        let is_key = line.starts_with("key-file") || line.starts_with("key-command");
        if is_key { command.as_str() } else { line }
    });
    world
        .home
        .write_config(&lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_key_command_is_named_without_its_arguments() {
    patient(|| {
        let world = World::new();
        with_key_command(&world, "sleep 1.3; true hunter2");
        let (code, shown) = Screen::of(&world.home, "token").end();
        assert_eq!(code, Some(0), "{shown:?}");
        let line = "waiting for key-command sh, 1 s";
        in_time(shown.contains(line), &shown);
        assert!(!shown.contains("hunter2"), "{shown:?}");
        assert!(world.issuer.accepts(left(&shown).trim()), "{shown:?}");
    });
}

#[test]
fn another_process_that_has_the_lock_is_named() {
    patient(|| {
        let world = World::new();
        world.zitadel(["token"]).assert().success();
        let lock = File::open(only(&world.home).with_extension("lock")).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        let (_, shown) = Screen::of(&world.home, "token --refresh --timeout 6").end();
        let line = "waiting for the lock of another process, 1 s";
        in_time(shown.contains(line), &shown);
        assert!(!left(&shown).contains(line), "{shown:?}");
    });
}

#[test]
fn a_narrow_terminal_gets_one_line_with_the_seconds() {
    patient(|| {
        let world = slow(Duration::from_millis(1500));
        let line = format!("stty cols 40; '{}' token", binary().display());
        let (code, shown) = Screen::of_shell(&world.home, &line, &[XTERM]).end();
        assert_eq!(code, Some(0), "{shown:?}");
        in_time(shown.contains(", 1 s"), &shown);
        let (line, _) = shown.split_once('\r').unwrap();
        assert!(
            line.starts_with("zitadel-credential: waiting for ") && line.ends_with(", 1 s"),
            "{shown:?}"
        );
        assert!(line.len() < 39, "{shown:?}");
    });
}

#[test]
fn another_setup_that_has_the_lock_is_named() {
    patient(|| {
        let world = World::new();
        let dir = world.home.path().join(".config/zitadel-credential");
        let lock = File::open(dir).unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        let words = "setup bazel a.acme.test --timeout 2";
        let (code, shown) = Screen::of(&world.home, words).end();
        assert_eq!(code, Some(75), "{shown:?}");
        let line = "waiting for the lock of another call, 1 s";
        in_time(shown.contains(line), &shown);
        let left = left(&shown);
        assert!(left.starts_with("zitadel-credential: error: "), "{left:?}");
    });
}

#[test]
fn a_pipe_is_named() {
    patient(|| {
        let world = World::new();
        let line = format!(
            "bash -c \"'{}' token --key-file <(sleep 1.3; cat key.json)\"",
            binary().display()
        );
        let (code, shown) = Screen::of_shell(&world.home, &line, &[XTERM]).end();
        assert_eq!(code, Some(0), "{shown:?}");
        in_time(shown.contains("waiting for /dev/fd/"), &shown);
        assert!(world.issuer.accepts(left(&shown).trim()), "{shown:?}");
    });
}

#[test]
fn a_commands_question_is_not_overwritten() {
    let cases = [
        ("printf 'Name: ' >&2; read word </dev/tty", "Name: "),
        // A password prompt is like this.
        (
            "stty -echo </dev/tty; printf 'PIN: ' >/dev/tty; read word </dev/tty; stty echo </dev/tty",
            "PIN: ",
        ),
    ];
    side_by_side(cases, |(words, question)| {
        let world = World::new();
        with_key_command(&world, words);
        let mut screen = Screen::of(&world.home, "token --refresh");
        screen.see(question);
        // Real time: a line would come after 1 s, and again after 2 s.
        thread::sleep(Duration::from_millis(2500));
        screen.types("open\n");
        let (code, shown) = screen.end();
        assert_eq!(code, Some(0), "{shown:?}");
        let (before, _) = shown.split_once("open").unwrap_or((&shown, ""));
        assert!(!before.contains("waiting"), "{shown:?}");
        assert!(left(&shown).starts_with(question), "{shown:?}");
    });
}

#[test]
fn a_key_that_a_command_shows_line_by_line_is_left_out() {
    let world = World::new();
    let lines = [
        "-----BEGIN X-----",
        "c2hvcnQ",
        "-----END X-----",
        "unlocked",
    ];
    let words = lines.map(|line| format!("printf '%s\\n' '{line}' >&2; sleep 0.1"));
    with_key_command(&world, &words.join("; "));
    let (code, shown) = Screen::of(&world.home, "token").end();
    assert_eq!(code, Some(0), "{shown:?}");
    assert!(left(&shown).starts_with("[…]\nunlocked\n"), "{shown:?}");
}

#[test]
fn log_lines_stay_separate() {
    patient(|| {
        let world = slow(Duration::from_millis(1300));
        let (_, shown) = Screen::of(&world.home, "token -vv").end();
        in_time(shown.contains("waiting for "), &shown);
        let left = left(&shown);
        assert!(!left.contains("waiting for"), "{left}");
        let lines: Vec<_> = left.lines().filter(|line| !line.is_empty()).collect();
        let (token, log) = lines.split_last().unwrap();
        assert!(world.issuer.accepts(token), "{left}");
        for line in log {
            assert!(line.starts_with("zitadel-credential: "), "{left}");
        }
    });
}

#[test]
fn a_short_wait_a_file_ci_and_log_off_show_no_line() {
    patient(|| {
        let world = slow(Duration::from_millis(500));
        let (_, shown) = Screen::of(&world.home, "token").end();
        in_time(!shown.contains("waiting"), &shown);
    });
    let world = slow(Duration::from_millis(1300));
    for variables in [
        [XTERM, ("CI", "true")],
        [XTERM, ("ZITADEL_CREDENTIAL_LOG", "off")],
    ] {
        let (code, shown) = Screen::with(&world.home, "token --refresh", &variables).end();
        assert_eq!(code, Some(0));
        assert!(!shown.contains("waiting"), "{shown:?}");
    }
    let line = format!("'{}' token --refresh 2>stderr", binary().display());
    let (_, shown) = Screen::of_shell(&world.home, &line, &[XTERM]).end();
    assert!(!shown.contains("waiting"), "{shown:?}");
    assert_eq!(world.home.read("stderr"), "");
    let output = world
        .home
        .command(binary())
        .args(["token", "--refresh"])
        .stdin(Stdio::null())
        .run();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
