//! The status codes of `docs/servers.md`.

use std::time::{Duration, Instant};

use super::{Apache, Asks};
use crate::servers::cast::{Cast, Who};
use crate::servers::table::{INTROSPECTION, Row, assert_table, of_jwts};
use crate::support::TokenKind::{Jwt, Opaque};
use crate::support::{Trouble, Version, until};

fn each_version_answers_by_the_table(asks: Asks, expected: &[Row]) {
    for version in Version::RECORDED {
        let cast = Cast::new();
        cast.issuer().set_version(version);
        let Some(apache) = Apache::start(&cast, asks) else {
            return;
        };
        assert_table(&cast, |shown| apache.both(shown), expected);
        apache.assert_no_secret_below(&["/var/log"]);
    }
}

#[test]
fn with_oauth2_by_introspection_a_role_in_the_project_decides() {
    each_version_answers_by_the_table(Asks::Introspection, INTROSPECTION);
}

#[test]
fn with_openidc_by_introspection_a_role_in_the_project_decides() {
    each_version_answers_by_the_table(Asks::OpenIdc, INTROSPECTION);
}

#[test]
fn with_oauth2_by_zitadels_keys_a_role_of_the_jwt_decides() {
    each_version_answers_by_the_table(Asks::Keys, &of_jwts());
}

/// However a viewer spells the path of a push.
#[test]
fn a_push_in_another_spelling_is_a_push_too() {
    for asks in [Asks::Introspection, Asks::OpenIdc, Asks::Keys] {
        let cast = Cast::new();
        let Some(apache) = Apache::start(&cast, asks) else {
            return;
        };
        let token = |who| format!("Bearer {}", cast.token(who, Jwt));
        let viewer = token(Who::Viewer);
        assert_eq!(apache.reads(Some(&viewer)), 200, "{}", apache.error_log());
        for path in [
            "/app.git/git-receive-pack",
            "/app.git/git%2Dreceive-pack",
            "/app.git/%67it-receive-pack",
            "/app.git/./git-receive-pack",
            "/app.git//git-receive-pack",
            "/app.git/x/../git-receive-pack",
        ] {
            let status = apache.writes_to(path, Some(&viewer));
            assert!(status >= 400, "{asks:?} {path}: {status}");
        }
    }
}

#[test]
fn a_deactivated_users_token_passes_as_long_as_the_answer_is_kept() {
    for asks in [Asks::Introspection, Asks::OpenIdc] {
        for kind in [Jwt, Opaque] {
            let cast = Cast::new();
            let Some(apache) = Apache::start(&cast, asks) else {
                return;
            };
            let token = format!("Bearer {}", cast.token(Who::Deployer, kind));
            assert_eq!(apache.reads(Some(&token)), 200, "{}", apache.error_log());
            cast.issuer().deactivate(&cast.user(Who::Deployer).user_id);
            let start = Instant::now();
            until("the answer is kept no longer", || {
                std::thread::sleep(Duration::from_millis(200));
                apache.reads(Some(&token)) == 401
            });
            assert!(start.elapsed() < Duration::from_secs(15), "{asks:?}");
        }
    }
}

/// A JWT is verified without ZITADEL; all else gets 401, as if it were no good.
#[test]
fn while_zitadel_is_down_introspection_refuses_and_a_jwt_with_a_known_key_passes() {
    for asks in [Asks::Introspection, Asks::OpenIdc, Asks::Keys] {
        let cast = Cast::new();
        let Some(apache) = Apache::start(&cast, asks) else {
            return;
        };
        let known = format!("Bearer {}", cast.token(Who::Deployer, Jwt));
        assert_eq!(apache.reads(Some(&known)), 200, "{}", apache.error_log());
        let token = format!("Bearer {}", cast.token(Who::Deployer, Jwt));
        cast.issuer().set_trouble(Trouble::DatabaseDown);
        let expected = if asks == Asks::Keys { 200 } else { 401 };
        assert_eq!(apache.reads(Some(&token)), expected, "{asks:?}");
    }
}
