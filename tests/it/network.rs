//! Connections to the issuer: proxies, roots, addresses.

mod addresses;
mod own_certificate;
mod proxies;

use std::time::{Duration, Instant};

use predicates::prelude::*;
use predicates::str::contains;

use crate::support::World;
use crate::support::issuer::Issuer;
use crate::support::patience::{patient, within};
use crate::support::proxy::Proxy;
use crate::support::tls::Ca;

/// Returns a world whose issuer speaks TLS under this name, and its authority's file.
fn world_at(host: &str) -> (World, String) {
    let ca = Ca::new();
    let world = World::with(Issuer::builder().tls(&ca).host(host).start());
    let ca_file = world.home.write("ca.pem", ca.pem());
    let ca_file = ca_file.to_str().unwrap().to_owned();
    (world, ca_file)
}

/// Mints a token with these variables.
fn mint(world: &World, ca_file: &str, variables: &[(&str, &str)]) -> assert_cmd::assert::Assert {
    world
        .zitadel(["token", "--no-cache", "--ca-file", ca_file])
        .args(["--timeout", "5"])
        .envs(variables.iter().copied())
        .assert()
}

#[test]
fn an_http_proxy_is_asked_for_the_name_and_shown_its_credentials() {
    let (world, ca_file) = world_at("issuer.test");
    let proxy = Proxy::connect();
    let value = format!("http://ci:hunter2@127.0.0.1:{}", proxy.port());
    let target = format!("issuer.test:{}", world.issuer.port());
    mint(&world, &ca_file, &[("HTTPS_PROXY", &value)])
        .success()
        .stderr("");
    assert_eq!(proxy.asked(), [format!("{target} Basic Y2k6aHVudGVyMg==")]);
    mint(&world, &ca_file, &[("ALL_PROXY", &value)]).success();
    assert_eq!(proxy.asked().len(), 2);
}

#[test]
fn a_socks_proxy_is_asked_for_the_name_or_the_address() {
    let proxy = Proxy::socks5();
    let value = |scheme| format!("{scheme}://127.0.0.1:{}", proxy.port());
    let (world, ca_file) = world_at("issuer.test");
    let named = format!("issuer.test:{}", world.issuer.port());
    mint(&world, &ca_file, &[("ALL_PROXY", &value("socks5h"))]).success();
    assert_eq!(proxy.asked(), [named]);
    let (world, ca_file) = world_at("localhost");
    let address = format!("127.0.0.1:{}", world.issuer.port());
    mint(&world, &ca_file, &[("all_proxy", &value("socks5"))]).success();
    assert_eq!(proxy.asked()[1], address);
}

#[test]
fn no_proxy_names_hosts_that_are_reached_directly() {
    let proxy = Proxy::connect();
    let value = format!("http://127.0.0.1:{}", proxy.port());
    let (world, ca_file) = world_at("localhost");
    let with_port = format!("localhost:{}", world.issuer.port());
    for exception in [
        "localhost",
        ".localhost",
        "a.dev, LOCALHOST",
        "*",
        &with_port,
    ] {
        let variables = [("https_proxy", value.as_str()), ("no_proxy", exception)];
        mint(&world, &ca_file, &variables).success();
        assert_eq!(proxy.asked(), [""; 0], "{exception}");
    }
    for other in ["host", "localhost.evil.test", "localhost:1"] {
        let variables = [("https_proxy", value.as_str()), ("NO_PROXY", other)];
        mint(&world, &ca_file, &variables).success();
    }
    assert_eq!(proxy.asked().len(), 3);
}

#[test]
fn loopback_http_never_goes_to_a_proxy() {
    let proxy = Proxy::connect();
    let value = format!("http://127.0.0.1:{}", proxy.port());
    let world = World::new();
    for variable in ["http_proxy", "HTTP_PROXY", "ALL_PROXY"] {
        world
            .zitadel(["token", "--refresh"])
            .env(variable, &value)
            .assert()
            .success()
            .stderr("");
    }
    assert_eq!(proxy.asked(), [""; 0]);
}

#[test]
fn a_proxy_that_dribbles_its_answer_ends_at_the_timeout() {
    patient(|| {
        let (world, ca_file) = world_at("localhost");
        let value = format!("http://127.0.0.1:{}", Proxy::dribbling().port());
        let start = Instant::now();
        world
            .zitadel(["token", "--ca-file", &ca_file, "--timeout", "1"])
            .env("HTTPS_PROXY", value)
            .assert()
            .code(75)
            .stdout("");
        within(start.elapsed(), Duration::from_secs(4));
    });
}

#[test]
fn a_proxy_that_cannot_be_used_is_named_without_its_password() {
    let (world, ca_file) = world_at("localhost");
    mint(
        &world,
        &ca_file,
        &[("HTTPS_PROXY", "socks9://ci:hunter2@p.dev")],
    )
    .code(2)
    .stdout("")
    .stderr(contains("HTTPS_PROXY").and(contains("hunter2").not()));
    let refused = Proxy::connect().port();
    let value = format!("http://ci:hunter2@127.0.0.1:{refused}");
    world
        .zitadel(["token", "-vv", "--ca-file", &ca_file])
        .env("HTTPS_PROXY", value)
        .env("RUST_LOG", "trace")
        .assert()
        .success()
        .stderr(contains("hunter2").or(contains("Y2k6")).not());
    mint(&world, &ca_file, &[("HTTPS_PROXY", "http://127.0.0.1:9")])
        .code(75)
        .stdout("")
        .stderr(contains("127.0.0.1:9"));
    assert_eq!(world.issuer.token_requests(), 1);
}

/// On macOS the roots are the Keychain's, which has no variables.
#[cfg(not(target_os = "macos"))]
#[test]
fn variables_can_name_the_system_roots() {
    let (world, ca_file) = world_at("localhost");
    let roots = world.home.write("roots/ca.pem", world.home.read("ca.pem"));
    let directory = roots.parent().unwrap().to_str().unwrap();
    for (variable, value) in [
        ("SSL_CERT_FILE", ca_file.as_str()),
        ("SSL_CERT_DIR", directory),
    ] {
        world
            .zitadel(["token", "--refresh"])
            .env(variable, value)
            .assert()
            .success()
            .stderr("");
    }
    world
        .zitadel(["token", "--refresh"])
        .assert()
        .code(1)
        .stderr(contains("is not trusted").and(contains("--ca-file")));
    let other = world.home.write("other.pem", Ca::new().pem());
    mint(
        &world,
        other.to_str().unwrap(),
        &[("SSL_CERT_FILE", &ca_file)],
    )
    .code(1)
    .stderr(contains("is not trusted"));
    assert_eq!(world.issuer.token_requests(), 2);
}

#[cfg(not(target_os = "macos"))]
#[test]
fn a_stream_of_system_roots_is_read_within_limits() {
    use crate::support::{Run, binary};
    let (world, ca_file) = world_at("localhost");
    let fifo = world.home.path().join("fifo");
    let mut mkfifo = world.home.command("mkfifo");
    assert!(mkfifo.arg(&fifo).run().status.success());
    let fifo = fifo.to_str().unwrap();
    for (path, why) in [
        (fifo, "not complete within 1 s"),
        ("/dev/zero", "larger than 4194304 bytes"),
    ] {
        world
            .zitadel(["token", "--timeout", "1"])
            .env("SSL_CERT_FILE", path)
            .assert()
            .code(2)
            .stderr(contains(format!("SSL_CERT_FILE {path}: {why}")));
    }
    let mut command = world.home.command("sh");
    command
        .args([
            "-c",
            "cat \"$1\" | SSL_CERT_FILE=/dev/stdin \"$2\" token",
            "sh",
        ])
        .arg(ca_file)
        .arg(binary());
    command.assert().success().stderr("");
}
