//! `--secret-type dockerconfigjson`: a pod's login for pulling images.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{NAMESPACE, Pod, SECRET};
use crate::docker::write_image;
use crate::gateway::{Gateway, Scheme, Shown};
use crate::program::{client, stderr_of_failure, stdout_of_success};
use crate::registry::Registry;
use crate::support::{Ca, Running, until};

const LOGIN: &str = ".dockerconfigjson";

fn skopeo(pod: &Pod, skopeo: &Path, arguments: &[&str]) -> Command {
    let home = &pod.world.home;
    let mut command = home.command(skopeo);
    command
        .arg("--insecure-policy")
        .args(arguments)
        .env("SSL_CERT_FILE", home.path().join("ca.pem"))
        // as root it would keep a cache outside of this home
        .env("_CONTAINERS_ROOTLESS_UID", "1000");
    command
}

#[test]
fn skopeo_pulls_with_the_secrets_login_also_after_a_renewal() {
    let Some(pod) = Pod::with_rights() else {
        return;
    };
    let (Some(program), Some(registry)) = (client("skopeo"), client("docker-registry")) else {
        return;
    };
    let (home, issuer, ca) = (&pod.world.home, &pod.world.issuer, Ca::new());
    home.write("ca.pem", ca.pem());
    let registry = Registry::start(&registry, home);
    let upstream = registry.upstream;
    let gateway = Gateway::start(&ca, issuer, &[Scheme::Basic], move |request| {
        upstream.answer(request)
    });
    let host = gateway.host();
    pod.world.allow(&host);
    home.append_config("username = \"ci\"\n");
    let login = ["--secret-type", "dockerconfigjson", "--registry", &host];
    let login = [&SECRET[..], &login].concat();
    assert_eq!(pod.once(&login), (0, String::new()));
    let secret = pod.server.secret(NAMESPACE, super::NAME).unwrap();
    assert_eq!(secret["type"], "kubernetes.io/dockerconfigjson");
    assert_eq!(secret["data"].as_object().unwrap().len(), 1);

    let authfile = home.path().join("pulled.json");
    let authfile = authfile.to_str().unwrap();
    home.write("pulled.json", pod.value(LOGIN));
    write_image(home, "image");
    let image = format!("docker://{host}/team/app:1.0");
    let push = ["copy", "--authfile", authfile, "oci:image:1.0", &image];
    stdout_of_success(skopeo(&pod, &program, &push));
    gateway.take_shown();
    let inspect = ["inspect", "--authfile", authfile, &image];
    let inspected = stdout_of_success(skopeo(&pod, &program, &inspect));
    let inspected: Value = serde_json::from_str(&inspected).unwrap();
    assert_eq!(inspected["Architecture"], "amd64");
    assert_eq!(
        gateway.take_shown(),
        [Shown::Nothing, Shown::Basic("ci".to_owned())]
    );

    // The Secret is kept fresh: the old login is refused, the Secret's is not.
    issuer.revoke_all();
    stderr_of_failure(skopeo(&pod, &program, &inspect));
    let before = pod.value(LOGIN);
    let running = Running::start(pod.agent(&[&login[..], &["--refresh"]].concat()));
    until("it has a new login", || pod.value(LOGIN) != before);
    home.write("pulled.json", pod.value(LOGIN));
    stdout_of_success(skopeo(&pod, &program, &inspect));
    assert_eq!(pod.stop(running), "");
}
