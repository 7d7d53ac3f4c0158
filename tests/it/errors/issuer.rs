//! All errors of a missing or wrong issuer, as the user reads them: the results of
//! discovery.

use serde_json::{Value, json};
use snapbox::{Data, str};

use crate::support::ports::free_port;
use crate::support::{Ca, Case, Endpoint, Fault, Issuer, Response, Server, Times, World};

const HTML: &str = "<!doctype html><title>Log in</title>";

/// Runs `token` while an endpoint has this fault.
#[track_caller]
fn fault(endpoint: Endpoint, fault: Fault, code: i32, stderr: impl Into<Data>) {
    let case = Case::new();
    case.world.issuer.fault(endpoint, fault, Times::Forever);
    case.run(["token"]).fails(code, stderr);
}

/// Runs `token` with one field of the endpoint's response changed or removed.
#[track_caller]
fn edited(endpoint: Endpoint, field: &'static str, value: Value, stderr: impl Into<Data>) {
    let edit = Fault::edit(move |answer| answer[field] = value.clone());
    fault(endpoint, edit, 1, stderr);
}

/// Runs `token` with this issuer URL.
#[track_caller]
fn issuer_at(url: String, code: i32, stderr: impl Into<Data>) {
    let case = Case::new();
    let call = case.run(["token", "--issuer", &url]);
    case.hide("[URL]", url);
    call.fails(code, stderr);
    assert_eq!(case.requests(), 0);
}

#[test]
fn nobody_listens() {
    let address = format!("127.0.0.1:{}", free_port());
    let case = Case::new();
    case.hide("[ADDRESS]", address.clone());
    case.run(["token", "--issuer", &format!("http://{address}")])
        .fails(75, str![[r#"
zitadel-credential: error: http://[ADDRESS]/.well-known/openid-configuration: connection refused, while connecting to [ADDRESS]
  with: key ID [KEY_ID], user ID [USER_ID], issuer http://[ADDRESS]
  hint: check that the issuer is up and reachable from here (network, proxy, firewall)

"#]]);
}

#[test]
fn a_name_without_an_address() {
    let case = Case::new();
    let url = "https://nobody.invalid";
    let call = case.run(["token", "--timeout", "1", "--issuer", url]);
    // The machine's own resolver decides between three errors. If it takes longer than a
    // second, there is a second hint.
    call.soon().fails(
        75,
        str![[r#"
zitadel-credential: error: https://nobody.invalid/.well-known/openid-configuration: [..]
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://nobody.invalid
  hint: [..]
...

"#]],
    );
}

#[test]
fn no_http_at_all() {
    let server = Server::http(|_| crate::support::Reply::Raw(b"SSH-2.0-OpenSSH_9.9\r\n".into()));
    issuer_at(
        format!("http://localhost:{}", server.port()),
        1,
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: invalid HTTP response: protocol: http parse fail: invalid HTTP version
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: check that a ZITADEL instance answers at this URL

"#]],
    );
}

#[test]
fn plain_http_over_a_network() {
    issuer_at(
        "http://id.acme.test".into(),
        2,
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: plain http would expose a secret on the network
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: use https
  hint: set allow-http = true in the profile if you trust the network

"#]],
    );
}

#[test]
fn no_url() {
    issuer_at(
        "id.acme.test".into(),
        2,
        str![[r#"
zitadel-credential: error: invalid issuer URL: "[URL]"
  hint: try https://[URL]

"#]],
    );
}

#[test]
fn a_password_in_the_url() {
    let case = Case::new();
    case.guard("hunter2-and-more");
    let issuer = "https://ci:hunter2-and-more@id.acme.test";
    case.run(["token", "--issuer", issuer]).fails(
        2,
        str![[r#"
zitadel-credential: error: invalid issuer URL: it contains a user name or a password
  hint: write the issuer like https://acme.zitadel.cloud: the key is the only credential

"#]],
    );
}

#[test]
fn a_proxy_that_refuses() {
    let proxy = Server::http(|_| Response::new(403).into());
    let case = Case::new();
    let address = format!("127.0.0.1:{}", proxy.port());
    case.hide("[PROXY]", address.clone());
    let options = ["--issuer", "https://id.acme.test", "--timeout", "1"];
    let mut command = case.world.zitadel(["token"]);
    command
        .args(options)
        .env("HTTPS_PROXY", format!("http://{address}"));
    case.end(command).fails(
        75,
        str![[r#"
zitadel-credential: error: proxy [PROXY] (HTTPS_PROXY): it refused the connection: HTTP 403
  with: key ID [KEY_ID], user ID [USER_ID], issuer https://id.acme.test
  found: the request was to https://id.acme.test/.well-known/openid-configuration
  hint: check HTTPS_PROXY, and the proxy's log
  hint: list hosts that need no proxy in NO_PROXY

"#]],
    );
}

#[test]
fn discovery_is_html() {
    let answer = Fault::body("text/html; charset=utf-8", HTML);
    fault(
        Endpoint::Discovery,
        answer,
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: the response is text/html; charset=utf-8, not JSON
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: set issuer to the URL of your ZITADEL instance, as its console shows it

"#]],
    );
}

#[test]
fn discovery_is_not_found() {
    let answer = Fault::status(404, "text/plain", "404 page not found\n");
    fault(
        Endpoint::Discovery,
        answer,
        75,
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: HTTP 404: 404 page not found
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: set issuer to the URL of your ZITADEL instance, as its console shows it: ZITADEL gives this answer if the host name is not a domain of an instance
  hint: try again later: ZITADEL gives the same answer for an internal error, such as a database that is down

"#]],
    );
    let answer = Fault::status(404, "text/html", HTML);
    fault(
        Endpoint::Discovery,
        answer,
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: HTTP 404
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: set issuer to the URL of your ZITADEL instance, as its console shows it

"#]],
    );
}

#[test]
fn discovery_is_other_json() {
    let answer = Fault::body("application/json", r#"{"hello": "world"}"#);
    fault(
        Endpoint::Discovery,
        answer,
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: the JSON response has no issuer
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: set issuer to the URL of your ZITADEL instance, as its console shows it

"#]],
    );
    edited(
        Endpoint::Discovery,
        "token_endpoint",
        Value::Null,
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: the JSON response has a field of the wrong type
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: set issuer to the URL of your ZITADEL instance, as its console shows it

"#]],
    );
    edited(
        Endpoint::Discovery,
        "token_endpoint",
        json!("/token"),
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: invalid token_endpoint: "/token"
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: not a ZITADEL response: check whether a proxy or a login page is in front of it, and its log

"#]],
    );
}

#[test]
fn discovery_is_another_issuers() {
    let wrong = |name: &'static str| Fault::edit(move |answer| answer["issuer"] = name.into());
    let other = wrong("https://id.acme.test");
    fault(
        Endpoint::Discovery,
        other,
        2,
        str![[r#"
zitadel-credential: error: the issuer calls itself https://id.acme.test, but [ISSUER] is configured
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: set issuer = "https://id.acme.test" in the profile, or --issuer: the two must be equal to the last character

"#]],
    );
    let hostile = wrong("https://a.test/\u{1b}[2J\nissuer");
    fault(
        Endpoint::Discovery,
        hostile,
        2,
        str![[r#"
zitadel-credential: error: the issuer calls itself https://a.test/\u{1b}[2J\nissuer, but [ISSUER] is configured
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: set issuer to the URL of your ZITADEL instance, as its console shows it

"#]],
    );
}

/// If it were accepted, the assertion would be sent in plain text.
#[test]
fn discovery_does_not_know_of_https() {
    let ca = Ca::new();
    let case = Case::with(World::with(Issuer::start_tls(&ca)));
    case.world.home.write("ca.pem", ca.pem());
    let plain = Fault::edit(|answer| answer["issuer"] = "http://id.acme.test".into());
    case.world.issuer.fault(Endpoint::Discovery, plain, 1);
    case.run(["token", "--ca-file", "ca.pem"]).fails(2, str![[r#"
zitadel-credential: error: the issuer calls itself http://id.acme.test, but [ISSUER] is configured
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: set ExternalSecure, ExternalDomain and ExternalPort in the instance's configuration: it does not know that it is reached by https

"#]]);
}

#[test]
fn an_issuer_with_an_extra_slash() {
    let case = Case::new();
    let issuer = format!("{}/", case.world.issuer.url());
    case.run(["token", "--issuer", &issuer]).fails(2, str![[r#"
zitadel-credential: error: the issuer calls itself [ISSUER], but [ISSUER]/ is configured
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]/
  hint: set issuer = "[ISSUER]" in the profile, or --issuer: the two must be equal to the last character

"#]]);
}

#[test]
fn a_redirect_leads_nowhere() {
    let case = Case::new();
    let target = nothing();
    let location = format!("http://{}/", target.address());
    case.hide("[TARGET]", location.clone());
    let issuer = &case.world.issuer;
    issuer.fault(Endpoint::Discovery, Fault::redirect(&location), 1);
    case.run(["token"]).fails(
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: redirects to [TARGET]
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: set issuer to a URL that does not redirect: a redirect is not followed, because a secret would go to another host

"#]],
    );
    issuer.fault(Endpoint::Token, Fault::redirect(&location), 1);
    case.run(["token"]).fails(1, str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: redirects to [TARGET]
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: set issuer to a URL that does not redirect: a redirect is not followed, because a secret would go to another host

"#]]);
    assert_eq!(target.connections(), 0);
}

#[test]
fn a_token_endpoint_in_plain_http() {
    let away = json!("http://id.acme.test/token");
    let edit = Fault::edit(move |answer| answer["token_endpoint"] = away.clone());
    fault(
        Endpoint::Discovery,
        edit,
        2,
        str![[r#"
zitadel-credential: error: http://id.acme.test/token: plain http would expose a secret on the network
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: use https
  hint: set allow-http = true in the profile if you trust the network

"#]],
    );
}

fn nothing() -> Server {
    Server::http(|_| Response::new(204).into())
}
