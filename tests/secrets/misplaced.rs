//! A key that was pasted in place of another value.

use std::ffi::OsString;

use crate::hunt::Hunt;
use crate::support::World;

/// Returns the possible contents of a user's clipboard.
fn pasted(world: &World) -> [String; 5] {
    let (json, pem) = (world.user.key_json(), world.user.pkcs1_pem());
    let body: String = pem.lines().filter(|line| !line.contains('-')).collect();
    [
        json,
        pem.clone(),
        pem.replace('\n', " "),
        // Without a slash, it cannot be distinguished from an ID.
        pem.lines()
            .find(|line| line.contains('/') && line.split('/').any(|run| run.len() > 40))
            .unwrap()
            .to_owned(),
        body,
    ]
}

/// Hunts in all commands, with each of the texts inserted by `paste`.
fn hunt(paste: impl Fn(&mut Hunt, &str)) {
    let texts = pasted(&World::new()).len();
    for n in 0..texts {
        let mut hunt = Hunt::new();
        let text = pasted(&hunt.world).into_iter().nth(n).unwrap();
        paste(&mut hunt, &text);
        for words in [
            "kubectl",
            "git get",
            "docker get",
            "exec -- ./dump exec.dump",
        ] {
            hunt.run_only(words);
        }
    }
}

#[test]
fn in_an_options_place() {
    for option in [
        "--profile",
        "--config",
        "--issuer",
        "--key-file",
        "--key-id",
        "--user-id",
        "--scope",
        "--project",
        "--host",
        "--ca-file",
        "--timeout",
        "--nonsense",
    ] {
        hunt(|hunt, text| hunt.arguments = vec![option.into(), text.into()]);
    }
    hunt(|hunt, text| hunt.arguments = vec![text.into()]);
}

#[test]
fn in_a_variables_place() {
    for name in [
        "ZITADEL_CREDENTIAL_PROFILE",
        "ZITADEL_CREDENTIAL_CONFIG",
        "ZITADEL_CREDENTIAL_ISSUER",
        "ZITADEL_CREDENTIAL_KEY_FILE",
        "ZITADEL_CREDENTIAL_KEY_ID",
        "ZITADEL_CREDENTIAL_USER_ID",
        "ZITADEL_CREDENTIAL_SCOPES",
        "ZITADEL_CREDENTIAL_PROJECTS",
        "ZITADEL_CREDENTIAL_HOSTS",
        "ZITADEL_CREDENTIAL_CA_FILE",
        "ZITADEL_CREDENTIAL_TIMEOUT",
        "ZITADEL_CREDENTIAL_LOG",
        "ZITADEL_CREDENTIAL_LOG_FORMAT",
        "ZITADEL_CREDENTIAL_KEY",
        "KUBERNETES_EXEC_INFO",
        "HTTPS_PROXY",
        "NO_PROXY",
    ] {
        hunt(|hunt, text| {
            // exec's command inherits the variable from the caller.
            hunt.inherited = Some(text.to_owned());
            hunt.environment = vec![(name, OsString::from(text))];
        });
    }
}

#[test]
fn in_the_kubeconfigs_extension() {
    for field in ["profile", "issuer", "scopes", "projects", "roles"] {
        hunt(|hunt, text| {
            let config = serde_json::json!({ field: text });
            let info = serde_json::json!({
                "apiVersion": "client.authentication.k8s.io/v1",
                "kind": "ExecCredential",
                "spec": { "cluster": { "server": text, "config": config } },
            });
            hunt.inherited = Some(info.to_string());
            hunt.environment = vec![("KUBERNETES_EXEC_INFO", info.to_string().into())];
        });
    }
}

#[test]
fn in_the_config_file() {
    let lines: [fn(&str) -> String; 13] = [
        |text| format!("issuer = {text}"),
        |text| format!("key-file = {text}"),
        |text| format!("key = {text}"),
        |text| format!("key-id = {text}"),
        |text| format!("user-id = {text}"),
        |text| format!("scopes = [{text}]"),
        |text| format!("projects = {text}"),
        |text| format!("roles = {text}"),
        |text| format!("key-command = [{text}]"),
        |text| format!("ca-file = {text}"),
        |text| format!("allow-http = {text}"),
        |text| format!("{text} = 1"),
        |text| format!("[profiles.{text}]"),
    ];
    for line in lines {
        hunt(|hunt, text| {
            let quoted = serde_json::to_string(text).unwrap();
            hunt.world
                .home
                .write_config(&format!("[profiles.test]\n{}\n", line(&quoted)));
        });
    }
    hunt(|hunt, text| {
        hunt.world
            .home
            .write_config(&format!("[profiles.test]\n{text}\n"));
    });
}

#[test]
fn on_stdin() {
    hunt(|hunt, text| hunt.input = Some(text.to_owned()));
}
