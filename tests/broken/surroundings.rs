//! Surroundings that are not as they should be: homes, directories, arguments
//! and variables of any bytes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::entry::{edit, only};
use crate::support::tools::{CALLS, HOST};
use crate::support::{Endpoint, Fault, Run, World, binary};

/// What people call, each as it would work.
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

/// Every command of a tool and of people, and its stdin.
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

/// What ends a line, steers a terminal or turns its text round.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\r\n\u{9b}31m\u{202e}\u{2028}\u{7f}evil";

/// In a clone, it is the attacker's file that would be read.
#[test]
fn a_relative_home_is_none() {
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
fn a_home_that_is_a_file_holds_no_config_and_no_cache() {
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
fn a_home_at_the_root_is_a_home() {
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
fn directories_of_any_bytes_hold_the_config_and_the_cache() {
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

/// The XDG Base Directory Specification has them passed over.
#[test]
fn a_relative_directory_of_xdg_is_none() {
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
fn a_place_for_temporary_files_that_is_none_costs_nothing() {
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

/// Nobody reads the pipe, and it is full.
#[test]
fn a_stderr_that_nobody_reads_keeps_no_token_back() {
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
    assert!(started.elapsed() < Duration::from_secs(15));
}

/// It ended by its own will, and shows nothing that a terminal would act on.
#[track_caller]
fn assert_tame(output: &Output, what: &str) -> String {
    assert!(output.status.code().is_some(), "{what}");
    let text = [&*output.stdout, b"\n", &output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    for bug in ["panicked", "bug at", "RUST_BACKTRACE"] {
        assert!(!text.contains(bug), "{what}: {text}");
    }
    // A tab stands in what git writes itself.
    let steers =
        |c: char| !"\n\t".contains(c) && (c.is_control() || "\u{202e}\u{2028}".contains(c));
    assert!(!text.contains(steers), "{what}: {text:?}");
    text
}

/// A command with these arguments besides.
fn call(world: &World, words: &str, extra: &[&OsStr]) -> Output {
    call_in(world, (words, ""), extra, &[])
}

/// One of [`commands`] with these arguments and variables besides.
fn call_in(
    world: &World,
    (words, input): (&str, &str),
    extra: &[&OsStr],
    variables: &[(&str, &OsStr)],
) -> Output {
    // What exec runs comes last.
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
fn arguments_and_variables_of_any_bytes_are_no_panic() {
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
fn nothing_that_was_said_from_outside_steers_a_terminal() {
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
    // A path with a line's end in it is taken for a key.
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
            // What no entry of ours holds is none.
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
