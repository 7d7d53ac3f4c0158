//! Child processes: they end with the process that runs them, and keep none of its
//! caller's streams.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::patience::{patient, within};
use crate::support::{Home, Running, World, binary, until};

const ENDS: [Signal; 4] = [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP];

/// A script that starts another process, notes both, and hangs.
const HANGING: &str = "sleep 300 & echo $! > child; echo $$ > parent; exec sleep 300";

fn with_command(script: &str) -> World {
    let world = World::new();
    world.home.write_config(&format!(
        "[profiles.p]\nissuer = \"{}\"\nkey-command = [\"sh\", \"-c\", '''{script}''']\n",
        world.issuer.url()
    ));
    world
}

/// True unless the process with the ID in a file has ended.
fn runs(home: &Home, file: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", home.read(file).trim()));
    // A zombie waits for the reaper of orphans.
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

fn is_noted(home: &Home) -> bool {
    let noted = |file| fs::read_to_string(home.path().join(file)).unwrap_or_default();
    noted("child").ends_with('\n') && noted("parent").ends_with('\n')
}

/// Asserts that both processes of [`HANGING`] end, and kills them if they do not.
#[track_caller]
fn end(home: &Home, how: &str) {
    let start = Instant::now();
    let is_left = || ["child", "parent"].iter().any(|file| runs(home, file));
    while is_left() && start.elapsed() < Duration::from_secs(5) {}
    let is_left = is_left();
    for file in ["child", "parent"].into_iter().filter(|_| is_left) {
        let pid = home.read(file).trim().parse().unwrap();
        let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
    }
    assert!(!is_left, "left running after {how}");
    for file in ["child", "parent"] {
        fs::remove_file(home.path().join(file)).unwrap();
    }
}

#[test]
fn a_key_command_and_its_children_end_with_us() {
    let world = with_command(HANGING);
    for signal in ENDS {
        for words in [&["token"][..], &["kubectl"], &["agent", "--write", "token"]] {
            let mut command = world.home.command(binary());
            command.args(words);
            let running = Running::start(command);
            until("the command hangs", || is_noted(&world.home));
            running.signal(signal);
            let output = running.output();
            assert!(output.stdout.is_empty());
            end(&world.home, &format!("{signal:?} of {words:?}"));
        }
    }
}

/// A git that is killed while it writes leaves `.gitconfig.lock`, which blocks every `git
/// config`.
#[test]
fn a_program_has_a_moment_to_finish_before_it_ends_with_us() {
    let world = with_command(&format!("touch lock; (sleep 0.1; rm lock) & {HANGING}"));
    let mut command = world.home.command(binary());
    command.arg("token");
    let running = Running::start(command);
    until("the command hangs", || is_noted(&world.home));
    running.signal(Signal::KILL);
    drop(running.output());
    end(&world.home, "SIGKILL");
    assert!(!world.home.path().join("lock").exists());
}

/// At a terminal, the command is in our own process group.
#[test]
fn a_key_command_at_a_terminal_ends_with_us_too() {
    let world = with_command(&format!("echo $PPID > ours; {HANGING}"));
    for signal in [Signal::KILL, Signal::TERM] {
        let call = format!("exec {} token", binary().display());
        let mut terminal = world.home.command("script");
        terminal.args(["--quiet", "--return", "--command", &call, "/dev/null"]);
        let running = Running::start(terminal);
        until("the command hangs", || is_noted(&world.home));
        let ours = world.home.read("ours").trim().parse().unwrap();
        kill_process(Pid::from_raw(ours).unwrap(), signal).unwrap();
        drop(running.output());
        end(&world.home, &format!("{signal:?}"));
    }
}

#[test]
fn a_tool_that_setup_runs_ends_with_us() {
    for tool in ["kubectl", "git"] {
        let world = World::new();
        let script = format!("#!/bin/sh\ncd \"$HOME\"\n{HANGING}\n");
        let program = world.home.write(format!("bin/{tool}"), script);
        fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
        for signal in ENDS {
            let mut command = world.home.command(binary());
            command.env("PATH", world.home.path_with_bin());
            match tool {
                "git" => command.args(["setup", "git", "git.acme.dev"]),
                _ => command.args(["setup", "kubectl", "--user", "u"]),
            };
            let running = Running::start(command);
            until("the tool hangs", || is_noted(&world.home));
            running.signal(signal);
            drop(running.output());
            end(&world.home, &format!("{signal:?} of setup {tool}"));
        }
    }
}

#[test]
fn a_daemon_of_a_key_command_is_not_waited_for_and_keeps_no_stream() {
    patient(|| {
        let world = with_command("sleep 300 & echo $! > child; cat key.json");
        let start = Instant::now();
        let mut command = world.home.command(binary());
        command.arg("token");
        let output = Running::start(command).output();
        assert!(output.status.success());
        within(start.elapsed(), Duration::from_secs(10));
        assert!(runs(&world.home, "child"), "it is another's business");
        let pid = world.home.read("child").trim().parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    });
}

/// The call does not wait for a failed command either.
#[test]
fn a_daemon_of_a_key_command_that_failed_is_not_waited_for() {
    let world = with_command("sleep 300 & echo $! > child; exit 3");
    let output = world
        .zitadel(["token"])
        .assert()
        .code(1)
        .get_output()
        .clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("failed with exit status: 3"), "{said}");
    let pid = world.home.read("child").trim().parse().unwrap();
    let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
}

#[test]
fn the_stderr_of_a_key_command_is_escaped_limited_and_shown_if_useful() {
    let said = |script: &str, words: &[&str]| {
        let world = with_command(script);
        let ended = world.zitadel(words).assert();
        String::from_utf8(ended.get_output().stderr.clone()).unwrap()
    };
    let failing = r"printf 'vault: \033[2Jsealed\r\nno end' >&2; exit 3";
    let text = said(failing, &["kubectl"]);
    let start = "vault: \\u{1b}[2Jsealed\nno end\nzitadel-credential: error: key-command sh: ";
    assert!(text.starts_with(start), "{text}");
    let secret = said("cat key.json >&2; exit 3", &["token"]);
    assert!(!secret.contains("BEGIN"), "{secret}");
    assert!(secret.contains("serviceaccount"), "{secret}");
    let flood = said("yes said | head -c 200000 >&2; exit 3", &["token"]);
    assert!((65_536..66_500).contains(&flood.len()), "{}", flood.len());
    assert!(flood.contains("the rest of the key-command's stderr is not shown"));
    let good = "echo unlocked >&2; cat key.json";
    assert_eq!(said(good, &["kubectl"]), "");
    assert!(said(good, &["token", "-v"]).contains("unlocked\n"));
}

#[test]
fn a_key_command_reads_nothing_of_our_callers_input() {
    let world = with_command("cat > input; cat key.json");
    let mut command: Command = world.home.command(binary());
    command.arg("token");
    let output = Running::start_with(command, "secret").output();
    assert!(output.status.success());
    assert_eq!(world.home.read("input"), "");
}
