//! Caddy, which asks nginx's gate, in front of an HTTP server.

use std::fs::File;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use super::cast::{Cast, Who};
use super::gate::Gate;
use super::nginx::{Asks, Nginx};
use super::table::{INTROSPECTION, assert_table};
use crate::program::client;
use crate::support::TokenKind::{Jwt, Opaque};
use crate::support::http::{Request, Response};
use crate::support::ports::free_port;
use crate::support::{Running, Server, Trouble, Version, until};

const LOG: &str = "/var/log/caddy.log";

type Seen = Arc<Mutex<Vec<Request>>>;

/// Caddy with the files of `examples/servers`, and a server that answers each request.
struct Caddy<'a> {
    nginx: Nginx<'a>,
    gate: Gate<'a>,
    seen: Seen,
    // Caddy's connections are closed first.
    _server: Server,
}

impl<'a> Caddy<'a> {
    /// Starts Caddy; `None` if a program is missing.
    fn start(cast: &'a Cast) -> Option<Self> {
        let caddy = client("caddy")?;
        let seen = Seen::default();
        let remembered = Arc::clone(&seen);
        let server = Server::http(move |request: &Request| {
            remembered.lock().unwrap().push(request.clone());
            Response::new(200).into()
        });
        let [port, asked] =
            [free_port(), free_port()].map(|port| (port, format!("127.0.0.1:{port}")));
        let mut nginx = Nginx::listening(
            cast,
            Asks::Introspection,
            asked.0,
            &[("127.0.0.1:9080", &asked.1)],
        )?;
        nginx.files.copy(
            "nginx/forward.conf",
            "/etc/nginx/sites-enabled/forward.conf",
        );
        nginx.start()?;

        let name = format!("localhost:{}", port.0);
        let upstream = format!("127.0.0.1:{}", server.port());
        let all = [
            ("packages.acme.dev", name.as_str()),
            ("127.0.0.1:9080", &asked.1),
            ("127.0.0.1:8080", &upstream),
        ];
        let mut gate = Gate::new(cast, port.0, &all)?;
        let site = gate.files.copy("caddy/Caddyfile", "/etc/caddy/Caddyfile");
        gate.files.assert_all_replaced();
        gate.certificate("packages");
        // All ports in the file are the test's.
        let text = cast.world.home.read(&site);
        let options = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n";
        cast.world.home.write(&site, format!("{options}{text}"));
        let mut command = cast.world.home.command(caddy);
        command
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(site);
        let log = File::create(gate.files.path(LOG)).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut running = Running::start_as_given(command);
        until("Caddy listens", || {
            assert!(
                !running.is_over(),
                "{}",
                cast.world.home.read(gate.files.path(LOG))
            );
            TcpStream::connect(("127.0.0.1", gate.port)).is_ok()
        });
        gate.keep(running);
        Some(Self {
            nginx,
            gate,
            seen,
            _server: server,
        })
    }
}

#[test]
fn a_role_in_the_project_decides() {
    for version in Version::RECORDED {
        let cast = Cast::new();
        cast.issuer().set_version(version);
        let Some(caddy) = Caddy::start(&cast) else {
            return;
        };
        assert_table(&cast, |shown| caddy.gate.both(shown), INTROSPECTION);
        caddy.gate.assert_no_secret_below(&["/var"]);
        caddy.nginx.assert_no_secret_below(&["/var"]);
    }
}

#[test]
fn the_server_gets_the_users_id_and_the_body_and_not_the_token() {
    let cast = Cast::new();
    let Some(caddy) = Caddy::start(&cast) else {
        return;
    };
    let token = cast.token(Who::Deployer, Opaque);
    let bearer = format!("Bearer {token}");
    let user = ["--header", "X-Forwarded-User: root"].map(str::to_owned);
    assert_eq!(caddy.gate.read_with(&user, &bearer), 200);
    assert_eq!(caddy.gate.writes(Some(&bearer)), 200);
    let seen = caddy.seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    for request in seen.iter() {
        let users = request
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("x-forwarded-user"));
        let users: Vec<_> = users.map(|(_, value)| value).collect();
        assert_eq!(users, [&cast.user(Who::Deployer).user_id]);
        assert!(!format!("{:?}", request.headers).contains(&token));
    }
    assert_eq!(seen[1].body, b"0000");
}

/// A CGI or WSGI server reads `X_Forwarded_User` as `X-Forwarded-User`.
#[test]
fn a_client_neither_names_the_user_nor_removes_it() {
    let cast = Cast::new();
    let Some(caddy) = Caddy::start(&cast) else {
        return;
    };
    let bearer = format!("Bearer {}", cast.token(Who::Viewer, Opaque));
    for header in [
        "X_Forwarded_User: root",
        "x-forwarded_user: root",
        "X_Forwarded-User: root",
        "Connection: X-Forwarded-User",
        "Connection: close, x-forwarded-user",
        "Connection: X-Forwarded-User, Authorization",
    ] {
        let header = ["--header", header].map(str::to_owned);
        caddy.gate.read_with(&header, &bearer);
        for request in caddy.seen.lock().unwrap().drain(..) {
            let users = request.headers.iter().filter(|(name, _)| {
                name.replace('_', "-")
                    .eq_ignore_ascii_case("x-forwarded-user")
            });
            let users: Vec<_> = users.map(|(_, value)| value).collect();
            assert_eq!(users, [&cast.user(Who::Viewer).user_id], "{header:?}");
        }
    }
}

/// With 401, git would forget a valid token.
#[test]
fn while_zitadel_or_the_gate_does_not_answer_the_status_is_5xx() {
    let cast = Cast::new();
    let Some(caddy) = Caddy::start(&cast) else {
        return;
    };
    let token = format!("Bearer {}", cast.token(Who::Deployer, Jwt));
    cast.issuer().set_trouble(Trouble::DatabaseDown);
    assert_eq!(caddy.gate.reads(Some(&token)), 500);
    let Caddy { nginx, gate, .. } = caddy;
    drop(nginx);
    assert_eq!(gate.reads(Some(&token)), 502);
    assert_eq!(gate.reads(None), 502);
}
