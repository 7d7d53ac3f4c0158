//! `agent --kubernetes-secret`: its requests and their target, and the responses that it
//! refuses. The real API server is in `tests/clients`.

mod answers;

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};

use super::signals::children;
use crate::support::exchange::now;
use crate::support::http::{Reply, Request, listen_on};
use crate::support::jwt::sign;
use crate::support::machine::behind_mounts;
use crate::support::proxy::Proxy;
use crate::support::trace::injecting;
use crate::support::{Ca, Response, Run, Running, Server, World, binary, until};

/// Puts the service account at its usual path in a pod.
const POD: &str = r#"
    mount -t tmpfs tmpfs /run
    mkdir -p /run/secrets/kubernetes.io
    ln -s "$HOME/account" /run/secrets/kubernetes.io/serviceaccount
    exec "$@""#;

const ACCOUNT: &str = "e30.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6Y2k6bWludGVyIn0.c2ln";

const SECRET: [&str; 2] = ["--kubernetes-secret", "ci/zitadel-token"];

/// A pod, and a server in place of its API server.
struct Pod {
    world: World,
    server: Server,
    host: &'static str,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Pod {
    /// Creates a pod; `None` if nothing can be mounted.
    fn new(answer: impl Fn() -> Reply + Send + Sync + 'static) -> Option<Self> {
        Self::at("127.0.0.1", answer)
    }

    fn at(host: &'static str, answer: impl Fn() -> Reply + Send + Sync + 'static) -> Option<Self> {
        let (world, ca) = (World::new(), Ca::new());
        behind_mounts(&world.home, "true")?;
        world.home.write("account/token", ACCOUNT);
        world.home.write("account/ca.crt", ca.pem());
        world.home.write("account/namespace", "own\n");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        let address = if host == "::1" {
            Ipv6Addr::LOCALHOST.into()
        } else {
            Ipv4Addr::LOCALHOST.into()
        };
        let tls = ca.server_config(&[host]);
        let server = Server::serve(listen_on(address), Some(tls), move |request| {
            noted.lock().unwrap().push(request.clone());
            answer()
        });
        Some(Self {
            world,
            server,
            host,
            seen,
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = behind_mounts(&self.world.home, POD).unwrap();
        command
            .arg(binary())
            .args(["agent", "--once"])
            .args(arguments);
        self.in_it(command)
    }

    /// Adds the API server's address, as the kubelet does.
    fn in_it(&self, mut command: Command) -> Command {
        command
            .env("KUBERNETES_SERVICE_HOST", self.host)
            .env("KUBERNETES_SERVICE_PORT", self.server.port().to_string());
        command
    }

    /// Returns the exit code and the error.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        shown(&self.command(arguments).run())
    }

    fn seen(&self) -> Vec<Request> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    fn token(&self) -> String {
        self.world.issuer.issued_tokens().pop().unwrap()
    }
}

fn shown(output: &Output) -> (i32, String) {
    assert_eq!(output.stdout, b"");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), stderr)
}

fn applied() -> Reply {
    applied_in("ci")
}

fn applied_in(namespace: &str) -> Reply {
    let answer = json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
        "metadata": { "name": "zitadel-token", "namespace": namespace } });
    Response::new(201)
        .with_body("application/json", answer.to_string())
        .into()
}

#[test]
fn the_metrics_count_a_secret_that_is_refused() {
    let calls = AtomicUsize::new(0);
    let Some(pod) = Pod::new(move || match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Response::new(403).into(),
        _ => applied(),
    }) else {
        return;
    };
    let words = [&SECRET[..], &["--metrics-file", "m.prom"]].concat();
    let failures = r#"failures_total{file="ci/zitadel-token",reason="secret"} "#;
    let success = r#"last_success_timestamp_seconds{file="ci/zitadel-token"} "#;
    let (code, said) = pod.run(&words);
    assert_eq!(code, 1, "{said}");
    let metrics = pod.world.home.read("m.prom");
    assert!(metrics.contains(&format!("{failures}1\n")), "{metrics}");
    assert!(!metrics.contains(success), "{metrics}");
    let (code, said) = pod.run(&words);
    assert_eq!(code, 0, "{said}");
    let metrics = pod.world.home.read("m.prom");
    assert!(metrics.contains(&format!("{failures}0\n")), "{metrics}");
    assert!(metrics.contains(success), "{metrics}");
}

#[test]
fn it_applies_only_its_own_field_without_force() {
    let Some(pod) = Pod::new(applied) else {
        return;
    };
    let (code, said) = pod.run(&[&SECRET[..], &["-vv"]].concat());
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("applied the token to Secret ci/zitadel-token"),
        "{said}"
    );
    assert!(
        !said.contains(&pod.token()) && !said.contains(ACCOUNT),
        "{said}"
    );
    let [request] = &pod.seen()[..] else {
        panic!("one request");
    };
    assert_eq!(request.method, "PATCH");
    assert_eq!(
        request.target,
        "/api/v1/namespaces/ci/secrets/zitadel-token?fieldManager=zitadel-credential"
    );
    assert_eq!(request.bearer(), Some(ACCOUNT));
    let header = |name| request.header(name).unwrap();
    assert_eq!(header("content-type"), "application/apply-patch+yaml");
    assert!(header("accept").starts_with("application/json;as=PartialObjectMetadata;"));
    assert_eq!(
        String::from_utf8_lossy(&request.body),
        format!(
            r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"zitadel-token","namespace":"ci"}},"data":{{"token":"{}"}}}}"#,
            BASE64.encode(pod.token())
        )
    );
}

#[test]
fn a_name_alone_is_in_the_pods_own_namespace_and_several_get_the_same_token() {
    let Some(pod) = Pod::new(|| applied_in("own")) else {
        return;
    };
    let both = [
        "--kubernetes-secret",
        "zitadel-token",
        "--kubernetes-secret",
        "own/zitadel-token",
    ];
    assert_eq!(pod.run(&both), (0, String::new()));
    let targets = pod
        .seen()
        .into_iter()
        .map(|request| request.path().to_owned());
    let own = "/api/v1/namespaces/own/secrets/zitadel-token".to_owned();
    assert_eq!(targets.collect::<Vec<_>>(), [own.clone(), own]);
    assert_eq!(pod.world.issuer.token_requests(), 1);
}

/// An admission webhook that gives no answer causes this.
#[test]
fn a_secret_that_hangs_leaves_the_others_their_time() {
    let requests = AtomicUsize::new(0);
    let answer = move || match requests.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Hang,
        _ => applied(),
    };
    let Some(pod) = Pod::new(answer) else {
        return;
    };
    let hanging = ["--kubernetes-secret", "ci/hanging"];
    let (code, said) = pod.run(&[&hanging[..], &SECRET, &["--timeout", "2", "-v"]].concat());
    assert_eq!(code, 75, "{said}");
    assert!(
        said.contains("applied the token to Secret ci/zitadel-token"),
        "{said}"
    );
    assert_eq!(pod.seen().len(), 2, "{said}");
}

/// A slow disk, and an API server that gives no answer.
#[test]
fn a_signal_in_the_middle_of_a_write_does_not_wait_for_the_secrets() {
    let Some(pod) = Pod::new(|| Reply::Hang) else {
        return;
    };
    let home = &pod.world.home;
    let run = home.path().join("run");
    fs::create_dir(&run).unwrap();
    let Some(strace) = injecting(home, "fchmod:delay_exit=500ms") else {
        return;
    };
    for (once, code) in [(None, 0), (Some("--once"), 143)] {
        let mut command = behind_mounts(home, POD).unwrap();
        command.arg(strace.get_program()).args(strace.get_args());
        command.args([binary().as_os_str(), "agent".as_ref()]);
        command.args(SECRET).args(once);
        command.args(["--no-cache", "--write", "run/token", "--timeout", "2"]);
        let running = Running::start(pod.in_it(command));
        until("it writes", || fs::read_dir(&run).unwrap().count() > 0);
        let [traced] = children(running.id())[..] else {
            panic!("one process");
        };
        kill_process(traced, Signal::TERM).unwrap();
        assert_eq!(running.output().status.code(), Some(code));
        assert!(pod.world.issuer.accepts(&home.read("run/token")));
        assert_eq!(pod.seen().len(), 0);
        fs::remove_dir_all(&run).unwrap();
        fs::create_dir(&run).unwrap();
    }
}

#[test]
fn an_api_server_with_an_ipv6_address_is_reached() {
    let Some(pod) = Pod::at("::1", applied) else {
        return;
    };
    assert_eq!(pod.run(&SECRET), (0, String::new()));
    let host = format!("[::1]:{}", pod.server.port());
    assert_eq!(pod.seen()[0].header("host"), Some(&*host));
}

#[test]
fn a_proxy_is_used_as_kubectl_uses_it() {
    let Some(pod) = Pod::at("10.0.0.1", applied) else {
        return;
    };
    let asked = |variables: &[(&str, &str)]| {
        let proxy = Proxy::connect();
        let mut command = pod.command(&[&SECRET[..], &["--timeout", "1"]].concat());
        for (name, value) in variables {
            command.env(
                name,
                value.replace("PROXY", &format!("127.0.0.1:{}", proxy.port())),
            );
        }
        let (code, _) = shown(&command.run());
        let there = format!("10.0.0.1:{}", pod.server.port());
        assert_eq!(code == 0, proxy.asked() == [there]);
        code == 0
    };
    assert!(asked(&[("HTTPS_PROXY", "http://PROXY")]));
    assert!(asked(&[("https_proxy", "http://PROXY")]));
    assert!(asked(&[
        ("HTTPS_PROXY", "http://PROXY"),
        ("https_proxy", "http://127.0.0.1:9")
    ]));
    assert!(asked(&[
        ("HTTPS_PROXY", "http://PROXY"),
        ("NO_PROXY", "10.96.0.0/12")
    ]));
    assert!(!asked(&[
        ("HTTPS_PROXY", "http://PROXY"),
        ("NO_PROXY", "10.0.0.0/8")
    ]));
    assert!(!asked(&[("ALL_PROXY", "http://PROXY")]));
}

#[test]
fn the_loopback_needs_no_proxy() {
    let Some(pod) = Pod::new(applied) else {
        return;
    };
    let mut command = pod.command(&SECRET);
    command.env("HTTPS_PROXY", "http://127.0.0.1:9");
    assert_eq!(shown(&command.run()), (0, String::new()));
}

#[test]
fn a_registry_needs_a_host_rule_of_the_agents_profile() {
    let Some(pod) = Pod::new(applied) else {
        return;
    };
    let login = |host: &str, more: &[&str]| {
        let login = ["--secret-type", "dockerconfigjson", "--registry", host];
        pod.run(&[&SECRET[..], &login, more].concat())
    };
    let (code, said) = login("registry.acme.dev", &[]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("--registry: no host rule for https://registry.acme.dev"),
        "{said}"
    );
    let World { home, issuer, .. } = &pod.world;
    pod.world.allow("registry.acme.dev");
    home.append_config(&format!(
        "[profiles.other]\nissuer = \"{}\"\nkey-file = \"~/key.json\"\n[hosts.\"other.acme.dev\"]\nprofile = \"other\"\n",
        issuer.url()
    ));
    let (code, said) = login("other.acme.dev", &[]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("is for profile other, not for the agent's"),
        "{said}"
    );
    for bad in [
        "https://registry.acme.dev",
        "registry.acme.dev/team",
        "a@registry.acme.dev",
        "",
    ] {
        let (code, said) = login(bad, &[]);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("--registry: invalid host"), "{said}");
    }
    let (code, said) = login("registry.acme.dev:5000", &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("is for another port"), "{said}");
    assert_eq!((issuer.token_requests(), pod.seen().len()), (0, 0));

    assert_eq!(login("registry.acme.dev", &[]), (0, String::new()));
    assert_eq!(
        login("other.acme.dev", &["--profile", "other"]),
        (0, String::new())
    );
    let [first, _] = &pod.seen()[..] else {
        panic!("two requests");
    };
    let user = &pod.world.user.user_id;
    let entry = login_in(first);
    assert_eq!(entry["username"], json!(user));
    let auth = BASE64.encode(format!("{user}:{}", pod.token()));
    assert_eq!(entry["auth"], json!(auth));
}

/// Returns the login to `registry.acme.dev` that a request applies.
fn login_in(request: &Request) -> Value {
    let patch: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(patch["type"], "kubernetes.io/dockerconfigjson");
    let config = patch["data"][".dockerconfigjson"].as_str().unwrap();
    let config: Value = serde_json::from_slice(&BASE64.decode(config).unwrap()).unwrap();
    config["auths"]["registry.acme.dev"].clone()
}

#[test]
fn the_username_of_a_commands_token_is_its_own_subject() {
    let Some(pod) = Pod::new(applied) else {
        return;
    };
    let World { home, user, .. } = &pod.world;
    let rule = "[hosts.\"registry.acme.dev\"]\n";
    home.write_config(&format!(
        "[profiles.p]\ntoken-command = [\"cat\", \"token\"]\n{rule}"
    ));
    let login = "--secret-type dockerconfigjson --registry registry.acme.dev";
    let login: Vec<_> = SECRET.into_iter().chain(login.split(' ')).collect();
    // No token is cached, the cached one is another, and the cache is not used.
    for (subject, more) in [
        ("one", None),
        ("two", Some("--refresh")),
        ("three", Some("--no-cache")),
    ] {
        let claims = json!({ "sub": subject, "exp": now() + 3600 });
        let token = sign(&user.private, &json!({ "alg": "RS256" }), &claims);
        home.write("token", &token);
        let arguments: Vec<_> = login.iter().copied().chain(more).collect();
        assert_eq!(pod.run(&arguments), (0, String::new()));
        let entry = login_in(&pod.seen()[0]);
        assert_eq!(entry["username"], json!(subject));
        assert_eq!(entry["password"], json!(token));
    }
}

#[test]
fn invalid_options_or_a_machine_outside_a_pod_are_refused() {
    let world = World::new();
    for (arguments, expected) in [
        (
            &[][..],
            "KUBERNETES_SERVICE_HOST is not set, so this is not a pod",
        ),
        (
            &["--registry", "registry.acme.dev"],
            "add --secret-type dockerconfigjson",
        ),
        (&["--secret-type", "dockerconfigjson"], "--registry"),
        (&["--kubernetes-secret", "CI/token"], "write NAMESPACE/NAME"),
    ] {
        let arguments = [&["agent", "--once"], &SECRET[..], arguments].concat();
        let (code, said) = shown(&world.zitadel(arguments).run());
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(expected), "{said}");
    }
    for alone in [&["--secret-type", "token"][..], &["--registry", "a.dev"]] {
        let arguments = [&["agent", "--once", "--write", "token"], alone].concat();
        let (code, said) = shown(&world.zitadel(arguments).run());
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("--kubernetes-secret"), "{said}");
    }
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn a_service_account_that_is_not_mounted_is_named_with_the_setting() {
    let Some(pod) = Pod::new(applied) else {
        return;
    };
    for name in ["token", "ca.crt"] {
        let path: PathBuf = pod.world.home.path().join("account").join(name);
        let kept = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let (code, said) = pod.run(&SECRET);
        assert!(code == 1 || code == 2, "{said}");
        assert!(
            said.contains(name) && said.contains("no such file"),
            "{said}"
        );
        assert!(
            said.contains("automountServiceAccountToken: true"),
            "{said}"
        );
        std::fs::write(&path, kept).unwrap();
    }
    assert_eq!(pod.seen().len(), 0);
}
