//! What git, kubectl and others get, and the person behind them, where there is no token
//! to give. stdout is the tool's: its protocol decides, to the byte.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use serde_json::json;
use snapbox::{Data, str};

use crate::support::{Case, Endpoint, Fault, Times};

const HOST: &str = "git.acme.test";
const ASKED: &str = "protocol=https\nhost=git.acme.test\n\n";

/// A case with a rule for [`HOST`].
fn ruled() -> Case {
    let case = Case::new();
    case.world.allow(HOST);
    case
}

/// A case with that rule, whose issuer knows the key no longer.
fn refused() -> Case {
    let case = ruled();
    case.world.issuer.remove_key(&case.world.user.key_id);
    case
}

/// `kubectl` with this in `KUBERNETES_EXEC_INFO`.
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
fn an_option_that_there_is_not_before_keyrings_operation() {
    let words = [
        "keyring",
        "--profil",
        "ci",
        "get",
        "https://git.acme.test/",
        "ci",
    ];
    ruled().ask(words, "").fails(
        2,
        str![[r#"
zitadel-credential: error: keyring: unexpected argument --profil
  hint: options stand before the operation: zitadel-credential keyring --help

"#]],
    );
}

#[test]
fn terraform_names_two_hosts() {
    let words = ["terraform", "get", HOST, "--profile=ci"];
    ruled().ask(words, "").fails(
        2,
        str![[r#"
zitadel-credential: error: terraform: one host is wanted after the operation
  hint: Terraform calls this itself: get HOST

"#]],
    );
}

#[test]
fn git_is_told_to_quit_where_the_token_is_refused() {
    refused()
        .ask(["git", "get"], ASKED)
        .answers(1, "quit=1\n", str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: its clock and ours agree
  found: the key file does not say until when the key is good
  hint: in ZITADEL, see whether user [USER_ID] is an active service user and key [KEY_ID] is listed under its Keys and not expired (a key made seconds ago may take a moment); if not, make a new one

"#]]);
}

#[test]
fn other_tools_get_not_a_byte_where_the_token_is_refused() {
    let image = format!(
        r#"{{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"{HOST}/app"}}"#
    );
    for (arguments, message) in [
        (["terraform", "get", HOST].as_slice(), ""),
        (
            &["go", "https://git.acme.test/x"],
            "HTTP/1.1 404 Not Found\n\n",
        ),
        (&["kubelet"], &image),
        (
            &["keyring", "get", "https://git.acme.test/simple/", "ci"],
            "",
        ),
    ] {
        refused().ask(arguments, message).fails(1, str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: its clock and ours agree
  found: the key file does not say until when the key is good
  hint: in ZITADEL, see whether user [USER_ID] is an active service user and key [KEY_ID] is listed under its Keys and not expired (a key made seconds ago may take a moment); if not, make a new one

"#]]);
    }
}

#[test]
fn go_goes_on_without_a_host_whose_token_is_refused() {
    let case = refused();
    case.world.allow("go.acme.test");
    case.ask(["go"], "").answers(0, "", str![[r#"
zitadel-credential: warning: no token for git.acme.test, go.acme.test: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)

"#]]);
}

#[test]
fn go_is_told_where_its_response_is_too_large() {
    let response = format!("HTTP/1.1 404 {}\n\n", "x".repeat(65536));
    ruled()
        .ask(["go", "https://git.acme.test/x"], &response)
        .fails(
            2,
            str![[r#"
zitadel-credential: error: Go's response on stdin is larger than 65536 bytes
  hint: Go calls this itself; by hand, add </dev/null

"#]],
        );
}

#[test]
fn git_is_told_to_quit_where_the_issuer_is_down() {
    let case = ruled();
    let down = Fault::status(500, "text/plain", "down");
    case.world.issuer.fault(Endpoint::Any, down, Times::Forever);
    case.ask(["git", "get"], ASKED).answers(
        1,
        "quit=1\n",
        str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: HTTP 500: down
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: the issuer is in trouble: try again later

"#]],
    );
}

#[test]
fn git_is_told_to_quit_where_there_is_no_key() {
    let case = ruled();
    fs::remove_file(&case.world.key_file).unwrap();
    case.ask(["git", "get"], ASKED)
        .answers(1, "quit=1\n", str![[r#"
zitadel-credential: error: key file [HOME]/key.json: no such file or directory
  hint: --key-file, ZITADEL_CREDENTIAL_KEY_FILE or the profile's key-file must name a file that you can read

"#]]);
}

#[test]
fn git_hears_nothing_of_a_host_without_a_rule() {
    let case = Case::new();
    case.ask(["git", "get"], ASKED).answers(0, "", "");
    case.ask(["git", "get", "-v"], ASKED).answers(
        0,
        "",
        str![[r#"
zitadel-credential: no host rule lets https://git.acme.test have a token: [hosts."git.acme.test"] in the config file adds one, as zitadel-credential setup git git.acme.test or setup docker git.acme.test writes it; --host is for one call

"#]],
    );
    assert_eq!(case.requests(), 0);
}

#[test]
fn git_hears_nothing_of_a_host_whose_rule_is_for_another_port_scheme_or_user() {
    let case = Case::new();
    let rule = "[hosts.\"git.acme.test:8443\"]\nprofile = \"test\"\nusername = \"ci\"\n";
    case.world.home.append_config(rule);
    for (asked, said) in [
        (
            "protocol=https\nhost=git.acme.test\n",
            str![[r#"
zitadel-credential: no host rule lets https://git.acme.test have a token: git.acme.test:8443 is for another port: [hosts."git.acme.test"] in the config file adds this one, as zitadel-credential setup git git.acme.test or setup docker git.acme.test writes it; --host is for one call

"#]],
        ),
        (
            "protocol=http\nhost=git.acme.test:8443\n",
            str![[r#"
zitadel-credential: host rule git.acme.test:8443 is for https, not for http://git.acme.test:8443: allow-http = true in that rule lets http too

"#]],
        ),
        (
            "protocol=https\nhost=git.acme.test:8443\nusername=me\n",
            str![[r#"
zitadel-credential: host rule git.acme.test:8443 has the username ci, and another was asked for: ask for that username, or for none

"#]],
        ),
    ] {
        case.ask(["git", "get", "-v"], asked).answers(0, "", said);
    }
    assert_eq!(case.requests(), 0);
}

#[test]
fn git_hears_nothing_to_a_malformed_message() {
    let case = ruled();
    for (message, said) in [
        (
            "host=git.acme.test\rprotocol=https\n",
            str![[r#"
zitadel-credential: nothing for git: its message is malformed: a line has a CR or NUL in it

"#]],
        ),
        (
            "protocol=https\nhost=\u{1b}[31mgit.acme.test\n",
            str![[r#"
zitadel-credential: nothing for git: its message is malformed: a value has a control character in it

"#]],
        ),
        (
            "protocol=https\nprotocol=https\nhost=git.acme.test\n",
            str![[r#"
zitadel-credential: nothing for git: its message is malformed: a key stands there twice

"#]],
        ),
        (
            "",
            str![[r#"
zitadel-credential: nothing for git: its message is malformed: it names no protocol

"#]],
        ),
        (
            "protocol=https\ngit.acme.test\n",
            str![[r#"
zitadel-credential: nothing for git: its message is malformed: a line has no =

"#]],
        ),
        (
            "protocol=https\n=git.acme.test\n",
            str![[r#"
zitadel-credential: nothing for git: its message is malformed: a line has no key

"#]],
        ),
        (
            "url=https://git.acme.test\n",
            str![[r#"
zitadel-credential: nothing for git: its message is malformed: git sends no url to a helper

"#]],
        ),
        (
            "protocol=ssh\nhost=git.acme.test\n",
            str![[r#"
zitadel-credential: nothing for git: its message is malformed: its protocol is not https or http

"#]],
        ),
        (
            "protocol=https\n",
            str![[r#"
zitadel-credential: nothing for git: its message is malformed: it names no host

"#]],
        ),
        (
            "protocol=https\nhost=git acme\n",
            str![[r#"
zitadel-credential: nothing for git: its message is malformed: its host is none that could have a rule

"#]],
        ),
    ] {
        case.ask(["git", "get"], message).answers(0, "", "");
        case.ask(["git", "get", "-v"], message).answers(0, "", said);
    }
    let long = "x".repeat(70_000);
    case.ask(["git", "get", "-v"], &long).answers(
        0,
        "",
        str![[r#"
zitadel-credential: nothing for git: its message is larger than 65536 bytes

"#]],
    );
    assert_eq!(case.requests(), 0);
}

#[test]
fn git_may_ask_for_what_is_yet_to_be_invented() {
    let case = refused();
    case.ask(["git", "rotate"], ASKED).answers(0, "", "");
    assert_eq!(case.requests(), 0);
}

#[test]
fn git_with_a_config_file_that_is_broken() {
    let case = Case::new();
    case.world.home.write_config("[hosts\n");
    case.ask(["git", "get"], ASKED).fails(2, str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 1: it is no TOML: unclosed table, expected `]`
  hint: a profile reads like [profiles.prod], and below it issuer = "https://acme.zitadel.cloud" and key-file = "prod.json"

"#]]);
    case.ask(["git", "store"], ASKED).answers(0, "", "");
}

#[test]
fn kubectl_asks_for_no_credential() {
    kubectl(
        "{",
        str![[r#"
zitadel-credential: error: KUBERNETES_EXEC_INFO holds no ExecCredential
  hint: it is set by kubectl and its like; unset it to call this by hand

"#]],
    );
    kubectl(
        "{}",
        str![[r#"
zitadel-credential: error: KUBERNETES_EXEC_INFO holds no ExecCredential
  hint: it is set by kubectl and its like; unset it to call this by hand

"#]],
    );
    kubectl(
        r#"{"kind":"Pod","apiVersion":"v1"}"#,
        str![[r#"
zitadel-credential: error: KUBERNETES_EXEC_INFO holds a Pod
  hint: it is set by kubectl and its like; unset it to call this by hand

"#]],
    );
    kubectl(
        OsStr::from_bytes(b"{\"kind\":\"\xff\"}"),
        str![[r#"
zitadel-credential: error: KUBERNETES_EXEC_INFO holds no ExecCredential
  hint: it is set by kubectl and its like; unset it to call this by hand

"#]],
    );
    kubectl(
        "x".repeat(70_000),
        str![[r#"
zitadel-credential: error: KUBERNETES_EXEC_INFO is larger than 65536 bytes
  hint: see the cluster's extension client.authentication.k8s.io/exec in the kubeconfig

"#]],
    );
}

#[test]
fn kubectl_asks_in_a_version_that_is_gone() {
    kubectl(
        exec_info("v1alpha1", "https://k8s.acme.test"),
        str![[r#"
zitadel-credential: error: the kubeconfig asks for apiVersion client.authentication.k8s.io/v1alpha1
  hint: set the user's exec apiVersion to client.authentication.k8s.io/v1 (or v1beta1)

"#]],
    );
    kubectl(
        exec_info("\u{1b}[31m", "https://k8s.acme.test"),
        str![[r#"
zitadel-credential: error: the kubeconfig asks for apiVersion client.authentication.k8s.io/\u{1b}[31m
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
  hint: a token would cross the network for all to read: set the cluster's server to https

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
  found: its clock and ours agree
  found: the key file does not say until when the key is good
  hint: in ZITADEL, see whether user [USER_ID] is an active service user and key [KEY_ID] is listed under its Keys and not expired (a key made seconds ago may take a moment); if not, make a new one

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
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: no profile is called "prod"
  hint: its profiles are: test; choose one, or let zitadel-credential setup profile prod add it

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
zitadel-credential: error: KUBERNETES_EXEC_INFO has a value of the wrong kind
  hint: see the cluster's extension client.authentication.k8s.io/exec in the kubeconfig: profile and issuer are strings, scopes and projects are lists of strings

"#]],
    );
}
