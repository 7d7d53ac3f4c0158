//! The way to the issuer, and what comes of it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::issuer::TokenKind;
use crate::support::proxy::Proxy;
use crate::support::{Ca, Case, Endpoint, Fault, Issuer, Times, World};
use crate::{examine, hold, kubeconfig};

#[test]
fn what_is_wrong_on_the_way_to_the_issuer_is_named() {
    hold(&[
        (
            "a clock an hour behind",
            |case| case.world.issuer.set_date_offset(3600),
            &[],
            [
                "clock",
                "warning",
                " s behind the issuer's",
                "set it right (NTP)",
            ],
        ),
        (
            "a clock an hour ahead",
            |case| case.world.issuer.set_date_offset(-3600),
            &[],
            [
                "clock",
                "warning",
                " s ahead of the issuer's",
                "set it right (NTP)",
            ],
        ),
        (
            "a name without an address",
            |_| {},
            &["--issuer", "https://nowhere.invalid", "--timeout", "5"],
            [
                "dns",
                "failed",
                "nowhere.invalid",
                "whether the name is right",
            ],
        ),
        (
            "a closed port",
            |_| {},
            &["--issuer", "https://127.0.0.1:1", "--timeout", "5"],
            [
                "tcp",
                "failed",
                "connection refused, while connecting to 127.0.0.1:1",
                "is up and reachable",
            ],
        ),
        (
            "plain http",
            |_| {},
            &["--issuer", "http://issuer.test"],
            ["tls", "failed", "plain http", "use https"],
        ),
        (
            "a ca-file that is none",
            |_| {},
            &["--ca-file", "key.json"],
            ["tls", "failed", "it holds no certificate", "PEM"],
        ),
        (
            "a document of another shape",
            |case| {
                let body = Fault::body("text/html", "<html>");
                case.world
                    .issuer
                    .fault(Endpoint::Discovery, body, Times::Forever);
            },
            &[],
            ["discovery", "failed", "not JSON", "issuer must be the URL"],
        ),
    ]);
}

#[test]
fn what_the_issuer_refuses_is_named() {
    hold(&[
        (
            "a deleted key",
            |case| case.world.issuer.remove_key(&case.world.user.key_id),
            &[],
            [
                "token",
                "failed",
                "the issuer refused the assertion",
                "is an active service user",
            ],
        ),
        (
            "userinfo that refuses",
            |case| {
                let no = Fault::status(401, "text/plain", "no");
                case.world
                    .issuer
                    .fault(Endpoint::Userinfo, no, Times::Forever);
            },
            &[],
            [
                "userinfo",
                "failed",
                "the issuer refused a token",
                "whether the user is active",
            ],
        ),
        (
            "a token in the cache that was revoked",
            |case| {
                case.world.zitadel(["token"]).assert().success();
                case.world.issuer.revoke_all();
            },
            &[],
            [
                "userinfo",
                "warning",
                "was revoked",
                "zitadel-credential cache clear --key-id ",
            ],
        ),
    ]);
}

#[test]
fn a_name_that_differs_by_a_slash_is_named() {
    let case = Case::new();
    let issuer = format!("{}/", case.world.issuer.url());
    let found = examine(&case, &["--issuer", &issuer], &[]);
    let remedy = format!("set issuer = \"{}\"", case.world.issuer.url());
    assert!(found.has("discovery", "failed", "the issuer calls itself", &remedy));
    assert_eq!(found.status("clock"), "ok");
}

#[test]
fn tls_says_whom_it_trusts() {
    let ca = Ca::new();
    let case = Case::with(World::with(Issuer::start_tls(&ca)));
    let home = &case.world.home;
    home.write("ca.pem", ca.pem());
    home.write("other.pem", Ca::new().pem());
    for options in [&[][..], &["--ca-file", "other.pem"]] {
        let found = examine(&case, options, &[]);
        assert!(found.has("tls", "failed", "is not trusted", "--ca-file"));
        assert_eq!(
            (found.status("tcp"), found.status("token")),
            ("ok", "skipped")
        );
    }
    let found = examine(&case, &["--ca-file", "ca.pem"], &[]);
    assert!(found.has("tls", "ok", "trusted by ca.pem", ""));
    assert_eq!(found.status("userinfo"), "ok");
}

#[test]
fn a_proxy_is_told_apart_from_the_issuer() {
    let ca = Ca::new();
    let issuer = Issuer::builder().tls(&ca).host("issuer.test").start();
    let case = Case::with(World::with(issuer));
    case.world.home.write("ca.pem", ca.pem());
    let options = ["--ca-file", "ca.pem", "--timeout", "3"];

    let found = examine(&case, &options, &[("HTTPS_PROXY", "ftp://x:1")]);
    assert!(found.has(
        "proxy",
        "failed",
        "unsupported scheme",
        "a proxy reads like"
    ));
    assert_eq!(found.status("dns"), "skipped");

    let proxy = Proxy::connect();
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let found = examine(&case, &options, &[("HTTPS_PROXY", &url)]);
    assert!(found.has("proxy", "ok", &url["http://".len()..], ""));
    assert_eq!(found.status("userinfo"), "ok");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let start = Instant::now();
    let found = examine(&case, &options, &[("HTTPS_PROXY", &url)]);
    assert!(
        found.has(
            "tcp",
            "failed",
            "waiting for the proxy to connect us",
            "is up and reachable"
        ),
        "{:#?}",
        found.0
    );
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn the_kind_of_a_token_is_held_against_what_needs_it() {
    let case = Case::new();
    let found = examine(&case, &[], &[]);
    assert!(found.has("token", "ok", "minted, opaque", ""));
    kubeconfig(&case, |_| {});
    let found = examine(&case, &[], &[]);
    let wired = found.status("kubectl") != "absent";
    assert!(wired);
    assert!(found.has("token", "warning", "opaque", "Access Token Type to JWT"));

    case.world.issuer.set_token_kind(TokenKind::Jwt);
    let found = examine(&case, &[], &[]);
    assert!(found.has(
        "token",
        "warning",
        "its aud names no project",
        "projects = "
    ));
    let found = examine(&case, &["--project", "7"], &[]);
    assert!(found.has("token", "ok", "a JWT for 7", ""));
    assert!(found.has("token", "ok", "a Kubernetes API server could use it", ""));

    let other = Fault::edit(|answer| {
        answer["access_token"] = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOlsiOCJdfQ.AAAA".into();
    });
    case.world.issuer.fault(Endpoint::Token, other, 1);
    let found = examine(&case, &["--project", "7"], &[]);
    assert!(found.has(
        "token",
        "warning",
        "its aud does not name it",
        "whether the project is there"
    ));
}
