//! Refusals of the real server, each with a tested remedy.

use serde_json::json;

use super::{NAME, NAMESPACE, Pod, SECRET};
use crate::program::output;
use crate::support::Running;

/// Returns the command in a hint, from kubectl on.
fn command(said: &str) -> &str {
    let hint = said.lines().rev().find(|line| line.contains("kubectl "));
    let hint = hint.unwrap_or_default();
    let start = hint.find("kubectl ");
    assert!(start.is_some(), "no command: {said}");
    let command = &hint[start.unwrap()..];
    command.split(": the agent").next().unwrap()
}

#[test]
fn a_missing_right_is_named_with_the_role_that_gives_it() {
    let Some(pod) = Pod::new() else {
        return;
    };
    let (code, said) = pod.once(&SECRET);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("HTTP 403: the service account ci:minter may not patch"),
        "{said}"
    );
    // Without --once, the agent retries before it exits.
    let running = Running::start(pod.agent(&SECRET));
    let ended = running.output();
    assert_eq!(ended.status.code(), Some(1));
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(stderr.matches("may not patch").count(), 2, "{stderr}");
    pod.runs(command(&said));
    let again = std::iter::repeat_with(|| pod.once(&SECRET)).take(20);
    assert!(again.into_iter().any(|(code, _)| code == 0), "{said}");
}

#[test]
fn each_of_the_two_rights_is_needed() {
    let Some(pod) = Pod::new() else {
        return;
    };
    for (given, missing) in [("patch", "create"), ("create", "patch")] {
        pod.allow(&[given]);
        let expected = format!("may not {missing} this");
        let again = std::iter::repeat_with(|| pod.once(&SECRET).1).take(20);
        let mut said = String::new();
        let found = again.into_iter().any(|next| {
            said = next;
            said.contains(&expected)
        });
        assert!(found, "{said}");
    }
}

#[test]
fn a_field_of_another_manager_is_a_conflict_and_the_remedy_hands_it_over() {
    let Some(pod) = Pod::with_rights() else {
        return;
    };
    let make = [
        "-n",
        NAMESPACE,
        "create",
        "secret",
        "generic",
        NAME,
        "--from-literal=token=theirs",
        "--from-literal=other=stays",
    ];
    assert!(output(pod.kubectl(&make)).status.success());
    let (code, said) = pod.once(&SECRET);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains(
            "HTTP 409: other field managers own these fields: .data.token of kubectl-create"
        ),
        "{said}"
    );
    assert_eq!(pod.value("token"), "theirs");
    pod.runs(command(&said));
    assert_eq!(pod.once(&SECRET), (0, String::new()));
    assert!(pod.world.issuer.accepts(&pod.value("token")));
    assert_eq!(pod.value("other"), "stays");
}

#[test]
fn a_namespace_that_is_missing_is_named() {
    let Some(pod) = Pod::new() else {
        return;
    };
    let rights = [
        "create",
        "clusterrolebinding",
        "minter",
        "--clusterrole=cluster-admin",
        "--serviceaccount=ci:minter",
    ];
    assert!(output(pod.kubectl(&rights)).status.success());
    let nowhere = ["--kubernetes-secret", "nowhere/zitadel-token"];
    let again = std::iter::repeat_with(|| pod.once(&nowhere)).take(20);
    let found = again
        .into_iter()
        .find(|(_, said)| !said.contains("HTTP 403"));
    let (code, said) = found.unwrap();
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("Secret nowhere/zitadel-token: HTTP 404: the namespace does not exist"),
        "{said}"
    );
    pod.runs(command(&said));
    assert_eq!(pod.once(&nowhere), (0, String::new()));
}

#[test]
fn the_remedy_deletes_an_immutable_secret() {
    let Some(pod) = Pod::with_rights() else {
        return;
    };
    let metadata = json!({ "name": NAME, "namespace": NAMESPACE });
    pod.world.allow("registry.acme.dev");
    let login = [
        "--secret-type",
        "dockerconfigjson",
        "--registry",
        "registry.acme.dev",
    ];
    let login = [&SECRET[..], &login].concat();
    let owned = [
        (
            json!({ "immutable": true }),
            &SECRET[..],
            "HTTP 422: the Secret is immutable",
        ),
        (
            json!({ "type": "Opaque" }),
            &login,
            ".type of kubectl-client-side-apply",
        ),
    ];
    for (other, arguments, expected) in owned {
        let mut secret = json!({ "kind": "Secret", "apiVersion": "v1", "metadata": metadata });
        let fields = other.as_object().unwrap().clone();
        secret.as_object_mut().unwrap().extend(fields);
        pod.apply(&json!([secret]));
        assert_remedy(&pod, arguments, expected);
        let delete = ["-n", NAMESPACE, "delete", "secret", NAME];
        assert!(output(pod.kubectl(&delete)).status.success());
    }
    // The agent now has its own Secret.
    assert_eq!(pod.once(&SECRET), (0, String::new()));
    assert_remedy(&pod, &login, "HTTP 422: the Secret is of another type");
}

/// Asserts that one attempt fails like this, and none after the hint's command.
fn assert_remedy(pod: &Pod, arguments: &[&str], expected: &str) {
    let (code, said) = pod.once(arguments);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(expected), "{said}");
    pod.runs(command(&said));
    assert_eq!(pod.once(arguments), (0, String::new()));
}

#[test]
fn a_terminating_namespace_is_named() {
    let Some(pod) = Pod::with_rights() else {
        return;
    };
    let patch =
        json!([{ "op": "add", "path": "/metadata/finalizers", "value": ["acme.dev/waits"] }])
            .to_string();
    let patch = ["patch", "namespace", NAMESPACE, "--type=json", "-p", &patch];
    assert!(output(pod.kubectl(&patch)).status.success());
    let delete = ["delete", "namespace", NAMESPACE, "--wait=false"];
    assert!(output(pod.kubectl(&delete)).status.success());
    let (code, said) = pod.once(&SECRET);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("HTTP 403: the namespace is being deleted"),
        "{said}"
    );
}

#[test]
fn a_server_that_another_authority_signed_gets_no_token() {
    let Some(pod) = Pod::with_rights() else {
        return;
    };
    pod.world
        .home
        .write("account/ca.crt", crate::support::Ca::new().pem());
    let (code, said) = pod.once(&SECRET);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("is not trusted") && said.contains("its ca.crt is the cluster's authority"),
        "{said}"
    );
}
