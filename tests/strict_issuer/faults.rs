//! The tests' issuer fails as set by a test, and no longer; the tests' home is isolated.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{
    Answer, Client, Endpoint, Fault, Home, Issuer, Run, Server, ServiceUser, Times, World, binary,
};

const DISCOVERY: &str = "/.well-known/openid-configuration";

fn discover(issuer: &Issuer) -> io::Result<Answer> {
    Client::http(issuer.port()).get(DISCOVERY, &[])
}

/// Returns an issuer whose discovery has this fault once.
fn faulty(fault: Fault) -> Issuer {
    let issuer = Issuer::start();
    issuer.fault(Endpoint::Discovery, fault, 1);
    issuer
}

#[test]
fn a_fault_happens_as_often_as_requested() {
    let issuer = Issuer::start();
    let unavailable = || Fault::retry_after(503, "1");
    issuer.fault(Endpoint::Discovery, unavailable(), 2);
    issuer.fault(Endpoint::Any, Fault::rate_limit(), 1);
    issuer.fault(Endpoint::Token, unavailable(), Times::Forever);

    let statuses = [(); 4].map(|()| discover(&issuer).unwrap().status);
    assert_eq!(statuses, [503, 503, 429, 200]);

    let mut client = Client::http(issuer.port());
    for _ in 0..3 {
        let answer = client.post("/oauth/v2/token", &[]).unwrap();
        assert_eq!(answer.status, 503);
    }
    issuer.clear_faults();
    let answer = client.post("/oauth/v2/token", &[]).unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(issuer.token_requests(), 4);
}

#[test]
fn an_answer_can_be_any_other() {
    let issuer = faulty(Fault::retry_after(503, "7"));
    let answer = discover(&issuer).unwrap();
    assert_eq!(answer.header("retry-after"), Some("7"));
    assert!(answer.header("date").is_some());

    let issuer = faulty(Fault::body("text/html", "<html>"));
    let answer = discover(&issuer).unwrap();
    assert_eq!((answer.status, &*answer.body), (200, &b"<html>"[..]));
    assert_eq!(answer.header("content-type"), Some("text/html"));

    let issuer = faulty(Fault::body("application/json", vec![b' '; 1024 * 1024]));
    assert_eq!(discover(&issuer).unwrap().body.len(), 1024 * 1024);

    let issuer = faulty(Fault::redirect("https://elsewhere.test/"));
    let answer = discover(&issuer).unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.header("location"), Some("https://elsewhere.test/"));
}

#[test]
fn an_answer_can_be_late_or_never_come() {
    let delay = Duration::from_millis(50);
    let issuer = faulty(Fault::Delay(delay));
    let before = Instant::now();
    assert_eq!(discover(&issuer).unwrap().status, 200);
    assert!(before.elapsed() >= delay);

    let issuer = faulty(Fault::Hang);
    let mut client = Client::http(issuer.port());
    client.give_up_after(delay);
    let error = client.get(DISCOVERY, &[]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn a_connection_can_end_before_and_within_the_answer() {
    for fault in [Fault::Close, Fault::CutMidBody] {
        let issuer = faulty(fault);
        let error = discover(&issuer).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(discover(&issuer).unwrap().status, 200);
    }
}

#[test]
fn an_answer_can_be_edited() {
    let elsewhere = Server::http(|_| crate::support::Response::new(204).into());
    let endpoint = format!("http://127.0.0.1:{}/", elsewhere.port());
    let expected = Value::from(endpoint.clone());
    let issuer = faulty(Fault::edit(move |document| {
        document["token_endpoint"] = endpoint.clone().into();
    }));
    let document = discover(&issuer).unwrap().json();
    assert_eq!(document["token_endpoint"], expected);
    assert_eq!(document["issuer"], issuer.url());
}

#[test]
fn an_edit_leaves_a_refusal_alone() {
    let issuer = Issuer::start();
    issuer.fault(Endpoint::Token, Fault::edit(|_| unreachable!()), 1);
    let mut client = Client::http(issuer.port());
    let answer = client.post("/oauth/v2/token", &[]).unwrap();
    assert_eq!(answer.json()["error"], "invalid_request");
}

#[test]
fn key_files_look_like_zitadels() {
    let user = ServiceUser::new().with_key_id("1").with_user_id("2");
    let start = r#"{"type":"serviceaccount","keyId":"1","key":"-----BEGIN RSA PRIVATE KEY-----\n"#;
    assert!(user.key_json().starts_with(start));
    assert!(
        user.key_json()
            .ends_with(r#"-----END RSA PRIVATE KEY-----\n","userId":"2"}"#)
    );
    assert!(
        user.key_json_expiring("2027-01-01T00:00:00Z")
            .ends_with(r#""expirationDate":"2027-01-01T00:00:00Z","userId":"2"}"#)
    );
    assert!(
        user.application_key_json()
            .starts_with(r#"{"type":"application","#)
    );
    assert!(user.pkcs8_pem().starts_with("-----BEGIN PRIVATE KEY-----"));
    assert!(user.public_pem().starts_with("-----BEGIN PUBLIC KEY-----"));
    assert_ne!(ServiceUser::new().user_id, ServiceUser::new().user_id);
}

#[test]
fn a_world_is_ready_and_private() {
    let world = World::new();
    world.allow("git.acme.test");
    assert_eq!(world.key_file, world.home.path().join("key.json"));
    let config: toml::Table = world
        .home
        .read(".config/zitadel-credential/config.toml")
        .parse()
        .unwrap();
    let profile = &config["profiles"]["test"];
    assert_eq!(config["default-profile"].as_str(), Some("test"));
    assert_eq!(profile["issuer"].as_str(), Some(&*world.issuer.url()));
    assert_eq!(
        config["hosts"]["git.acme.test"]["profile"].as_str(),
        Some("test")
    );

    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(world.home.path()), 0o700);
    assert_eq!(mode(&world.home.path().join(".config")), 0o700);
    assert_eq!(mode(&world.key_file), 0o600);
}

#[test]
fn a_program_sees_the_home_and_hardly_anything_else() {
    let home = Home::new();
    let output = home.command("env").run();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<_> = text
        .lines()
        .filter_map(|line| line.split('=').next())
        .filter(|name| !["TMPDIR", "LLVM_PROFILE_FILE"].contains(name))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["GOGC", "HOME", "PATH"]);
    assert!(text.contains(&format!("HOME={}", home.path().display())));
}

#[test]
fn the_binary_answers_to_its_other_names() {
    let home = Home::new();
    let link = home.link("git-credential-zitadel");
    assert_eq!(link.read_link().unwrap(), binary());
    let path = home.path_with_bin();
    assert_eq!(
        std::env::split_paths(&path).next(),
        link.parent().map(Into::into)
    );
    home.zitadel(["--help"]).assert().success();
}
