//! Servers that refuse the handshake, or make errors in it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustls::ServerConfig;
use snapbox::{Data, str};

use crate::support::{Ca, Case, Response, Server};

/// The error is permanent: another try meets the same server with the same settings.
#[track_caller]
fn refused_once(server: Arc<ServerConfig>, ca: &Ca, stderr: impl Into<Data>) {
    let server = Server::https(server, |_| Response::new(204).into());
    let case = Case::new();
    case.world.home.write("ca.pem", ca.pem());
    let url = format!("https://localhost:{}", server.port());
    case.hide("[URL]", url.clone());
    case.run(["token", "--ca-file", "ca.pem", "--issuer", &url])
        .fails(1, stderr);
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_server_that_wants_a_client_certificate() {
    let ca = Ca::new();
    let wanting = |version| ca.client_verifying_server_config(&["localhost"], version);
    refused_once(
        wanting(&rustls::version::TLS13),
        &ca,
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: [URL] requires a client certificate
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: client certificates are not supported: use an address of the issuer that requires none

"#]],
    );
    refused_once(
        wanting(&rustls::version::TLS12),
        &ca,
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: [URL] requires a client certificate
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: client certificates are not supported: use an address of the issuer that requires none

"#]],
    );
}

/// Runs `token` at a server that responds to the handshake with this fatal alert.
#[track_caller]
fn alert(number: u8, code: i32, tries: usize, stderr: impl Into<Data>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 16 * 1024]).unwrap();
            stream.write_all(&[21, 3, 3, 0, 2, 2, number]).unwrap();
        }
    });
    let case = Case::new();
    let url = format!("https://127.0.0.1:{port}");
    case.hide("[URL]", url.clone());
    case.run(["token", "--issuer", &url]).fails(code, stderr);
    assert_eq!(connections.load(Ordering::SeqCst), tries);
}

#[test]
fn no_common_version() {
    alert(
        70,
        1,
        1,
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: no common TLS version with [URL]: TLS 1.2 or later is needed
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: check the TLS settings of the server, or of the proxy in front of it

"#]],
    );
}

#[test]
fn no_common_cipher() {
    alert(
        40,
        1,
        1,
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: [URL] refused the TLS handshake: no common cipher
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: check the TLS settings of the server, or of the proxy in front of it

"#]],
    );
}

#[test]
fn a_name_that_the_server_does_not_serve() {
    alert(
        112,
        1,
        1,
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: [URL] refused the TLS handshake: it does not serve this name
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: check the issuer's host name, and which server answers there

"#]],
    );
}

#[test]
fn an_internal_error_of_the_server() {
    alert(
        80,
        75,
        3,
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: [URL] ended the TLS handshake: InternalError (80)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: check the server's log, and that nothing intercepts the connection

"#]],
    );
}
