//! Client secrets: the client credentials grant.

use super::{login, printed, profile, refused};
use crate::support::{Running, Version, World, binary};

/// Returns a world with a client secret in a file.
fn world(more: &str) -> World {
    let world = World::new();
    world.issuer.set_name(&world.user.user_id, "ci");
    let secret = world.issuer.new_client_secret(&world.user.user_id);
    world.home.write("secret", format!("{secret}\n"));
    profile(&world, &format!("client-id = \"ci\"\n{more}"));
    world
}

const FILE: &str = "client-secret-file = \"~/secret\"\n";

#[test]
fn a_secret_gets_a_token_from_each_place() {
    for (more, variable) in [
        (FILE, false),
        ("client-secret-command = [\"cat\", \"secret\"]\n", false),
        ("", true),
    ] {
        let world = world(more);
        let mut call = world.zitadel(["token"]);
        if variable {
            call.env(
                "ZITADEL_CREDENTIAL_CLIENT_SECRET",
                world.home.read("secret"),
            );
        }
        let output = call.run();
        let token = String::from_utf8(output.stdout).unwrap();
        assert!(world.issuer.accepts(token.trim()), "{more}");
        assert_eq!(world.issuer.token_requests(), 1);
    }
    let world = world(FILE);
    let token = printed(&world, &["token"]);
    assert_eq!(printed(&world, &["token"]), token);
    assert_eq!(login(&world), ("ci".to_owned(), token.trim().to_owned()));
    assert_eq!(world.issuer.token_requests(), 1);
    let url = world.issuer.url();
    let words = [
        "token",
        "--config",
        "/dev/null",
        "--issuer",
        &url,
        "--client-id",
        "ci",
        "--client-secret-file",
        "secret",
    ];
    assert_eq!(printed(&world, &words), token);
}

#[test]
fn a_new_secret_never_meets_an_old_token() {
    let world = world(FILE);
    let old = printed(&world, &["token"]);
    let secret = world.issuer.new_client_secret(&world.user.user_id);
    world.home.write("secret", &secret);
    assert_ne!(printed(&world, &["token"]), old);
    assert_eq!(world.issuer.token_requests(), 2);
}

#[test]
fn each_refusal_says_what_to_look_at() {
    for version in Version::RECORDED {
        let world = world(FILE);
        world.issuer.set_version(version);
        world.home.write("secret", "wrong-secret-of-somebody");
        let said = refused(&world, &["token"], 1);
        assert!(
            said.contains("the issuer refused the client secret: invalid_request"),
            "{said}"
        );
        assert!(said.contains("a new one replaces it at once"), "{said}");
        assert!(!said.contains("wrong-secret"), "{said}");
        world.issuer.set_name(&world.user.user_id, "other");
        let said = refused(&world, &["token"], 1);
        assert!(
            said.contains("client not found") && said.contains("the name (not the ID)"),
            "{said}"
        );
    }
}

#[test]
fn an_invalid_secret_is_reported_without_its_content() {
    let key = World::new().user.key_json();
    for (text, why) in [
        ("", "empty"),
        ("TOP\nSECRET", "one line of ASCII"),
        (&*key, "a key or a JSON document"),
    ] {
        let world = world(FILE);
        world.home.write("secret", text);
        let said = refused(&world, &["token"], 1);
        assert!(said.contains(why) && !said.contains("SECRET"), "{said}");
        assert_eq!(world.issuer.total_requests(), 0);
    }
}

#[test]
fn doctor_checks_it_and_never_shows_it() {
    let world = world(FILE);
    let text = printed(&world, &["doctor"]);
    assert!(text.contains("secret of client ci"), "{text}");
    assert!(!text.contains(world.home.read("secret").trim()), "{text}");
    let text = printed(&world, &["config", "show"]);
    assert!(
        text.contains("client-secret-file") && text.contains("client-id"),
        "{text}"
    );
}

/// A pipe is empty at the second read, and a command may prompt each time.
#[test]
fn doctor_reads_a_secret_once() {
    let world =
        world("client-secret-command = [\"sh\", \"-c\", \"echo run >> runs; cat secret\"]\n");
    printed(&world, &["doctor"]);
    assert_eq!(world.home.read("runs"), "run\n");
    let script = "exec $0 doctor --config /dev/null --issuer $1 --client-id ci \
                  --client-secret-file <(cat secret)";
    let mut shell = world.home.command("bash");
    shell.args(["-c", script]).arg(binary());
    shell.arg(world.issuer.url());
    let output = Running::start(shell).output();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("secret of client ci"), "{text}");
}

/// The alternative in the hint works.
#[test]
fn rotating_a_client_secret_is_refused() {
    let world = world(FILE);
    for words in [
        &["key", "rotate"][..],
        &["key", "rotate", "--output", "new.json"],
    ] {
        let said = refused(&world, words, 2);
        assert!(said.contains("there is no key to rotate"), "{said}");
        assert!(said.contains("key add --output FILE"), "{said}");
    }
    printed(&world, &["key", "add", "--output", "new.json"]);
    printed(&world, &["token", "--key-file", "new.json", "--no-cache"]);
}
