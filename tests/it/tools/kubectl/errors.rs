//! Responses to kubectl, and messages to its user, if there is no token.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use serde_json::json;
use snapbox::{Data, str};

use crate::errors::refused;
use crate::support::Case;
use crate::support::machine::program;

/// Runs `kubectl` with this value of `KUBERNETES_EXEC_INFO`.
#[track_caller]
fn kubectl(info: impl AsRef<OsStr>, stderr: impl Into<Data>) {
    let case = Case::new();
    let mut command = case.world.zitadel(["kubectl"]);
    command.env("KUBERNETES_EXEC_INFO", info);
    case.end(command).fails(2, stderr);
    assert_eq!(case.requests(), 0);
}

fn exec_info(version: &str, server: &str) -> String {
    json!({
        "kind": "ExecCredential",
        "apiVersion": format!("client.authentication.k8s.io/{version}"),
        "spec": {"interactive": false, "cluster": {"server": server}},
    })
    .to_string()
}

#[test]
fn kubectl_asks_for_no_credential() {
    kubectl(
        "{",
        str![[r#"
zitadel-credential: error: KUBERNETES_EXEC_INFO: not an ExecCredential
  hint: unset it to call this by hand: it is for kubectl and other clients

"#]],
    );
    kubectl(
        "{}",
        str![[r#"
zitadel-credential: error: KUBERNETES_EXEC_INFO: not an ExecCredential
  hint: unset it to call this by hand: it is for kubectl and other clients

"#]],
    );
    kubectl(
        r#"{"kind":"Pod","apiVersion":"v1"}"#,
        str![[r#"
zitadel-credential: error: unsupported apiVersion in the kubeconfig: v1
  hint: set the user's exec apiVersion to client.authentication.k8s.io/v1 (or v1beta1)

"#]],
    );
    kubectl(
        OsStr::from_bytes(b"{\"kind\":\"\xff\"}"),
        str![[r#"
zitadel-credential: error: KUBERNETES_EXEC_INFO: not an ExecCredential
  hint: unset it to call this by hand: it is for kubectl and other clients

"#]],
    );
    kubectl(
        "x".repeat(70_000),
        str![[r#"
zitadel-credential: error: KUBERNETES_EXEC_INFO: not an ExecCredential
  hint: unset it to call this by hand: it is for kubectl and other clients

"#]],
    );
}

#[test]
fn kubectl_asks_in_a_version_that_is_gone() {
    kubectl(
        exec_info("v1alpha1", "https://k8s.acme.test"),
        str![[r#"
zitadel-credential: error: unsupported apiVersion in the kubeconfig: client.authentication.k8s.io/v1alpha1
  hint: set the user's exec apiVersion to client.authentication.k8s.io/v1 (or v1beta1)

"#]],
    );
    kubectl(
        exec_info("\u{1b}[31m", "https://k8s.acme.test"),
        str![[r#"
zitadel-credential: error: unsupported apiVersion in the kubeconfig: client.authentication.k8s.io/\u{1b}[31m
  hint: set the user's exec apiVersion to client.authentication.k8s.io/v1 (or v1beta1)

"#]],
    );
}

#[test]
fn kubectl_asks_for_a_cluster_without_tls() {
    kubectl(
        exec_info("v1", "http://k8s.acme.test:8080"),
        str![[r#"
zitadel-credential: error: the cluster's server http://k8s.acme.test:8080 is plain http
  hint: set the cluster's server to https: with plain http, others on the network can read the token

"#]],
    );
}

#[test]
fn kubectl_gets_no_token() {
    let case = refused();
    let mut command = case.world.zitadel(["kubectl"]);
    command.env(
        "KUBERNETES_EXEC_INFO",
        exec_info("v1", "https://k8s.acme.test"),
    );
    case.end(command).fails(1, str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key
  hint: check that neither the user nor the key was removed, and that both are of the instance [ISSUER] and not of another instance
  hint: check the clocks; if everything is right, try again later and read ZITADEL's log: ZITADEL gives the same answer for an internal error, such as a database that is down or read-only

"#]]);
}

#[test]
fn a_cluster_names_a_missing_profile() {
    let info = json!({
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1",
        "spec": {"cluster": {"server": "https://k8s.acme.test", "config": {"profile": "prod"}}},
    });
    kubectl(
        info.to_string(),
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: no profile named "prod"
  hint: choose one of: test
  hint: run zitadel-credential setup profile prod to create it

"#]],
    );
}

#[test]
fn a_clusters_extension_of_the_wrong_kind() {
    let info = json!({
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1",
        "spec": {"cluster": {"server": "https://k8s.acme.test", "config": {"scopes": "openid"}}},
    });
    kubectl(
        info.to_string(),
        str![[r#"
zitadel-credential: error: KUBERNETES_EXEC_INFO: value of the wrong type
  hint: fix the cluster's extension client.authentication.k8s.io/exec in the kubeconfig: profile and issuer are strings, scopes and projects are lists of strings, roles is true or false

"#]],
    );
}

/// kubectl itself quotes the values of a kubeconfig that it cannot read.
#[test]
fn a_kubeconfigs_values_are_in_no_error() {
    if program("kubectl").is_none() {
        return;
    }
    for user in [
        "{username: root, password: hunter2-Sommer}",
        "{token: [hunter2-Sommer]}",
        "{exec: hunter2-Sommer}",
        "hunter2-Sommer",
    ] {
        let case = Case::new();
        let text = format!(
            "apiVersion: v1\nkind: Config\nusers:\n- {{name: a, user: {{}}}}\n- {{name: a, user: {user}}}\n"
        );
        case.world.home.write(".kube/config", text);
        for words in [
            ["setup", "kubectl", "--user", "ci"].as_slice(),
            &["setup", "kubectl", "--user", "a", "--dry-run"],
            &["setup", "kubectl", "--user", "ci", "--undo"],
            &["doctor"],
        ] {
            let output = case.world.zitadel(words).run();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8(said).unwrap();
            assert!(!said.contains("hunter2"), "{words:?}: {said}");
        }
    }
}
