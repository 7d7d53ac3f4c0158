//! All errors of a token endpoint without a token, or with a doubtful one, as the user
//! reads them.

use std::time::Duration;

use serde_json::{Value, json};
use snapbox::{Data, str};

use crate::support::{Case, Endpoint, Fault, Times};

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

#[test]
fn the_token_endpoint_answers_something_else() {
    let html = Fault::body("text/html", HTML);
    fault(
        Endpoint::Token,
        html,
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: the response is text/html, not JSON
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: not a ZITADEL response: check whether a proxy or a login page is in front of it, and its log

"#]],
    );
    let list = Fault::body("application/json", r#"["x", "Bearer", 3600]"#);
    fault(
        Endpoint::Token,
        list,
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: the JSON response has a field of the wrong type
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: not a ZITADEL response: check whether a proxy or a login page is in front of it, and its log

"#]],
    );
    let gone = Fault::status(404, "text/plain", "404 page not found\n");
    fault(
        Endpoint::Token,
        gone,
        75,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: HTTP 404: 404 page not found
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: set issuer to the URL of your ZITADEL instance, as its console shows it: ZITADEL gives this answer if the host name is not a domain of an instance
  hint: try again later: ZITADEL gives the same answer for an internal error, such as a database that is down

"#]],
    );
    let blocked = Fault::status(403, "text/html", HTML);
    fault(
        Endpoint::Token,
        blocked,
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: HTTP 403
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the response is not an OAuth error, as a token endpoint sends it
  hint: check whether a proxy, a firewall or a login page answers in front of the issuer

"#]],
    );
}

#[test]
fn an_answer_of_more_than_a_mebibyte() {
    let large = || Fault::body("application/json", vec![b' '; 1024 * 1024 + 1]);
    fault(
        Endpoint::Discovery,
        large(),
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: the response is larger than 1048576 bytes
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: check that a ZITADEL instance answers at this URL

"#]],
    );
    fault(
        Endpoint::Token,
        large(),
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: the response is larger than 1048576 bytes
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: check that a ZITADEL instance answers at this URL

"#]],
    );
}

#[test]
fn an_answer_that_is_cut_off() {
    fault(
        Endpoint::Token,
        Fault::CutMidBody,
        75,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: the connection was closed early, while waiting for the response
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: check that the issuer is up and reachable from here (network, proxy, firewall)

"#]],
    );
    fault(
        Endpoint::Token,
        Fault::Close,
        75,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: the connection was closed early, while waiting for the response
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: check that the issuer is up and reachable from here (network, proxy, firewall)

"#]],
    );
}

#[test]
fn no_access_token() {
    edited(
        Endpoint::Token,
        "access_token",
        Value::Null,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: the JSON response has a field of the wrong type
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: not a ZITADEL response: check whether a proxy or a login page is in front of it, and its log

"#]],
    );
    let none = Fault::edit(|answer| {
        answer.as_object_mut().unwrap().remove("access_token");
    });
    fault(
        Endpoint::Token,
        none,
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: the JSON response has no access_token
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: not a ZITADEL response: check whether a proxy or a login page is in front of it, and its log

"#]],
    );
}

#[test]
fn a_token_that_is_not_a_bearer_token() {
    let split = Fault::edit(|answer| {
        let token = answer["access_token"].as_str().unwrap();
        answer["access_token"] = format!("{token}\r\nhost=evil.test").into();
    });
    fault(
        Endpoint::Token,
        split,
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: access_token contains characters that are invalid in a bearer token
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: not a ZITADEL response: check whether a proxy or a login page is in front of it, and its log

"#]],
    );
    edited(
        Endpoint::Token,
        "access_token",
        json!(""),
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: access_token contains characters that are invalid in a bearer token
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: not a ZITADEL response: check whether a proxy or a login page is in front of it, and its log

"#]],
    );
    edited(
        Endpoint::Token,
        "token_type",
        json!("DPoP"),
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: token_type is not Bearer
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: not a ZITADEL response: check whether a proxy or a login page is in front of it, and its log

"#]],
    );
}

#[test]
fn an_invalid_lifetime() {
    for lifetime in [
        json!(0),
        json!(-1),
        json!("3600"),
        json!(0.9),
        json!(-1e300),
    ] {
        edited(
            Endpoint::Token,
            "expires_in",
            lifetime,
            str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: expires_in is not a positive number of seconds
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: not a ZITADEL response: check whether a proxy or a login page is in front of it, and its log

"#]],
        );
    }
}

#[test]
fn a_lifetime_that_ends_on_arrival() {
    let case = Case::new();
    case.world.issuer.set_lifetime(2);
    let late = Fault::Delay(Duration::from_millis(2500));
    case.world
        .issuer
        .fault(Endpoint::Token, late, Times::Forever);
    case.run(["token"]).fails(
        75,
        str![[r#"
zitadel-credential: error: the issuer's token had expired when it arrived
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: check the access token lifetime in ZITADEL's OIDC settings, and the issuer's response time

"#]],
    );
}

#[test]
fn no_lifetime_means_no_caching() {
    let case = Case::new();
    let none = Fault::edit(|answer| {
        answer.as_object_mut().unwrap().remove("expires_in");
    });
    case.world
        .issuer
        .fault(Endpoint::Token, none, Times::Forever);
    case.run(["token"]).gives_a_token("");
    case.run(["token", "-v"]).gives_a_token(str![[r#"
zitadel-credential: got a new token from the issuer
zitadel-credential: token not cached: the issuer sent no expires_in

"#]]);
    assert_eq!(case.world.issuer.token_requests(), 2);
    let told = case.world.zitadel(["kubectl"]).run();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let status = told["status"].as_object().unwrap();
    assert_eq!(status.keys().collect::<Vec<_>>(), ["token"]);
}

#[test]
fn server_trouble() {
    let down = || Fault::status(500, "text/plain", "upstream\u{1b}[31m is down\n");
    fault(
        Endpoint::Discovery,
        down(),
        75,
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: HTTP 500: upstream\u{1b}[31m is down
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: try again later: the issuer has an internal problem

"#]],
    );
    fault(
        Endpoint::Token,
        down(),
        75,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: HTTP 500: upstream\u{1b}[31m is down
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: try again later: the issuer has an internal problem

"#]],
    );
    let gateway = Fault::status(502, "text/html", HTML);
    fault(
        Endpoint::Token,
        gateway,
        75,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: HTTP 502
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: try again later: the failure may be temporary

"#]],
    );
}

#[test]
fn rate_limit() {
    fault(
        Endpoint::Any,
        Fault::rate_limit(),
        75,
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: HTTP 429: rate limit exceeded
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: try again in a minute: there were too many requests from here, a quota is exhausted, or the instance is blocked

"#]],
    );
}

#[test]
fn busy_beyond_the_timeout() {
    let busy = Fault::retry_after(503, "120");
    fault(
        Endpoint::Token,
        busy,
        75,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: HTTP 503: try again later
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: try again in 120 s, as the server asks

"#]],
    );
}

#[test]
fn silence() {
    for (endpoint, said) in [
        (
            Endpoint::Discovery,
            str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: no response within 1 s, while waiting for the response
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: check that the issuer is up and reachable from here (network, proxy, firewall)
  hint: give it more time with --timeout

"#]],
        ),
        (
            Endpoint::Token,
            str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: no response within 1 s, while waiting for the response
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: check that the issuer is up and reachable from here (network, proxy, firewall)
  hint: give it more time with --timeout

"#]],
        ),
    ] {
        let case = Case::new();
        case.world
            .issuer
            .fault(endpoint, Fault::Hang, Times::Forever);
        case.run(["token", "--timeout", "1"]).fails(75, said).soon();
    }
}

#[test]
fn an_opaque_token_where_a_jwt_is_needed() {
    let case = Case::new();
    let exec = ["exec", "--write-web-identity", "--", "true"];
    case.run(exec).fails(1, str![[r#"
zitadel-credential: error: the token is opaque, but this command needs a JWT
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: in ZITADEL open the service user and set its Access Token Type to JWT, and run the command again half a minute later

"#]]);
    let exec = ["exec", "--write-web-identity", "--no-cache", "--", "true"];
    case.run(exec).fails(
        2,
        str![[r#"
zitadel-credential: error: no cache directory for the token file
  hint: run zitadel-credential token --write FILE, and set AWS_WEB_IDENTITY_TOKEN_FILE to that file

"#]],
    );
}
