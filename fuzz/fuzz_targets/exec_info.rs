//! An `ExecCredential` gets a token only if its version is known, and never for a
//! server over plain http.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zitadel_credential::tools::kubectl::protocol;
use zitadel_credential_fuzz as plain;

fuzz_target!(|info: &str| {
    let question = match protocol::parse(info) {
        Ok(question) => question,
        Err(report) => return plain::assert_shown(&report),
    };
    // An object that is refused here has an error in an unused field.
    let Ok(asked) = serde_json::from_str::<Value>(info) else {
        return;
    };
    let cluster = &asked["spec"]["cluster"];
    let server = cluster["server"].as_str().unwrap_or_default();
    let is_loopback = || {
        let (scheme, authority, _) = plain::url(server)?;
        let (host, _) = plain::host_and_port(authority)?;
        let is_local = host == "localhost" || host == "[::1]" || host.starts_with("127.");
        Some(scheme.eq_ignore_ascii_case("http") && is_local)
    };
    let is_https = server.to_ascii_lowercase().starts_with("https://");
    assert!(
        server.is_empty() || is_https || is_loopback() == Some(true),
        "{server:?}"
    );
    const NAME: &str = "client.authentication.k8s.io/exec";
    let mut listed = cluster["extensions"].as_array().into_iter().flatten();
    let extension = match &cluster["config"] {
        Value::Null => match listed.find(|entry| entry["name"] == NAME) {
            Some(entry) => &entry["extension"],
            None => &cluster["extensions"][NAME],
        },
        config => config,
    };
    assert_eq!(
        question.cluster.profile.as_deref(),
        extension["profile"].as_str()
    );
    assert_eq!(
        question.cluster.issuer.as_deref(),
        extension["issuer"].as_str()
    );
    let projects = extension["projects"].as_array().map_or(0, Vec::len);
    let read = question.cluster.projects.unwrap_or_default();
    assert_eq!(read.len(), projects);

    let token = plain::token();
    let answer = protocol::answer(question.version, &token).expect("text");
    let read: Value = serde_json::from_str(&answer).expect("JSON");
    let expected = serde_json::json!({
        "kind": "ExecCredential",
        "apiVersion": asked["apiVersion"],
        "status": {"token": token.expose(), "expirationTimestamp": "2023-11-14T23:12:50Z"},
    });
    assert_eq!(read, expected);
});
