//! Names with several addresses, some of which are unreachable.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::Output;
use std::time::{Duration, Instant};

use super::world_at;
use crate::support::hole::Hole;
use crate::support::machine::behind_mounts;
use crate::support::patience::{patient, within};
use crate::support::proxy::Proxy;
use crate::support::{Issuer, Run, World, binary};

/// Addresses where no other test listens.
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 0, 7, 1);
const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 7, 2);

/// Runs `token` with these lines in the hosts file. Returns its result and duration;
/// `None` if nothing can be mounted.
fn token(
    world: &World,
    hosts: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Option<(Output, Duration)> {
    let hosts = world.home.write("hosts", hosts);
    let script = format!("mount --bind {} /etc/hosts; exec \"$@\"", hosts.display());
    let mut command = behind_mounts(&world.home, &script)?;
    command.arg(binary()).args(["token", "--no-cache"]);
    command.args(arguments).envs(variables.iter().copied());
    let start = Instant::now();
    let output = command.run();
    Some((output, start.elapsed()))
}

#[track_caller]
fn succeeds_within(run: Option<(Output, Duration)>, limit: Duration) {
    let Some((output, took)) = run else { return };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    within(took, limit);
}

/// Returns a world whose issuer listens at the second address of its name, over plain
/// http.
fn world_at_second() -> World {
    let issuer = Issuer::builder().host("issuer.test").address(SECOND);
    let world = World::with(issuer.start());
    let toml = std::fs::read_to_string(world.home.config_path()).unwrap();
    world
        .home
        .write_config(&format!("{toml}allow-http = true\n"));
    world
}

const HOSTS: &str = "127.0.7.1 issuer.test\n127.0.7.2 issuer.test\n";

#[test]
fn an_address_may_be_written_out_in_either_family() {
    let six = Issuer::builder().host("[::1]").address(Ipv6Addr::LOCALHOST);
    for issuer in [six.start(), Issuer::start()] {
        let world = World::with(issuer);
        world.zitadel(["token"]).assert().success().stderr("");
        assert_eq!(world.issuer.connections(), 1);
    }
}

#[test]
fn a_name_whose_first_address_is_dead_is_reached_by_the_next() {
    patient(|| {
        let world = world_at_second();
        let run = token(&world, HOSTS, &["--timeout", "5"], &[]);
        succeeds_within(run, Duration::from_secs(2));
    });
}

#[test]
fn a_dead_address_costs_less_than_a_second() {
    patient(|| {
        let world = world_at_second();
        let _hole = Hole::at((FIRST, world.issuer.port()).into());
        for timeout in ["1", "3", "30"] {
            let run = token(&world, HOSTS, &["--timeout", timeout], &[]);
            succeeds_within(run, Duration::from_secs(1));
        }
    });
}

#[test]
fn many_dead_addresses_cost_little_more_than_a_second() {
    patient(|| {
        let issuer = Issuer::builder()
            .host("issuer.test")
            .address(Ipv4Addr::new(127, 0, 8, 16));
        let world = World::with(issuer.start());
        let toml = std::fs::read_to_string(world.home.config_path()).unwrap();
        world
            .home
            .write_config(&format!("{toml}allow-http = true\n"));
        let holes = (1..16)
            .map(|last| Hole::at((Ipv4Addr::new(127, 0, 8, last), world.issuer.port()).into()));
        let _holes: Vec<_> = holes.collect();
        let hosts: Vec<_> = (1..=16)
            .map(|last| format!("127.0.8.{last} issuer.test\n"))
            .collect();
        let hosts = hosts.concat();
        let run = token(&world, &hosts, &["--timeout", "3"], &[]);
        succeeds_within(run, Duration::from_secs(2));
    });
}

#[test]
fn a_refusing_issuer_is_not_hidden_by_a_dead_address() {
    patient(|| {
        let world = world_at_second();
        let port = world.issuer.port();
        let _hole = Hole::at((FIRST, port).into());
        // No server listens at the third address.
        let hosts = "127.0.7.1 issuer.test\n127.0.7.3 issuer.test\n";
        let Some((output, took)) = token(&world, hosts, &["--timeout", "20"], &[]) else {
            return;
        };
        assert_eq!(output.status.code(), Some(75));
        within(took, Duration::from_secs(10));
    });
}

#[test]
fn a_proxy_of_several_addresses_is_reached_by_the_next() {
    patient(|| {
        let (world, ca_file) = world_at("issuer.test");
        let hosts = "127.0.7.1 proxy.test\n127.0.7.2 proxy.test\n";
        let arguments = ["--ca-file", &ca_file, "--timeout", "3"];
        for (scheme, proxy) in [
            ("http", Proxy::connect_at(SECOND)),
            ("socks5h", Proxy::socks5_at(SECOND)),
        ] {
            let value = format!("{scheme}://proxy.test:{}", proxy.port());
            let variables = [("HTTPS_PROXY", value.as_str())];
            // The first address refuses, the second is silent.
            let run = token(&world, hosts, &arguments, &variables);
            succeeds_within(run, Duration::from_secs(2));
            let _hole = Hole::at((FIRST, proxy.port()).into());
            let run = token(&world, hosts, &arguments, &variables);
            succeeds_within(run, Duration::from_secs(1));
            let named = format!("issuer.test:{}", world.issuer.port());
            assert_eq!(proxy.asked(), [named.clone(), named], "{scheme}");
        }
    });
}
