//! Proxies that fail: the error names each before the issuer, with its variable.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use predicates::str::contains;
use snapbox::{Data, str};

use crate::support::ports::free_port;
use crate::support::proxy::Proxy;
use crate::support::{Ca, Case, Reply, Response, Server};

/// Runs `token` through a proxy with this port.
#[track_caller]
fn through(url: &str, port: u16, code: i32, stderr: impl Into<Data>) {
    through_within(10, url, port, code, stderr);
}

#[track_caller]
fn through_within(secs: u8, url: &str, port: u16, code: i32, stderr: impl Into<Data>) {
    let case = Case::new();
    let address = format!("127.0.0.1:{port}");
    case.hide("[PROXY]", address.clone());
    let mut command = case.world.zitadel(["token"]);
    command
        .args([
            "--issuer",
            "https://id.acme.test",
            "--timeout",
            &secs.to_string(),
        ])
        .env("HTTPS_PROXY", url.replace("[PROXY]", &address));
    case.end(command).fails(code, stderr);
    assert_eq!(case.requests(), 0);
}

/// Runs `token` through a server with this response. Returns the number of requests.
#[track_caller]
fn server(url: &str, reply: impl Into<Reply>, code: i32, stderr: impl Into<Data>) -> usize {
    let reply = reply.into();
    let proxy = Server::http(move |_| reply.clone());
    through(url, proxy.port(), code, stderr);
    proxy.connections()
}

#[test]
fn nobody_listens() {
    let port = free_port();
    through(
        "http://[PROXY]",
        port,
        75,
        str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): connection refused, while connecting to [PROXY]
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
    );
    through(
        "socks5h://[PROXY]",
        port,
        75,
        str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): connection refused, while connecting to [PROXY]
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
    );
}

#[test]
fn a_name_without_an_address() {
    let case = Case::new();
    let mut command = case.world.zitadel(["token"]);
    command
        .args(["--issuer", "https://id.acme.test", "--timeout", "1"])
        .env("ALL_PROXY", "http://nobody.invalid:3128");
    // The rest is from the machine's own resolver.
    let named = "error: proxy nobody.invalid:3128 (ALL_PROXY): ";
    command.assert().code(75).stderr(contains(named));
}

#[test]
fn a_gateway_error() {
    for status in [502, 503, 504] {
        let html = Response::new(status).with_body("text/html", "<h1>no upstream</h1>");
        let url = "http://[PROXY]";
        let tries = server(
            url,
            html,
            75,
            str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): it refused the connection: HTTP 50[..]
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
        );
        assert_eq!(tries, 3, "{status}");
    }
}

#[test]
fn a_refusal_or_a_redirect() {
    server(
        "http://[PROXY]",
        Response::new(403),
        75,
        str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): it refused the connection: HTTP 403
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
    );
    let login = Response::new(302).with_header("Location", "https://login.acme.test/");
    server(
        "http://[PROXY]",
        login,
        75,
        str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): it refused the connection: HTTP 302
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
    );
}

/// The error is permanent: another try with the same password could lock the account.
#[test]
fn a_login_that_is_missing_or_wrong() {
    let wants_login = || Response::new(407).with_header("Proxy-Authenticate", "Basic realm=x");
    for url in ["http://[PROXY]", "http://ci:hunter2@[PROXY]"] {
        let tries = server(
            url,
            wants_login(),
            1,
            str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): HTTP 407
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: write USER:PASSWORD@ before the host in HTTPS_PROXY, special characters percent-encoded

"#]],
        );
        assert_eq!(tries, 1, "{url}");
    }
}

#[test]
fn an_answer_that_is_not_http() {
    for noise in ["SSH-2.0-OpenSSH_9.9\r\n", "\0\u{1}\u{2}\u{3}", "hello\n\n"] {
        let tries = server(
            "http://[PROXY]",
            Reply::Raw(noise.into()),
            75,
            str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): its answer is not HTTP
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
        );
        assert_eq!(tries, 3, "{noise:?}");
    }
}

#[test]
fn no_answer() {
    server(
        "http://[PROXY]",
        Reply::Close,
        75,
        str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): it closed the connection without an answer
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // The server closes each connection at once.
    thread::spawn(move || listener.incoming().for_each(drop));
    through(
        "http://[PROXY]",
        port,
        75,
        str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): it closed the connection without an answer
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
    );
    through(
        "socks5h://[PROXY]",
        port,
        75,
        str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): it closed the connection in the SOCKS handshake
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
    );
}

#[test]
fn a_tunnel_without_tls() {
    let html = Response::new(200).with_body("text/html", "<h1>log in first</h1>");
    let url = "http://[PROXY]";
    server(
        url,
        html,
        75,
        str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): it accepted the connection to https://id.acme.test, but no TLS came back
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
    );
}

#[test]
fn another_kind_of_proxy() {
    // The server waits for a whole HTTP request, which does not come.
    let http = Server::http(|_| Response::new(400).into());
    through_within(
        2,
        "socks5h://[PROXY]",
        http.port(),
        75,
        str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): no answer in the SOCKS handshake
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
    );
    through_within(
        2,
        "https://[PROXY]",
        http.port(),
        75,
        str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): no response within 2 s, while in the TLS handshake
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY
  hint: give it more time with --timeout

"#]],
    );
    let noise = "HTTP/1.1 400 Bad Request\r\n\r\n";
    for url in ["socks5h://[PROXY]", "socks4a://[PROXY]"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.unwrap();
                let _ = client.read(&mut [0; 100]);
                client.write_all(noise.as_bytes()).unwrap();
            }
        });
        through(
            url,
            port,
            75,
            str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): its answer is not SOCKS[..]
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
        );
    }
    let socks = Proxy::socks5();
    through(
        "socks4a://[PROXY]",
        socks.port(),
        75,
        str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): it closed the connection in the SOCKS handshake
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
    );
}

#[test]
fn a_proxy_whose_certificate_is_not_trusted() {
    let ca = Ca::new();
    let proxy = Server::https(ca.server_config(&["localhost"]), |_| {
        Response::new(200).into()
    });
    through(
        "https://[PROXY]",
        proxy.port(),
        1,
        str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): the certificate of [PROXY] is not trusted: it is not signed by a trusted authority
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: if you run your own certificate authority, give its PEM: --ca-file, ZITADEL_CREDENTIAL_CA_FILE or ca-file in the profile
  hint: if the certificate is from a public authority, have the server send its intermediate certificates too

"#]],
    );
}
