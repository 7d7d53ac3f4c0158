//! `token`, `exec`, `assertion` and `whoami`, as the user or a script runs them.

mod exec;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::support::entry::only;
use crate::support::exchange::now;
use crate::support::issuer::Endpoint;
use crate::support::jwt::Jwt;
use crate::support::library::VERSION;
use crate::support::{Command, World};

/// Returns the token in the world's cache.
fn cached(world: &World) -> String {
    let output = world.zitadel(["token"]).run();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_token_is_printed_raw_as_a_header_or_as_json() {
    let world = World::new();
    let token = cached(&world);
    let header = format!("Authorization: Bearer {token}\n");
    world
        .zitadel(["token", "--output", "header"])
        .assert()
        .success()
        .stdout(header);
    let json = world.zitadel(["token", "--output", "json"]).run();
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["access_token"], token);
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["issuer"], world.issuer.url());
    assert_eq!(json["user_id"], world.user.user_id);
    assert_eq!(json["scopes"], serde_json::json!(["openid"]));
    let expires_at = json["expires_at"].as_str().unwrap();
    // A date of this length has neither an offset nor fractions of a second.
    assert_eq!(expires_at.len(), "2026-01-31T23:59:59Z".len());
    assert!(OffsetDateTime::parse(expires_at, &Rfc3339).is_ok());
}

#[test]
fn a_token_is_written_whole_for_its_owner_alone_and_through_a_link() {
    let world = World::new();
    let token = cached(&world);
    let directory = world.home.path().join("run");
    fs::create_dir(&directory).unwrap();
    let file = directory.join("token");
    let link = directory.join("link");
    symlink(&file, &link).unwrap();
    for path in [&file, &link] {
        world
            .zitadel(["token", "--write", path.to_str().unwrap()])
            .assert()
            .success()
            .stdout("");
        assert_eq!(fs::read_to_string(&file).unwrap(), token);
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    }
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 2, "nothing else");
    for bad in [directory.to_str().unwrap(), "/dev/null", "nowhere/token"] {
        world
            .zitadel(["token", "--write", bad])
            .assert()
            .code(1)
            .stdout("")
            .stderr(contains(bad));
    }
}

#[test]
fn write_refuses_the_key_file_and_stdout() {
    let world = World::new();
    cached(&world);
    let key = world.home.path().join("key.json");
    let before = fs::read(&key).unwrap();
    let link = world.home.path().join("link");
    symlink(&key, &link).unwrap();
    let config = world.home.config_path();
    let rules = fs::read(&config).unwrap();
    let journal = world
        .home
        .write(".config/zitadel-credential/setup.json", "");
    let backup = world.home.write(".gitconfig.before-zitadel-credential", "");
    let entry = only(&world.home);
    let absent = entry.with_file_name("token");
    let cache = world.home.path().join("cache");
    symlink(entry.parent().unwrap(), &cache).unwrap();
    let entry_by_link = cache.join(entry.file_name().unwrap());
    let hard = world.home.path().join("hard");
    fs::hard_link(&journal, &hard).unwrap();
    let dangling = world.home.path().join("dangling");
    symlink(&absent, &dangling).unwrap();
    let ours = [
        &key,
        &link,
        &config,
        &journal,
        &backup,
        &entry,
        &absent,
        &entry_by_link,
        &hard,
        &dangling,
    ];
    let kept = fs::read(&entry).unwrap();
    for path in ours {
        for command in ["token", "agent"] {
            world
                .zitadel([command, "--write", path.to_str().unwrap()])
                .assert()
                .code(2)
                .stderr(contains("the token would replace"));
        }
    }
    assert_eq!(fs::read(&key).unwrap(), before);
    assert_eq!(fs::read(&config).unwrap(), rules);
    assert_eq!(fs::read(&entry).unwrap(), kept);
    assert_eq!(fs::read(&journal).unwrap(), b"");
    assert!(!absent.exists());
    // A config file created later would be read from then on.
    let other = world.home.path().join("other.toml");
    fs::remove_file(
        world
            .home
            .path()
            .join(".config/zitadel-credential/setup.json"),
    )
    .unwrap();
    world
        .zitadel(["token", "--write", journal.to_str().unwrap()])
        .assert()
        .code(2);
    assert!(!journal.exists() && !other.exists());

    world
        .zitadel(["token", "--write", "/dev/stdout"])
        .assert()
        .code(1)
        .stdout("")
        .stderr(contains("not a file but a stream"));
}

#[test]
fn an_assertion_is_signed_without_network() {
    let world = World::new();
    let signed = |arguments: &[&str]| {
        let output = world.zitadel(arguments).run();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        Jwt::parse(text.trim_end()).unwrap()
    };
    let jwt = signed(&["assertion"]);
    assert!(jwt.is_signed_by(&world.user.public()));
    assert_eq!(jwt.algorithm(), Some("RS256"));
    assert_eq!(jwt.key_id(), Some(world.user.key_id.as_str()));
    assert_eq!(jwt.claims["iss"], world.user.user_id);
    assert_eq!(jwt.claims["sub"], world.user.user_id);
    assert_eq!(jwt.claims["aud"], world.issuer.url());
    let claim = |jwt: &Jwt, name: &str| jwt.claims[name].as_i64().unwrap() - now();
    assert!((-62..=-60).contains(&claim(&jwt, "iat")));
    assert!((598..=600).contains(&claim(&jwt, "exp")));

    let jwt = signed(&[
        "assertion",
        "--audience",
        "https://x.dev",
        "--lifetime",
        "60",
    ]);
    assert_eq!(jwt.claims["aud"], "https://x.dev");
    assert!((58..=60).contains(&claim(&jwt, "exp")));
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn every_size_of_key_and_both_forms_of_pem_sign() {
    use crate::support::keys::ServiceUser;
    for bits in [2048, 3072, 4096] {
        let world = World::new();
        let user = ServiceUser::with_bits(bits);
        world.issuer.register(&user);
        for pem in [user.pkcs1_pem(), user.pkcs8_pem()] {
            let path = world.home.write("key.pem", pem);
            let path = path.to_str().unwrap();
            world
                .zitadel(["token", "--no-cache", "--key-file", path])
                .args(["--key-id", &user.key_id, "--user-id", &user.user_id])
                .assert()
                .success();
        }
    }
}

#[test]
fn a_key_comes_from_the_environment_or_a_command() {
    let world = World::new();
    world.home.write_config("");
    let issuer = world.issuer.url();
    world
        .zitadel(["token", "--issuer", &issuer])
        .env("ZITADEL_CREDENTIAL_KEY", world.user.key_json())
        .assert()
        .success();

    let (key_id, user_id) = (&world.user.key_id, &world.user.user_id);
    world.home.write_config(&format!(
        "[profiles.vault]\nissuer = \"{issuer}\"\n\
         key-command = [\"sh\", \"-c\", \"echo run >> ~/runs; cat ~/key.json\"]\n\
         key-id = \"{key_id}\"\nuser-id = \"{user_id}\"\nscopes = [\"openid\", \"email\"]\n"
    ));
    for _ in 0..3 {
        world.zitadel(["token"]).assert().success();
    }
    let runs = world.home.read("runs");
    assert_eq!(runs, "run\n", "it runs only when a token is minted");
    assert_eq!(world.issuer.token_requests(), 2);
}

/// The key is read again for it, or kept if it came from a pipe.
#[test]
fn a_second_assertion_is_signed_wherever_the_key_comes_from() {
    let world = World::new();
    world.issuer.set_date_offset(-120);
    let issuer = world.issuer.url();
    world.home.append_config(&format!(
        "[profiles.command]\nissuer = \"{issuer}\"\nkey-command = [\"cat\", \"key.json\"]\n"
    ));
    let script = |script: &str| {
        let mut command = world.home.command("bash");
        command.args(["-c", script]);
        command.env("ZITADEL", crate::support::binary());
        Command::from(command)
    };
    for script in [
        script("$ZITADEL token --refresh"),
        script("$ZITADEL token --refresh --profile command"),
        script("$ZITADEL token --refresh --key-file <(cat key.json)"),
        script("ZITADEL_CREDENTIAL_KEY=$(cat key.json) $ZITADEL token --refresh"),
    ] {
        let asked = world.issuer.token_requests();
        let mut script = script;
        script
            .assert()
            .success()
            .stderr(contains("the local clock is").and(contains("ahead of")));
        assert_eq!(world.issuer.token_requests(), asked + 2);
    }
}

#[test]
fn whoami_prints_what_the_issuer_says_or_why_it_does_not() {
    let world = World::new();
    let output = world.zitadel(["whoami"]).run();
    let claims: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(claims["sub"], world.user.user_id);
    assert_eq!(world.issuer.requests(Endpoint::Discovery), 1);
    world.issuer.revoke_all();
    world
        .zitadel(["whoami"])
        .assert()
        .code(1)
        .stdout("")
        .stderr(contains("refused the token").and(contains("--refresh")));
    world.zitadel(["whoami", "--refresh"]).assert().success();
}

#[test]
fn options_may_come_before_or_after_the_command_and_the_last_wins() {
    let world = World::new();
    for arguments in [
        ["--profile", "test", "token"].as_slice(),
        &["token", "--profile", "test"],
        &["--profile", "none", "token", "--profile", "test"],
    ] {
        world.zitadel(arguments).assert().success();
    }
    world
        .zitadel(["--profile", "test", "token", "--profile", "none"])
        .assert()
        .code(2)
        .stderr(contains("\"none\""));
}

#[test]
fn help_and_version_go_to_stdout() {
    let world = World::new();
    for arguments in [
        ["--help"].as_slice(),
        &["help", "token"],
        &["git", "--help"],
    ] {
        let help = world.zitadel(arguments).assert().success().stderr("");
        help.stdout(contains("Usage: "));
    }
    let version = format!("zitadel-credential {VERSION}\n");
    world
        .zitadel(["--version"])
        .assert()
        .success()
        .stdout(version);
    world
        .zitadel(["tokn"])
        .assert()
        .code(2)
        .stderr(contains("'token'"));
}
