//! What doctor finds in the kubeconfig.

use serde_json::{Value, json};
use snapbox::data::Inline;
use snapbox::str;

use crate::doctor::{case, examine, kubeconfig};
use crate::support::machine::program;

/// A change of a user's exec entry, and what is said of it.
type ExecRow = (fn(&mut Value), Inline);

#[test]
fn the_kubeconfigs_users_are_held_against_what_kubectl_needs() {
    if program("kubectl").is_none() {
        return;
    }
    let table: [ExecRow; 12] = [
        (
            |_| {},
            str![[r#"
ok kubectl: user ci: profile test, v1

"#]],
        ),
        (
            |exec| exec["apiVersion"] = "client.authentication.k8s.io/v1beta1".into(),
            str![[r#"
warning kubectl: user ci: clients that set no KUBERNETES_EXEC_INFO get v1, but the entry says v1beta1
    add --api-version v1beta1 to the entry's args, or run zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| {
                exec["apiVersion"] = "client.authentication.k8s.io/v1beta1".into();
                exec["args"] = json!(["kubectl", "--api-version", "v1beta1"]);
            },
            str![[r#"
ok kubectl: user ci: profile test, v1beta1

"#]],
        ),
        (
            |exec| exec["args"] = json!(["kubectl", "--api-version", "v1beta1"]),
            str![[r#"
warning kubectl: user ci: clients that set no KUBERNETES_EXEC_INFO get v1beta1, but the entry says v1
    add --api-version v1 to the entry's args, or run zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| exec["apiVersion"] = "client.authentication.k8s.io/v1alpha1".into(),
            str![[r#"
failed kubectl: user ci: unsupported apiVersion "client.authentication.k8s.io/v1alpha1"
    zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| exec["command"] = "zitadel-credential".into(),
            str![[r#"
failed kubectl: user ci: command zitadel-credential is not on PATH
    zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| exec["command"] = "bin/zitadel-credential".into(),
            str![[r#"
failed kubectl: user ci: command bin/zitadel-credential is not an executable file
    zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| drop(exec.as_object_mut().unwrap().remove("interactiveMode")),
            str![[r#"
failed kubectl: user ci: interactiveMode is missing, which v1 requires
    zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| exec["interactiveMode"] = "Always".into(),
            str![[r#"
warning kubectl: user ci: interactiveMode Always prevents it from running without a terminal
    zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| exec["args"] = json!(["token"]),
            str![[r#"
failed kubectl: user ci: args do not run the command kubectl
    zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| exec["args"] = json!(["kubectl", "--profile", "staging"]),
            str![[r#"
failed kubectl: user ci: [HOME]/.config/zitadel-credential/config.toml: no profile named "staging"
    choose one of: test; or run zitadel-credential setup profile staging to create it

"#]],
        ),
        (
            |exec| exec["env"] = json!([{"name": "ZITADEL_CREDENTIAL_PROFILE", "value": "other"}]),
            str![[r#"
failed kubectl: user ci: [HOME]/.config/zitadel-credential/config.toml: no profile named "other"
    choose one of: test; or run zitadel-credential setup profile other to create it

"#]],
        ),
    ];
    let case = case();
    for (change, told) in table {
        kubeconfig(&case, change);
        case.matches(&examine(&case, &[], &[]).of("kubectl"), told);
    }
}

#[test]
fn without_kubectl_a_kubeconfig_is_looked_at_as_text() {
    let case = case();
    kubeconfig(&case, |_| {});
    let found = examine(&case, &[], &[("PATH", "/nowhere")]);
    case.matches(
        &found.of("kubectl"),
        str![[r#"
ok kubectl: [HOME]/.kube/config names this program; not parsed, because kubectl is not on PATH

"#]],
    );
}
