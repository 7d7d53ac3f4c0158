//! `docker`: the protocol at the process's edge.

mod doctor;
mod errors;
mod negative;
mod setup;

use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{fs, io};

use serde_json::{Value, json};

use crate::support::entry::files;
use crate::support::library::VERSION;
use crate::support::{Run, World, binary};

fn world() -> World {
    let world = World::new();
    world.home.append_config(
        "[hosts.\"registry.acme.dev:5000\"]\nprofile = \"test\"\nusername = \"ci\"\n\
         [hosts.\"other.acme.dev\"]\n[hosts.\"*.wild.dev\"]\n",
    );
    world
}

fn asked(world: &World, operation: &str, input: &str) -> (i32, String) {
    let mut command = world
        .home
        .command(world.home.link("docker-credential-zitadel"));
    command.arg(operation);
    let output = command.run_with(input);
    let stdout = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), stdout)
}

fn login(world: &World, server: &str) -> Value {
    let (code, stdout) = asked(world, "get", server);
    assert_eq!(code, 0, "{stdout}");
    serde_json::from_str(&stdout).unwrap()
}

#[test]
fn a_server_with_a_rule_gets_a_login_under_the_name_it_was_asked_by() {
    let world = world();
    for server in [
        "registry.acme.dev:5000",
        "https://registry.acme.dev:5000/v2/",
        "registry.acme.dev:5000/team/app",
    ] {
        let login = login(&world, server);
        assert_eq!(login["ServerURL"], server);
        assert_eq!(login["Username"], "ci");
        assert!(world.issuer.accepts(login["Secret"].as_str().unwrap()));
    }
    let user_id = world.user.user_id.as_str();
    assert_eq!(login(&world, "other.acme.dev")["Username"], user_id);
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn store_does_nothing_and_erase_drops_the_entry() {
    let world = world();
    login(&world, "other.acme.dev");
    let login = json!({"ServerURL": "other.acme.dev", "Username": "x", "Secret": "y"});
    let nothing = (0, String::new());
    assert_eq!(asked(&world, "store", &login.to_string()), nothing);
    assert_eq!(files(&world.home, "json").len(), 1);
    assert_eq!(asked(&world, "erase", "other.acme.dev\n"), nothing);
    assert!(files(&world.home, "json").is_empty());
}

#[test]
fn list_names_whole_hosts_without_network_or_a_working_key() {
    let world = world();
    let user_id = &world.user.user_id;
    let listed = |world: &World| {
        let (code, stdout) = asked(world, "list", "unused");
        assert_eq!(code, 0, "{stdout}");
        serde_json::from_str::<Value>(&stdout).unwrap()
    };
    assert_eq!(
        listed(&world),
        json!({"other.acme.dev": user_id, "registry.acme.dev:5000": "ci"})
    );
    fs::remove_file(&world.key_file).unwrap();
    assert_eq!(listed(&world), json!({"registry.acme.dev:5000": "ci"}));
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn version_and_store_need_no_configuration_and_unknown_words_fail() {
    let world = world();
    fs::write(world.home.config_path(), "not toml").unwrap();
    let version = format!("docker-credential-zitadel {VERSION}\n");
    assert_eq!(asked(&world, "version", ""), (0, version));
    assert_eq!(asked(&world, "store", "{}"), (0, String::new()));
    let (code, stdout) = asked(&world, "frobnicate", "");
    assert_eq!((code, stdout.lines().count()), (1, 1));
}

#[test]
fn list_waits_for_nothing_to_be_typed() {
    let world = World::new();
    world.allow("registry.acme.dev:5000");
    let (reader, typing) = io::pipe().unwrap();
    let began = Instant::now();
    let output = world
        .home
        .command(binary())
        .args(["docker", "list"])
        .stdin(reader)
        .stdout(Stdio::piped())
        .run_as_given();
    assert!(began.elapsed() < Duration::from_secs(10), "it waited");
    drop(typing);
    let listed = String::from_utf8(output.stdout).unwrap();
    let user = &world.user.user_id;
    assert_eq!(
        listed,
        format!("{{\"registry.acme.dev:5000\":\"{user}\"}}\n")
    );
}
