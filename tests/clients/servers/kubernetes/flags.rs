//! JWTs, configured only by flags.

use super::apiserver::ApiServer;
use super::{PROJECT, scene};
use crate::servers::cast::{Scene, of_project};
use crate::support::{ORGANIZATION_ID, TokenKind};

/// Returns the flags of `docs/servers.md`.
fn flags(scene: &Scene) -> Vec<String> {
    let authority = scene.home().path().join("issuer.pem");
    vec![
        format!("--oidc-issuer-url={}", scene.world.issuer.url()),
        format!("--oidc-client-id={PROJECT}"),
        "--oidc-username-claim=sub".to_owned(),
        format!("--oidc-ca-file={}", authority.display()),
    ]
}

#[test]
fn flags_alone_give_a_name_with_the_issuer_and_no_groups() {
    let scene = scene(TokenKind::Jwt);
    let Some(server) = ApiServer::start(&flags(&scene)) else {
        return;
    };
    let deployer = scene.user_with_role("deployer", "deployer", ORGANIZATION_ID);
    let name = format!("{}#{deployer}", scene.world.issuer.url());
    assert_eq!(server.who(&scene.token("deployer")), Some((name, vec![])));
    scene.user("other", &of_project("317240000000000009"));
    assert_eq!(server.who(&scene.token("other")), None);
}

#[test]
fn the_groups_flag_refuses_users_with_a_role() {
    let scene = scene(TokenKind::Jwt);
    let mut flags = flags(&scene);
    flags.push(format!(
        "--oidc-groups-claim=urn:zitadel:iam:org:project:{PROJECT}:roles"
    ));
    let Some(server) = ApiServer::start(&flags) else {
        return;
    };
    scene.user_with_role("deployer", "deployer", ORGANIZATION_ID);
    assert_eq!(server.who(&scene.token("deployer")), None);
    assert!(
        server
            .log()
            .contains("cannot unmarshal object into Go value of type string")
    );
    scene.user("roleless", &of_project(PROJECT));
    assert!(server.who(&scene.token("roleless")).is_some());
}
