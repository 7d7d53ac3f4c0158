//! The status codes of `docs/servers.md`.

use std::time::{Duration, Instant};

use super::{Apache, Asks};
use crate::servers::cast::{Cast, Who};
use crate::servers::table::{INTROSPECTION, Row, assert_table, of_jwts};
use crate::support::TokenKind::{Jwt, Opaque};
use crate::support::patience::{patient, within};
use crate::support::{Endpoint, Trouble, Version, until};

fn each_version_answers_by_the_table(asks: Asks, expected: &[Row]) {
    for version in Version::RECORDED {
        let cast = Cast::new();
        cast.issuer().set_version(version);
        let Some(apache) = Apache::start(&cast, asks) else {
            return;
        };
        assert_table(&cast, |shown| apache.both(shown), expected);
        apache.assert_no_secret_written();
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

#[test]
fn a_deactivated_users_token_passes_as_long_as_the_answer_is_cached() {
    patient(|| {
        for asks in Asks::INTROSPECTING {
            let cast = Cast::new();
            let Some(apache) = Apache::start(&cast, asks) else {
                return;
            };
            for kind in [Jwt, Opaque] {
                let [known, unknown] =
                    [(); 2].map(|()| format!("Bearer {}", cast.token(Who::Deployer, kind)));
                assert_eq!(apache.reads(Some(&known)), 200, "{}", apache.error_log());
                let user = &cast.user(Who::Deployer).user_id;
                cast.issuer().deactivate(user);
                let start = Instant::now();
                assert_eq!(apache.reads(Some(&unknown)), 401);
                until("the cached answer ends", || {
                    std::thread::sleep(Duration::from_millis(100));
                    apache.reads(Some(&known)) == 401
                });
                within(start.elapsed(), Duration::from_secs(13));
                cast.issuer().reactivate(user);
            }
        }
    });
}

#[test]
fn a_deactivated_users_jwt_passes_a_gate_that_verifies_it_itself() {
    let cast = Cast::new();
    let Some(apache) = Apache::start(&cast, Asks::Keys) else {
        return;
    };
    let token = format!("Bearer {}", cast.token(Who::Deployer, Jwt));
    cast.issuer().deactivate(&cast.user(Who::Deployer).user_id);
    assert_eq!(apache.reads(Some(&token)), 200);
}

/// The modules have no other response, and git forgets a valid token.
#[test]
fn while_zitadel_is_down_introspection_answers_401_and_known_keys_pass() {
    for asks in Asks::ALL {
        for trouble in [Trouble::DatabaseDown, Trouble::Blocked] {
            let cast = Cast::new();
            let Some(apache) = Apache::start(&cast, asks) else {
                return;
            };
            let bearer = || format!("Bearer {}", cast.token(Who::Deployer, Jwt));
            let [known, unknown] = [bearer(), bearer()];
            assert_eq!(apache.reads(Some(&known)), 200, "{}", apache.error_log());
            cast.issuer().set_trouble(trouble);
            assert_eq!(apache.reads(Some(&known)), 200, "it is cached");
            let expected = if asks == Asks::Keys { 200 } else { 401 };
            assert_eq!(apache.reads(Some(&unknown)), expected, "{asks:?}");
            cast.issuer().set_trouble(None);
            assert_eq!(apache.reads(Some(&unknown)), 200, "no error is cached");
            apache.assert_no_secret_below(&["/var", "/run"]);
        }
    }
}

#[test]
fn viewers_cannot_push_by_another_spelling_of_the_path() {
    for asks in Asks::ALL {
        let cast = Cast::new();
        let Some(apache) = Apache::start(&cast, asks) else {
            return;
        };
        apache.assert_viewers_cannot_push();
    }
}

#[test]
fn no_bypass_gets_in() {
    for asks in Asks::ALL {
        let cast = Cast::new();
        let Some(apache) = Apache::start(&cast, asks) else {
            return;
        };
        apache.assert_no_way_around();
    }
}

#[test]
fn a_token_of_many_roles_passes() {
    for asks in Asks::ALL {
        let cast = Cast::new();
        let Some(apache) = Apache::start(&cast, asks) else {
            return;
        };
        apache.assert_many_roles_pass();
        apache.assert_no_secret_below(&["/var", "/run"]);
    }
}

#[test]
fn many_requests_with_one_token_ask_zitadel_once() {
    for asks in Asks::INTROSPECTING {
        for kind in [Jwt, Opaque] {
            let cast = Cast::new();
            let Some(apache) = Apache::start(&cast, asks) else {
                return;
            };
            let token = format!("Bearer {}", cast.token(Who::Deployer, kind));
            for _ in 0..5 {
                let status = apache.reads(Some(&token));
                assert_eq!(status, 200, "{asks:?} {}", apache.error_log());
            }
            assert_eq!(cast.issuer().requests(Endpoint::Introspection), 1);
        }
    }
}

#[test]
fn keys_are_asked_for_once_and_again_for_a_new_one() {
    let cast = Cast::new();
    let Some(apache) = Apache::start(&cast, Asks::Keys) else {
        return;
    };
    let bearer = || format!("Bearer {}", cast.token(Who::Deployer, Jwt));
    let old = bearer();
    for _ in 0..3 {
        assert_eq!(apache.reads(Some(&bearer())), 200);
    }
    assert_eq!(cast.issuer().requests(Endpoint::Keys), 1);
    cast.issuer().rotate_key();
    assert_eq!(apache.reads(Some(&bearer())), 200);
    assert_eq!(apache.reads(Some(&old)), 200);
    assert_eq!(cast.issuer().requests(Endpoint::Keys), 2);
}

/// Only a server with a trusted authority's certificate is accepted as ZITADEL.
#[test]
fn an_issuer_with_another_authority_is_not_trusted() {
    for asks in Asks::ALL {
        let cast = Cast::new();
        let other = Cast::new();
        let ours = cast.issuer().url();
        let Some(apache) = Apache::start_changed(&cast, asks, |text| {
            text.replace(&ours, &other.issuer().url())
        }) else {
            return;
        };
        let token = format!("Bearer {}", other.token(Who::Deployer, Jwt));
        assert_eq!(apache.reads(Some(&token)), 401);
        assert_eq!(other.issuer().requests(Endpoint::Introspection), 0);
        assert_eq!(other.issuer().requests(Endpoint::Keys), 0);
    }
}

/// `mod_auth_openidc` does not have these three settings by default.
#[test]
fn without_its_settings_openidc_logs_tokens_and_forgets_deactivation() {
    let without = |setting: &'static str| {
        move |text: String| {
            let kept: Vec<_> = text
                .lines()
                .filter(|line| !line.contains(setting))
                .collect();
            assert_ne!(kept.len(), text.lines().count());
            kept.join("\n")
        }
    };
    let cast = Cast::new();
    let change = without("OIDCCacheEncrypt");
    let Some(apache) = Apache::start_changed(&cast, Asks::OpenIdc, change) else {
        return;
    };
    let token = cast.token(Who::Deployer, Jwt);
    assert_eq!(apache.reads(Some(&format!("Bearer {token}"))), 200);
    assert!(apache.error_log().contains(&token), "the trap is gone");

    let cast = Cast::new();
    let change = without("OIDCOAuthTokenIntrospectionInterval");
    let apache = Apache::start_changed(&cast, Asks::OpenIdc, change).unwrap();
    let token = format!("Bearer {}", cast.token(Who::Deployer, Opaque));
    assert_eq!(apache.reads(Some(&token)), 200);
    cast.issuer().deactivate(&cast.user(Who::Deployer).user_id);
    // Real time: Apache's clock decides, and the omitted interval is 10 s.
    std::thread::sleep(Duration::from_secs(12));
    assert_eq!(apache.reads(Some(&token)), 200, "the trap is gone");
}

/// An instance's keys sign for all its domains.
#[test]
fn a_jwt_that_names_another_issuer_is_refused() {
    let cast = Cast::new();
    let change = |text: String| text.replace("iss:${ZITADEL}", "iss:https://other.example");
    let Some(apache) = Apache::start_changed(&cast, Asks::Keys, change) else {
        return;
    };
    let token = format!("Bearer {}", cast.token(Who::Deployer, Jwt));
    assert_eq!(apache.reads(Some(&token)), 403);
}
