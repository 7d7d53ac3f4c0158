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
use crate::support::patience::{patient, within};
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
fn store_keeps_nothing_and_erase_drops_the_entry() {
    let world = world();
    login(&world, "other.acme.dev");
    let login = json!({"ServerURL": "other.acme.dev", "Username": "x", "Secret": "y"});
    let nothing = (0, String::new());
    assert_eq!(asked(&world, "store", &login.to_string()), nothing);
    assert_eq!(files(&world.home, "json").len(), 1);
    assert_eq!(asked(&world, "erase", "other.acme.dev\n"), nothing);
    assert!(files(&world.home, "json").is_empty());
}

/// Otherwise `docker login` would report success, and the login would be lost.
#[test]
fn store_refuses_a_login_that_would_be_lost() {
    let world = world();
    for server in [
        "elsewhere.dev",
        "https://index.docker.io/v1/",
        "http://other.acme.dev",
        "other.acme.dev:444",
        "a b",
    ] {
        let login = json!({"ServerURL": server, "Username": "x", "Secret": "hunter2"});
        let line = format!(
            "zitadel-credential: the login for {server} is not stored: it has no host rule\n"
        );
        assert_eq!(asked(&world, "store", &login.to_string()), (1, line));
    }
    let no_server = (1, "no credentials server URL\n".to_owned());
    for login in ["{}", "", "{\"ServerURL\": \"\"}", "[1]"] {
        assert_eq!(asked(&world, "store", login), no_server, "{login}");
    }
    assert_eq!(world.issuer.total_requests(), 0);
}

fn listed(world: &World) -> Value {
    let (code, stdout) = asked(world, "list", "unused");
    assert_eq!(code, 0, "{stdout}");
    serde_json::from_str(&stdout).unwrap()
}

fn write_logins(world: &World, path: &str, file: &Value) {
    let path = world.home.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, file.to_string()).unwrap();
}

#[test]
fn list_names_the_hosts_of_dockers_file_without_network_or_a_working_key() {
    let world = world();
    let user_id = &world.user.user_id;
    assert_eq!(listed(&world), json!({}), "no file names this helper");
    let file = json!({"credHelpers": {
        "registry.acme.dev:5000": "zitadel",
        "other.acme.dev": "pass",
        "no-rule.dev": "zitadel",
    }});
    write_logins(&world, ".docker/config.json", &file);
    assert_eq!(listed(&world), json!({"registry.acme.dev:5000": "ci"}));
    let podman = json!({"credHelpers": {"other.acme.dev/team": "zitadel"}});
    write_logins(&world, ".config/containers/auth.json", &podman);
    assert_eq!(
        listed(&world),
        json!({"other.acme.dev": user_id, "registry.acme.dev:5000": "ci"})
    );
    fs::remove_file(&world.key_file).unwrap();
    assert_eq!(listed(&world), json!({"registry.acme.dev:5000": "ci"}));
    assert_eq!(world.issuer.total_requests(), 0);
}

/// docker passes the token of each listed host to a build's engine.
#[test]
fn list_names_only_the_logins_if_this_helper_is_the_only_store() {
    let world = world();
    let file = json!({"credsStore": "zitadel", "auths": {"https://registry.acme.dev:5000": {}}});
    write_logins(&world, ".docker/config.json", &file);
    assert_eq!(listed(&world), json!({"registry.acme.dev:5000": "ci"}));
    write_logins(
        &world,
        ".docker/config.json",
        &json!({"credsStore": "zitadel"}),
    );
    assert_eq!(listed(&world), json!({}));
}

#[test]
fn version_needs_no_configuration_and_unknown_words_fail() {
    let world = world();
    fs::write(world.home.config_path(), "not toml").unwrap();
    let version = format!("docker-credential-zitadel {VERSION}\n");
    assert_eq!(asked(&world, "version", ""), (0, version));
    let (code, stdout) = asked(&world, "frobnicate", "");
    assert_eq!((code, stdout.lines().count()), (1, 1));
}

#[test]
fn list_does_not_wait_for_stdin() {
    patient(|| {
        let world = World::new();
        world.allow("registry.acme.dev:5000");
        let file = json!({"credHelpers": {"registry.acme.dev:5000": "zitadel"}});
        write_logins(&world, ".docker/config.json", &file);
        let (reader, typing) = io::pipe().unwrap();
        let began = Instant::now();
        let output = world
            .home
            .command(binary())
            .args(["docker", "list"])
            .stdin(reader)
            .stdout(Stdio::piped())
            .run_as_given();
        within(began.elapsed(), Duration::from_secs(10));
        drop(typing);
        let listed = String::from_utf8(output.stdout).unwrap();
        let user = &world.user.user_id;
        assert_eq!(
            listed,
            format!("{{\"registry.acme.dev:5000\":\"{user}\"}}\n")
        );
    });
}
