//! JWTs, configured by a file, with the project's roles as groups.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::apiserver::ApiServer;
use super::{OTHER_PROJECT, PROJECT, scene, secret_part};
use crate::program::client;
use crate::servers::cast::{Scene, of_project};
use crate::support::{ORGANIZATION_ID, OTHER_ORGANIZATION_ID, TokenKind};

/// Returns a server with the file, which trusts the scene's issuer.
fn served(scene: &Scene) -> Option<ApiServer> {
    let file = scene.filled("authentication.yaml");
    let file = scene.home().write("authentication.yaml", file);
    ApiServer::start(&[format!("--authentication-config={}", file.display())])
}

#[test]
fn a_role_of_the_project_is_a_group_and_nothing_else_gives_one() {
    let scene = scene(TokenKind::Jwt);
    let Some(server) = served(&scene) else { return };
    let issuer = &scene.world.issuer;
    let group = |role: &str| vec![format!("zitadel:{role}")];
    let known = |id: &str, groups: Vec<String>| Some((format!("zitadel:{id}"), groups));

    let deployer = scene.user_with_role("deployer", "deployer", ORGANIZATION_ID);
    assert_eq!(
        server.who(&scene.token("deployer")),
        known(&deployer, group("deployer"))
    );
    let reserved = scene.user_with_role("reserved", "system:masters", ORGANIZATION_ID);
    let prefixed = known(&reserved, group("system:masters"));
    assert_eq!(server.who(&scene.token("reserved")), prefixed);
    let roleless = scene.user("roleless", &of_project(PROJECT));
    assert_eq!(
        server.who(&scene.token("roleless")),
        known(&roleless, vec![])
    );
    // The role has the same name, but is another organisation's, and one of another
    // project.
    let foreign = scene.user_with_role("foreign", "deployer", OTHER_ORGANIZATION_ID);
    assert_eq!(server.who(&scene.token("foreign")), known(&foreign, vec![]));
    let both = scene.user(
        "both",
        &format!("projects = [\"{PROJECT}\", \"{OTHER_PROJECT}\"]\nroles = true"),
    );
    issuer.add_role_of(ORGANIZATION_ID, &both, OTHER_PROJECT, "deployer");
    assert_eq!(server.who(&scene.token("both")), known(&both, vec![]));
    // Without `roles`, no JWT has a role.
    let unasked = scene.user("unasked", &format!("projects = [\"{PROJECT}\"]"));
    issuer.add_role_of(ORGANIZATION_ID, &unasked, PROJECT, "deployer");
    assert_eq!(server.who(&scene.token("unasked")), known(&unasked, vec![]));

    // A JWT is valid until it expires, whatever happens to its user.
    let token = scene.token("deployer");
    issuer.deactivate(&deployer);
    assert_eq!(server.who(&token), known(&deployer, group("deployer")));
}

#[test]
fn an_invalid_token_of_the_project_is_refused_and_the_log_says_why() {
    let scene = scene(TokenKind::Jwt);
    let Some(server) = served(&scene) else { return };
    let issuer = &scene.world.issuer;
    scene.user_with_role("deployer", "deployer", ORGANIZATION_ID);
    let good = scene.token("deployer");
    assert!(server.who(&good).is_some());
    let mut shown = vec![good.clone()];
    let mut refused = |token: String, reason: &str| {
        assert_eq!(server.who(&token), None, "{reason}");
        let log = server.log();
        assert!(log.contains(reason), "{reason}: {log}");
        shown.push(token);
    };

    scene.user("other", &of_project(OTHER_PROJECT));
    let reason = format!("expected audience \\\"{PROJECT}\\\" got [\\\"{OTHER_PROJECT}\\\"]");
    refused(scene.token("other"), &reason);
    let nobody = scene.user("nobody", "");
    let reason = format!("expected audience \\\"{PROJECT}\\\" got [\\\"service-user-{nobody}\\\"]");
    refused(scene.token("nobody"), &reason);
    refused("garbage".to_owned(), "invalid bearer token");
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        unreachable!("a JWT");
    };
    let mut changed: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    changed["sub"] = json!("1");
    let changed = BASE64_URL_SAFE_NO_PAD.encode(changed.to_string());
    refused(
        format!("{header}.{changed}.{signature}"),
        "failed to verify signature",
    );
    let none = BASE64_URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}");
    refused(format!("{none}.{claims}."), "invalid bearer token");
    // The token was issued an hour ago for half an hour.
    issuer.set_lifetime(1800);
    issuer.set_date_offset(-3600);
    scene.user("late", &of_project(PROJECT));
    refused(scene.token("late"), "token is expired");
    issuer.set_date_offset(0);
    issuer.set_lifetime(43_200);
    issuer.set_token_kind(TokenKind::Opaque);
    scene.user("opaque", &of_project(PROJECT));
    refused(scene.token("opaque"), "invalid bearer token");
    let log = server.log();
    for token in shown.iter().filter(|token| token.len() > 40) {
        let secret = secret_part(token);
        assert!(
            secret.is_empty() || !log.contains(secret),
            "a token is in the log"
        );
    }
}

#[test]
fn kubectl_may_do_what_its_users_role_may() {
    let Some(kubectl) = client("kubectl") else {
        return;
    };
    let scene = scene(TokenKind::Jwt);
    let Some(server) = served(&scene) else { return };
    server.apply(&kubectl, &scene.filled("rbac.yaml"));
    let home = scene.home();
    home.write(".kube/config", server.kubeconfig(&json!({})));
    let run = |profile: &str, words: &str| as_user(&scene, &kubectl, profile, words);

    scene.user_with_role("deployer", "deployer", ORGANIZATION_ID);
    scene.user_with_role("viewer", "viewer", ORGANIZATION_ID);
    scene.user("roleless", &of_project(PROJECT));
    scene.user("other", &of_project(OTHER_PROJECT));
    for profile in ["deployer", "viewer", "roleless", "other"] {
        let mut setup = scene
            .world
            .zitadel(["setup", "kubectl", "--context", "acme"]);
        setup
            .args(["--user", profile, "--profile", profile])
            .env("PATH", path_with(&kubectl));
        let setup = setup.run();
        assert!(setup.status.success(), "{setup:?}");
    }
    let created = run("deployer", "create configmap settings --from-literal=a=b");
    assert!(created.contains("configmap/settings created"), "{created}");
    let listed = run("viewer", "get configmap settings -o name");
    assert_eq!(listed.trim(), "configmap/settings");
    let forbidden = "cannot create resource \"configmaps\"";
    let said = run("viewer", "create configmap more --from-literal=a=b");
    assert!(said.contains(forbidden), "{said}");
    let said = run("viewer", "get secrets");
    assert!(said.contains("cannot list resource \"secrets\""), "{said}");
    let said = run("roleless", "get configmaps");
    assert!(
        said.contains("cannot list resource \"configmaps\""),
        "{said}"
    );
    let said = run("other", "get configmaps");
    assert!(said.contains("Unauthorized"), "{said}");
}

/// Returns kubectl's output as the user of a profile.
fn as_user(scene: &Scene, kubectl: &Path, profile: &str, words: &str) -> String {
    let mut command = scene.home().command(kubectl);
    command.args(["--user", profile]).args(words.split(' '));
    let output = crate::program::output(command);
    [output.stdout, output.stderr]
        .map(|text| String::from_utf8(text).unwrap())
        .concat()
}

/// Returns a PATH with a kubectl, for the setup.
fn path_with(kubectl: &Path) -> std::ffi::OsString {
    std::env::join_paths([kubectl.parent().unwrap()]).unwrap()
}
