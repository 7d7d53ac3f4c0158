//! `setup kubectl`: its messages about names.

use serde_json::json;

use crate::setup::{Fixture, PROFILE};
use crate::support::machine::program;

/// GKE names its contexts, clusters and users like this.
const NAME: &str = "gke_acme-prod-1_europe-west1-b_build-cluster";

#[test]
fn a_long_name_is_shown_whole_also_in_the_lines_to_copy() {
    if program("kubectl").is_none() {
        return;
    }
    let fixture = Fixture::with_config(PROFILE);
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "users": [{"name": NAME, "user": {"token": "a"}}],
        "clusters": [{"name": NAME, "cluster": {"server": "https://kube.acme.test:6443"}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
    });
    fixture.home.write(".kube/config", config.to_string());
    let said = fixture.refused(2, &format!("kubectl --user {NAME} --no-try"));
    let there = format!("user {NAME} exists already");
    assert!(said.contains(&there), "{said}");
    let said = fixture.refused(2, &format!("kubectl --context {NAME}-2 --no-try"));
    assert!(said.contains(&format!("no context {NAME}-2")), "{said}");
    let said = fixture.done(&format!("kubectl --context {NAME} --no-try"));
    let next = format!("next: kubectl --context {NAME} auth whoami\n");
    assert!(said.contains(&next), "{said}");
    let said = fixture.done("kubectl --undo");
    let restored = format!("restored user {NAME} of context {NAME}");
    assert!(said.contains(&restored), "{said}");

    let ours = format!("{NAME}-ci");
    let said = fixture.done(&format!("kubectl --user {ours} --no-try"));
    let next = format!("next: kubectl --user {ours} auth whoami");
    assert!(said.contains(&next), "{said}");
    let said = fixture.done("list");
    assert!(said.contains(&format!("kubectl {ours}\n")), "{said}");
    let output = fixture.home.zitadel(["doctor"]).run();
    let found = String::from_utf8(output.stdout).unwrap();
    assert!(
        found.contains(&format!("user {ours}: profile prod")),
        "{found}"
    );
    let said = fixture.done(&format!("kubectl --user {ours} --undo"));
    assert!(said.contains(&format!("removed user {ours}")), "{said}");
}
