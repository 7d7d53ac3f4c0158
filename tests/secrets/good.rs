//! Worlds without a failure.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::commands::{EXEC_DUMP, rows};
use crate::hunt::Hunt;
use crate::support::exchange::{access_token, token};
use crate::support::issuer::{TokenKind, Version};
use crate::support::machine::program;
use crate::support::tools::{Row, Shows};
use crate::support::{World, side_by_side};

/// Returns the number of commands that show a secret in a working world.
fn showing(kind: TokenKind) -> usize {
    let shows = |row: &&Row| match row.shows {
        Shows::Nothing => false,
        Shows::Jwt => kind == TokenKind::Jwt,
        Shows::Token | Shows::Assertion => true,
    };
    rows().filter(shows).count()
}

#[test]
fn with_a_log_in_json() {
    let mut hunt = Hunt::new();
    hunt.in_each_form = true;
    hunt.environment = vec![("ZITADEL_CREDENTIAL_LOG_FORMAT", "json".into())];
    assert_eq!(hunt.run(), showing(TokenKind::Opaque));
}

#[test]
fn with_a_key_file() {
    // Opaque tokens of 2026 have five parts, those of 2025 one.
    let kinds = [
        (TokenKind::Opaque, Version::V2025),
        (TokenKind::Opaque, Version::V2026),
        (TokenKind::Jwt, Version::V2026),
    ];
    side_by_side(kinds, |(kind, version)| {
        let mut hunt = Hunt::new();
        hunt.in_each_form = true;
        hunt.world.issuer.set_version(version);
        hunt.world.issuer.set_token_kind(kind);
        assert_eq!(hunt.run(), showing(kind));
        let dump = hunt.world.home.read(EXEC_DUMP);
        assert!(dump.contains("ZITADEL_ACCESS_TOKEN="), "{dump}");
        // The hunt's search found no token there.
        let dump = hunt.world.home.path().join("identity.dump");
        assert_eq!(dump.exists(), kind == TokenKind::Jwt);
    });
}

#[test]
fn with_a_key_command_that_looks_about() {
    let mut hunt = Hunt::new();
    hunt.in_each_form = true;
    hunt.world.home.append_config(&format!(
        "[profiles.command]\nissuer = \"{}\"\n\
         key-command = [\"sh\", \"-c\", \"./dump command.dump; cat key.json\"]\n",
        hunt.world.issuer.url()
    ));
    hunt.environment = vec![("ZITADEL_CREDENTIAL_PROFILE", "command".into())];
    assert_eq!(hunt.run(), showing(TokenKind::default()));
    let dump = hunt.world.home.read("command.dump");
    assert!(dump.contains("HOME="), "{dump}");
}

#[test]
fn with_tools_that_look_about() {
    let mut hunt = Hunt::new();
    hunt.in_each_form = true;
    let home = &hunt.world.home;
    let mut tools = Vec::new();
    for tool in ["git", "kubectl"] {
        let Some(program) = program(tool) else {
            continue;
        };
        // The script saves its input and its environment.
        let script = format!(
            "#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ >> \"$HOME/{tool}.dump\"\n\
             exec '{}' \"$@\"\n",
            program.display()
        );
        let spy = home.write(format!("bin/{tool}"), script);
        fs::set_permissions(spy, PermissionsExt::from_mode(0o700)).unwrap();
        tools.push(tool);
    }
    home.link("zitadel-credential");
    home.link("git-credential-zitadel");
    hunt.environment = vec![("PATH", home.path_with_bin())];
    assert_eq!(hunt.run(), showing(TokenKind::default()));
    for tool in tools {
        let dump = hunt.world.home.read(format!("{tool}.dump"));
        let asked = ["credential", "set-credentials"].iter();
        assert!(asked.clone().any(|word| dump.contains(word)), "{dump}");
        assert!(dump.contains("HOME="), "{dump}");
    }
}

/// Replaces the key's profile by one of these lines.
fn with_source(lines: impl FnOnce(&World) -> String) -> Hunt {
    let mut hunt = Hunt::new();
    hunt.in_each_form = true;
    let lines = lines(&hunt.world);
    hunt.world.home.write_config(&format!(
        "default-profile = \"test\"\n[profiles.test]\nissuer = \"{}\"\n{lines}\n\
         [hosts.\"git.acme.dev\"]\nprofile = \"test\"\n",
        hunt.world.issuer.url()
    ));
    hunt
}

#[test]
fn with_another_program_that_signs() {
    let mut hunt = with_source(|world| {
        world.home.write("signer.pem", world.user.pkcs8_pem());
        world.home.write("signer.pub", world.user.public_pem());
        format!(
            "sign-command = [\"sh\", \"-c\", \"./dump signer.dump; openssl dgst -sha256 -sign signer.pem\"]\n\
             public-key-file = \"~/signer.pub\"\nkey-id = \"{}\"\nuser-id = \"{}\"",
            world.user.key_id, world.user.user_id
        )
    });
    assert_eq!(hunt.run(), showing(TokenKind::default()));
    let dump = hunt.world.home.read("signer.dump");
    assert!(dump.contains("HOME="), "{dump}");
}

#[test]
fn with_a_client_secret() {
    let mut secret = String::new();
    let mut hunt = with_source(|world| {
        world.issuer.set_name(&world.user.user_id, "ci");
        secret = world.issuer.new_client_secret(&world.user.user_id);
        world.home.write("client-secret", &secret);
        "client-id = \"ci\"\nclient-secret-command = [\"sh\", \"-c\", \"./dump client.dump; cat client-secret\"]".to_owned()
    });
    hunt.hide(&secret);
    // No key is here for an assertion.
    assert_eq!(hunt.run(), showing(TokenKind::default()) - 1);
    let dump = hunt.world.home.read("client.dump");
    assert!(dump.contains("HOME="), "{dump}");
    hunt.environment = vec![(
        "ZITADEL_CREDENTIAL_CLIENT_SECRET",
        "wrong-secret-of-somebody-else-that-nobody-sees".into(),
    )];
    hunt.hide("wrong-secret-of-somebody-else-that-nobody-sees");
    assert_eq!(hunt.run_only("whoami"), 0);
}

#[test]
fn with_a_token_of_another() {
    let mut hunt = with_source(|world| {
        let token = access_token(&token(&world.issuer, &world.user));
        world.home.write("token", token);
        "token-file = \"~/token\"".to_owned()
    });
    assert!(hunt.run() > 5);
}
