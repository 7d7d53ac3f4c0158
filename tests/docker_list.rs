//! `docker list`, by hand and by docker.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod support;

use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};

use support::{World, binary};

#[test]
fn list_waits_for_nothing_to_be_typed() {
    let world = World::new();
    world.allow("registry.acme.dev:5000");
    let (reader, typing) = io::pipe().unwrap();
    let began = Instant::now();
    let child = world
        .home
        .command(binary())
        .args(["docker", "list"])
        .stdin(reader)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let listed = child.wait_with_output().unwrap().stdout;
    assert!(began.elapsed() < Duration::from_secs(10), "it waited");
    drop(typing);
    let listed = String::from_utf8(listed).unwrap();
    let user = &world.user.user_id;
    assert_eq!(
        listed,
        format!("{{\"registry.acme.dev:5000\":\"{user}\"}}\n")
    );
}
