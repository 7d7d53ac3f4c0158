//! The kubelet: no login without a rule, and exit code 2 for an invalid request.

use serde_json::json;

use crate::negative::{Bait, GOOD, hosts};

const NOTHING: &str = "{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"kind\":\"CredentialProviderResponse\",\"cacheKeyType\":\"Registry\",\"cacheDuration\":\"0s\",\"auth\":null}\n";

fn question(image: &str) -> String {
    json!({
        "kind": "CredentialProviderRequest",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "image": image,
        "serviceAccountToken": "x",
    })
    .to_string()
}

#[test]
fn a_host_with_a_rule_gets_the_token_in_any_spelling() {
    let bait = Bait::new();
    for host in hosts::GOODS {
        bait.ask(&["kubelet"], question(&format!("{host}/team/app:1")))
            .gets_the_token(host);
    }
}

#[test]
fn a_host_that_has_no_rule_gets_no_login() {
    let bait = Bait::new();
    for (host, what) in hosts::bad() {
        // In an image, a slash ends the host.
        if host.contains('/') {
            continue;
        }
        bait.ask(&["kubelet"], question(&format!("{host}/team/app")))
            .gets_nothing_but(0, NOTHING, what)
            .silently();
    }
    for image in [
        "",
        "GOOD",
        "app",
        "team/app",
        "/GOOD/app",
        "//GOOD/app",
        "http://GOOD/app",
        "https://GOOD/app",
        "evil.test/GOOD/app",
        " GOOD/app",
    ] {
        bait.ask(&["kubelet"], question(&image.replace("GOOD", GOOD)))
            .gets_nothing_but(0, NOTHING, image)
            .silently();
    }
}

#[test]
fn a_malformed_request_is_an_error() {
    let bait = Bait::new();
    let image = format!("{GOOD}/app");
    let good = question(&image);
    let version = "credentialprovider.kubelet.k8s.io/v1";
    let list = json!([version, "CredentialProviderRequest", image]);
    for (question, what) in [
        (String::new(), "nothing"),
        (format!("{good}{good}"), "two"),
        (
            good.replace("\"image\"", "\"image\":\"evil.test/app\",\"image\""),
            "two images",
        ),
        (good.replace("io/v1", "io/v2"), "another version"),
        (good.replace("Request", "Response"), "another kind"),
        (good.replace("\"kind\"", "\"type\""), "no kind"),
        (format!("{good}{}", " ".repeat(64 * 1024)), "over 64 KiB"),
        (good[..good.len() - 1].to_owned(), "half"),
        (list.to_string(), "a list"),
    ] {
        bait.ask(&["kubelet"], question)
            .gets_nothing_but(2, "", what);
    }
    bait.ask(&["kubelet", "get"], &good)
        .gets_nothing_but(2, "", "an operation");
}
