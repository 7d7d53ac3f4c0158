//! `sign-command`: another program signs.

use std::time::{Duration, Instant};

use super::{login, printed, profile, refused};
use crate::support::patience::{patient, within};
use crate::support::{Jwt, ServiceUser, World};

/// Signs with the key of `signer.pem`, as openssl prints it.
const OPENSSL: &str = "openssl dgst -sha256 -sign signer.pem";

fn lines(world: &World, script: &str, more: &str) -> String {
    format!(
        "sign-command = [\"sh\", \"-c\", '''{script}''']\nkey-id = \"{}\"\nuser-id = \"{}\"\n{more}",
        world.user.key_id, world.user.user_id
    )
}

const PUBLIC: &str = "public-key-file = \"~/signer.pub\"\n";

/// Returns a world whose profile has this signer.
fn world(script: &str, more: &str) -> World {
    let world = World::new();
    world.home.write("signer.pem", world.user.pkcs8_pem());
    world.home.write("signer.pub", world.user.public_pem());
    profile(&world, &lines(&world, script, more));
    world
}

#[test]
fn each_form_of_a_signature_gets_a_token() {
    for (script, more) in [
        (OPENSSL.to_owned(), ""),
        (OPENSSL.to_owned(), PUBLIC),
        (format!("{OPENSSL} | base64"), PUBLIC),
        (format!("{OPENSSL} | base64 -w0"), ""),
        (
            format!("{OPENSSL} | base64 -w0 | tr +/ -_ | tr -d ="),
            PUBLIC,
        ),
        (format!("{OPENSSL}; echo"), ""),
    ] {
        let world = world(&script, more);
        let token = printed(&world, &["token"]);
        assert!(world.issuer.accepts(token.trim()), "{script}");
        assert_eq!(printed(&world, &["token"]), token, "from the cache");
        assert_eq!(world.issuer.token_requests(), 1);
        assert_eq!(
            login(&world),
            (world.user.user_id.clone(), token.trim().to_owned())
        );
    }
}

/// A signer and its key share the cache.
#[test]
fn the_signer_shares_the_keys_cache() {
    let world = world("exit 9", PUBLIC);
    let key = ["token", "--key-file", "key.json"];
    let token = printed(&world, &key);
    assert_eq!(printed(&world, &["token"]), token);
}

#[test]
fn the_input_is_an_assertions_signing_input() {
    let world = world(&format!("tee input | {OPENSSL}"), PUBLIC);
    let assertion = printed(&world, &["assertion"]);
    let input = world.home.read("input");
    assert!(assertion.starts_with(&format!("{input}.")), "{input}");
    let jwt = Jwt::parse(assertion.trim()).unwrap();
    assert!(jwt.is_signed_by(&world.user.public()));
    assert_eq!(jwt.key_id(), Some(&*world.user.key_id));
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn a_bad_signer_fails_before_any_request() {
    for (script, why) in [
        ("true", "sh: printed nothing"),
        (
            "echo error: no such key",
            "printed text that is not one base64 signature",
        ),
        ("head -c 100 /dev/zero", "printed no signature"),
        (
            "head -c 128 /dev/zero",
            "a signature of 128 bytes, but the public key's have 256",
        ),
        (
            "head -c 256 /dev/zero",
            "the signature is not by the key of [HOME]/signer.pub",
        ),
        (
            "openssl dgst -sha256 -sign signer.pem > s; cat s s",
            "printed more than one signature",
        ),
        (
            "openssl dgst -sha256 -sign signer.pem > s; base64 s; base64 s",
            "printed more than one signature",
        ),
        ("head -c 200000 /dev/zero", "larger than 65536 bytes"),
        ("echo oops >&2; exit 3", "failed with exit status: 3"),
    ] {
        let world = world(script, PUBLIC);
        let said = refused(&world, &["token"], 1);
        let said = said.replace(world.home.path().to_str().unwrap(), "[HOME]");
        assert!(said.contains(why), "{script}: {said}");
        assert!(
            said.contains("zitadel-credential: error: sign-command "),
            "{said}"
        );
        assert_eq!(world.issuer.total_requests(), 0, "{script}");
    }
}

#[test]
fn another_key_is_refused_by_the_public_key_and_else_by_the_issuer() {
    let other = ServiceUser::with_bits(2048);
    for (more, why) in [
        (PUBLIC, "the signature is not by the key of"),
        ("", "no public-key-file is set"),
    ] {
        let world = world(OPENSSL, more);
        world.home.write("signer.pem", other.pkcs8_pem());
        let said = refused(&world, &["token"], 1);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_signer_that_hangs_ends_with_the_timeout() {
    patient(|| {
        let world = world("sleep 60", PUBLIC);
        let start = Instant::now();
        let said = refused(&world, &["token", "--timeout", "1"], 75);
        assert!(said.contains("sign-command sh: "), "{said}");
        within(start.elapsed(), Duration::from_secs(10));
    });
}

#[test]
fn an_invalid_public_key_is_reported() {
    for (text, why) in [
        ("x", "not a public key in PEM"),
        (
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "not an RSA key",
        ),
        ("-----BEGIN PRIVATE KEY-----\n", "a private key"),
        ("-----BEGIN CERTIFICATE-----\n", "a certificate"),
    ] {
        let world = world(OPENSSL, PUBLIC);
        world.home.write("signer.pub", text);
        let said = refused(&world, &["token"], 2);
        assert!(
            said.contains("public-key-file ") && said.contains(why),
            "{said}"
        );
    }
}

#[test]
fn it_needs_its_ids_and_no_second_source() {
    for (lines, why) in [
        ("sign-command = [\"x\"]\n", "no key ID is set"),
        (
            "sign-command = [\"x\"]\nkey-id = \"1\"\n",
            "no user ID is set",
        ),
        (
            "sign-command = [\"x\"]\nkey-file = \"y\"\n",
            "key-file and sign-command are both set",
        ),
        (
            "token-file = \"x\"\nclient-secret-file = \"y\"\n",
            "token-file and client-secret-file are both set",
        ),
        (
            "client-id = \"x\"\ntoken-command = [\"y\"]\n",
            "client-id and token-command are both set",
        ),
        (
            "key-file = \"x\"\npublic-key-file = \"y\"\n",
            "public-key-file is set without sign-command",
        ),
        (
            "token-file = \"x\"\nself-signed = true\n",
            "self-signed is set without key-file or key-command",
        ),
        ("client-id = \"x\"\n", "no client secret is set"),
        ("client-secret-file = \"x\"\n", "no client ID is set"),
    ] {
        let world = World::new();
        profile(&world, lines);
        for words in [&["token"][..], &["kubectl"]] {
            let said = refused(&world, words, 2);
            assert!(said.contains(why), "{lines}: {said}");
        }
        let checked = world.zitadel(["config", "check"]).run();
        assert_eq!(checked.status.code(), Some(2), "{lines}");
        let text = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(text.contains(why), "{lines}: {text}");
    }
}

#[test]
fn doctor_names_the_signer_and_if_it_is_checked() {
    let world = world(OPENSSL, PUBLIC);
    let text = printed(&world, &["doctor"]);
    assert!(text.contains("sign-command sh: signs for key"), "{text}");
    assert!(text.contains("RSA 2048 bits"), "{text}");
    profile(&world, &lines(&world, OPENSSL, ""));
    let text = printed(&world, &["doctor"]);
    assert!(text.contains("unchecked"), "{text}");
}
