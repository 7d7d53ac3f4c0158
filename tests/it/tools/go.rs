//! `go`: the protocol at the process's edge.

mod doctor;
mod errors;
mod negative;
mod setup;

use crate::support::{Command, Endpoint, Fault, Issuer, Times, World};

const REFUSED: &str = "HTTP/1.1 401 Unauthorized\nContent-Length: 19\n\n";
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\n\n";

/// Returns stdout, and asserts that stderr is empty.
#[track_caller]
fn said(mut command: Command) -> String {
    let output = command.run();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn asked(world: &World, url: &str, response: &str) -> String {
    let mut command = world.zitadel(["go", url]);
    command.write_stdin(response);
    said(command)
}

fn block(host: &str, token: &str) -> String {
    format!("https://{host}\n\nAuthorization: Bearer {token}\n\n")
}

fn last_token(issuer: &Issuer) -> String {
    issuer.issued_tokens().pop().unwrap()
}

#[test]
fn without_a_url_each_host_of_a_rule_gets_its_block_and_a_wildcard_none() {
    let world = World::new();
    for host in ["proxy.acme.dev", "go.acme.dev:8443", "*.acme.dev", "[::1]"] {
        world.allow(host);
    }
    for option in ["--refresh", "--no-cache"] {
        let said = said(world.zitadel(["go", option]));
        let token = last_token(&world.issuer);
        let hosts = ["[::1]", "go.acme.dev:8443", "proxy.acme.dev"];
        assert_eq!(said, hosts.map(|host| block(host, &token)).concat());
        assert!(world.issuer.accepts(&token));
    }
    // One request for each, for any number of hosts.
    assert_eq!(world.issuer.token_requests(), 2);
}

#[test]
fn without_rules_nothing_is_printed_or_requested() {
    let world = World::new();
    world.allow("*.acme.dev");
    assert_eq!(said(world.zitadel(["go"])), "");
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn a_profile_that_gets_no_token_breaks_no_other() {
    let (world, down) = (World::new(), Issuer::start());
    down.fault(Endpoint::Discovery, Fault::Hang, Times::Forever);
    world.home.write("gone.json", down.new_user().key_json());
    world.home.append_config(&format!(
        "[profiles.down]\nissuer = \"{0}\"\nkey-file = \"~/gone.json\"\n\
         [profiles.empty]\nissuer = \"{0}\"\nkey-file = \"~/none.json\"\n\
         [hosts.\"a.acme.dev\"]\nprofile = \"down\"\n\
         [hosts.\"b.acme.dev\"]\nprofile = \"empty\"\n",
        down.url()
    ));
    world.allow("c.acme.dev");
    let mut command = world.zitadel(["go", "--timeout", "3"]);
    let output = command.run();
    assert!(output.status.success(), "{output:?}");
    let token = last_token(&world.issuer);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said, block("c.acme.dev", &token));
    let stderr = String::from_utf8(output.stderr).unwrap();
    for host in ["a", "b"] {
        let warning = format!("warning: no token for {host}.acme.dev: ");
        assert!(stderr.contains(&warning), "{stderr}");
    }
}

#[test]
fn with_a_url_the_block_is_for_its_host_as_it_spells_it() {
    let world = World::new();
    world.allow("*.acme.dev:8443");
    let said = asked(&world, "https://Go.Acme.dev:8443/x/@v/list", NOT_FOUND);
    let token = last_token(&world.issuer);
    assert_eq!(said, block("Go.Acme.dev:8443", &token));
    assert_eq!(asked(&world, "https://go.acme.dev/x", REFUSED), "");
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn a_token_that_was_revoked_is_replaced_after_a_401_and_no_other_answer() {
    let world = World::new();
    world.allow("go.acme.dev");
    let first = said(world.zitadel(["go"]));
    assert_eq!(asked(&world, "https://go.acme.dev/x", NOT_FOUND), first);
    assert_eq!(world.issuer.requests(Endpoint::Userinfo), 0);
    world.issuer.revoke_all();
    let mut command = world.zitadel(["go", "https://go.acme.dev/x"]);
    let output = command.write_stdin(REFUSED).run();
    let second = String::from_utf8(output.stdout).unwrap();
    assert_eq!(second, block("go.acme.dev", &last_token(&world.issuer)));
    assert_ne!(second, first);
    assert_eq!(world.issuer.requests(Endpoint::Userinfo), 1);
}
