//! Two sites of one Apache, each for a separate project.

use super::{Apache, Asks};
use crate::servers::cast::{Cast, OTHER_PROJECT, PROJECT, Who};
use crate::support::TokenKind::{Jwt, Opaque};

/// Returns the example, and a copy for another host and project.
fn with_a_second_site(cast: &Cast, text: String, cache: &str) -> String {
    let application = cast.issuer().new_application(OTHER_PROJECT);
    let other = text
        .replace("GIT_HOST             localhost", "GIT_HOST other.test")
        .replace(PROJECT, OTHER_PROJECT)
        .replace("${ZITADEL_CLIENT_ID}", &application.client_id)
        .replace("${ZITADEL_CLIENT_SECRET}", &application.secret)
        .replace("name=git&", &format!("name={cache}&"))
        .replace("cache=git\n", &format!("cache={cache}\n"));
    text + &other
}

#[test]
fn a_role_of_one_site_is_invalid_at_the_other() {
    for asks in Asks::ALL {
        let cast = Cast::new();
        let change = |text| with_a_second_site(&cast, text, "other");
        let Some(apache) = Apache::start_changed(&cast, asks, change) else {
            return;
        };
        for kind in [Jwt, Opaque] {
            if asks == Asks::Keys && kind == Opaque {
                continue;
            }
            let [deployer, other] = [Who::Deployer, Who::OtherProject]
                .map(|who| format!("Bearer {}", cast.token_of_both_projects(who, kind)));
            let status = |host: &str, token: &str| {
                let host = ["--header", &format!("Host: {host}")].map(str::to_owned);
                apache.read_with(&host, token)
            };
            // A token that is active for one site's application is not active for the
            // other's.
            let token = format!("Bearer {}", cast.token_of_another_project(kind));
            assert_eq!(status("other.test", &token), 200, "{asks:?} {kind:?}");
            let expected = if asks == Asks::Keys { 403 } else { 401 };
            assert_eq!(status("localhost", &token), expected, "{asks:?} {kind:?}");
            for _ in 0..2 {
                assert_eq!(status("localhost", &deployer), 200, "{asks:?} {kind:?}");
                assert_eq!(status("other.test", &deployer), 403, "{asks:?} {kind:?}");
                assert_eq!(status("localhost", &other), 403, "{asks:?} {kind:?}");
                assert_eq!(status("other.test", &other), 200, "{asks:?} {kind:?}");
            }
        }
    }
}

/// This is the reason for a separate cache of each site: the response to the other site's
/// application counts, and only the roles still refuse the token.
#[test]
fn in_a_shared_cache_the_answer_to_one_site_counts_at_the_other() {
    let cast = Cast::new();
    let change = |text| {
        let sites = with_a_second_site(&cast, text, "git");
        // A second line with the same name would create a second cache.
        let at = sites.rfind("OAuth2Cache ").unwrap();
        let end = at + sites[at..].find('\n').unwrap();
        let shared = format!("{}{}", &sites[..at], &sites[end..]);
        assert_eq!(shared.matches("OAuth2Cache ").count(), 1);
        assert_eq!(shared.matches("cache=git\n").count(), 2);
        shared
    };
    let Some(apache) = Apache::start_changed(&cast, Asks::Introspection, change) else {
        return;
    };
    for kind in [Jwt, Opaque] {
        let token = format!("Bearer {}", cast.token_of_another_project(kind));
        let status = |host: &str| {
            let host = ["--header", &format!("Host: {host}")].map(str::to_owned);
            apache.read_with(&host, &token)
        };
        assert_eq!(status("localhost"), 401, "{kind:?}");
        assert_eq!(status("other.test"), 200, "{kind:?}");
        assert_eq!(status("localhost"), 403, "{kind:?}");
    }
}
