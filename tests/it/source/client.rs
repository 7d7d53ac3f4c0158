//! Client secrets: the client credentials grant.

use super::{login, printed, profile, refused};
use crate::support::{Version, World};

/// A world with a client secret in a file.
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
fn what_is_no_secret_is_told_without_a_byte_of_it() {
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

/// What it is told to do instead is what works.
#[test]
fn a_secret_is_no_key_to_rotate() {
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
