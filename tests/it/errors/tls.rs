//! Every way in which an issuer does not prove who it is, as a person reads it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rustls::ServerConfig;
use snapbox::{Data, str};

use crate::support::{Ca, Case, Issuer, Response, Server, World};

#[test]
fn a_certificate_of_ones_own() {
    let ca = Ca::new();
    let case = Case::with(World::with(Issuer::start_tls(&ca)));
    case.run(["token"]).fails(1, str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: the certificate of [ISSUER] is not trusted: it is not signed by a trusted authority
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: if you run your own certificate authority, give its PEM: --ca-file, ZITADEL_CREDENTIAL_CA_FILE or ca-file in the profile

"#]]);
    case.world.home.write("other.pem", Ca::new().pem());
    case.run(["token", "--ca-file", "other.pem"]).fails(1, str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: the certificate of [ISSUER] is not trusted: it is not signed by a trusted authority
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: if you run your own certificate authority, give its PEM: --ca-file, ZITADEL_CREDENTIAL_CA_FILE or ca-file in the profile

"#]]);
    case.run(["token", "--ca-file", "key.json"]).fails(
        2,
        str![[r#"
zitadel-credential: error: ca-file key.json: no certificate in the file
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: give a readable PEM file with the root certificates to trust

"#]],
    );
    case.run(["token", "--ca-file", "none.pem"]).fails(
        2,
        str![[r#"
zitadel-credential: error: ca-file none.pem: no such file or directory
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: give a readable PEM file with the root certificates to trust

"#]],
    );
    let damaged = ca.pem().replacen('M', "*", 1);
    case.world.home.write("damaged.pem", damaged);
    case.run(["token", "--ca-file", "damaged.pem"]).fails(
        2,
        str![[r#"
zitadel-credential: error: ca-file damaged.pem: invalid PEM
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: give a readable PEM file with the root certificates to trust

"#]],
    );
    assert_eq!(case.requests(), 0);
    case.world.home.write("ca.pem", ca.pem());
    case.run(["token", "--ca-file", "ca.pem"]).gives_a_token("");
}

/// `token` where the server shows this certificate.
#[track_caller]
fn certificate(ca: &Ca, server: Arc<ServerConfig>, stderr: impl Into<Data>) {
    let server = Server::https(server, |_| Response::new(204).into());
    let case = Case::new();
    case.world.home.write("ca.pem", ca.pem());
    let url = format!("https://localhost:{}", server.port());
    case.hide("[URL]", url.clone());
    case.run(["token", "--ca-file", "ca.pem", "--issuer", &url])
        .fails(1, stderr);
}

#[test]
fn a_certificate_for_another_name() {
    let ca = Ca::new();
    certificate(
        &ca,
        ca.server_config(&["id.acme.test"]),
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: the certificate of [URL] is for another name
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: check the issuer's host name, and which server answers there

"#]],
    );
}

#[test]
fn an_expired_certificate() {
    let ca = Ca::new();
    certificate(
        &ca,
        ca.expired_server_config(&["localhost"]),
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: the certificate of [URL] has expired
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: renew it, or check the local clock

"#]],
    );
}

#[test]
fn a_certificate_of_tomorrow() {
    let ca = Ca::new();
    certificate(
        &ca,
        ca.early_server_config(&["localhost"]),
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: the certificate of [URL] is not valid yet
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: check the local clock

"#]],
    );
}

#[test]
fn an_authoritys_own_certificate() {
    let ca = Ca::new();
    certificate(
        &ca,
        ca.authority_server_config(&["localhost"]),
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: the certificate of [URL] is a certificate authority's (CA:TRUE), not a server's
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: give the server a certificate of its own, signed by that authority

"#]],
    );
}

#[test]
fn no_tls_where_it_should_be() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        for stream in listener.incoming().take(3) {
            let mut stream = stream.unwrap();
            // What is left unread would become a reset.
            let _ = stream.read(&mut [0; 16 * 1024]).unwrap();
            stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .unwrap();
        }
    });
    let case = Case::new();
    let url = format!("https://127.0.0.1:{port}");
    case.hide("[URL]", url.clone());
    case.run(["token", "--issuer", &url]).fails(
        75,
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: the TLS handshake failed: received corrupt message of type InvalidContentType
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: check that the server supports TLS 1.2 or later, and that nothing intercepts the connection

"#]],
    );
    server.join().unwrap();
}
