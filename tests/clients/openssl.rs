//! openssl verifies what `assertion` signs.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};

use crate::program::{client, stderr_of_failure, stdout_of_success};
use crate::support::{World, exchange};

#[test]
fn openssl_verifies_an_assertion_and_refuses_another() {
    let Some(openssl) = client("openssl") else {
        return;
    };
    let world = World::new();
    let before = exchange::now();
    let output = world.zitadel(["assertion"]).run();
    let after = exchange::now();
    let assertion = String::from_utf8(output.stdout).unwrap();

    let (signed, signature) = assertion.trim_end().rsplit_once('.').unwrap();
    let signature = BASE64URL.decode(signature).unwrap();
    world.home.write("public.pem", world.user.public_pem());
    world.home.write("signature", signature);
    let verify = |signed: &str| {
        world.home.write("signed", signed);
        let mut command = world.home.command(&openssl);
        command.args(["dgst", "-sha256", "-verify", "public.pem"]);
        command.args(["-signature", "signature", "signed"]);
        command
    };
    assert_eq!(stdout_of_success(verify(signed)), "Verified OK\n");
    stderr_of_failure(verify(&format!("{signed}A")));

    let (header, claims) = signed.split_once('.').unwrap();
    let header = decode(header);
    assert_eq!(header["alg"], "RS256");
    assert_eq!(header["kid"], *world.user.key_id);
    let claims = decode(claims);
    assert_eq!(claims["iss"], *world.user.user_id);
    assert_eq!(claims["sub"], *world.user.user_id);
    assert!(
        [json!(world.issuer.url()), json!([world.issuer.url()])].contains(&claims["aud"]),
        "{claims}"
    );
    let run = before..=after;
    let instant = |name: &str| claims[name].as_i64().unwrap();
    assert!(run.contains(&(instant("iat") + 60)), "{claims}");
    assert!(run.contains(&(instant("exp") - 600)), "{claims}");
    assert_eq!(world.issuer.total_requests(), 0, "it needs no network");
}

fn decode(part: &str) -> Value {
    serde_json::from_slice(&BASE64URL.decode(part).unwrap()).unwrap()
}
