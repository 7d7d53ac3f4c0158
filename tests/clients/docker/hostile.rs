//! Requests that an image's name and a registry's responses can cause in skopeo. The
//! helper is set for every requested name, so skopeo does ask.
//!
//! The servers are our own: the gates of `docs/servers.md` send no redirects.

use serde_json::json;

use super::{BASIC, IMAGE, LOGINS, Store};
use crate::gateway::{Gateway, Shown};
use crate::program::{output, stderr_of_failure};
use crate::support::World;
use crate::support::http::{Request, Response};

#[test]
fn a_registry_by_another_name_or_port_is_shown_nothing() {
    let Some(store) = Store::new() else {
        return;
    };
    store.allow();
    let found_nothing = |_: &Request| Response::text(404, "there is nothing\n");
    let stranger = Gateway::start(&store.ca, &store.world.issuer, BASIC, found_nothing);
    let good = store.gateway.host();
    let ip = format!("127.0.0.1:{}", store.gateway.port());
    let evil = format!("{good}@{}", stranger.host());
    for host in [&stranger.host(), &ip, &evil] {
        store.asks_for([host]);
        let said =
            stderr_of_failure(store.skopeo(&["inspect", &format!("docker://{host}/{IMAGE}")]));
        assert!(!said.contains("zitadel-credential"), "{said}");
        for gateway in [&stranger, &store.gateway] {
            let shown = gateway.take_shown();
            assert!(
                shown.iter().all(|s| *s == Shown::Nothing),
                "{host} {shown:?}"
            );
        }
    }
    assert_eq!(store.world.issuer.total_requests(), 0);
}

/// Letter case makes no difference, and the token is sent to the same registry.
#[test]
fn a_registry_in_upper_case_is_the_same_registry() {
    let Some(store) = Store::new() else {
        return;
    };
    store.allow();
    let upper = store.gateway.host().to_uppercase();
    store.asks_for([&upper]);
    output(store.skopeo(&["inspect", &format!("docker://{upper}/{IMAGE}")]));
    let ci = Shown::Basic("ci".to_owned());
    assert!(store.gateway.take_shown().contains(&ci));
    assert_eq!(store.world.issuer.token_requests(), 1);
}

/// The registry chooses the realm, and skopeo logs in there: a rule for a registry trusts
/// it with the target of the token.
#[test]
fn skopeo_sends_the_token_to_the_realm_of_the_registry() {
    let Some(store) = Store::new() else {
        return;
    };
    let World { issuer, .. } = &store.world;
    let no_token = |_: &Request| Response::json(200, &json!({ "token": "of-the-registry" }));
    let realm = Gateway::start(&store.ca, issuer, BASIC, no_token);
    let challenge = format!(
        "Bearer realm=\"https://127.0.0.1:{}/token\",service=\"registry\"",
        realm.port()
    );
    let nobody = |_: &Shown, _: &str| false;
    let registry = Gateway::guarded(&store.ca, &[challenge], nobody, |_| Response::new(200));
    let host = registry.host();
    store.asks_for([&host]);
    let inspect = || store.skopeo(&["inspect", &format!("docker://{host}/{IMAGE}")]);

    stderr_of_failure(inspect());
    assert_eq!(realm.take_shown(), [Shown::Nothing], "no rule, no token");
    assert_eq!(issuer.total_requests(), 0);

    store.world.allow(&host);
    store.world.home.append_config("username = \"ci\"\n");
    registry.take_shown();
    stderr_of_failure(inspect());
    assert_eq!(realm.take_shown(), [Shown::Basic("ci".to_owned())]);
    // skopeo sends the token that it got there, and never ours.
    assert_eq!(registry.take_shown(), [Shown::Nothing, Shown::Bearer]);
}

impl Store {
    /// Asserts that skopeo asks the helper for these registries.
    fn asks_for<const N: usize>(&self, hosts: [&str; N]) {
        let helpers: serde_json::Map<_, _> = hosts
            .into_iter()
            .map(|host| (host.to_owned(), json!("zitadel")))
            .collect();
        let logins = json!({ "credHelpers": helpers });
        self.world.home.write(LOGINS, logins.to_string());
    }
}
