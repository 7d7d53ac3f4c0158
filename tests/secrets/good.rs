//! Worlds in which all goes well.

use crate::commands::{EXEC_DUMP, ROWS, Shows};
use crate::hunt::Hunt;
use crate::support::issuer::TokenKind;

/// How many commands show a secret where all is well.
fn showing() -> usize {
    let rows = ROWS.iter();
    rows.filter(|row| row.shows != Shows::Nothing).count()
}

#[test]
fn with_a_key_file() {
    for kind in [TokenKind::Opaque, TokenKind::Jwt] {
        let mut hunt = Hunt::new();
        hunt.world.issuer.set_token_kind(kind);
        assert_eq!(hunt.run(), showing());
        let dump = hunt.world.home.read(EXEC_DUMP);
        assert!(dump.contains("ZITADEL_ACCESS_TOKEN="), "{dump}");
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
    assert_eq!(hunt.run(), showing());
    let dump = hunt.world.home.read("command.dump");
    assert!(dump.contains("HOME="), "{dump}");
}
