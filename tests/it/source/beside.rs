//! Flags and variables beside a source that does not use them, or in place of one.

use super::{printed, refused};
use crate::support::World;

/// Returns a world with a profile for each source, the first one with a key.
fn world() -> World {
    let world = World::new();
    let issuer = format!("issuer = \"{}\"", world.issuer.url());
    world.home.write("token", "s3cret");
    world.home.write("secret", "s3cret");
    world.home.write("key.pem", world.user.pkcs8_pem());
    let ids = format!(
        "key-id = \"{}\"\nuser-id = \"{}\"",
        world.user.key_id, world.user.user_id
    );
    world.home.write_config(&format!(
        "default-profile = \"key\"\n\
         [profiles.key]\n{issuer}\nkey-file = \"~/key.json\"\n\
         [profiles.signer]\n{issuer}\nsign-command = [\"absent\"]\n{ids}\n\
         [profiles.client]\n{issuer}\nclient-id = \"ci\"\nclient-secret-file = \"~/secret\"\n\
         [profiles.token]\ntoken-file = \"~/token\"\n\
         [profiles.command]\ntoken-command = [\"cat\", \"token\"]\n\
         [profiles.self]\nissuer = \"https://a.dev\"\nself-signed = true\nkey-file = \"~/key.pem\"\n\
         user-id = \"system\"\n"
    ));
    world
}

#[test]
fn a_flag_that_would_change_nothing_is_an_error_that_names_both() {
    let world = world();
    for (profile, flag, source) in [
        ("key", "--client-id x", "key-file of profile key"),
        ("signer", "--client-id x", "sign-command of profile signer"),
        ("self", "--client-id x", "key-file of profile self"),
        ("self", "--scope openid", "key-file of profile self"),
        (
            "client",
            "--key-id 1",
            "client-secret-file of profile client",
        ),
        (
            "client",
            "--user-id 1",
            "client-secret-file of profile client",
        ),
        ("token", "--key-id 1", "token-file of profile token"),
        ("token", "--user-id 1", "token-file of profile token"),
        ("token", "--client-id x", "token-file of profile token"),
        ("token", "--project 7", "token-file of profile token"),
        ("token", "--roles", "token-file of profile token"),
        (
            "command",
            "--zitadel-api",
            "token-command of profile command",
        ),
    ] {
        for command in [
            "token",
            "exec true",
            "whoami",
            "assertion",
            "agent --once --write t",
        ] {
            // Another program's token is not an assertion.
            if command == "assertion" && ["token", "command"].contains(&profile) {
                continue;
            }
            let words = format!("{flag} --profile {profile} {command}");
            let words: Vec<_> = words.split(' ').collect();
            let said = refused(&world, &words, 2);
            let name = flag.split(' ').next().unwrap();
            let both = format!("error: {name} has no effect with {source}\n");
            assert!(said.contains(&both), "{words:?}: {said}");
            assert!(said.contains(&format!("hint: remove {name}: ")), "{said}");
        }
    }
    assert_eq!(world.issuer.total_requests(), 0);
}

#[test]
fn the_flag_or_the_variable_of_the_source_is_named() {
    let world = world();
    let flags = ["token", "--token-file", "token", "--key-id", "1"];
    let said = refused(&world, &flags, 2);
    let both = "--key-id has no effect with --token-file\n";
    assert!(said.contains(both), "{said}");
    let mut call = world.zitadel(["token", "--client-id", "x"]);
    let output = call.env("ZITADEL_CREDENTIAL_KEY", "{}").run();
    let said = String::from_utf8(output.stderr).unwrap();
    let both = "--client-id has no effect with ZITADEL_CREDENTIAL_KEY\n";
    assert!(said.contains(both), "{said}");
}

/// A variable may be set for other calls.
#[test]
fn a_variable_of_an_id_is_ignored() {
    let world = world();
    let mut call = world.zitadel(["token", "--profile", "token"]);
    for name in ["KEY_ID", "USER_ID", "CLIENT_ID", "SCOPES", "PROJECTS"] {
        call.env(format!("ZITADEL_CREDENTIAL_{name}"), "7");
    }
    assert_eq!(call.run().stdout, b"s3cret\n");
}

#[test]
fn an_override_of_a_profiles_source_is_named() {
    let world = world();
    for (variable, flag) in [
        ("ZITADEL_CREDENTIAL_CLIENT_SECRET", None),
        ("ZITADEL_CREDENTIAL_CLIENT_SECRET_FILE", None),
        ("", Some("--client-secret-file")),
    ] {
        for command in ["token", "whoami", "key list", "key rotate"] {
            let mut call = world.zitadel(command.split(' '));
            let (by, how) = if let Some(flag) = flag {
                call.args([flag, "secret"]);
                (flag, "leave out")
            } else {
                call.env(variable, "secret");
                (variable, "unset")
            };
            let output = call.run();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{said}");
            let what = format!("error: no client ID is set beside {by}\n");
            let remedy = format!("hint: {how} {by} to use key-file of profile key\n");
            assert!(said.contains(&what) && said.contains(&remedy), "{said}");
        }
    }
    assert_eq!(world.issuer.total_requests(), 0);
    printed(&world, &["token"]);
}

/// The profile's own key needs an issuer too.
#[test]
fn no_source_is_suggested_that_fails_in_the_same_way() {
    let world = World::new();
    for (source, said) in [
        (
            "key-file = \"~/key.json\"",
            "error: [CONFIG]: profile prod: no issuer is set\n  hint: add issuer to the profile\n",
        ),
        (
            "token-file = \"~/token\"",
            "hint: leave out --key-file to use token-file of profile prod\n",
        ),
    ] {
        let toml = format!("[profiles.prod]\n{source}\n");
        let path = world.home.write_config(&toml).display().to_string();
        let refusal = refused(&world, &["token", "--key-file", "key.json"], 2);
        let refusal = refusal.replace(&path, "[CONFIG]");
        assert!(refusal.contains(said), "{refusal}");
    }
}

#[test]
fn a_profile_has_no_id_that_its_source_does_not_use() {
    let world = World::new();
    for source in [
        "token-file = \"t\"",
        "token-command = [\"t\"]",
        "client-secret-file = \"t\"",
    ] {
        for id in ["key-id", "user-id"] {
            world.home.write_config(&format!(
                "[profiles.p]\nissuer = \"https://a.dev\"\n{source}\n{id} = \"1\"\n"
            ));
            let said = refused(&world, &["token"], 2);
            let name = source.split(' ').next().unwrap();
            assert!(
                said.contains(&format!("{id} and {name} are both set")),
                "{said}"
            );
        }
    }
}

/// A setup would not keep it.
#[test]
fn the_setup_of_a_tool_takes_no_source() {
    let world = world();
    for flag in ["--token-file", "--client-id", "--client-secret-file"] {
        let said = refused(&world, &["setup", "docker", "r.dev", flag, "token"], 2);
        let what = format!("{flag} is an option of setup profile");
        assert!(said.contains(&what), "{said}");
    }
}
