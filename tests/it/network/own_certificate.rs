//! A server's own certificate in `--ca-file`: accepted as by curl, and only for that
//! server.

use std::sync::Arc;
use std::time::SystemTime;

use predicates::str::contains;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa};
use rustls::ServerConfig;
use time::{Duration, OffsetDateTime};

use crate::support::{Ca, Issuer, World};

const NAMES: [&str; 1] = ["localhost"];

fn now() -> OffsetDateTime {
    SystemTime::now().into()
}

const fn as_it_is(_: &mut CertificateParams) {}

/// `openssl req -x509` creates such certificates.
fn with_ca_true(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

/// Runs `token --ca-file` with this certificate, at a server with that one.
fn token(server: Arc<ServerConfig>, ca_file: &str) -> assert_cmd::assert::Assert {
    let world = World::with(Issuer::builder().tls_of(server).start());
    world.home.write("ca.pem", ca_file);
    world.zitadel(["token", "--ca-file", "ca.pem"]).assert()
}

#[track_caller]
fn refused(server: Arc<ServerConfig>, ca_file: &str, what: &'static str) {
    token(server, ca_file)
        .code(1)
        .stdout("")
        .stderr(contains(what));
}

#[test]
fn the_servers_own_certificate_alone_is_trusted() {
    let authority = Ca::new();
    for server in [
        Ca::self_signed_server(&NAMES, as_it_is),
        Ca::self_signed_server(&NAMES, with_ca_true),
        authority.server(&NAMES, as_it_is),
        authority.server(&NAMES, with_ca_true),
    ] {
        token(server.own_server_config(), &server.pem())
            .success()
            .stderr("");
        let both = format!("{}{}", Ca::new().pem(), server.pem());
        token(server.own_server_config(), &both)
            .success()
            .stderr("");
    }
}

#[test]
fn its_name_its_dates_and_its_purpose_still_count() {
    let server = |names: &[&str], change| Ca::self_signed_server(names, change);
    for (server, what) in [
        (
            server(&["other.test"], as_it_is),
            "is for another name: other.test",
        ),
        (
            server(&NAMES, |params| params.not_after = now() - Duration::HOUR),
            "has expired",
        ),
        (
            server(&NAMES, |params| params.not_before = now() + Duration::DAY),
            "is not valid before",
        ),
        (
            server(&NAMES, |params| {
                params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            }),
            "is not for servers",
        ),
        (
            server(&NAMES, |params| params.subject_alt_names.clear()),
            "it has no subjectAltName",
        ),
    ] {
        refused(server.own_server_config(), &server.pem(), what);
    }
}

/// Otherwise the owner of a server's key would be an authority for every host.
#[test]
fn a_servers_own_certificate_signs_for_no_other() {
    for change in [as_it_is, |params: &mut CertificateParams| {
        params.is_ca = IsCa::ExplicitNoCa;
    }] {
        let trusted = Ca::self_signed_server(&NAMES, change);
        let signed = trusted.server_config(&NAMES);
        refused(
            signed,
            &trusted.pem(),
            "is not signed by a trusted authority",
        );
    }
    let authority = Ca::new();
    let trusted = authority.server(&NAMES, as_it_is);
    let other = authority.server_config(&NAMES);
    refused(
        other,
        &trusted.pem(),
        "is not signed by a trusted authority",
    );
}
