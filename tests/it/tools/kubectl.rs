//! `kubectl`, with client-go's requests.

mod doctor;
mod errors;
mod negative;
mod setup;

use predicates::prelude::*;
use serde_json::{Value, json};

use crate::support::entry::{age_check, edit, only};
use crate::support::issuer::{Endpoint, Fault, Times, TokenKind};
use crate::support::{Run, World, binary};

fn info(version: &str, cluster: &Value) -> String {
    json!({
        "kind": "ExecCredential",
        "apiVersion": format!("client.authentication.k8s.io/{version}"),
        "spec": {"interactive": false, "cluster": cluster},
    })
    .to_string()
}

/// Returns the response to a request, or to a user's call.
fn asked(world: &World, info: Option<&str>) -> Value {
    let mut command = world.zitadel(["kubectl"]);
    if let Some(info) = info {
        command.env("KUBERNETES_EXEC_INFO", info);
    }
    let output = command.run();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn token_of(answer: &Value) -> String {
    answer["status"]["token"].as_str().unwrap().to_owned()
}

#[test]
fn the_answer_is_in_the_version_that_was_asked() {
    let world = World::new();
    let v1 = "client.authentication.k8s.io/v1";
    assert_eq!(asked(&world, None)["apiVersion"], v1, "by hand");
    for version in ["v1", "v1beta1"] {
        let answer = asked(&world, Some(&info(version, &Value::Null)));
        let expected = format!("client.authentication.k8s.io/{version}");
        assert_eq!(answer["apiVersion"], expected);
        assert_eq!(answer["kind"], "ExecCredential");
        assert!(world.issuer.accepts(&token_of(&answer)));
        assert!(answer["status"]["expirationTimestamp"].is_string());
    }
}

#[test]
fn a_client_without_the_variable_gets_the_version_of_the_option() {
    let world = World::new();
    let answered = |option: &str, info: Option<String>| {
        let mut command = world.zitadel(["kubectl", "--api-version", option]);
        command.envs(info.map(|info| ("KUBERNETES_EXEC_INFO", info)));
        let output = command.run();
        assert!(output.status.success() && output.stderr.is_empty());
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        answer["apiVersion"].as_str().unwrap().to_owned()
    };
    for version in ["v1", "v1beta1"] {
        let expected = format!("client.authentication.k8s.io/{version}");
        for given in [version, &expected] {
            assert_eq!(answered(given, None), expected);
        }
        // The client's own version has priority.
        let info = info(version, &Value::Null);
        for given in ["v1", "v1beta1"] {
            assert_eq!(answered(given, Some(info.clone())), expected);
        }
    }
    let mut wrong = world.zitadel(["kubectl", "--api-version", "v1alpha1"]);
    wrong.assert().code(2).stdout("");
}

#[test]
fn other_forms_of_the_exec_info_change_nothing() {
    let world = World::new();
    let v1 = "client.authentication.k8s.io/v1";
    for info in [
        json!({"kind": null, "apiVersion": v1, "spec": null}),
        json!({"kind": "ExecCredentials", "apiVersion": v1}),
        json!({"apiVersion": v1, "spec": {"cluster": {"config": {"projects": null}}}}),
        // The certificates have 80 KiB.
        json!({"apiVersion": v1, "spec": {"cluster": {
            "server": "https://k8s.acme.dev", "certificate-authority-data": "x".repeat(80 << 10),
        }}}),
    ] {
        let token = token_of(&asked(&world, Some(&info.to_string())));
        assert!(world.issuer.accepts(&token));
    }
}

#[test]
fn an_extension_in_the_kubeconfigs_own_list_chooses_the_profile() {
    let world = World::new();
    let name = "client.authentication.k8s.io/exec";
    let cluster = json!({
        "server": "https://k8s.acme.dev",
        "extensions": [{"name": name, "extension": {"profile": "absent"}}],
    });
    let mut command = world.zitadel(["kubectl"]);
    command.env("KUBERNETES_EXEC_INFO", info("v1", &cluster));
    let no_other = predicates::str::contains("no profile named \"absent\"");
    command.assert().code(2).stdout("").stderr(no_other);
}

#[test]
fn a_clusters_extension_chooses_profile_and_scopes() {
    let world = World::new();
    world.home.append_config(&format!(
        "[profiles.other]\nissuer = \"{}\"\nkey-file = \"~/key.json\"\n",
        world.issuer.url()
    ));
    let cluster = json!({
        "server": "https://k8s.acme.dev",
        "config": {"profile": "other", "scopes": ["email"], "projects": ["7"], "roles": true},
    });
    asked(&world, Some(&info("v1", &cluster)));
    let request = world.issuer.last_token_request();
    assert_eq!(
        request.form_value("scope").as_deref(),
        Some("email urn:zitadel:iam:org:project:id:7:aud urn:zitadel:iam:org:projects:roles")
    );
}

#[test]
fn a_revoked_token_is_noticed_when_the_same_process_asks_again() {
    let world = World::new();
    let old = token_of(&asked(&world, None));
    assert_eq!(world.issuer.requests(Endpoint::Userinfo), 0);
    // This test is the parent both times, like kubectl after a 401.
    let same = token_of(&asked(&world, None));
    assert_eq!(same, old, "it is still good");
    assert_eq!(world.issuer.requests(Endpoint::Userinfo), 1);

    world.issuer.revoke_all();
    let soon = token_of(&asked(&world, None));
    assert_eq!(soon, old, "not more than one check in 30 s");
    age_check(&only(&world.home));
    let new = token_of(&asked(&world, None));
    assert_ne!(new, old);
    assert!(world.issuer.accepts(&new));
    assert_eq!(world.issuer.token_requests(), 2);
}

/// Calls twice from one process, as after a 401. Returns the second call's stderr.
fn asked_twice(world: &World, options: &[&str]) -> String {
    let asked = || {
        let mut command = world.zitadel(["kubectl"]);
        command.env("KUBERNETES_EXEC_INFO", info("v1", &Value::Null));
        command.args(options).run()
    };
    assert!(asked().stderr.is_empty());
    let second = asked();
    assert!(second.status.success());
    String::from_utf8(second.stderr).unwrap()
}

#[test]
fn stderr_says_that_only_the_api_server_refuses_the_token() {
    let world = World::new();
    let opaque = asked_twice(&world, &[]);
    for part in [
        "warning: the same process asks again",
        "ZITADEL accepts it",
        "found: an opaque token",
        "Access Token Type to JWT, then run zitadel-credential whoami --refresh --profile test",
        "API server's configuration",
    ] {
        assert!(opaque.contains(part), "{opaque}");
    }
    // The warning comes once in 30 s, like the check.
    assert_eq!(asked_twice(&world, &[]), "");

    let world = World::new();
    world.issuer.set_token_kind(TokenKind::Jwt);
    let jwt = asked_twice(&world, &["--project", "317"]);
    assert!(jwt.contains("found: a JWT for the audience "), "{jwt}");
    assert!(jwt.contains("projects in the request: 317\n"), "{jwt}");

    let world = World::new();
    let silent = Fault::Close;
    world
        .issuer
        .fault(Endpoint::Userinfo, silent, Times::Forever);
    assert_eq!(asked_twice(&world, &[]), "", "nobody knows");
    let world = World::new();
    assert_eq!(asked_twice(&world, &["--no-cache"]), "", "two tokens");

    // A client that passes no request may also read stderr, but `-v` asks for it.
    let world = World::new();
    let by_hand = |options: &[&str]| {
        let output = world.zitadel(["kubectl"]).args(options).run();
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!([by_hand(&[]), by_hand(&[])], ["", ""]);
    age_check(&only(&world.home));
    let told = by_hand(&["-v"]);
    assert!(
        told.contains("warning: the same process asks again"),
        "{told}"
    );
}

/// Google's kubectl does this: it asks for the server's version first.
#[test]
fn a_process_that_becomes_another_program_does_not_ask_again() {
    for (calls, is_told) in [
        ("exec timeout 60 \"$0\" kubectl", false),
        // The second program is refused.
        (
            "cp \"$(command -v sh)\" other; \
             exec ./other -c '\"$0\" kubectl; \"$0\" kubectl; true' \"$0\"",
            true,
        ),
        ("\"$0\" kubectl; true", true),
    ] {
        let world = World::new();
        let mut command = world.home.command("sh");
        command.env("KUBERNETES_EXEC_INFO", info("v1", &Value::Null));
        let script = format!("\"$0\" kubectl; {calls}");
        let output = command.args(["-c", &script]).arg(binary()).run();
        assert!(output.status.success(), "{output:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(told.contains("asks again"), is_told, "{calls}: {told}");
    }
}

#[test]
fn a_token_is_kept_if_the_issuer_does_not_reject_it() {
    let world = World::new();
    let old = token_of(&asked(&world, None));
    world
        .issuer
        .fault(Endpoint::Userinfo, Fault::Close, Times::Forever);
    assert_eq!(token_of(&asked(&world, None)), old);
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn a_token_without_a_lifetime_is_used_once_and_has_no_expiry() {
    let world = World::new();
    let no_lifetime = Fault::edit(|answer| {
        answer.as_object_mut().unwrap().remove("expires_in");
    });
    world
        .issuer
        .fault(Endpoint::Token, no_lifetime, Times::Forever);
    for round in 1..=2 {
        let answer = asked(&world, None);
        assert!(answer["status"]["expirationTimestamp"].is_null());
        assert_eq!(world.issuer.token_requests(), round);
    }
}

#[test]
fn an_entry_for_another_issuer_is_never_served() {
    let world = World::new();
    asked(&world, None);
    edit(&only(&world.home), |entry| {
        entry["access_token"] = "x".into();
    });
    assert_eq!(token_of(&asked(&world, None)), "x", "as it lies there");
    edit(&only(&world.home), |entry| {
        entry["issuer"] = "https://evil.test".into();
    });
    let token = token_of(&asked(&world, None));
    assert!(world.issuer.accepts(&token));
    let known = predicate::ne("x");
    assert!(known.eval(token.as_str()));
}
