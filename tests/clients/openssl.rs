//! openssl verifies the signature of `assertion`, and acts as a server that refuses us.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};

use crate::program::{client, stderr_of_failure, stdout_of_success};
use crate::support::{Ca, Running, World, exchange};

#[test]
fn openssl_verifies_an_assertion_and_refuses_another() {
    let Some(openssl) = client("openssl") else {
        return;
    };
    let world = World::new();
    let before = exchange::now();
    let output = world.zitadel(["assertion"]).run();
    let after = exchange::now();
    let assertion = String::from_utf8(output.stdout).unwrap();

    let (signed, signature) = assertion.trim_end().rsplit_once('.').unwrap();
    let signature = BASE64URL.decode(signature).unwrap();
    world.home.write("public.pem", world.user.public_pem());
    world.home.write("signature", signature);
    let verify = |signed: &str| {
        world.home.write("signed", signed);
        let mut command = world.home.command(&openssl);
        command.args(["dgst", "-sha256", "-verify", "public.pem"]);
        command.args(["-signature", "signature", "signed"]);
        command
    };
    assert_eq!(stdout_of_success(verify(signed)), "Verified OK\n");
    stderr_of_failure(verify(&format!("{signed}A")));

    let (header, claims) = signed.split_once('.').unwrap();
    let header = decode(header);
    assert_eq!(header["alg"], "RS256");
    assert_eq!(header["kid"], *world.user.key_id);
    let claims = decode(claims);
    assert_eq!(claims["iss"], *world.user.user_id);
    assert_eq!(claims["sub"], *world.user.user_id);
    assert!(
        [json!(world.issuer.url()), json!([world.issuer.url()])].contains(&claims["aud"]),
        "{claims}"
    );
    let run = before..=after;
    let instant = |name: &str| claims[name].as_i64().unwrap();
    assert!(run.contains(&(instant("iat") + 60)), "{claims}");
    assert!(run.contains(&(instant("exp") - 600)), "{claims}");
    assert_eq!(world.issuer.total_requests(), 0, "it needs no network");
}

/// Runs `token` at openssl's server with these options. Returns its one line of stderr.
fn at_server(openssl: &Path, options: &[&str]) -> String {
    let world = World::new();
    let server = Ca::self_signed_server(&["localhost"], |_| ());
    world.home.write("ca.pem", server.pem());
    world
        .home
        .write("server.pem", server.key_pem() + &server.pem());
    let mut command = world.home.command(openssl);
    command.args(["s_server", "-accept", "localhost:0", "-cert", "server.pem"]);
    command.args(options);
    let (running, _stdin, stdout) = Running::start_talking(command);
    let mut lines = BufReader::new(stdout).lines();
    let port = lines.find_map(|line| {
        let line = line.unwrap();
        line.strip_prefix("ACCEPT ")?
            .rsplit(':')
            .next()
            .map(ToOwned::to_owned)
    });
    // The server's later output must not block it.
    thread::spawn(move || lines.for_each(drop));
    let url = format!("https://localhost:{}", port.unwrap());
    let output = world
        .zitadel([
            "token",
            "--timeout",
            "10",
            "--ca-file",
            "ca.pem",
            "--issuer",
            &url,
        ])
        .run();
    drop(running);
    assert_eq!(output.status.code(), Some(1), "{options:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    said.lines().next().unwrap().to_owned()
}

#[test]
fn openssl_as_a_server_that_refuses_us_is_final_and_says_why() {
    let Some(openssl) = client("openssl") else {
        return;
    };
    let said = |options: &[&str]| at_server(&openssl, options);
    for version in ["-tls1_2", "-tls1_3"] {
        let line = said(&[version, "-Verify", "1"]);
        assert!(line.ends_with(" requires a client certificate"), "{line}");
    }
    let line = said(&["-tls1_1", "-cipher", "ALL@SECLEVEL=0"]);
    assert!(line.contains("no common TLS version"), "{line}");
    let line = said(&["-tls1_2", "-cipher", "AES128-SHA"]);
    assert!(line.contains("no common cipher"), "{line}");
    assert!(!line.contains("client certificate"), "{line}");
}

fn decode(part: &str) -> Value {
    serde_json::from_slice(&BASE64URL.decode(part).unwrap()).unwrap()
}
