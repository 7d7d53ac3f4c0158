//! `kubelet`: the protocol at the process's edge, and the sample of its
//! configuration.

mod negative;
mod setup;

use serde_json::{Value, json};

use crate::support::{Command, World, binary};

const SAMPLE: &str = include_str!("../../../packaging/kubelet/credential-provider-config.yaml");

fn question(version: &str, image: &str) -> String {
    json!({
        "kind": "CredentialProviderRequest",
        "apiVersion": format!("credentialprovider.kubelet.k8s.io/{version}"),
        "image": image,
    })
    .to_string()
}

fn answered(command: Command, question: &str) -> Value {
    let mut command = command;
    let output = command.write_stdin(question).run();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn asked(world: &World, question: &str) -> Value {
    answered(world.zitadel(["kubelet"]), question)
}

#[test]
fn a_registry_with_a_rule_gets_a_login_that_the_issuer_accepts() {
    let world = World::new();
    world.allow("registry.acme.dev:5000");
    world.home.append_config("username = \"ci\"\n");
    for version in ["v1", "v1beta1", "v1alpha1"] {
        let question = question(version, "registry.acme.dev:5000/team/app:1.0");
        let mut answer = asked(&world, &question);
        let login = &mut answer["auth"]["registry.acme.dev:5000"];
        let token = login["password"].take();
        assert!(world.issuer.accepts(token.as_str().unwrap()));
        // The issuer's tokens are valid for twelve hours; the last half minute is not
        // used, and the test takes a while.
        let duration = answer["cacheDuration"].take();
        let seconds = duration.as_str().unwrap().strip_suffix('s').unwrap();
        let seconds: u32 = seconds.parse().unwrap();
        assert!((43_100..=43_170).contains(&seconds), "{seconds}");
        let expected = json!({
            "apiVersion": format!("credentialprovider.kubelet.k8s.io/{version}"),
            "kind": "CredentialProviderResponse",
            "cacheKeyType": "Registry",
            "cacheDuration": null,
            "auth": { "registry.acme.dev:5000": { "username": "ci", "password": null } },
        });
        assert_eq!(answer, expected);
    }
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn a_registry_without_a_rule_gets_no_login_and_may_ask_again_at_once() {
    let world = World::new();
    world.allow("registry.acme.dev:5000");
    let answer = asked(&world, &question("v1", "registry.acme.dev/team/app"));
    assert_eq!(answer["auth"], Value::Null);
    assert_eq!(answer["cacheDuration"], "0s");
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn the_sample_calls_it_as_the_kubelet_does_without_a_home() {
    let world = World::new();
    world.allow("registry.acme.dev");
    let etc = "/etc/zitadel-credential/config.toml";
    let cache = "/var/cache/zitadel-credential";
    let home = world.home.path().to_str().unwrap();
    let config = world.home.read(".config/zitadel-credential/config.toml");
    let config = config.replace("~/", &format!("{home}/"));
    let config = world.home.write("etc/config.toml", config);
    let arguments = SAMPLE
        .lines()
        .find_map(|line| line.strip_prefix("  args: [")?.strip_suffix(']'))
        .unwrap()
        .replace(etc, config.to_str().unwrap())
        .replace(cache, &format!("{home}/var"));
    let name = SAMPLE
        .lines()
        .find_map(|line| line.strip_prefix("- name: "));
    assert_eq!(binary().file_name().unwrap().to_str(), name);
    let mut command = world.zitadel(arguments.split(", "));
    command.env_remove("HOME");
    let answer = answered(command, &question("v1", "registry.acme.dev/app"));
    let login = &answer["auth"]["registry.acme.dev"];
    assert_eq!(login["username"], *world.user.user_id);
    assert!(world.issuer.accepts(login["password"].as_str().unwrap()));
    assert!(world.home.path().join("var/v1").is_dir());
}
