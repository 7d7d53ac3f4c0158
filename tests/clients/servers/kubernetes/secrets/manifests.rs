//! `packaging/kubernetes`, built by kubectl's kustomize, at the real API server.

use std::path::Path;

use serde_json::{Value, json};

use super::{NAME, NAMESPACE, Pod};
use crate::program::{output, stdout_of_success};
use crate::support::{Running, World, until};

const OVERLAY: &str = include_str!("../../../../../docs/kubernetes.md");

impl Pod {
    /// Returns the base as changed by the overlay of `docs/kubernetes.md`, for this
    /// issuer.
    fn kustomized(&self) -> String {
        let (_, overlay) = OVERLAY.split_once("```yaml\n").unwrap();
        let (overlay, _) = overlay.split_once("```").unwrap();
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/kubernetes");
        // kustomize accepts no absolute path, and follows no link out of its directory.
        let home = &self.world.home;
        for file in ["kustomization.yaml", "minter.yaml"] {
            home.write(
                format!("base/{file}"),
                std::fs::read(base.join(file)).unwrap(),
            );
        }
        let overlay = overlay
            .replace("zitadel-credential/packaging/kubernetes ", "../base ")
            .replace("https://acme.zitadel.cloud", &self.world.issuer.url());
        home.write("overlay/kustomization.yaml", overlay);
        let overlay = home.path().join("overlay");
        stdout_of_success(self.kubectl(&["kustomize", overlay.to_str().unwrap()]))
    }

    fn object(&self, kind: &str, name: &str) -> Value {
        let get = self.kubectl(&["-n", NAMESPACE, "get", kind, name, "-o", "json"]);
        serde_json::from_str(&stdout_of_success(get)).unwrap()
    }
}

#[test]
fn the_server_accepts_the_base_and_its_rights_suffice() {
    let Some(pod) = Pod::new() else {
        return;
    };
    // The namespace has the strictest rules for its pods.
    pod.apply(
        &json!([{ "kind": "Namespace", "apiVersion": "v1", "metadata": {
        "name": NAMESPACE, "labels": { "pod-security.kubernetes.io/enforce": "restricted" } } }]),
    );
    let manifests = pod.kustomized();
    assert!(manifests.contains("image: registry.acme.dev/zitadel-credential:0.1.0"));
    let file = pod.world.home.write("manifests.yaml", &manifests);
    let apply = [
        "apply",
        "--server-side",
        "--validate=strict",
        "-f",
        file.to_str().unwrap(),
    ];
    let applied = output(pod.kubectl(&apply));
    assert!(applied.status.success(), "{applied:?}");
    assert_eq!(applied.stderr, b"", "{applied:?}");

    let deployment = pod.object("deployment", "zitadel-credential");
    let template = &deployment["spec"]["template"];
    let single = json!({ "kind": "Pod", "apiVersion": "v1",
        "metadata": { "name": "single", "namespace": NAMESPACE }, "spec": template["spec"] });
    let file = pod.world.home.write("pod.json", single.to_string());
    let create = ["create", "--dry-run=server", "-f", file.to_str().unwrap()];
    stdout_of_success(pod.kubectl(&create));

    // The container's command runs as its service account, with the settings of its
    // ConfigMap.
    let container = &template["spec"]["containers"][0];
    let map = container["envFrom"][0]["configMapRef"]["name"]
        .as_str()
        .unwrap();
    let map = pod.object("configmap", map);
    let World { home, issuer, .. } = &pod.world;
    home.write(
        "account/token",
        pod.server.account_token(NAMESPACE, "zitadel-credential"),
    );
    home.write("run/zitadel/nothing", "");
    home.write_config("");
    let call = |words: &Value| {
        let words = words.as_array().unwrap().iter();
        let words: Vec<_> = words.map(|word| word.as_str().unwrap()).collect();
        assert_eq!(words[..2], ["zitadel-credential", "agent"]);
        let mut command = pod.agent(&words[2..]);
        for (name, value) in map["data"].as_object().unwrap() {
            command.env(name, value.as_str().unwrap());
        }
        let here = |name: &str| home.path().join(name);
        command
            .env("ZITADEL_CREDENTIAL_KEY_FILE", here("key.json"))
            .env("ZITADEL_CREDENTIAL_CACHE_DIR", here("run/zitadel/own"));
        command
    };
    let probe = call(&container["startupProbe"]["exec"]["command"]);
    let probed = output(probe);
    assert!(probed.status.success(), "{probed:?}");
    let token = pod.value("token");
    assert!(issuer.accepts(&token));
    let running = Running::start(call(&container["command"]));
    let delete = ["-n", NAMESPACE, "delete", "secret", NAME];
    assert!(output(pod.kubectl(&delete)).status.success());
    let ready = call(&container["readinessProbe"]["exec"]["command"]);
    assert!(output(ready).status.success());
    until("it is made again", || pod.value("token") == token);
    assert_eq!(pod.stop(running), "");
    assert_eq!(issuer.token_requests(), 1);

    // The account may do this, and nothing else.
    let who = format!("--as=system:serviceaccount:{NAMESPACE}:zitadel-credential");
    for (verb, what, may) in [
        ("patch", "secrets/zitadel-token", true),
        ("create", "secrets/zitadel-token", true),
        ("get", "secrets/zitadel-token", false),
        ("delete", "secrets/zitadel-token", false),
        ("patch", "secrets/zitadel-key", false),
        ("create", "secrets", false),
        ("list", "secrets", false),
        ("get", "pods", false),
    ] {
        let asked = pod.kubectl(&["auth", "can-i", verb, what, "-n", NAMESPACE, &who]);
        assert_eq!(
            output(asked).stdout.starts_with(b"yes"),
            may,
            "{verb} {what}"
        );
    }
}
