//! Programs that sign with a key that never leaves its place, as in `docs/keys.md`:
//! `pkcs11-tool` with `SoftHSM2`, tpm2-tools with swtpm, and openssl.

use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use rsa::pkcs8::DecodePublicKey;

use crate::support::ports::free_ports;
use crate::support::program::client;
use crate::support::{Home, Running, ServiceUser, World};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// Runs a script in the home, and waits for its end.
fn script(home: &Home, variables: &[(&str, &str)], script: &str) {
    let mut shell = home.command("sh");
    shell.args(["-ec", script]).envs(variables.iter().copied());
    let output = Running::start(shell).output();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {stderr}");
}

/// Returns a user that is known only by the public key in `signer.pub`, and a profile
/// whose assertions this command signs.
fn world(prepare: impl FnOnce(&Home), sign: &str) -> World {
    let world = World::new();
    prepare(&world.home);
    let public = rsa::PublicKey::from_public_key_pem(&world.home.read("signer.pub")).unwrap();
    let user = world.issuer.new_user_of(public);
    world.home.write_config(&format!(
        "[profiles.hardware]\nissuer = \"{}\"\nsign-command = [\"sh\", \"-c\", '''{sign}''']\n\
         public-key-file = \"~/signer.pub\"\nkey-id = \"{}\"\nuser-id = \"{}\"\n\
         [hosts.\"git.acme.dev\"]\n",
        world.issuer.url(),
        user.key_id,
        user.user_id
    ));
    fs::remove_file(&world.key_file).unwrap();
    world
}

/// Asserts that a token comes, also from the cache, and that another signer's is refused
/// before any request.
fn holds(world: &World, variables: &[(&str, &str)]) {
    let call = |words: &[&str]| {
        let mut call = world.zitadel(words);
        call.envs(variables.iter().copied()).run()
    };
    let first = call(&["token"]);
    let stderr = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(first.status.success(), "{stderr}");
    assert_eq!(stderr, "");
    let token = String::from_utf8(first.stdout).unwrap();
    assert!(world.issuer.accepts(token.trim()));
    assert_eq!(call(&["token"]).stdout, token.as_bytes());
    assert_eq!(world.issuer.token_requests(), 1);
    let doctor = call(&["doctor"]);
    let text = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        text.contains("RSA 2048 bits") && doctor.status.success(),
        "{text}"
    );
    let other = ServiceUser::with_bits(2048);
    world.home.write("signer.pub", other.public_pem());
    let asked = world.issuer.total_requests();
    let refused = call(&["token", "--refresh"]);
    assert_eq!(refused.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        stderr.contains("the signature is not by the key of"),
        "{stderr}"
    );
    assert_eq!(world.issuer.total_requests(), asked);
}

#[test]
fn a_pkcs11_token_signs() {
    let (Some(_), Some(_)) = (client("pkcs11-tool"), client("softhsm2-util")) else {
        return;
    };
    let tool = format!("pkcs11-tool --module {MODULE} --token-label ci");
    let prepare = |home: &Home| {
        let tokens = home.path().join("tokens");
        fs::create_dir(&tokens).unwrap();
        let config = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\n",
            tokens.display()
        );
        home.write("softhsm.conf", config);
        home.write("pin", "1234");
        let make = format!(
            "softhsm2-util --init-token --free --label ci --pin 1234 --so-pin 5678
             {tool} --login --pin 1234 --keypairgen --key-type rsa:2048 --id 01 --label zitadel
             {tool} --read-object --type pubkey --id 01 --output-file pub.der
             openssl rsa -pubin -inform DER -in pub.der -out signer.pub"
        );
        script(home, &[("SOFTHSM2_CONF", "softhsm.conf")], &make);
    };
    let sign = format!(
        "{tool} --login --pin \"$(cat ~/pin)\" --sign --mechanism SHA256-RSA-PKCS --id 01 \
         --input-file /dev/stdin --output-file /dev/stdout"
    );
    let world = world(prepare, &sign);
    holds(&world, &[("SOFTHSM2_CONF", "softhsm.conf")]);
    // Without its PIN the program prints the reason, and exits with an error.
    world.home.write("pin", "9999");
    let mut call = world.zitadel(["token", "--no-cache"]);
    let output = call.env("SOFTHSM2_CONF", "softhsm.conf").run();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("sign-command sh: failed with exit status"),
        "{stderr}"
    );
    assert!(!stderr.contains("9999"), "{stderr}");
}

#[test]
fn a_tpm_signs() {
    let (Some(swtpm), Some(_)) = (client("swtpm"), client("tpm2_sign")) else {
        return;
    };
    let home = Home::new();
    let (tpm, tcti) = start_tpm(&home, &swtpm);
    let variables = [("TPM2TOOLS_TCTI", tcti.as_str())];
    let prepare = |home: &Home| {
        // A real TPM's resource manager does this automatically.
        let make = "tpm2_createprimary -Q -C o -g sha256 -G rsa -c primary.ctx
            tpm2_create -Q -C primary.ctx -G rsa2048:rsassa-sha256:null -u key.pub -r key.priv \
              -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
            tpm2_flushcontext -t
            tpm2_load -Q -C primary.ctx -u key.pub -r key.priv -c key.ctx
            tpm2_flushcontext -t
            tpm2_evictcontrol -Q -C o -c key.ctx 0x81010001
            tpm2_flushcontext -t
            tpm2_readpublic -Q -c 0x81010001 -f pem -o signer.pub";
        script(home, &variables, make);
    };
    let sign = "tpm2_sign -c 0x81010001 -g sha256 -s rsassa -f plain -o /dev/stdout";
    holds(&world(prepare, sign), &variables);
    drop(tpm);
}

/// Starts a TPM on loopback. Returns it with its address for tpm2-tools: its two ports
/// are adjacent.
fn start_tpm(home: &Home, swtpm: &Path) -> (Running, String) {
    fs::create_dir(home.path().join("state")).unwrap();
    let mut tries = 0..20;
    loop {
        assert!(tries.next().is_some(), "no TPM on loopback");
        let [port, next] = free_ports();
        if next != port + 1 {
            continue;
        }
        let at = |port: u16| format!("type=tcp,port={port},bindaddr=127.0.0.1");
        let mut command = home.command(swtpm);
        command
            .args(["socket", "--tpm2", "--tpmstate", "dir=state"])
            .args(["--server", &at(port), "--ctrl", &at(next)])
            .args(["--flags", "not-need-init,startup-clear"]);
        let running = Running::start(command);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, next)).is_ok() {
                return (running, format!("swtpm:host=127.0.0.1,port={port}"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn openssl_signs_a_text_and_a_digest() {
    if client("openssl").is_none() {
        return;
    }
    for sign in [
        "openssl dgst -sha256 -sign signer.pem",
        "openssl dgst -sha256 -binary | openssl pkeyutl -sign -inkey signer.pem \
         -pkeyopt rsa_padding_mode:pkcs1 -pkeyopt digest:sha256",
    ] {
        let prepare = |home: &Home| {
            let make = "openssl genrsa -out signer.pem 2048
                openssl rsa -in signer.pem -pubout -out signer.pub";
            script(home, &[], make);
        };
        holds(&world(prepare, sign), &[]);
    }
}
