//! The status codes of `docs/servers.md`.

use std::time::{Duration, Instant};

use super::{Asks, Nginx};
use crate::servers::cast::{Cast, PROJECT, Who};
use crate::servers::gate::UPLOAD;
use crate::servers::table::{INTROSPECTION, Row, assert_table};
use crate::support::TokenKind::{Jwt, Opaque};
use crate::support::patience::{patient, within};
use crate::support::{Endpoint, Fault, Trouble, Version, until};

#[test]
fn by_introspection_a_role_in_the_project_decides() {
    let expected = |_| INTROSPECTION.to_vec();
    each_version_answers_by_the_table(Asks::Introspection, expected);
}

/// A user of another project, or without the roles' scope, has a valid token.
#[test]
fn by_userinfo_a_role_in_the_project_decides_if_the_token_asked_for_it() {
    each_version_answers_by_the_table(Asks::Userinfo, |_| {
        let changed = |row: &Row| match row.0 {
            name if name.contains("without the roles' scope") => (name, 403, 403),
            name @ ("another project's JWT" | "another project's, opaque") => (name, 403, 403),
            _ => *row,
        };
        INTROSPECTION.iter().map(changed).collect()
    });
}

fn each_version_answers_by_the_table(asks: Asks, expected: impl Fn(Version) -> Vec<Row>) {
    for version in Version::RECORDED {
        let cast = Cast::new();
        cast.issuer().set_version(version);
        let Some(nginx) = Nginx::with_git(&cast, asks) else {
            return;
        };
        nginx.create_repository();
        assert_table(&cast, |shown| nginx.both(shown), &expected(version));
        nginx.assert_no_secret_written("git");
    }
}

#[test]
fn a_deactivated_users_token_passes_as_long_as_the_answer_is_cached() {
    patient(|| {
        for asks in Asks::BOTH {
            let cast = Cast::new();
            let Some(nginx) = Nginx::with_git(&cast, asks) else {
                return;
            };
            nginx.create_repository();
            for kind in [Jwt, Opaque] {
                let [known, unknown] =
                    [(); 2].map(|()| format!("Bearer {}", cast.token(Who::Deployer, kind)));
                assert_eq!(nginx.reads(Some(&known)), 200);
                let user = &cast.user(Who::Deployer).user_id;
                cast.issuer().deactivate(user);
                let start = Instant::now();
                assert_eq!(nginx.reads(Some(&unknown)), 401);
                until("the cached answer ends", || {
                    nginx.reads(Some(&known)) == 401
                });
                within(start.elapsed(), Duration::from_secs(13));
                cast.issuer().reactivate(user);
            }
        }
    });
}

/// With 401, git would forget a valid token.
#[test]
fn while_zitadel_does_not_answer_the_status_is_500() {
    for asks in Asks::BOTH {
        let cast = Cast::new();
        let Some(nginx) = Nginx::with_git(&cast, asks) else {
            return;
        };
        nginx.create_repository();
        let issuer = cast.issuer();
        let new = || format!("Bearer {}", cast.token(Who::Deployer, Opaque));
        for version in Version::RECORDED {
            issuer.set_version(version);
            for trouble in [Trouble::DatabaseDown, Trouble::Blocked] {
                let token = new();
                issuer.set_trouble(trouble);
                assert_eq!(nginx.reads(Some(&token)), 500, "{version:?} {trouble:?}");
                assert_eq!(nginx.reads(None), 401, "nothing is asked without a token");
                issuer.set_trouble(None);
                assert_eq!(nginx.reads(Some(&token)), 200, "no error is cached");
            }
        }
        for fault in [
            Fault::Close,
            Fault::Hang,
            Fault::CutMidBody,
            Fault::status(502, "text/html", "<html>Bad Gateway</html>"),
            Fault::status(
                400,
                "application/json",
                r#"{"error":"unauthorized_client"}"#,
            ),
            Fault::body("text/html", "<html>a login page</html>"),
            Fault::body("application/json", "null"),
            Fault::redirect("https://login.acme.example"),
        ] {
            let token = new();
            issuer.fault(Endpoint::Any, fault, usize::MAX);
            assert_eq!(nginx.reads(Some(&token)), 500);
            issuer.clear_faults();
        }
        assert!(nginx.error_log().contains(" answered "));
    }
}

/// ZITADEL itself refuses valid tokens then.
#[test]
fn while_zitadel_misleads_the_gate_the_status_is_401() {
    for (asks, version) in [
        (Asks::Introspection, Version::V2025),
        (Asks::Userinfo, Version::V2025),
        (Asks::Userinfo, Version::V2026),
    ] {
        let cast = Cast::new();
        cast.issuer().set_version(version);
        let Some(nginx) = Nginx::with_git(&cast, asks) else {
            return;
        };
        nginx.create_repository();
        let token = format!("Bearer {}", cast.token(Who::Deployer, Opaque));
        cast.issuer().set_trouble(Trouble::ReadOnly);
        assert_eq!(nginx.reads(Some(&token)), 200);
        cast.issuer().set_trouble(Trouble::DatabaseDownCached);
        assert_eq!(nginx.reads(Some(&token)), 200, "the answer is cached");
        cast.issuer().set_trouble(None);
        let token = format!("Bearer {}", cast.token(Who::Deployer, Opaque));
        cast.issuer().set_trouble(Trouble::DatabaseDownCached);
        assert_eq!(nginx.reads(Some(&token)), 401);
    }
}

#[test]
fn by_introspection_a_new_role_counts_for_an_old_token() {
    let cast = Cast::new();
    let Some(nginx) = Nginx::with_git(&cast, Asks::Introspection) else {
        return;
    };
    nginx.create_repository();
    for kind in [Jwt, Opaque] {
        let token = format!("Bearer {}", cast.token_without_roles(Who::Nobody, kind));
        let user = &cast.user(Who::Nobody).user_id;
        cast.issuer().add_role(user, PROJECT, "viewer");
        assert_eq!(nginx.reads(Some(&token)), 200);
        cast.issuer().remove_roles(user);
        let token = format!("Bearer {}", cast.token(Who::Nobody, kind));
        assert_eq!(nginx.reads(Some(&token)), 403);
    }
}

/// Only a server with the trusted authority's certificate is accepted as ZITADEL.
#[test]
fn an_issuer_with_another_authority_is_not_trusted() {
    for asks in Asks::BOTH {
        let cast = Cast::new();
        let Some(nginx) = Nginx::with_git(&cast, asks) else {
            return;
        };
        nginx.create_repository();
        let token = format!("Bearer {}", cast.token(Who::Deployer, Opaque));
        nginx.trust(&crate::support::Ca::new());
        assert_eq!(nginx.reads(Some(&token)), 500);
        assert!(nginx.error_log().contains("SSL certificate verify error"));
    }
}

#[test]
fn viewers_cannot_push_by_another_spelling_of_the_path() {
    let cast = Cast::new();
    let Some(nginx) = Nginx::with_git(&cast, Asks::Introspection) else {
        return;
    };
    nginx.create_repository();
    nginx.assert_viewers_cannot_push();
    let deployer = format!("Bearer {}", cast.token(Who::Deployer, Jwt));
    for internal in ["/_zitadel", "/_zitadel/introspect", "/_zitadel/userinfo"] {
        let status = nginx.ask("GET", internal, Some(&deployer), None);
        assert_eq!(status, 404, "{internal}");
    }
}

#[test]
fn no_bypass_gets_in() {
    let cast = Cast::new();
    let Some(nginx) = Nginx::with_git(&cast, Asks::Introspection) else {
        return;
    };
    nginx.create_repository();
    nginx.assert_no_way_around();
}

#[test]
fn a_token_of_many_roles_passes() {
    for asks in Asks::BOTH {
        let cast = Cast::new();
        let Some(nginx) = Nginx::with_git(&cast, asks) else {
            return;
        };
        nginx.create_repository();
        nginx.assert_many_roles_pass();
    }
}

#[test]
fn many_requests_with_one_token_ask_zitadel_once() {
    let cast = Cast::new();
    let Some(nginx) = Nginx::with_git(&cast, Asks::Introspection) else {
        return;
    };
    nginx.create_repository();
    let token = format!("Bearer {}", cast.token(Who::Deployer, Opaque));
    for _ in 0..5 {
        assert_eq!(nginx.ask("GET", UPLOAD, Some(&token), None), 200);
    }
    assert_eq!(cast.issuer().requests(Endpoint::Introspection), 1);
}
