use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::text::clock::UnixTime;
use crate::token::Lifespan;

fn parsed(version: &str, spec: &str) -> Result<Request, Report> {
    parse(&format!(
        r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/{version}","spec":{spec}}}"#
    ))
}

#[test]
fn both_versions_are_read_and_others_refused() {
    let version = |v| parsed(v, r#"{"interactive":false}"#).map(|q| q.version);
    assert_eq!(version("v1").ok(), Some(Version::V1));
    assert_eq!(version("v1beta1").ok(), Some(Version::V1beta1));
    let said = version("v1alpha1").expect_err("refused").to_string();
    assert!(said.contains("v1alpha1") && said.contains("/v1 "), "{said}");
    for bad in [
        "",
        "{}",
        "[]",
        r#"{"kind":"ExecCredential"}"#,
        r#"{"apiVersion":null}"#,
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_clusters_extension_is_read_and_other_fields_are_ignored() {
    let request = parsed(
        "v1",
        r#"{"interactive":false,"cluster":{"server":"https://k8s.acme.dev:6443","config":
        {"apiVersion":"x","profile":"prod","issuer":"https://a.dev","scopes":["openid"],
        "projects":["1"],"roles":true,"more":{}}}}"#,
    )
    .expect("a request");
    assert_eq!(request.cluster.profile.as_deref(), Some("prod"));
    assert_eq!(request.cluster.issuer.as_deref(), Some("https://a.dev"));
    assert_eq!(request.cluster.scopes, Some(vec!["openid".to_owned()]));
    assert_eq!(request.cluster.projects, Some(vec!["1".to_owned()]));
    assert_eq!(request.cluster.roles, Some(true));
    assert!(parsed("v1", r#"{"cluster":{"server":"https://a","config":null}}"#).is_ok());
}

#[test]
fn the_api_version_alone_decides_and_null_is_absent() {
    for info in [
        r#"{"apiVersion":"client.authentication.k8s.io/v1"}"#,
        r#"{"kind":null,"apiVersion":"client.authentication.k8s.io/v1","spec":null}"#,
        r#"{"kind":"ExecCredentials","apiVersion":"client.authentication.k8s.io/v1"}"#,
        r#"{"kind":7,"apiVersion":"client.authentication.k8s.io/v1","spec":{}}"#,
    ] {
        let request = parse(info).unwrap_or_else(|error| panic!("{info}: {error}"));
        assert_eq!(request.version, Version::V1);
    }
    for spec in [
        "null",
        r#"{"cluster":null}"#,
        r#"{"cluster":{"server":null,"config":null,"extensions":null}}"#,
        r#"{"cluster":{"config":{"profile":null,"issuer":null,"scopes":null,"projects":null,"roles":null}}}"#,
    ] {
        let cluster = parsed("v1beta1", spec).expect("a request").cluster;
        assert!(
            cluster.profile.is_none() && cluster.projects.is_none() && cluster.roles.is_none(),
            "{spec}"
        );
    }
}

#[test]
fn the_extension_is_read_from_the_kubeconfigs_own_list_too() {
    let profile = |cluster: &str| {
        let spec = format!(r#"{{"cluster":{{"server":"https://a",{cluster}}}}}"#);
        parsed("v1", &spec).map(|request| request.cluster.profile)
    };
    let ours = r#"{"name":"client.authentication.k8s.io/exec","extension":{"profile":"b"}}"#;
    let other = r#"{"name":"minikube.sigs.k8s.io","extension":["profile",1]}"#;
    let b = Some("b".to_owned());
    for list in [
        format!(r#""extensions":[{ours}]"#),
        format!(r#""extensions":[{other},{ours}],"config":null"#),
        r#""extensions":{"client.authentication.k8s.io/exec":{"profile":"b"}}"#.to_owned(),
        r#""extensions":[],"config":{"profile":"b"}"#.to_owned(),
    ] {
        assert_eq!(profile(&list).ok(), Some(b.clone()), "{list}");
    }
    let none = r#"[{"name":"client.authentication.k8s.io/exec","extension":null}]"#;
    for list in [none, "[]", "null", "7", &format!("[{other}]")] {
        assert_eq!(
            profile(&format!(r#""extensions":{list}"#)).ok(),
            Some(None),
            "{list}"
        );
    }
    for list in [
        format!("[{ours},{ours}]"),
        r#"[{"name":"client.authentication.k8s.io/exec","extension":{"profile":7}}]"#.to_owned(),
        r#"[{"name":"client.authentication.k8s.io/exec","extension":["b"]}]"#.to_owned(),
    ] {
        assert!(
            profile(&format!(r#""extensions":{list}"#)).is_err(),
            "{list}"
        );
    }
}

#[test]
fn a_server_of_plain_http_gets_nothing() {
    let server = |url: &str| parsed("v1", &format!(r#"{{"cluster":{{"server":"{url}"}}}}"#));
    assert!(server("http://k8s.acme.dev").is_err());
    assert!(server("http://127.0.0.1:8001").is_ok());
    assert!(server("https://k8s.acme.dev").is_ok());
    assert!(server("HTTPS://k8s.acme.dev./x").is_ok());
    assert!(server("").is_ok());
    for unclear in [
        "http://user@10.0.0.1:8080",
        "http://k8s.acme.dev.",
        "http://10.0.0.1:",
        "10.0.0.1:8080",
        "ws://10.0.0.1",
        " http://10.0.0.1",
    ] {
        assert!(server(unclear).is_err(), "{unclear}");
    }
}

#[test]
fn the_answer_is_these_bytes() {
    let obtained_at = UnixTime::from_secs(1_798_761_600);
    let lifespan = Lifespan {
        obtained_at,
        expires_at: obtained_at.plus(Duration::from_secs(3600)),
    };
    let token = |lifespan| Token::new("abc".into(), lifespan).expect("a b64token");
    assert_eq!(
        answer(Version::V1, &token(Some(lifespan))).expect("text"),
        "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\
         \"status\":{\"expirationTimestamp\":\"2027-01-01T00:59:30Z\",\"token\":\"abc\"}}\n"
    );
    assert_eq!(
        answer(Version::V1beta1, &token(None)).expect("text"),
        "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\
         \"status\":{\"token\":\"abc\"}}\n"
    );
}

proptest! {
    #[test]
    fn any_request_parses_without_panic(info: String) {
        let _ = parse(&info);
    }

    #[test]
    fn a_remote_server_gets_a_token_only_over_https(
        server in "(http://|https?://|ws://|http:/)?(127\\.0\\.0\\.1|localhost|a@)?[a-c.@:/ 1]{0,4}",
    ) {
        let spec = serde_json::json!({"cluster": {"server": server}}).to_string();
        if parsed("v1", &spec).is_ok() {
            let server = server.to_ascii_lowercase();
            let host = server.strip_prefix("http://").and_then(|rest| rest.split([':', '/']).next());
            let is_number = |host: &str| host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            let is_local = host.is_some_and(|host| {
                host == "localhost" || (host.starts_with("127.") && is_number(host))
            });
            prop_assert!(server.is_empty() || server.starts_with("https://") || is_local, "{server}");
        }
    }

    #[test]
    fn an_answer_parses_in_the_requested_version(beta: bool, secret in "[A-Za-z0-9._~+/-]{1,40}") {
        let version = if beta { "v1beta1" } else { "v1" };
        let request = parsed(version, "{}").expect("a request");
        let token = Token::new(secret.clone(), None).expect("a b64token");
        let answer = answer(request.version, &token).expect("text");
        let read: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        let expected = serde_json::json!({
            "kind": "ExecCredential",
            "apiVersion": format!("client.authentication.k8s.io/{version}"),
            "status": {"token": secret},
        });
        prop_assert_eq!(read, expected);
    }
}
