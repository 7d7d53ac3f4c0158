//! The OpenTelemetry Collector, which sends the token of the agent's file, with the
//! configuration of docs/agent.md.

use std::io::{Read, Write};
use std::net::TcpStream;

use rustix::process::Signal;

use crate::program::installed;
use crate::prometheus::{Target, yaml};
use crate::support::ports::free_port;
use crate::support::{Running, World, binary, until};

const LOG: &str =
    r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}"#;

/// Sends a log record to the collector. Returns true if it accepts it.
fn send(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let length = LOG.len();
    let head = format!(
        "POST /v1/logs HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    let mut answer = String::new();
    let written = stream.write_all((head + LOG).as_bytes());
    written.is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer
            .lines()
            .next()
            .is_some_and(|line| line.contains(" 200 "))
}

#[test]
fn the_collector_sends_with_the_token_of_the_file_also_after_renewals() {
    let Some(collector) = installed("otelcol", "otelcol/otelcol") else {
        return;
    };
    let world = World::new();
    world.issuer.set_lifetime(4);
    let mut command = world.home.command(binary());
    command.args(["agent", "--write", "token"]);
    let agent = Running::start(command);
    let token = world.home.path().join("token");
    until("it is written", || token.exists());
    let target = Target::start(&world.issuer, "");
    let port = free_port();
    let config = yaml("extensions:")
        .replace(
            "/run/zitadel-credential/otel/token",
            token.to_str().unwrap(),
        )
        .replace(
            "https://otlp.acme.dev",
            &format!("http://{}", target.address()),
        )
        .replace("127.0.0.1:4318", &format!("127.0.0.1:{port}"));
    // The collector's own metrics would need a port too.
    let config = config + "  telemetry:\n    metrics:\n      level: none\n";
    let config = world.home.write("config.yaml", config);
    let mut command = world.home.command(collector);
    command.arg(format!("--config=file:{}", config.display()));
    let collector = Running::start(command);
    until("it listens", || send(port));
    until("it has sent with three tokens", || {
        assert!(send(port));
        target.has_seen(3)
    });
    collector.signal(Signal::TERM);
    let output = collector.output();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(
        !log.contains("deprecat") && !log.contains("Exporting failed"),
        "{log}"
    );
    agent.signal(Signal::TERM);
    assert!(agent.output().status.success());
}
