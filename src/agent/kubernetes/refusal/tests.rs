use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::url::HttpUrl;

/// An account's token: the claims are `{"sub":"system:serviceaccount:ci:minter"}`.
const ACCOUNT: &str = "e30.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6Y2k6bWludGVyIn0.c2ln";

fn answered(kind: Kind, status: u16, body: &[u8]) -> Result<(), Error> {
    let url = HttpUrl::parse("https://10.0.0.1/x").expect("a URL");
    let header = |name: &str| match name {
        "content-type" => Some("application/json"),
        "retry-after" if status == 429 => Some("7"),
        _ => None,
    };
    let answer = Answer::new(&url, status, header, body.to_vec());
    let account = Token::new(ACCOUNT.to_owned(), None).expect("a token");
    let asked = Asked {
        namespace: "ci",
        name: "zitadel-token",
        kind,
        account: &account,
    };
    passing(&answer, &asked).map_or_else(|| read(&answer, &asked), Err)
}

fn refused(kind: Kind, status: u16, reason: &str, details: &Value, message: &str) -> Error {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "details": details, "code": status,
    });
    answered(kind, status, body.to_string().as_bytes()).expect_err("a refusal")
}

fn shown(status: u16, reason: &str, details: &Value, message: &str) -> String {
    refused(Kind::Token, status, reason, details, message).to_string()
}

#[test]
fn only_a_response_about_this_secret_is_a_success() {
    let body = |name: &str| {
        let metadata = json!({ "name": name, "namespace": "ci", "resourceVersion": "1" });
        json!({ "kind": "PartialObjectMetadata", "metadata": metadata }).to_string()
    };
    for status in [200, 201] {
        assert!(answered(Kind::Token, status, body("zitadel-token").as_bytes()).is_ok());
        for other in [
            body("another"),
            "{}".to_owned(),
            "<html>".to_owned(),
            String::new(),
        ] {
            let error = answered(Kind::Token, status, other.as_bytes()).expect_err("no Secret");
            assert!(
                error.to_string().contains("not about this Secret"),
                "{error}"
            );
        }
    }
    assert!(answered(Kind::Token, 202, body("zitadel-token").as_bytes()).is_err());
}

#[test]
fn a_missing_right_names_verb_account_and_role() {
    let details = json!({ "name": "zitadel-token", "kind": "secrets" });
    for verb in ["patch", "create"] {
        let message = format!(
            "secrets \"zitadel-token\" is forbidden: User \"system:serviceaccount:ci:minter\" cannot {verb} resource \"secrets\" in API group \"\" in the namespace \"ci\""
        );
        assert_eq!(
            shown(403, "Forbidden", &details, &message),
            format!(
                "Secret ci/zitadel-token: HTTP 403: the service account ci:minter may not {verb} this resource of \"secrets\"\n  hint: give it the role: kubectl -n ci create role zitadel-credential --verb=create,patch --resource=secrets --resource-name=zitadel-token && kubectl -n ci create rolebinding zitadel-credential --role=zitadel-credential --serviceaccount=ci:minter"
            )
        );
    }
}

#[test]
fn a_policy_or_terminating_namespace_is_not_a_missing_right() {
    let quota = "secrets \"zitadel-token\" is forbidden: exceeded quota: few, requested: secrets=1";
    assert_eq!(
        shown(403, "Forbidden", &json!({ "kind": "secrets" }), quota),
        format!(
            "Secret ci/zitadel-token: HTTP 403: {quota}\n  hint: ask who runs the cluster: a policy or a quota refuses it"
        )
    );
    let causes = json!({ "kind": "secrets", "causes": [{
        "reason": "NamespaceTerminating", "message": "namespace ci is being terminated", "field": "metadata.namespace",
    }] });
    let ending = shown(
        403,
        "Forbidden",
        &causes,
        "unable to create new content in namespace ci",
    );
    assert!(
        ending.contains("the namespace is being deleted"),
        "{ending}"
    );
}

#[test]
fn a_missing_namespace_differs_from_a_wrong_server() {
    let details = json!({ "name": "ci", "kind": "namespaces" });
    assert_eq!(
        shown(404, "NotFound", &details, "namespaces \"ci\" not found"),
        "Secret ci/zitadel-token: HTTP 404: the namespace does not exist\n  hint: run kubectl create namespace ci"
    );
    let other = answered(Kind::Token, 404, b"404 page not found").expect_err("refused");
    assert_eq!(
        other.to_string(),
        "Secret ci/zitadel-token: HTTP 404\n  hint: check KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: no API server answers there"
    );
    assert!(matches!(other, Error::Final(_)));
}

#[test]
fn a_conflict_names_the_owner_and_the_remedies() {
    let details = |field: &str| {
        json!({ "name": "zitadel-token", "kind": "secrets", "causes": [{
            "reason": "FieldManagerConflict", "message": "conflict with \"helm\" using v1", "field": field,
        }] })
    };
    let message = "Apply failed with 1 conflict: conflict with \"helm\" using v1: .data.token";
    assert_eq!(
        shown(409, "Conflict", &details(".data.token"), message),
        "Secret ci/zitadel-token: HTTP 409: other field managers own these fields: .data.token of helm\n  hint: name a Secret of the agent's own\n  hint: remove the field from that manager's manifest, and then its value: kubectl -n ci patch secret zitadel-token --type=json -p='[{\"op\":\"remove\",\"path\":\"/data/token\"}]'"
    );
    let login = refused(
        Kind::Dockerconfigjson,
        409,
        "Conflict",
        &details(".type"),
        message,
    );
    assert!(
        login
            .to_string()
            .contains("kubectl -n ci delete secret zitadel-token")
    );
    assert!(matches!(login, Error::Final(_)));
    let meanwhile =
        "Operation cannot be fulfilled on secrets \"zitadel-token\": the object has been modified";
    let meanwhile = refused(Kind::Token, 409, "Conflict", &json!({}), meanwhile);
    assert!(matches!(meanwhile, Error::Passing(_)), "{meanwhile}");
}

#[test]
fn an_immutable_secret_must_be_deleted() {
    let causes = |field: &str| json!({ "kind": "Secret", "causes": [{ "reason": "FieldValueInvalid", "message": "x", "field": field }] });
    let of_type =
        "Secret \"zitadel-token\" is invalid: type: Invalid value: \"Opaque\": field is immutable";
    let of_type = shown(422, "Invalid", &causes("type"), of_type);
    assert!(
        of_type.contains("of another type") && of_type.contains("delete secret"),
        "{of_type}"
    );
    let data = "Secret \"zitadel-token\" is invalid: data: Forbidden: field is immutable when `immutable` is set";
    let data = shown(422, "Invalid", &causes("data"), data);
    assert!(data.contains("the Secret is immutable"), "{data}");
    let other = shown(422, "Invalid", &json!(null), "the cat is asleep");
    assert!(other.contains("HTTP 422: the cat is asleep"), "{other}");
}

#[test]
fn temporary_errors_differ_from_refusals() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let error = answered(Kind::Token, status, b"").expect_err("trouble");
        assert!(matches!(error, Error::Passing(_)), "{status}");
        let wait = (status == 429).then(|| Duration::from_secs(7));
        assert_eq!(error.report().retry_after(), wait);
    }
    for status in [302, 400, 401, 405, 406, 410, 413, 415] {
        let error = answered(Kind::Token, status, b"").expect_err("a refusal");
        assert!(matches!(error, Error::Final(_)), "{status}");
    }
}

proptest! {
    #[test]
    fn no_error_quotes_a_secret(status in 202_u16..600, secret in "[A-Za-z0-9+/]{40,80}") {
        let message = format!("Invalid value: \"{secret}\": cannot patch resource \"secrets\"");
        let details = json!({ "causes": [{ "reason": "FieldManagerConflict", "field": secret, "message": message }] });
        for kind in [Kind::Token, Kind::Dockerconfigjson] {
            let error = refused(kind, status, &secret, &details, &message);
            prop_assert!(!error.to_string().contains(&secret[..32]), "{error}");
        }
    }

    #[test]
    fn any_answer_parses_without_panic(status in 100_u16..600, body: Vec<u8>) {
        let _ = answered(Kind::Token, status, &body);
    }
}
