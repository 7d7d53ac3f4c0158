//! The agent's metrics in promtool and `node_exporter`, and its token file in Prometheus,
//! with the configuration and the rules of docs/agent.md.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use rustix::process::Signal;
use serde_json::Value;

use crate::program::{client, output, output_of, stdout_of_success};
use crate::support::http::{Reply, Request, Response, Server};
use crate::support::issuer::Issuer;
use crate::support::ports::free_port;
use crate::support::{Endpoint, Fault, Running, Times, World, binary, until};

const PAGE: &str = include_str!("../../docs/agent.md");

/// Returns the first YAML of the page with this start.
pub fn yaml(start: &str) -> String {
    let mut blocks = PAGE.split("```yaml\n").skip(1);
    let block = blocks.find(|block| block.starts_with(start)).unwrap();
    block.split("```").next().unwrap().to_owned()
}

fn agent(world: &World, arguments: &[&str]) -> Running {
    let mut command = world.home.command(binary());
    command.args(["agent", "--write"]).args(arguments);
    Running::start(command)
}

fn stop(running: Running) {
    running.signal(Signal::TERM);
    assert!(running.output().status.success());
}

/// Returns a page of a server on loopback, once it responds. HTTP/1.0 has no chunks.
fn page(port: u16, target: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {target} HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.contains(" 200 ").then(|| body.to_owned())
}

/// The tests' own server, which requires a token of the issuer.
pub struct Target {
    server: Server,
    /// The received tokens, and true for those that the issuer accepts.
    seen: Arc<Mutex<Vec<(String, bool)>>>,
}

impl Target {
    pub fn start(issuer: &Issuer, body: &'static str) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (remembered, issuer) = (Arc::clone(&seen), issuer.clone());
        let server = Server::http(move |request: &Request| {
            let token = request.bearer().unwrap_or_default().to_owned();
            let is_good = issuer.accepts(&token);
            remembered.lock().unwrap().push((token, is_good));
            let response = if is_good {
                Response::text(200, body)
            } else {
                Response::text(401, "no token that the issuer takes\n")
            };
            Reply::from(response)
        });
        Self { server, seen }
    }

    /// Returns `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.server.address().to_string()
    }

    /// True if it received this many tokens. Each must be valid.
    pub fn has_seen(&self, tokens: usize) -> bool {
        let seen = self.seen.lock().unwrap();
        assert!(seen.iter().all(|(_, is_good)| *is_good), "{seen:?}");
        let all: BTreeSet<_> = seen.iter().map(|(token, _)| token).collect();
        all.len() >= tokens
    }
}

/// Asserts that promtool finds nothing in a text.
fn assert_good(promtool: &Path, metrics: &str) {
    let mut command = Command::new(promtool);
    command.args(["check", "metrics"]);
    let output = output_of(command, metrics.as_bytes());
    assert!(
        output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(),
        "{output:?}\n{metrics}"
    );
}

#[test]
fn promtool_accepts_the_metrics() {
    let Some(promtool) = client("promtool") else {
        return;
    };
    let world = World::new();
    let key = world.user.key_json_expiring("2999-01-01T00:00:00Z");
    world.home.write("key.json", key);
    let issuer = &world.issuer;
    issuer.set_lifetime(4);
    issuer.fault(Endpoint::Any, Fault::rate_limit(), Times::Forever);
    let path = world.home.path().join("a \"b\"\\.prom");
    let name = path.file_name().unwrap().to_str().unwrap();
    let running = agent(&world, &["a \"b\"\\", "--metrics-file", name]);
    let has = |text: &str| fs::read_to_string(&path).is_ok_and(|all| all.contains(text));
    until("it fails", || has("reason=\"temporary\"} 1"));
    assert_good(&promtool, &fs::read_to_string(&path).unwrap());
    issuer.clear_faults();
    until("it is renewed", || has("last_success_timestamp_seconds"));
    let metrics = fs::read_to_string(&path).unwrap();
    for name in ["token_expiry", "key_expiry", "last_success"] {
        let name = format!("zitadel_credential_{name}_timestamp_seconds{{");
        assert!(metrics.contains(&name), "{metrics}");
    }
    assert_good(&promtool, &metrics);
    stop(running);
}

#[test]
fn node_exporter_serves_the_metrics_of_several_agents() {
    let Some(exporter) = client("prometheus-node-exporter") else {
        return;
    };
    let world = World::new();
    let dir = world.home.path().join("textfile");
    fs::create_dir(&dir).unwrap();
    let agents = ["a", "b"].map(|name| {
        let metrics = format!("textfile/{name}.prom");
        agent(&world, &[name, "--metrics-file", &metrics])
    });
    until("both are written", || {
        ["a.prom", "b.prom"]
            .iter()
            .all(|name| dir.join(name).exists())
    });
    let port = free_port();
    let mut command = world.home.command(exporter);
    command
        .args(["--collector.disable-defaults", "--collector.textfile"])
        .arg(format!("--collector.textfile.directory={}", dir.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let exporter = Running::start(command);
    let metrics = || page(port, "/metrics").unwrap_or_default();
    until("it serves", || !metrics().is_empty());
    let served = metrics();
    assert!(
        served.contains("\nnode_textfile_scrape_error 0\n"),
        "{served}"
    );
    for name in ["a", "b"] {
        let file = world.home.path().join(name);
        let sample = format!(
            "zitadel_credential_renewals_total{{file=\"{}\"}} 1\n",
            file.display()
        );
        assert!(served.contains(&sample), "{served}");
    }
    let help = "# HELP zitadel_credential_token_expiry_timestamp_seconds ";
    assert_eq!(served.matches(help).count(), 1, "{served}");
    exporter.signal(Signal::TERM);
    exporter.output();
    agents.into_iter().for_each(stop);
}

#[test]
fn prometheus_scrapes_with_the_token_of_the_file_also_after_renewals() {
    let Some(prometheus) = client("prometheus") else {
        return;
    };
    let world = World::new();
    world.issuer.set_lifetime(4);
    let running = agent(&world, &["token"]);
    until("it is written", || world.home.path().join("token").exists());
    let target = Target::start(&world.issuer, "up_there 1\n");
    let config = yaml("scrape_configs:")
        .replace("https", "http")
        .replace(
            "/run/zitadel-credential/prometheus/token",
            world.home.path().join("token").to_str().unwrap(),
        )
        .replace("api.acme.dev", &target.address());
    let config = format!("global:\n  scrape_interval: 200ms\n{config}");
    let config = world.home.write("prometheus.yml", config);
    let port = free_port();
    let mut command = world.home.command(prometheus);
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--storage.tsdb.path=data");
    let prometheus = Running::start(command);
    until("it scrapes with three tokens", || target.has_seen(3));
    let query = "/api/v1/query?query=min_over_time(up[1m])";
    let mut answer = Value::Null;
    until("it says that all is well", || {
        let text = page(port, query).unwrap_or_default();
        answer = serde_json::from_str(&text).unwrap_or_default();
        answer["data"]["result"][0]["value"].is_array()
    });
    assert_eq!(answer["data"]["result"][0]["value"][1], "1", "{answer}");
    prometheus.signal(Signal::TERM);
    prometheus.output();
    stop(running);
}

#[test]
fn promtool_accepts_the_documented_configuration_and_rules() {
    let Some(promtool) = client("promtool") else {
        return;
    };
    let world = World::new();
    world.home.write("token", "t");
    let token = world.home.path().join("token");
    let config = yaml("scrape_configs:").replace(
        "/run/zitadel-credential/prometheus/token",
        token.to_str().unwrap(),
    );
    world.home.write("prometheus.yml", config);
    world.home.write("rules.yml", yaml("groups:"));
    for words in [["config", "prometheus.yml"], ["rules", "rules.yml"]] {
        let mut command = world.home.command(&promtool);
        command.arg("check").args(words);
        stdout_of_success(command);
    }
}

/// Each alert fires when it should, and none fires without a problem.
const ALERTS: &str = r#"
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: zitadel_credential_token_expiry_timestamp_seconds{file="good"}
        values: 9999999x60
      - series: zitadel_credential_last_success_timestamp_seconds{file="good"}
        values: 0+60x60
      - series: zitadel_credential_key_expiry_timestamp_seconds{file="good"}
        values: 9999999x60
      - series: zitadel_credential_failures_total{file="good",reason="refused"}
        values: 0x60
      - series: zitadel_credential_token_expiry_timestamp_seconds{file="expired"}
        values: 600x60
      - series: zitadel_credential_last_success_timestamp_seconds{file="stalled"}
        values: 60x60
      - series: zitadel_credential_failures_total{file="refused",reason="refused"}
        values: 0x20 1+1x40
      - series: zitadel_credential_key_expiry_timestamp_seconds{file="ends"}
        values: 866400x60
    alert_rule_test:
      - { eval_time: 9m, alertname: ZitadelTokenExpired }
      - { eval_time: 9m, alertname: ZitadelAgentStalled }
      - { eval_time: 15m, alertname: ZitadelKeyRefused }
      - eval_time: 30m
        alertname: ZitadelTokenExpired
        exp_alerts:
          - exp_labels: { severity: critical, file: expired }
            exp_annotations: { summary: The token in expired has expired }
      - eval_time: 30m
        alertname: ZitadelAgentStalled
        exp_alerts:
          - exp_labels: { severity: warning, file: stalled }
            exp_annotations:
              summary: "stalled has had no fresh token for ten minutes: see the agent's log"
      - eval_time: 30m
        alertname: ZitadelKeyRefused
        exp_alerts:
          - exp_labels: { severity: warning, file: refused, reason: refused }
            exp_annotations: { summary: ZITADEL refuses the key or the user of refused }
      - eval_time: 40m
        alertname: ZitadelKeyExpires
        exp_alerts:
          - exp_labels: { severity: warning, file: ends }
            exp_annotations: { summary: The key for ends expires in 10d 0h 0m 0s }
"#;

#[test]
fn the_alerts_fire_when_they_should() {
    let Some(promtool) = client("promtool") else {
        return;
    };
    let world = World::new();
    world.home.write("rules.yml", yaml("groups:"));
    world.home.write("test.yml", ALERTS);
    let mut command = world.home.command(promtool);
    command.args(["test", "rules", "test.yml"]);
    let output = output(command);
    assert!(output.status.success(), "{output:?}");
}
