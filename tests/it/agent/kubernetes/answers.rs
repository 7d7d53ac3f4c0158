//! Responses that no working API server sends, and errors that it does send.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::json;

use super::{ACCOUNT, Pod, SECRET};
use crate::support::Response;
use crate::support::http::Reply;
use crate::support::patience::{patient, within};

#[test]
fn answers_are_limited_and_accepted_only_if_about_the_secret() {
    let huge = || {
        Response::new(200)
            .with_body("application/json", " ".repeat(2 << 20))
            .into()
    };
    let page = || {
        Response::new(200)
            .with_body("text/html", "<h1>login</h1>")
            .into()
    };
    let redirect =
        || Reply::from(Response::new(307)).with_header("Location", "https://127.0.0.1:9/");
    for (answer, code, expected) in [
        (
            huge as fn() -> Reply,
            1,
            "the response is larger than 1048576 bytes",
        ),
        (page, 1, "not about this Secret"),
        (redirect, 1, "a redirect, which is not followed"),
        (|| Reply::Hang, 75, "no response within 1 s"),
        (|| Reply::Close, 75, "check that the API server is up"),
    ] {
        let Some(pod) = Pod::new(answer) else {
            return;
        };
        let (found, said) = pod.run(&[&SECRET[..], &["--timeout", "1"]].concat());
        assert_eq!(found, code, "{said}");
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn an_answer_that_repeats_the_request_is_not_quoted() {
    let echo = Arc::new(Mutex::new(String::new()));
    let shared = Arc::clone(&echo);
    let Some(pod) = Pod::new(move || {
        let text = shared.lock().unwrap().clone();
        let status = json!({ "kind": "Status", "message": text, "reason": text });
        Response::new(400)
            .with_body("application/json", status.to_string())
            .into()
    }) else {
        return;
    };
    let run = pod.world.zitadel(["token"]).run();
    let token = String::from_utf8(run.stdout).unwrap().trim().to_owned();
    for secret in [token.clone(), BASE64.encode(&token), ACCOUNT.to_owned()] {
        echo.lock()
            .unwrap()
            .clone_from(&format!("invalid: {secret}"));
        let (code, said) = pod.run(&[&SECRET[..], &["-vv"]].concat());
        assert_eq!(code, 1, "{said}");
        assert!(!said.contains(&secret[10..30]), "{said}");
    }
}

#[test]
fn a_file_is_written_also_while_the_api_server_refuses() {
    let Some(pod) = Pod::new(|| Response::new(403).into()) else {
        return;
    };
    let (code, said) = pod.run(&[&SECRET[..], &["--write", "token"]].concat());
    assert_eq!(code, 1, "{said}");
    assert!(pod.world.issuer.accepts(&pod.world.home.read("token")));
}

#[test]
fn a_requested_wait_is_within_the_timeout_or_reported() {
    patient(|| {
        let busy = || Reply::from(Response::new(429)).with_header("Retry-After", "120");
        let Some(pod) = Pod::new(busy) else {
            return;
        };
        let start = Instant::now();
        let (code, said) = pod.run(&SECRET);
        assert_eq!(code, 75, "{said}");
        assert!(
            said.contains("try again in 120 s, as the API server asks"),
            "{said}"
        );
        within(start.elapsed(), Duration::from_secs(20));
        assert_eq!(pod.seen().len(), 1);
    });
}
