//! `examples/servers/zitadel-action`, run by Node.js as ZITADEL runs it.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::program::{client, stdout_of_success};

/// Returns the claim that the action sets for these grants of a user.
fn groups(node: &std::path::Path, grants: &Value) -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/servers/zitadel-action/groups.js"
    );
    let action = fs::read_to_string(path).unwrap();
    let context = json!({ "v1": { "user": { "grants": grants } } });
    let call = format!(
        "{action}\nlet set = {{}};\n\
         groups({context}, {{ v1: {{ claims: {{ setClaim: (k, v) => {{ set[k] = v; }} }} }} }});\n\
         console.log(JSON.stringify(set));"
    );
    let mut command = Command::new(node);
    command.args(["--eval", &call]);
    let set: Value = serde_json::from_str(&stdout_of_success(command)).unwrap();
    set["groups"].clone()
}

#[test]
fn the_list_has_the_roles_that_the_organisation_grants_in_the_projects() {
    let Some(node) = client("node") else { return };
    let grant = |project: &str, organisation: &str, roles: &[&str]| json!({ "projectId": project, "userGrantResourceOwner": organisation, "roles": roles });
    let (ours, theirs) = ("311000000000000001", "311000000000000009");
    let grants = json!({ "grants": [
        grant("317240000000000001", ours, &["deployer", "viewer"]),
        grant("317240000000000001", theirs, &["admin"]),
        grant("317240000000000009", ours, &["owner"]),
    ] });
    assert_eq!(groups(&node, &grants), json!(["deployer", "viewer"]));
    // These are the grants without the scope, and a user without a grant.
    assert_eq!(groups(&node, &Value::Null), json!([]));
    assert_eq!(groups(&node, &json!({ "grants": [] })), json!([]));
}
