//! A bad environment: homes, directories, arguments and variables of any bytes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::entry::{edit, only};
use crate::support::patience::{patient, within};
use crate::support::tools::{CALLS, HOST};
use crate::support::{Endpoint, Fault, Run, World, binary};

/// The user's commands, each as a valid call.
const COMMANDS: [&str; 12] = [
    "token",
    "exec -- true",
    "agent --once --write token",
    "assertion",
    "whoami",
    "setup git git.acme.dev --dry-run",
    "profile list",
    "config show",
    "config check",
    "cache list",
    "doctor",
    "completions bash",
];

/// Returns every command of tools and users, and its stdin.
fn commands() -> impl Iterator<Item = (&'static str, &'static str)> {
    let tools = CALLS.iter().map(|call| (call.words, call.input));
    tools.chain(COMMANDS.into_iter().map(|words| (words, "")))
}

const VARIABLES: [&str; 18] = [
    "ZITADEL_CREDENTIAL_CONFIG",
    "ZITADEL_CREDENTIAL_PROFILE",
    "ZITADEL_CREDENTIAL_ISSUER",
    "ZITADEL_CREDENTIAL_KEY",
    "ZITADEL_CREDENTIAL_KEY_FILE",
    "ZITADEL_CREDENTIAL_KEY_ID",
    "ZITADEL_CREDENTIAL_USER_ID",
    "ZITADEL_CREDENTIAL_SCOPES",
    "ZITADEL_CREDENTIAL_PROJECTS",
    "ZITADEL_CREDENTIAL_HOSTS",
    "ZITADEL_CREDENTIAL_CA_FILE",
    "ZITADEL_CREDENTIAL_CACHE_DIR",
    "ZITADEL_CREDENTIAL_TIMEOUT",
    "ZITADEL_CREDENTIAL_LOG",
    "ZITADEL_CREDENTIAL_LOG_FORMAT",
    "KUBERNETES_EXEC_INFO",
    "HTTP_PROXY",
    "PATH",
];

/// Characters that end a line, control a terminal or reverse its text.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\r\n\u{9b}31m\u{202e}\u{2028}\u{7f}evil";

/// In a clone, the attacker's file would be read.
#[test]
fn a_relative_home_is_ignored() {
    let world = World::new();
    world.home.write(
        "clone/.config/zitadel-credential/config.toml",
        "[profiles.evil]\nissuer = \"https://evil.test\"\nkey-command = [\"touch\", \"ran\"]\n",
    );
    for home in [".", "./", "clone/.."] {
        let output = world
            .home
            .command(binary())
            .arg("token")
            .env("HOME", home)
            .current_dir(world.home.path().join("clone"))
            .run();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("no issuer is configured"), "{stderr}");
    }
    assert!(!world.home.path().join("clone/ran").exists());
    assert!(!world.home.path().join("clone/.cache").exists());
}

#[test]
fn a_home_that_is_a_file_has_no_config_and_no_cache() {
    let world = World::new();
    world
        .zitadel(["token"])
        .env("HOME", "/dev/null")
        .env("ZITADEL_CREDENTIAL_KEY", world.user.key_json())
        .env("ZITADEL_CREDENTIAL_ISSUER", world.issuer.url())
        .assert()
        .success()
        .stderr(predicates::str::contains("continuing without the cache"));
}

#[test]
fn the_root_directory_is_a_valid_home() {
    let world = World::new();
    world
        .zitadel(["token", "--no-cache"])
        .env("HOME", "/")
        .env("ZITADEL_CREDENTIAL_KEY", world.user.key_json())
        .env("ZITADEL_CREDENTIAL_ISSUER", world.issuer.url())
        .assert()
        .success()
        .stderr("");
}

#[test]
fn config_and_cache_directories_may_have_any_bytes() {
    let world = World::new();
    let bytes = OsStr::from_bytes(b"caf\xe9 \x1b[31m");
    let home = world.home.path().join(bytes);
    fs::create_dir(&home).unwrap();
    for name in [".config", "key.json"] {
        fs::rename(world.home.path().join(name), home.join(name)).unwrap();
    }
    for variable in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
        let value = match variable {
            "XDG_CONFIG_HOME" => home.join(".config"),
            "XDG_CACHE_HOME" => home.join("cache"),
            _ => home.clone(),
        };
        let token = |arguments: [&str; 1]| {
            let mut command = world.zitadel(arguments);
            let output = command.env("HOME", &home).env(variable, &value).run();
            assert!(
                output.status.success() && output.stderr.is_empty(),
                "{output:?}"
            );
            output.stdout
        };
        let first = token(["token"]);
        let minted = world.issuer.token_requests();
        assert_eq!(token(["token"]), first);
        assert_eq!(world.issuer.token_requests(), minted, "{variable}");
    }
    assert!(home.join("cache/zitadel-credential").is_dir());
}

/// The XDG Base Directory Specification says to ignore them.
#[test]
fn a_relative_xdg_directory_is_ignored() {
    let world = World::new();
    world.home.write(
        "clone/config/zitadel-credential/config.toml",
        "[profiles.evil]\nissuer = \"https://evil.test\"\nkey-command = [\"touch\", \"ran\"]\n",
    );
    let clone = world.home.path().join("clone");
    for (config, cache) in [("config", "cache"), ("./config", "./cache"), ("", "")] {
        world
            .zitadel(["token"])
            .env("XDG_CONFIG_HOME", config)
            .env("XDG_CACHE_HOME", cache)
            .current_dir(&clone)
            .assert()
            .success()
            .stderr("");
    }
    assert!(only(&world.home).exists());
    assert_eq!(fs::read_dir(&clone).unwrap().count(), 1, "config alone");
}

#[test]
fn an_invalid_temporary_directory_has_no_effect() {
    let world = World::new();
    let key_file = world.key_file.as_os_str();
    let names = [
        OsStr::new("/nowhere"),
        key_file,
        OsStr::from_bytes(b"\xff"),
        OsStr::new(""),
    ];
    for name in names {
        for arguments in [
            ["token", "--refresh"].as_slice(),
            &["token", "--write", "out"],
        ] {
            let output = world.zitadel(arguments).env("TMPDIR", name).run();
            assert!(
                output.status.success() && output.stderr.is_empty(),
                "{output:?}"
            );
        }
        assert!(world.issuer.accepts(world.home.read("out").trim_end()));
    }
    assert!(only(&world.home).exists());
}

/// The pipe is full, and nobody reads it.
#[test]
fn an_unread_stderr_delays_no_token() {
    patient(|| {
        let world = World::new();
        let started = Instant::now();
        let token = |arguments: &[&str]| {
            let (_reader, mut full) = std::io::pipe().unwrap();
            full.write_all(&vec![0; 65536]).unwrap();
            let mut command = world.home.command(binary());
            command.arg("token").args(arguments);
            command.stdin(Stdio::null()).stdout(Stdio::piped());
            command.stderr(full).run_as_given()
        };
        let failed = token(&["--profile", "none"]);
        assert_eq!(failed.status.code(), Some(2));
        let output = token(&["-vv"]);
        let token = String::from_utf8(output.stdout).unwrap();
        assert!(world.issuer.accepts(token.trim_end()));
        within(started.elapsed(), Duration::from_secs(15));
    });
}

/// Asserts that the program exited by itself, and printed no control characters.
#[track_caller]
fn assert_tame(output: &Output, what: &str) -> String {
    assert!(output.status.code().is_some(), "{what}");
    let text = [&*output.stdout, b"\n", &output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    for bug in ["panicked", "bug at", "RUST_BACKTRACE"] {
        assert!(!text.contains(bug), "{what}: {text}");
    }
    // git's own output has a tab.
    let steers =
        |c: char| !"\n\t".contains(c) && (c.is_control() || "\u{202e}\u{2028}".contains(c));
    assert!(!text.contains(steers), "{what}: {text:?}");
    text
}

/// Returns a command with these additional arguments.
fn call(world: &World, words: &str, extra: &[&OsStr]) -> Output {
    call_in(world, (words, ""), extra, &[])
}

/// Returns one of [`commands`] with these additional arguments and variables.
fn call_in(
    world: &World,
    (words, input): (&str, &str),
    extra: &[&OsStr],
    variables: &[(&str, &OsStr)],
) -> Output {
    // The command of exec is last.
    let (own, last) = words.split_at(words.find(" --").unwrap_or(words.len()));
    let mut command = world.zitadel(own.split_whitespace());
    command
        .args(extra)
        .args(last.split_whitespace())
        .env("RUST_BACKTRACE", "full")
        .envs(variables.iter().copied())
        .write_stdin(input)
        .run()
}

#[test]
fn arguments_and_variables_of_any_bytes_cause_no_panic() {
    let world = World::new();
    world.allow(HOST);
    let bytes = OsStr::from_bytes(b"\xff\x1b[31m\xc0\xaf");
    let mut flag = OsString::from("--issuer=");
    flag.push(bytes);
    for command in commands() {
        for extra in [
            [bytes].as_slice(),
            &[&flag],
            &[OsStr::new("--config"), bytes],
        ] {
            let output = call_in(&world, command, extra, &[]);
            assert_tame(&output, &format!("{command:?} {extra:?}"));
        }
        for variable in VARIABLES {
            let output = call_in(&world, command, &[], &[(variable, bytes)]);
            assert_tame(&output, &format!("{command:?} {variable}"));
        }
    }
}

#[test]
fn no_input_from_outside_controls_a_terminal() {
    let world = World::new();
    world.allow(HOST);
    let hostile = OsStr::new(HOSTILE);
    for command in commands() {
        let verbose = OsStr::new("-vv");
        for variable in VARIABLES {
            let output = call_in(&world, command, &[verbose], &[(variable, hostile)]);
            assert_tame(&output, &format!("{command:?} {variable}"));
        }
        for flag in [
            "--config",
            "--profile",
            "--issuer",
            "--key-file",
            "--key-id",
            "--user-id",
            "--scope",
            "--project",
            "--host",
            "--ca-file",
            "--cache-dir",
            "--timeout",
            "--nonsense",
        ] {
            let extra = [verbose, OsStr::new(flag), hostile];
            assert_tame(
                &call_in(&world, command, &extra, &[]),
                &format!("{command:?} {flag}"),
            );
        }
    }
    // A path with a line break is taken for a key.
    let path = format!("/nowhere/{}", HOSTILE.replace('\n', ""));
    for flag in ["--config", "--key-file", "--write"] {
        let extra = [flag, &path].map(OsStr::new);
        let said = assert_tame(&call(&world, "token", &extra), flag);
        assert!(said.contains("evil"), "{flag} is shown, escaped: {said}");
    }
}

#[test]
fn an_entry_and_the_issuers_claims_are_listed_without_an_escape() {
    let world = World::new();
    let claims = |claims: &mut serde_json::Value| {
        claims["name"] = HOSTILE.into();
        claims[HOSTILE] = HOSTILE.into();
    };
    let fault = Fault::Edit(std::sync::Arc::new(claims));
    world.issuer.fault(Endpoint::Userinfo, fault, 1);
    let said = assert_tame(&call(&world, "whoami", &[]), "whoami");
    assert!(said.contains("evil"), "{said}");
    for field in [
        "issuer",
        "key_id",
        "user_id",
        "scopes",
        "expires_at",
        HOSTILE,
    ] {
        call(&world, "token --refresh", &[]);
        edit(&only(&world.home), |entry| entry[field] = HOSTILE.into());
        for output in ["cache list", "cache list --output json", "cache clear -vv"] {
            let what = format!("{output} {field}");
            let said = assert_tame(&call(&world, output, &[]), &what);
            // A value that our entries never have makes the file invalid.
            assert!(!said.contains("evil"), "{what}: {said}");
        }
    }
}

/// `ulimit -s`: the first thread's stack is too small for a build without optimisation.
#[test]
fn a_small_stack_is_enough_for_every_call() {
    let world = World::new();
    world.allow(HOST);
    let tools = CALLS.iter().map(|call| (call.words(), call.input));
    let others = [
        "token --refresh",
        "whoami",
        "doctor",
        "cache list",
        "--help",
    ];
    let others = others.map(|words| (words.split(' ').map(str::to_owned).collect(), ""));
    for (words, input) in others.into_iter().chain(tools) {
        let usual = world.home.command(binary());
        let mut limited = world.home.command("sh");
        limited
            .args(["-c", "ulimit -s 64; exec \"$@\"", "sh"])
            .arg(binary());
        let [usual, limited] = [usual, limited].map(|mut command| {
            command.args(&words);
            command.run_with(input.replace("TOKEN", "x").as_bytes())
        });
        let stderr = String::from_utf8_lossy(&limited.stderr);
        assert_eq!(limited.status, usual.status, "{words:?}: {stderr}");
    }
}
