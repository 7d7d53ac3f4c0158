//! Worlds in which all goes well.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::commands::{EXEC_DUMP, rows};
use crate::hunt::Hunt;
use crate::support::issuer::{TokenKind, Version};
use crate::support::machine::program;
use crate::support::tools::{Row, Shows};

/// How many commands show a secret where all is well.
fn showing(kind: TokenKind) -> usize {
    let shows = |row: &&Row| match row.shows {
        Shows::Nothing => false,
        Shows::Jwt => kind == TokenKind::Jwt,
        Shows::Token | Shows::Assertion => true,
    };
    rows().filter(shows).count()
}

#[test]
fn with_a_key_file() {
    // Opaque tokens of 2026 have five parts, those of 2025 one.
    for (kind, version) in [
        (TokenKind::Opaque, Version::V2025),
        (TokenKind::Opaque, Version::V2026),
        (TokenKind::Jwt, Version::V2026),
    ] {
        let mut hunt = Hunt::new();
        hunt.world.issuer.set_version(version);
        hunt.world.issuer.set_token_kind(kind);
        assert_eq!(hunt.run(), showing(kind));
        let dump = hunt.world.home.read(EXEC_DUMP);
        assert!(dump.contains("ZITADEL_ACCESS_TOKEN="), "{dump}");
        // Its search found no token there.
        let dump = hunt.world.home.path().join("identity.dump");
        assert_eq!(dump.exists(), kind == TokenKind::Jwt);
    }
}

#[test]
fn with_a_key_command_that_looks_about() {
    let mut hunt = Hunt::new();
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
    let home = &hunt.world.home;
    let mut tools = Vec::new();
    for tool in ["git", "kubectl"] {
        let Some(program) = program(tool) else {
            continue;
        };
        // What it is asked, and what it finds in its environment.
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
