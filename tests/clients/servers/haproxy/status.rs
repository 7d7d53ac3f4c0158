//! The status codes of `docs/servers.md`, and the real git.

use super::HaProxy;
use crate::git::gits;
use crate::servers::cast::{Cast, OTHER_PROJECT, PROJECT, Who};
use crate::servers::person::configure_git;
use crate::servers::table::{assert_table, of_jwts};
use crate::support::TokenKind::Jwt;
use crate::support::{Trouble, Version};

#[test]
fn a_role_of_the_jwt_decides() {
    for version in Version::RECORDED {
        let cast = Cast::new();
        cast.issuer().set_version(version);
        let Some(haproxy) = HaProxy::start(&cast) else {
            return;
        };
        assert_table(&cast, |shown| haproxy.both(shown), &of_jwts());
        haproxy.assert_no_secret_written();
    }
}

#[test]
fn git_clones_and_pushes_by_role() {
    for git in gits() {
        let cast = Cast::new();
        cast.issuer().set_token_kind(Jwt);
        let Some(haproxy) = HaProxy::start(&cast) else {
            return;
        };
        configure_git(&haproxy);
        haproxy.assert_git_clones_and_pushes_by_role(&git);
        haproxy.assert_no_secret_written();
    }
}

#[test]
fn hooks_know_the_user_and_not_the_token() {
    for git in gits() {
        let cast = Cast::new();
        cast.issuer().set_token_kind(Jwt);
        let Some(haproxy) = HaProxy::start(&cast) else {
            return;
        };
        configure_git(&haproxy);
        haproxy.assert_hooks_know_the_user_and_not_the_token(&git);
    }
}

#[test]
fn a_deactivated_users_jwt_passes_also_while_zitadel_is_down() {
    let cast = Cast::new();
    let Some(haproxy) = HaProxy::start(&cast) else {
        return;
    };
    let token = format!("Bearer {}", cast.token(Who::Deployer, Jwt));
    cast.issuer().deactivate(&cast.user(Who::Deployer).user_id);
    cast.issuer().set_trouble(Trouble::DatabaseDown);
    assert_eq!(haproxy.reads(Some(&token)), 200);
}

#[test]
fn viewers_cannot_push_by_another_spelling_of_the_path() {
    let cast = Cast::new();
    let Some(haproxy) = HaProxy::start(&cast) else {
        return;
    };
    haproxy.assert_viewers_cannot_push();
}

#[test]
fn no_bypass_gets_in() {
    let cast = Cast::new();
    let Some(haproxy) = HaProxy::start(&cast) else {
        return;
    };
    haproxy.assert_no_way_around();
}

#[test]
fn a_token_of_many_roles_passes() {
    let cast = Cast::new();
    let Some(haproxy) = HaProxy::start(&cast) else {
        return;
    };
    haproxy.assert_many_roles_pass();
}

#[test]
fn a_token_may_name_four_projects() {
    let cast = Cast::new();
    let Some(haproxy) = HaProxy::start(&cast) else {
        return;
    };
    let others = [OTHER_PROJECT, "317240000000000044", "317240000000000045"];
    for at in 0..4 {
        let mut projects = others.to_vec();
        projects.insert(at, PROJECT);
        let token = cast.token_of(Who::Deployer, Jwt, &projects);
        assert_eq!(haproxy.reads(Some(&format!("Bearer {token}"))), 200, "{at}");
    }
}

/// Only HAProxy sets the user for git, whatever the client sends.
#[test]
fn the_clients_own_user_header_is_gone() {
    let cast = Cast::new();
    let Some(haproxy) = HaProxy::start(&cast) else {
        return;
    };
    let header = ["--header", "X-Zitadel-User: 1"].map(str::to_owned);
    let token = format!("Bearer {}", cast.token(Who::Deployer, Jwt));
    assert_eq!(haproxy.read_with(&header, &token), 200);
    let log = haproxy.files.path("/var/log/apache2/git.log");
    let logged = cast.world.home.read(log);
    let user = &cast.user(Who::Deployer).user_id;
    assert!(logged.contains(&format!("127.0.0.1 {user} [")), "{logged}");
}
