//! HAProxy's `jwt_verify` in front of the real `git http-backend`, which Apache runs.

use std::fs;
use std::fs::File;
use std::net::TcpStream;
use std::process::Command;

use super::apache::program::Program;
use super::cast::{Cast, ORGANISATION, PROJECT, Who};
use super::files::example_text;
use super::gate::{Gate, free_port, server};
use super::table::{assert_table, of_jwts};
use crate::program::{client, output_of};
use crate::support::TokenKind::Jwt;
use crate::support::{Client, Running, Trouble, Version, until};

/// An HAProxy with the files of `examples/servers`, and git behind it; `None` where a
/// program is missing.
fn start(cast: &Cast) -> Option<Gate<'_>> {
    let (haproxy, apache) = (server("haproxy")?, Program::find()?);
    let [port, backend] = [(); 2].map(|()| free_port());
    let keys = keys(cast)?;
    let (ours, other) = (keys[0].0.as_str(), "310000000000000099");
    let bind = format!("bind 127.0.0.1:{port} ssl");
    let behind = format!("127.0.0.1:{backend}");
    let url = cast.issuer().url();
    let mut gate = Gate::new(
        cast,
        port,
        &[
            ("bind :443 ssl", &bind),
            ("127.0.0.1:8080", &behind),
            ("https://acme.zitadel.cloud", &url),
            ("317240000000000001", PROJECT),
            ("311000000000000001", ORGANISATION),
            ("KID1", other),
            ("KID2", ours),
        ],
    )?;
    // The second key is ours: the first one's check must not be in its way.
    let another = crate::support::ServiceUser::new().public_pem();
    for (kid, pem) in [(ours, keys[0].1.as_str()), (other, another.as_str())] {
        gate.files
            .write(&format!("/etc/haproxy/zitadel/{kid}.pem"), pem);
    }
    let certificate = cast.ca.server(&["localhost"], |_| {});
    let both = certificate.pem() + &certificate.key_pem();
    gate.files.write("/etc/haproxy/git.pem", &both);
    let config = gate.files.copy("haproxy/git.cfg", "/etc/haproxy/git.cfg");
    let site = "/etc/apache2/sites-available/git-backend.conf";
    let site = gate.files.copy("haproxy/git-backend.conf", site);
    gate.files.assert_all_replaced();
    gate.create_repository();

    let include = format!("Include {}\n", site.display());
    let authority = cast.world.home.path().join("ca.pem");
    let running = apache.start(&gate, "git-backend", &[], &include, &authority);
    gate.keep(running);
    let main = "global\nlog stderr format raw local0 info\n";
    let main = gate.files.write("/etc/haproxy/haproxy.cfg", main);
    let mut command = cast.world.home.command(haproxy);
    command.arg("-db").arg("-f").arg(main).arg("-f").arg(config);
    gate.files.directory("/var/log");
    let log = File::create(gate.files.path("/var/log/haproxy.log")).unwrap();
    command.stdout(log.try_clone().unwrap()).stderr(log);
    let mut running = Running::start_as_given(command);
    for port in [port, backend] {
        until("HAProxy and Apache listen", || {
            assert!(!running.is_over(), "HAProxy ended: {}", log_of(&gate));
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
    }
    gate.keep(running);
    Some(gate)
}

fn log_of(gate: &Gate<'_>) -> String {
    fs::read_to_string(gate.files.path("/var/log/haproxy.log")).unwrap()
}

/// The issuer's keys by their IDs, as `jwks2pem.py` writes them.
fn keys(cast: &Cast) -> Option<Vec<(String, String)>> {
    let python = client("python3")?;
    let mut keys = Client::https(cast.issuer().port(), &cast.ca.client_config());
    let keys = keys.get("/oauth/v2/keys", &[]).unwrap();
    let directory = cast.world.home.path().join("pem");
    fs::create_dir(&directory).unwrap();
    let mut command = Command::new(python);
    command
        .args(["-c", &example_text("haproxy/jwks2pem.py")])
        .arg(&directory);
    let output = output_of(command, &keys.body);
    assert!(output.status.success(), "{output:?}");
    let written = fs::read_dir(directory).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let kid = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (kid, fs::read_to_string(path).unwrap())
    });
    Some(written.collect())
}

#[test]
fn a_role_of_the_jwt_decides() {
    for version in Version::RECORDED {
        let cast = Cast::new();
        cast.issuer().set_version(version);
        let Some(gate) = start(&cast) else { return };
        assert_table(&cast, |shown| gate.both(shown), &of_jwts());
        assert!(log_of(&gate).contains(" 200 "), "{}", log_of(&gate));
        gate.assert_no_secret_below(&["/var/log"]);
    }
}

#[test]
fn a_jwt_is_good_until_it_expires_whatever_becomes_of_zitadel_and_its_user() {
    let cast = Cast::new();
    let Some(gate) = start(&cast) else { return };
    let token = format!("Bearer {}", cast.token(Who::Deployer, Jwt));
    cast.issuer().deactivate(&cast.user(Who::Deployer).user_id);
    cast.issuer().set_trouble(Trouble::DatabaseDown);
    assert_eq!(gate.reads(Some(&token)), 200);
    assert_eq!(gate.writes(Some(&token)), 200);
    // A path in another spelling is a push too.
    let viewer = {
        cast.issuer().set_trouble(None);
        format!("Bearer {}", cast.token(Who::Viewer, Jwt))
    };
    assert_eq!(
        gate.writes_to("/app.git/git%2Dreceive-pack", Some(&viewer)),
        403
    );
    assert_eq!(gate.reads(Some(&viewer)), 200);
}
