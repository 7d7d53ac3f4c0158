//! Every way in which the token endpoint gives no token, or a doubtful one, as a
//! person reads it.

use std::time::Duration;

use serde_json::{Value, json};
use snapbox::{Data, str};

use crate::support::{Case, Endpoint, Fault, Times};

const HTML: &str = "<!doctype html><title>Log in</title>";

/// `token` while an endpoint answers like this.
#[track_caller]
fn fault(endpoint: Endpoint, fault: Fault, code: i32, stderr: impl Into<Data>) {
    let case = Case::new();
    case.world.issuer.fault(endpoint, fault, Times::Forever);
    case.run(["token"]).fails(code, stderr);
}

/// `token` where a field of the endpoint's answer is another, or none.
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
zitadel-credential: error: [ISSUER]/oauth/v2/token: it answered text/html that is not JSON
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: no issuer answers so: see its log, and whether a proxy or a login page stands before it

"#]],
    );
    let list = Fault::body("application/json", r#"["x", "Bearer", 3600]"#);
    fault(
        Endpoint::Token,
        list,
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: the JSON it answered has another shape than it should
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: no issuer answers so: see its log, and whether a proxy or a login page stands before it

"#]],
    );
    let gone = Fault::status(404, "text/plain", "404 page not found\n");
    fault(
        Endpoint::Token,
        gone,
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: HTTP 404: 404 page not found
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: it is no OAuth error, as a token endpoint would send it
  hint: see what answers there: a proxy, a firewall or a login page may stand before the issuer

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
  found: it is no OAuth error, as a token endpoint would send it
  hint: see what answers there: a proxy, a firewall or a login page may stand before the issuer

"#]],
    );
}

#[test]
fn an_answer_of_a_mebibyte() {
    let large = || Fault::body("application/json", vec![b' '; 1024 * 1024]);
    fault(
        Endpoint::Discovery,
        large(),
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: the answer is larger than 65536 bytes
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: see whether a ZITADEL instance is what answers there

"#]],
    );
    fault(
        Endpoint::Token,
        large(),
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: the answer is larger than 65536 bytes
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: see whether a ZITADEL instance is what answers there

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
zitadel-credential: error: [ISSUER]/oauth/v2/token: the connection was closed early, while waiting for the answer
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: see whether the issuer is up and reachable from here (network, proxy, firewall)

"#]],
    );
    fault(
        Endpoint::Token,
        Fault::Close,
        75,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: the connection was closed early, while waiting for the answer
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: see whether the issuer is up and reachable from here (network, proxy, firewall)

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
zitadel-credential: error: [ISSUER]/oauth/v2/token: the JSON it answered has another shape than it should
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: no issuer answers so: see its log, and whether a proxy or a login page stands before it

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
zitadel-credential: error: [ISSUER]/oauth/v2/token: the JSON it answered has no access_token
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: no issuer answers so: see its log, and whether a proxy or a login page stands before it

"#]],
    );
}

#[test]
fn a_token_that_is_no_bearer_token() {
    let split = Fault::edit(|answer| {
        let token = answer["access_token"].as_str().unwrap();
        answer["access_token"] = format!("{token}\r\nhost=evil.test").into();
    });
    fault(
        Endpoint::Token,
        split,
        1,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: its access_token holds characters that no bearer token has
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: no issuer answers so: see its log, and whether a proxy or a login page stands before it

"#]],
    );
    edited(
        Endpoint::Token,
        "access_token",
        json!(""),
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: its access_token holds characters that no bearer token has
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: no issuer answers so: see its log, and whether a proxy or a login page stands before it

"#]],
    );
    edited(
        Endpoint::Token,
        "token_type",
        json!("DPoP"),
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: its token is not a bearer token
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: no issuer answers so: see its log, and whether a proxy or a login page stands before it

"#]],
    );
}

#[test]
fn a_lifetime_that_is_none() {
    for lifetime in [json!(0), json!(-1), json!("3600"), json!(1.5), json!(1e300)] {
        edited(
            Endpoint::Token,
            "expires_in",
            lifetime,
            str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: its expires_in is not a positive number of seconds
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: no issuer answers so: see its log, and whether a proxy or a login page stands before it

"#]],
        );
    }
}

#[test]
fn a_lifetime_that_is_over_at_once() {
    let case = Case::new();
    case.world.issuer.set_lifetime(2);
    let late = Fault::Delay(Duration::from_millis(2500));
    case.world
        .issuer
        .fault(Endpoint::Token, late, Times::Forever);
    case.run(["token"]).fails(
        75,
        str![[r#"
zitadel-credential: error: the token that the issuer gave had run out when it came
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: see how long tokens last (ZITADEL's OIDC settings), and how long the issuer takes

"#]],
    );
}

#[test]
fn no_lifetime_is_a_token_for_once() {
    let case = Case::new();
    let none = Fault::edit(|answer| {
        answer.as_object_mut().unwrap().remove("expires_in");
    });
    case.world
        .issuer
        .fault(Endpoint::Token, none, Times::Forever);
    case.run(["token"]).gives_a_token("");
    case.run(["token", "-v"]).gives_a_token(str![[r#"
zitadel-credential: a new token from the issuer
zitadel-credential: the token is not cached: the issuer gave no lifetime

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
  hint: the issuer is in trouble: try again later

"#]],
    );
    fault(
        Endpoint::Token,
        down(),
        75,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: HTTP 500: upstream\u{1b}[31m is down
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: the issuer is in trouble: try again later

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
  hint: it may pass: try again later

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
  hint: too many requests came from here, or a quota is used up: try again in a minute

"#]],
    );
}

#[test]
fn busy_for_longer_than_we_wait() {
    let busy = Fault::retry_after(503, "120");
    fault(
        Endpoint::Token,
        busy,
        75,
        str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: HTTP 503: try again later
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: try again in 120 s, as it asks

"#]],
    );
}

#[test]
fn silence() {
    for (endpoint, said) in [
        (
            Endpoint::Discovery,
            str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: no answer within 1 s, while waiting for the answer
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: see whether the issuer is up and reachable from here (network, proxy, firewall); --timeout waits longer

"#]],
        ),
        (
            Endpoint::Token,
            str![[r#"
zitadel-credential: error: [ISSUER]/oauth/v2/token: no answer within 1 s, while waiting for the answer
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: see whether the issuer is up and reachable from here (network, proxy, firewall); --timeout waits longer

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
zitadel-credential: error: the token is opaque, where a JWT is needed
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: in ZITADEL open the service user and set its Access Token Type to JWT; half a minute later that is noticed

"#]]);
    let exec = ["exec", "--write-web-identity", "--no-cache", "--", "true"];
    case.run(exec).fails(2, str![[r#"
zitadel-credential: error: there is no cache for the token's file to lie in
  hint: zitadel-credential token --write FILE puts it elsewhere: name that in AWS_WEB_IDENTITY_TOKEN_FILE

"#]]);
}
