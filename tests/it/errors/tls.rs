//! All errors of an issuer's certificate, as the user reads them.

mod refused;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use predicates::str::contains;
use rustls::ServerConfig;
use snapbox::{Data, str};

use crate::support::{Ca, Case, Issuer, Response, Server, World};

#[test]
fn an_untrusted_certificate() {
    let ca = Ca::new();
    let case = Case::with(World::with(Issuer::start_tls(&ca)));
    case.run(["token"]).fails(1, str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: the certificate of [ISSUER] is not trusted: it is not signed by a trusted authority
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: if you run your own certificate authority, give its PEM: --ca-file, ZITADEL_CREDENTIAL_CA_FILE or ca-file in the profile
  hint: if the certificate is from a public authority, have the server send its intermediate certificates too

"#]]);
    case.world.home.write("other.pem", Ca::new().pem());
    case.run(["token", "--ca-file", "other.pem"]).fails(1, str![[r#"
zitadel-credential: error: [ISSUER]/.well-known/openid-configuration: the certificate of [ISSUER] is not trusted: it is not signed by a trusted authority
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: if you run your own certificate authority, give its PEM: --ca-file, ZITADEL_CREDENTIAL_CA_FILE or ca-file in the profile
  hint: if the certificate is from a public authority, have the server send its intermediate certificates too

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
    let utf16: Vec<_> = ca.pem().encode_utf16().flat_map(u16::to_le_bytes).collect();
    case.world.home.write("wide.pem", utf16);
    case.run(["token", "--ca-file", "wide.pem"]).fails(
        2,
        str![[r#"
zitadel-credential: error: ca-file wide.pem: UTF-16, not UTF-8
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: give a readable PEM file with the root certificates to trust

"#]],
    );
    assert_eq!(case.requests(), 0);
    case.world.home.write("ca.pem", ca.pem());
    case.run(["token", "--ca-file", "ca.pem"]).gives_a_token("");
}

/// OpenSSL accepts these, and so does curl with it.
#[test]
fn other_forms_of_an_authoritys_certificate() {
    let ca = Ca::new();
    let case = Case::with(World::with(Issuer::start_tls(&ca)));
    let x509 = ca.pem().replace("CERTIFICATE", "X509 CERTIFICATE");
    let marked = format!("\u{feff}{}", ca.pem());
    // SEQUENCE { SEQUENCE { serverAuth } }, and the same with clientAuth.
    let usage = |last| [48, 12, 48, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, last];
    let trusted = |settings: &[u8]| {
        let body: Vec<u8> = [ca.der(), settings].concat();
        let body = BASE64_STANDARD.encode(body);
        format!("-----BEGIN TRUSTED CERTIFICATE-----\n{body}\n-----END TRUSTED CERTIFICATE-----\n")
    };
    for pem in [x509, marked, trusted(&[]), trusted(&usage(1))] {
        case.world.home.write("ca.pem", pem);
        case.run(["token", "--refresh", "--ca-file", "ca.pem"])
            .gives_a_token("");
    }
    case.world.home.write("ca.pem", trusted(&usage(2)));
    let mut command = case
        .world
        .zitadel(["token", "--refresh", "--ca-file", "ca.pem"]);
    command
        .assert()
        .code(2)
        .stderr(contains("no certificate in the file"));
}

/// Runs `token` at a server with this certificate.
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
zitadel-credential: error: [URL]/.well-known/openid-configuration: the certificate of [URL] is for another name: id.acme.test
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
zitadel-credential: error: [URL]/.well-known/openid-configuration: the certificate of [URL] has expired on [..]
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: renew it, or check the local clock

"#]],
    );
}

#[test]
fn a_not_yet_valid_certificate() {
    let ca = Ca::new();
    certificate(
        &ca,
        ca.early_server_config(&["localhost"]),
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: the certificate of [URL] is not valid before [..]
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
fn a_server_without_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        for stream in listener.incoming().take(3) {
            let mut stream = stream.unwrap();
            // Unread bytes would become a reset.
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
zitadel-credential: error: [URL]/.well-known/openid-configuration: the TLS handshake failed: the response is not TLS
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: check that the server supports TLS 1.2 or later, and that nothing intercepts the connection

"#]],
    );
    server.join().unwrap();
}

#[test]
fn a_certificate_with_a_common_name_alone() {
    let ca = Ca::new();
    certificate(
        &ca,
        ca.nameless_server_config("localhost"),
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: the certificate of [URL] names no host: it has no subjectAltName, and its common name (CN) does not count
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: issue the certificate again with the host name as a subjectAltName

"#]],
    );
}

#[test]
fn an_intermediate_certificate_that_is_not_sent() {
    let ca = Ca::new();
    let server = ca.intermediate().server_config(&["localhost"]);
    certificate(
        &ca,
        server,
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: the certificate of [URL] is not trusted: it is not signed by a trusted authority
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: if you run your own certificate authority, give its PEM: --ca-file, ZITADEL_CREDENTIAL_CA_FILE or ca-file in the profile
  hint: if the certificate is from a public authority, have the server send its intermediate certificates too

"#]],
    );
}

#[test]
fn an_authority_that_may_not_sign_for_the_host() {
    let ca = Ca::constrained("acme.test");
    certificate(
        &ca,
        ca.server_config(&["localhost"]),
        str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: the certificate of [URL] breaks the name constraints of its authority, which may not sign for this host
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  hint: let an authority sign it whose name constraints permit the host

"#]],
    );
}

/// macOS always has the Keychain.
#[cfg(not(target_os = "macos"))]
#[test]
fn no_trusted_authority_on_the_system() {
    let ca = Ca::new();
    let server = Server::https(ca.server_config(&["localhost"]), |_| {
        Response::new(204).into()
    });
    let case = Case::new();
    let url = format!("https://localhost:{}", server.port());
    case.hide("[URL]", url.clone());
    let mut command = case.world.zitadel(["token", "--issuer", &url]);
    command.env("SSL_CERT_FILE", "/dev/null");
    case.end(command).fails(1, str![[r#"
zitadel-credential: error: [URL]/.well-known/openid-configuration: no trusted certificate authority on this system
  with: key ID [KEY_ID], user ID [USER_ID], issuer [URL]
  found: SSL_CERT_FILE: /dev/null: has no certificate
  hint: install the system's certificates (package ca-certificates), or unset SSL_CERT_FILE and SSL_CERT_DIR if they name none
  hint: if you run your own certificate authority, give its PEM: --ca-file, ZITADEL_CREDENTIAL_CA_FILE or ca-file in the profile

"#]]);
    assert_eq!(server.connections(), 1);
    std::fs::create_dir(case.world.home.path().join("empty")).unwrap();
    let mut command = case.world.zitadel(["token", "--issuer", &url]);
    command.env("SSL_CERT_DIR", case.world.home.path().join("empty"));
    command
        .assert()
        .code(1)
        .stderr(contains("no trusted certificate authority on this system"));
    let mut command = case.world.zitadel(["token", "--issuer", &url]);
    command.env("SSL_CERT_FILE", "/nonexistent/ca.pem");
    command.assert().code(1).stderr(contains(
        "found: SSL_CERT_FILE: /nonexistent/ca.pem: no such file or directory",
    ));
}

/// Empty variables count as unset, whether the system has roots or not.
#[test]
fn empty_variables_for_the_systems_roots() {
    let ca = Ca::new();
    let server = Server::https(ca.server_config(&["localhost"]), |_| {
        Response::new(204).into()
    });
    let world = World::new();
    let url = format!("https://localhost:{}", server.port());
    let said = |variables: &[&str]| {
        let mut command = world.zitadel(["token", "--issuer", &url]);
        command.envs(variables.iter().map(|name| (name, "")));
        String::from_utf8(command.run().stderr).unwrap()
    };
    let unset = said(&[]);
    assert!(unset.contains("is not trusted") || unset.contains("no trusted"));
    for variables in [
        &["SSL_CERT_FILE"][..],
        &["SSL_CERT_DIR"],
        &["SSL_CERT_FILE", "SSL_CERT_DIR"],
    ] {
        assert_eq!(said(variables), unset, "{variables:?}");
    }
}
