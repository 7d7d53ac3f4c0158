//! The findings of doctor in the kubeconfig.

use serde_json::{Value, json};
use snapbox::data::Inline;
use snapbox::str;

use crate::doctor::{case, examine, kubeconfig, mode};
use crate::support::entry::files;
use crate::support::issuer::TokenKind;
use crate::support::machine::program;

/// A change of a user's exec entry, and the finding about it.
type ExecRow = (fn(&mut Value), Inline);

#[test]
fn kubeconfig_users_are_checked_for_what_kubectl_needs() {
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
    add --api-version v1beta1 to the entry's args

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
    add --api-version v1 to the entry's args

"#]],
        ),
        (
            |exec| exec["apiVersion"] = "client.authentication.k8s.io/v1alpha1".into(),
            str![[r#"
failed kubectl: user ci: unsupported apiVersion "client.authentication.k8s.io/v1alpha1"
    set the entry's apiVersion to client.authentication.k8s.io/v1, and its interactiveMode to Never

"#]],
        ),
        (
            |exec| exec["command"] = "zitadel-credential".into(),
            str![[r#"
failed kubectl: user ci: command zitadel-credential is not on PATH
    set the entry's command to the whole path of zitadel-credential

"#]],
        ),
        (
            |exec| exec["command"] = "bin/zitadel-credential".into(),
            str![[r#"
failed kubectl: user ci: command bin/zitadel-credential is not an executable file
    set the entry's command to the whole path of zitadel-credential

"#]],
        ),
        (
            |exec| drop(exec.as_object_mut().unwrap().remove("interactiveMode")),
            str![[r#"
failed kubectl: user ci: interactiveMode is missing, which v1 requires
    set the entry's interactiveMode to Never

"#]],
        ),
        (
            |exec| exec["interactiveMode"] = "Always".into(),
            str![[r#"
warning kubectl: user ci: interactiveMode Always prevents it from running without a terminal
    set the entry's interactiveMode to Never

"#]],
        ),
        (
            |exec| exec["args"] = json!(["token"]),
            str![[r#"
failed kubectl: user ci: args do not run the command kubectl
    set the entry's args to [kubectl], with --profile NAME if it needs one

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
fn without_kubectl_a_kubeconfig_is_searched_as_text() {
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

/// kubectl passes its whole environment on to the plugin.
#[test]
fn a_user_is_checked_in_the_environment_of_kubectl() {
    if program("kubectl").is_none() {
        return;
    }
    let case = case();
    let home = &case.world.home;
    let print_key = format!(
        "#!/bin/sh\nexec cat '{}'\n",
        home.path().join("key.json").display()
    );
    mode(&home.write("bin/print-key", print_key), 0o755);
    home.append_config(&format!(
        "[profiles.kube]\nissuer = \"{}\"\nkey-command = [\"print-key\"]\nscopes = [\"profile\"]\n",
        case.world.issuer.url(),
    ));
    kubeconfig(&case, |exec| {
        exec["args"] = json!(["kubectl", "--profile", "kube"]);
    });
    let path = home.path_with_bin();
    let found = examine(&case, &[], &[("PATH", path.to_str().unwrap())]);
    case.matches(
        &found.of("kubectl"),
        str![[r#"
ok kubectl: user ci: profile kube, v1
warning kubectl: user ci, profile kube: a Kubernetes API server cannot use its token, because it is opaque
    in ZITADEL open the service user and set its Access Token Type to JWT; then run zitadel-credential whoami --refresh --profile kube

"#]],
    );

    kubeconfig(&case, |exec| {
        exec["env"] = json!([
            {"name": "ZITADEL_CREDENTIAL_TOKEN_FILE", "value": "/missing"},
            {"name": "ZITADEL_CREDENTIAL_TOKEN_FILE", "value": "/missing-too"},
        ]);
    });
    let found = examine(&case, &[], &[]);
    case.matches(
        &found.of("kubectl"),
        str![[r#"
ok kubectl: user ci: profile test, v1
failed kubectl: user ci, profile test: token-file /missing-too: no such file or directory
    set --token-file, ZITADEL_CREDENTIAL_TOKEN_FILE or the profile's token-file to a file that you can read

"#]],
    );
}

/// The profile of the kubeconfig's user counts, not that of the call.
#[test]
fn the_token_of_the_users_profile_is_checked_for_what_an_api_server_needs() {
    if program("kubectl").is_none() {
        return;
    }
    let case = case();
    let key = case.world.home.path().join("key.json");
    let issuer = case.world.issuer.url();
    case.world.home.append_config(&format!(
        "[profiles.kube]\nissuer = \"{issuer}\"\nkey-file = \"{}\"\nprojects = [\"7\"]\n\
         [profiles.api]\nissuer = \"{issuer}\"\nkey-file = \"{}\"\nprojects = [\"7\"]\nzitadel-api = true\n",
        key.display(),
        key.display()
    ));
    let with = |profile: &str| {
        let profile = profile.to_owned();
        kubeconfig(&case, move |exec| {
            exec["args"] = json!(["kubectl", "--profile", profile]);
        });
        let found = examine(&case, &["--profile", "test"], &[]);
        found.of("kubectl") + &found.of("token")
    };
    case.matches(
        &with("kube"),
        str![[r#"
ok kubectl: user ci: profile kube, v1
warning kubectl: user ci, profile kube: a Kubernetes API server cannot use its token, because it is opaque
    in ZITADEL open the service user and set its Access Token Type to JWT; then run zitadel-credential whoami --refresh --profile kube
warning kubectl: user ci, profile kube: a Kubernetes API server may refuse its token: the request asks for a project without its roles, so that a JWT has no role claim
    run zitadel-credential setup profile kube --roles, which sets roles = true, and grant the user a role of project 7
ok token: new, opaque, valid until [TIME]; servers must check it with the issuer

"#]],
    );
    case.world.issuer.set_token_kind(TokenKind::Jwt);
    case.matches(
        &with("kube"),
        str![[r#"
ok kubectl: user ci: profile kube, v1
warning kubectl: user ci, profile kube: a Kubernetes API server may refuse its token: it has no role claim, and no rule by role can match
    run zitadel-credential setup profile kube --roles, which sets roles = true, and grant the user a role of project 7
ok token: new, a JWT, audience service-user-[USER_ID], valid until [TIME]; a Kubernetes API server cannot use it, because aud is the user's own name (no project was requested)

"#]],
    );
    case.matches(
        &with("api"),
        str![[r#"
ok kubectl: user ci: profile api, v1
warning kubectl: user ci, profile api: a Kubernetes API server may refuse its token: it has no role claim, and no rule by role can match
    run zitadel-credential setup profile api --roles, which sets roles = true, and grant the user a role of project 7
warning kubectl: user ci, profile api: the API server gets a token for ZITADEL's own APIs (zitadel-api): it can use it to add its own key to the user
    use another profile for this cluster, without zitadel-api
ok token: new, a JWT, audience service-user-[USER_ID], valid until [TIME]; a Kubernetes API server cannot use it, because aud is the user's own name (no project was requested)

"#]],
    );
    case.matches(
        &with("test"),
        str![[r#"
ok kubectl: user ci: profile test, v1
warning token: new, a JWT, audience service-user-[USER_ID], valid until [TIME]: a Kubernetes API server cannot use it, because aud is the user's own name (no project was requested)
    add the cluster's project: projects = ["ID"] in the profile, or --project ID

"#]],
    );
}

#[test]
fn another_credential_beside_the_plugin_is_reported() {
    if program("kubectl").is_none() {
        return;
    }
    let case = case();
    kubeconfig(&case, |_| {});
    let path = case.world.home.path().join(".kube/config");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config["users"][0]["user"]["token"] = "a secret of a cluster's".into();
    case.world.home.write(".kube/config", config.to_string());
    case.matches(
        &examine(&case, &[], &[]).of("kubectl"),
        str![[r#"
warning kubectl: user ci: the entry also has token, which kubectl uses instead of this program
    kubectl config unset users.ci.token

"#]],
    );
}

/// A dry run warns like the setup, and leaves no token behind.
#[test]
fn setup_kubectl_warns_of_a_token_that_an_api_server_refuses() {
    if program("kubectl").is_none() {
        return;
    }
    let case = case();
    let setup = |words: &[&str]| {
        let mut command = case.world.zitadel(["setup", "kubectl", "--user", "ci"]);
        command.args(["--profile", "test"]).args(words);
        let call = case.end(command);
        assert_eq!(call.code, Some(0), "{}", call.stderr);
        let lines = call
            .stdout
            .lines()
            .skip_while(|line| !line.contains("warning: "));
        lines.take(2).collect::<Vec<_>>().join("\n") + "\n"
    };
    case.matches(
        &setup(&["--dry-run"]),
        str![[r#"
# warning: the token is opaque, and an API server that checks tokens itself (OIDC) refuses it
#   in ZITADEL open the service user and set its Access Token Type to JWT; then run zitadel-credential whoami --refresh --profile test

"#]],
    );
    assert_eq!(files(&case.world.home, "json").len(), 0);
    case.matches(
        &setup(&[]),
        str![[r#"
warning: the token is opaque, and an API server that checks tokens itself (OIDC) refuses it
  in ZITADEL open the service user and set its Access Token Type to JWT; then run zitadel-credential whoami --refresh --profile test

"#]],
    );
}

/// A JWT has roles only if they are requested: a project is not enough.
#[test]
fn setup_kubectl_says_that_a_project_comes_without_roles() {
    if program("kubectl").is_none() {
        return;
    }
    let case = case();
    let profile = |name: &str, lines: &str| {
        case.world.home.append_config(&format!(
            "[profiles.{name}]\nissuer = \"{}\"\nkey-file = \"~/key.json\"\nprojects = [\"7\"]\n{lines}",
            case.world.issuer.url()
        ));
    };
    profile("kube", "");
    profile("roles", "roles = true\n");
    let setup = |name: &str, words: &[&str]| {
        let mut command = case.world.zitadel(["setup", "kubectl", "--user", "ci"]);
        command.args(["--profile", name, "--dry-run"]).args(words);
        let call = case.end(command);
        assert_eq!(call.code, Some(0), "{}", call.stderr);
        let lines = call.stdout.lines();
        let lines = lines.skip_while(|line| !line.contains("warning: "));
        let lines = lines.take_while(|line| !line.contains("kuberc"));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    case.matches(&setup("kube", &[]), str![[r#"
# warning: the token is opaque, and an API server that checks tokens itself (OIDC) refuses it
#   in ZITADEL open the service user and set its Access Token Type to JWT; then run zitadel-credential whoami --refresh --profile kube
# warning: an API server that checks tokens itself (OIDC) may refuse this token: the request asks for a project without its roles, so that a JWT has no role claim
#   run zitadel-credential setup profile kube --roles, which sets roles = true, and grant the user a role of project 7

"#]]);
    case.matches(&setup("roles", &[]), str![[r#"
# warning: the token is opaque, and an API server that checks tokens itself (OIDC) refuses it
#   in ZITADEL open the service user and set its Access Token Type to JWT; then run zitadel-credential whoami --refresh --profile roles

"#]]);
    case.world.issuer.set_token_kind(TokenKind::Jwt);
    case.matches(&setup("kube", &["--no-cache"]), str![[r#"
# warning: an API server that checks tokens itself (OIDC) may refuse this token: it has no role claim, and no rule by role can match
#   run zitadel-credential setup profile kube --roles, which sets roles = true, and grant the user a role of project 7

"#]]);
    case.matches(&setup("roles", &["--no-cache"]), str![[r#"
# warning: an API server that checks tokens itself (OIDC) may refuse this token: it has no role claim, and no rule by role can match
#   grant the user a role of project 7 in ZITADEL

"#]]);
    case.world.issuer.remove_key(&case.world.user.key_id);
    case.matches(&setup("kube", &["--no-cache"]), str![[r#"
# warning: there is no token yet: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)
# warning: an API server that checks tokens itself (OIDC) may refuse this token: the request asks for a project without its roles, so that a JWT has no role claim
#   run zitadel-credential setup profile kube --roles, which sets roles = true, and grant the user a role of project 7

"#]]);
}

/// A host behind a gate accepts any token: an API server's rules concern only kubectl's
/// user, and only if it has the profile.
#[test]
fn a_host_of_git_gets_no_api_server_finding() {
    let case = case();
    let key = case.world.home.path().join("key.json");
    case.world.home.append_config(&format!(
        "[profiles.git]\nissuer = \"{}\"\nkey-file = \"{}\"\n\
         [hosts.\"git.acme.test\"]\nprofile = \"test\"\n[hosts.\"g.test\"]\nprofile = \"git\"\n",
        case.world.issuer.url(),
        key.display()
    ));
    for kind in [TokenKind::Opaque, TokenKind::Jwt] {
        case.world.issuer.set_token_kind(kind);
        let found = examine(&case, &["--profile", "test", "git.acme.test"], &[]);
        assert!(!found.lines(|_| true).contains("API server"));
    }
    if program("kubectl").is_none() {
        return;
    }
    kubeconfig(&case, |exec| {
        exec["args"] = json!(["kubectl", "--profile", "test"]);
    });
    let found = examine(&case, &["--profile", "test", "git.acme.test"], &[]);
    let told = found.of("kubectl") + &found.of("token");
    case.matches(&told, str![[r#"
ok kubectl: user ci: profile test, v1
warning kubectl: user ci, profile test: a Kubernetes API server cannot use its token, because aud is the user's own name (no project was requested)
    add the cluster's project: projects = ["ID"] in the profile, or --project ID
ok token: new, a JWT, audience service-user-[USER_ID], valid until [TIME]

"#]]);
    // The server of kubectl's own context is an API server.
    let found = examine(
        &case,
        &["--profile", "test", "https://kube.acme.test:6443"],
        &[],
    );
    case.matches(&found.of("token"), str![[r#"
warning token: new, a JWT, audience service-user-[USER_ID], valid until [TIME]: a Kubernetes API server cannot use it, because aud is the user's own name (no project was requested)
    add the cluster's project: projects = ["ID"] in the profile, or --project ID

"#]]);
}
