//! kubectl: empty stdout and exit code 2, with a remedy on stderr.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::negative::Bait;

/// Returns a request with this spec.
fn info(spec: &str) -> String {
    format!(
        r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{spec}}}"#
    )
}

fn server(url: &str) -> String {
    info(&format!(
        r#"{{"interactive":false,"cluster":{{"server":"{url}"}}}}"#
    ))
}

#[track_caller]
fn refused(bait: &Bait, info: impl AsRef<OsStr>, what: &str) {
    let info = info.as_ref();
    let shown = format!(
        "{what}: {:.200}",
        info.as_bytes().escape_ascii().to_string()
    );
    let call = bait.kubectl(info);
    call.gets_nothing_but(2, "", &shown);
    let stderr = String::from_utf8_lossy(&call.output.stderr);
    assert!(stderr.contains("\n  hint: "), "{shown}: {stderr}");
}

#[test]
fn an_allowed_cluster_gets_the_token() {
    let bait = Bait::new();
    for info in [
        info("{}"),
        info(r#"{"interactive":false}"#),
        info(r#"{"cluster":null}"#),
        info(r#"{"cluster":{"server":"https://k8s.acme.test","config":null}}"#),
        info(
            r#"{"cluster":{"server":"https://k8s.acme.test","config":{"profile":"test","more":[1]}}}"#,
        ),
        server(""),
        server("https://k8s.acme.test:6443/x"),
        server("HTTPS://k8s.acme.test"),
        server("http://127.0.0.1:8001"),
        server("http://[::1]:8001"),
        server("http://localhost:8001"),
        // The field is ignored, however deep it is.
        info(&format!(
            r#"{{"x":{}{}}}"#,
            "[".repeat(20_000),
            "]".repeat(20_000)
        )),
    ] {
        bait.kubectl(&info).gets_the_token(&info);
    }
}

#[test]
fn a_server_that_is_not_plainly_https_or_loopback_gets_nothing() {
    let bait = Bait::new();
    for url in [
        "http://k8s.acme.test",
        "HTTP://k8s.acme.test",
        "http://10.0.0.1:8080",
        "http://user@127.0.0.1",
        "http://127.0.0.1@evil.test",
        "http://127.0.0.1\\\\@evil.test",
        "http://127.0.0.1.evil.test",
        "http://127.1",
        "http://0x7f.1",
        "http://2130706433",
        "http://0",
        "http://0.0.0.0",
        "http://[::]",
        "http://[::ffff:127.0.0.1]",
        "http://[::1%25lo]",
        "http://localhost.",
        "http://localhost.evil.test",
        "http://loca\u{17f}host",
        "http:k8s.acme.test",
        "http:/k8s.acme.test",
        "//k8s.acme.test",
        "k8s.acme.test",
        "k8s.acme.test:443",
        "10.0.0.1:8080",
        "https:k8s.acme.test",
        "https:/k8s.acme.test",
        " https://k8s.acme.test",
        "\\thttps://k8s.acme.test",
        "\u{feff}https://k8s.acme.test",
        "ws://k8s.acme.test",
        "unix:///run/k8s.sock",
    ] {
        refused(&bait, server(url), "a server");
    }
}

#[test]
fn another_version_or_kind_gets_nothing() {
    let bait = Bait::new();
    for version in [
        "client.authentication.k8s.io/v1alpha1",
        "client.authentication.k8s.io/v2",
        "client.authentication.k8s.io/v1 ",
        "client.authentication.k8s.io/V1",
        "client.authentication.k8s.io",
        "v1",
        "evil.test/v1",
        "",
        "\\u0000",
        "\\u001b[31m",
    ] {
        let info = info("{}").replace("client.authentication.k8s.io/v1", version);
        refused(&bait, info, "a version");
    }
    for kind in ["ExecCredential", "ExecCredentials", "Pod"] {
        refused(&bait, format!("{{\"kind\":\"{kind}\"}}"), "a kind alone");
    }
}

#[test]
fn a_malformed_request_gets_nothing() {
    let bait = Bait::new();
    let good = info("{}");
    let deep = |n| format!("{}{}", "[".repeat(n), "]".repeat(n));
    for (what, info) in [
        ("nothing", String::new()),
        ("a blank", " ".into()),
        ("no JSON", "{".into()),
        ("no object", "null".into()),
        ("a list", "[]".into()),
        ("a string", "\"ExecCredential\"".into()),
        ("a number", "1e999".into()),
        ("cut off", good[..good.len() - 1].into()),
        ("more behind it", format!("{good}{good}")),
        ("a byte order mark", format!("\u{feff}{good}")),
        ("single quotes", good.replace('"', "'")),
        ("a comment", format!("{good}//")),
        (
            "YAML",
            "kind: ExecCredential\napiVersion: client.authentication.k8s.io/v1".into(),
        ),
        ("no version", r#"{"kind":"ExecCredential"}"#.into()),
        ("deep", info(&deep(1_000))),
        ("very deep", deep(30_000)),
        ("a spec of the wrong kind", info("[]")),
        (
            "a list of the fields",
            r#"["client.authentication.k8s.io/v1","ExecCredential",{}]"#.into(),
        ),
        ("a spec that is a list", info("[null]")),
        (
            "a cluster that is a list",
            info(r#"{"cluster":["https://k8s.acme.test",null]}"#),
        ),
        (
            "a config that is a list",
            info(r#"{"cluster":{"config":["test",null,null,[]]}}"#),
        ),
        (
            "a cluster of the wrong kind",
            info(r#"{"cluster":"https://k8s.acme.test"}"#),
        ),
        (
            "a server of the wrong kind",
            info(r#"{"cluster":{"server":["https://k8s.acme.test"]}}"#),
        ),
        (
            "a config of the wrong kind",
            info(r#"{"cluster":{"config":"test"}}"#),
        ),
        (
            "scopes of the wrong kind",
            info(r#"{"cluster":{"config":{"scopes":"openid"}}}"#),
        ),
        (
            "a lone surrogate",
            info(r#"{"cluster":{"config":{"profile":"\ud800"}}}"#),
        ),
        (
            "half a pair",
            info(r#"{"cluster":{"server":"https://\udc00"}}"#),
        ),
        (
            "a control character",
            info("{\"cluster\":{\"server\":\"https://a\n\"}}"),
        ),
        (
            "the version twice",
            good.replace("\"kind\"", "\"apiVersion\":\"v1\",\"kind\""),
        ),
        (
            "the server twice, the good one last",
            info(r#"{"cluster":{"server":"http://evil.test","server":"https://k8s.acme.test"}}"#),
        ),
        (
            "the cluster twice",
            info(r#"{"cluster":{"server":"http://evil.test"},"cluster":null}"#),
        ),
        (
            "the spec twice",
            good.replace(
                "\"spec\"",
                "\"spec\":{\"cluster\":{\"server\":\"http://evil.test\"}},\"spec\"",
            ),
        ),
    ] {
        refused(&bait, info, what);
    }
    let bytes = [good.as_bytes(), b"\xff"].concat();
    refused(&bait, OsStr::from_bytes(&bytes), "bytes that are no UTF-8");
}

#[test]
fn an_invalid_extension_gets_nothing() {
    let bait = Bait::new();
    for config in [
        r#"{"profile":"none"}"#,
        r#"{"profile":""}"#,
        r#"{"profile":"test\u0000"}"#,
        r#"{"profile":"../test"}"#,
        r#"{"issuer":"http://evil.test@127.0.0.1"}"#,
        r#"{"issuer":"https://user@k8s.acme.test"}"#,
        r#"{"issuer":"evil.test"}"#,
        r#"{"issuer":""}"#,
        r#"{"issuer":"https://evil.test\r\nHost: k8s.acme.test"}"#,
        r#"{"scopes":[]}"#,
        r#"{"scopes":["\u001b[31m"]}"#,
        r#"{"projects":["../.."]}"#,
        r#"{"projects":[""]}"#,
        r#"{"projects":["7:aud openid"]}"#,
    ] {
        let info = info(&format!(
            r#"{{"cluster":{{"server":"https://k8s.acme.test","config":{config}}}}}"#
        ));
        refused(&bait, info, "an extension");
    }
}
