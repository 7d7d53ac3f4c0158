//! The connection to the issuer, and its responses.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use snapbox::str;

use crate::doctor::{case, examine, hold, shown};
use crate::support::patience::{patient, within};
use crate::support::proxy::Proxy;
use crate::support::{Ca, Endpoint, Fault, Issuer, Times, World};

#[test]
fn connection_problems_to_the_issuer_are_named() {
    hold([
        (
            "a clock an hour behind",
            |case| case.set_clock(3600),
            &[],
            str![[r#"
warning clock: the local clock is [OFFSET] behind the issuer's
    synchronize it (NTP)

"#]],
        ),
        (
            "a clock an hour ahead",
            |case| case.set_clock(-3600),
            &[],
            str![[r#"
warning clock: the local clock is [OFFSET] ahead of the issuer's
    synchronize it (NTP)

"#]],
        ),
        (
            "a name without an address",
            |_| {},
            &["--issuer", "https://nowhere.invalid", "--timeout", "5"],
            str![[r#"
failed dns: https://nowhere.invalid/.well-known/openid-configuration: [..]
    check the host name, and DNS

"#]],
        ),
        (
            "a closed port",
            |_| {},
            &["--issuer", "https://127.0.0.1:1", "--timeout", "5"],
            str![[r#"
failed tcp: https://127.0.0.1:1/.well-known/openid-configuration: connection refused, while connecting to 127.0.0.1:1
    check that the issuer is up and reachable from here (network, proxy, firewall)

"#]],
        ),
        (
            "plain http",
            |_| {},
            &["--issuer", "http://issuer.test"],
            str![[r#"
failed tls: http://issuer.test/.well-known/openid-configuration: plain http would expose a secret on the network
    use https; or set allow-http = true in the profile if you trust the network

"#]],
        ),
        (
            "a ca-file that is none",
            |_| {},
            &["--ca-file", "key.json"],
            str![[r#"
failed tls: ca-file key.json: no certificate in the file
    give a readable PEM file with the root certificates to trust

"#]],
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
            str![[r#"
failed discovery: [ISSUER]/.well-known/openid-configuration: the response is text/html, not JSON
    set issuer to the URL of your ZITADEL instance, as its console shows it

"#]],
        ),
    ]);
}

#[test]
fn the_clock_check_is_skipped_after_an_earlier_failure() {
    let case = case();
    for options in [
        &["--issuer", "https://127.0.0.1:1", "--timeout", "5"][..],
        &["--issuer", "http://issuer.test"],
        &["--ca-file", "key.json"],
    ] {
        let found = examine(&case, options, &[]);
        case.matches(
            &found.of("clock"),
            str![[r#"
skipped clock: an earlier step failed

"#]],
        );
        case.matches(
            &found.of("token"),
            str![[r#"
skipped token: an earlier step failed

"#]],
        );
    }
    let issuer = &case.world.issuer;
    issuer.fault(Endpoint::Discovery, Fault::Hang, Times::Forever);
    let found = examine(&case, &["--timeout", "1"], &[]);
    case.matches(
        &found.of("clock"),
        str![[r#"
skipped clock: no response had a Date header

"#]],
    );
}

#[test]
fn an_implausible_date_blames_no_local_clock() {
    let case = case();
    case.world.issuer.set_date_offset(10 * 365 * 24 * 3600);
    let found = examine(&case, &[], &[]);
    let clock = found.of("clock");
    assert!(clock.contains("too large to believe"), "{clock}");
    assert!(clock.contains("proxy"), "{clock}");
    assert_eq!(found.status("clock"), "warning");
}

#[test]
fn refusals_by_the_issuer_are_named() {
    hold([
        (
            "a deleted key",
            |case| case.world.issuer.remove_key(&case.world.user.key_id),
            &[],
            str![[r#"
failed token: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400); the issuer's clock and the local clock agree; the key file has no expiration date
    check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key; or check that neither the user nor the key was removed, and that both are of the instance [ISSUER] and not of another instance; or check the clocks; if everything is right, try again later and read ZITADEL's log: ZITADEL gives the same answer for an internal error, such as a database that is down or read-only

"#]],
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
            str![[r#"
failed userinfo: the issuer refused the token that it just issued: HTTP 401: no
    check in ZITADEL that the user is active, and read the issuer's log

"#]],
        ),
        (
            "userinfo of nobody",
            |case| {
                let body = Fault::body("application/json", "[]");
                case.world
                    .issuer
                    .fault(Endpoint::Userinfo, body, Times::Forever);
            },
            &[],
            str![[r#"
failed userinfo: [ISSUER]/oidc/v1/userinfo: the JSON response has a field of the wrong type
    not a ZITADEL response: check whether a proxy or a login page is in front of it, and its log

"#]],
        ),
        (
            "userinfo of a user whose ID is no text",
            |case| {
                let body = Fault::body("application/json", "{\"sub\":1}");
                case.world
                    .issuer
                    .fault(Endpoint::Userinfo, body, Times::Forever);
            },
            &[],
            str![[r#"
failed userinfo: the userinfo response has no sub
    check that ZITADEL answers at the issuer's userinfo_endpoint, and not a proxy

"#]],
        ),
        (
            "userinfo of another user",
            |case| {
                let body = Fault::body("application/json", "{\"sub\":\"7\"}");
                case.world
                    .issuer
                    .fault(Endpoint::Userinfo, body, Times::Forever);
            },
            &[],
            str![[r#"
failed userinfo: the token belongs to user ID 7, but the key belongs to [USER_ID]
    check that ZITADEL answers at the issuer's userinfo_endpoint, and not a cache with another user's response

"#]],
        ),
    ]);
}

#[test]
fn a_cached_token_is_checked_with_the_issuer() {
    hold([
        (
            "a token in the cache that was revoked",
            |case| {
                case.world.zitadel(["token"]).assert().success();
                case.world.issuer.revoke_all();
            },
            &[],
            str![[r#"
warning userinfo: the issuer refuses the cached token, but tools still get it: it was revoked, its user was deactivated, or ZITADEL has an internal error
    zitadel-credential cache clear --key-id [KEY_ID]

"#]],
        ),
        (
            "a user that was deactivated, with a token in the cache",
            |case| {
                case.world.zitadel(["token"]).assert().success();
                case.world.issuer.revoke_all();
                case.world.issuer.deactivate(&case.world.user.user_id);
            },
            &[],
            str![[r#"
failed token: the issuer refused the assertion: invalid_request: Errors.User.NotActive (HTTP 400); the issuer's clock and the local clock agree; the key file has no expiration date
    check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key
warning userinfo: the issuer refuses the cached token, but tools still get it: it was revoked, its user was deactivated, or ZITADEL has an internal error
    zitadel-credential cache clear --key-id [KEY_ID]

"#]],
        ),
        (
            "userinfo behind a firewall, with a token in the cache",
            |case| {
                case.world.zitadel(["token"]).assert().success();
                let no = Fault::status(403, "text/html", "<html>blocked");
                case.world
                    .issuer
                    .fault(Endpoint::Userinfo, no, Times::Forever);
            },
            &[],
            str![[r#"
failed userinfo: [ISSUER]/oidc/v1/userinfo: HTTP 403
    not a ZITADEL response: check whether a proxy or a login page is in front of it, and its log

"#]],
        ),
        (
            "a database that is down, as 2025's version says it",
            |case| {
                let no = Fault::status(404, "text/plain", "unable to set instance");
                case.world.issuer.fault(Endpoint::Any, no, Times::Forever);
            },
            &[],
            str![[r#"
failed discovery: [ISSUER]/.well-known/openid-configuration: HTTP 404: unable to set instance
    set issuer to the URL of your ZITADEL instance, as its console shows it: ZITADEL gives this answer if the host name is not a domain of an instance; or try again later: ZITADEL gives the same answer for an internal error, such as a database that is down

"#]],
        ),
    ]);
}

#[test]
fn a_name_that_differs_by_a_slash_is_named() {
    let case = case();
    let issuer = format!("{}/", case.world.issuer.url());
    let found = examine(&case, &["--issuer", &issuer], &[]);
    case.matches(
        &found.of("discovery"),
        str![[r#"
failed discovery: the issuer calls itself [ISSUER], but [ISSUER]/ is configured
    set issuer = "[ISSUER]" in the profile, or --issuer: the two must be equal to the last character

"#]],
    );
    assert_eq!(found.status("clock"), "ok");
}

#[test]
fn tls_names_the_trusted_ca_file() {
    let ca = Ca::new();
    let case = shown(World::with(Issuer::start_tls(&ca)));
    let home = &case.world.home;
    home.write("ca.pem", ca.pem());
    home.write("other.pem", Ca::new().pem());
    for options in [&[][..], &["--ca-file", "other.pem"]] {
        let found = examine(&case, options, &[]);
        case.matches(&found.of("tls"), str![[r#"
failed tls: [ISSUER]/.well-known/openid-configuration: the certificate of [ISSUER] is not trusted: it is not signed by a trusted authority
    if you run your own certificate authority, give its PEM: --ca-file, ZITADEL_CREDENTIAL_CA_FILE or ca-file in the profile; or if the certificate is from a public authority, have the server send its intermediate certificates too

"#]]);
        assert_eq!(
            (found.status("tcp"), found.status("token")),
            ("ok", "skipped")
        );
    }
    let found = examine(&case, &["--ca-file", "ca.pem"], &[]);
    case.matches(
        &found.of("tls"),
        str![[r#"
ok tls: certificate trusted by ca.pem

"#]],
    );
    assert_eq!(found.status("userinfo"), "ok");
}

#[test]
fn proxy_failures_differ_from_issuer_failures() {
    patient(|| {
        let ca = Ca::new();
        let issuer = Issuer::builder().tls(&ca).host("issuer.test").start();
        let case = shown(World::with(issuer));
        case.world.home.write("ca.pem", ca.pem());
        let options = ["--ca-file", "ca.pem", "--timeout", "3"];

        let found = examine(&case, &options, &[("HTTPS_PROXY", "ftp://x:1")]);
        case.matches(&found.of("proxy"), str![[r#"
failed proxy: invalid proxy in HTTPS_PROXY: it has the unsupported scheme `ftp`
    write a proxy like http://proxy.acme.dev:3128 or socks5://host:1080; or list hosts that need no proxy in NO_PROXY

"#]]);
        assert_eq!(found.status("dns"), "skipped");

        let proxy = Proxy::connect();
        let address = format!("127.0.0.1:{}", proxy.port());
        let url = format!("http://{address}");
        case.hide("[PROXY]", address);
        let found = examine(&case, &options, &[("HTTPS_PROXY", &url)]);
        case.matches(
            &found.of("proxy"),
            str![[r#"
ok proxy: through [PROXY]

"#]],
        );
        assert_eq!(found.status("userinfo"), "ok");

        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap().to_string();
        let url = format!("http://{address}");
        case.hide("[PROXY]", address);
        let start = Instant::now();
        let found = examine(&case, &options, &[("HTTPS_PROXY", &url)]);
        case.matches(&found.of("tcp"), str![[r#"
failed tcp: proxy [PROXY] (HTTPS_PROXY): no response within 3 s, while waiting for the proxy to connect; the request was to [ISSUER]/.well-known/openid-configuration
    check HTTPS_PROXY, and the proxy's log; or list hosts that need no proxy in NO_PROXY; or give it more time with --timeout

"#]]);
        within(start.elapsed(), Duration::from_secs(10));
    });
}
