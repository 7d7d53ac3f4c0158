//! `setup keyring`: host rules, and a link in a separate directory.

use std::fs;

use crate::setup::{CONFIG, Fixture, JOURNAL, PROFILE};
use crate::support::tree::Node;
use crate::support::{Run, binary};

const LINK: &str = ".local/lib/zitadel-keyring/keyring";

#[test]
fn pip_gets_its_link_and_its_login() {
    let fixture = Fixture::with_config(PROFILE);
    let before = fixture.home.read(CONFIG);
    let look = fixture.done("keyring pypi.acme.dev --username ci --dry-run");
    assert!(look.contains(&format!("+++ ~/{LINK}\n")), "{look}");
    assert!(!fixture.exists(LINK));
    let program = binary().display().to_string();
    let tried = "keyring get answers for pypi.acme.dev, with the username ci\n\
                 next, with pip 23 or later, and the same with uv pip install:\n\
                 PATH=~/.local/lib/zitadel-keyring:$PATH \\\n  \
                 pip install PACKAGE --keyring-provider subprocess \\\n  \
                 --index-url https://ci@pypi.acme.dev/simple/\n";
    assert_eq!(
        fixture.done("keyring pypi.acme.dev --username ci"),
        format!("changed ~/{CONFIG}\nlinked ~/{LINK} to {program}\n{tried}")
    );
    let once = fixture.files();
    assert_eq!(once[LINK], Node::Link(program));
    let again = fixture.done("keyring pypi.acme.dev --username ci");
    assert_eq!(again, format!("nothing to change\n{tried}"));
    assert_eq!(fixture.files(), once);
    // The printed line has this path.
    let mut keyring = fixture.home.command(fixture.path().join(LINK));
    keyring.args(["get", "https://pypi.acme.dev/simple/", "ci"]);
    assert!(keyring.run().status.success());
    fixture.done("keyring other.dev --no-try");
    fixture.done("keyring pypi.acme.dev --undo");
    assert!(fixture.exists(LINK), "another host needs it");
    fixture.done("keyring other.dev --undo");
    assert!(!fixture.exists(LINK) && !fixture.exists(JOURNAL));
    assert_eq!(fixture.home.read(CONFIG), before);
}

#[test]
fn another_keyring_program_is_unchanged() {
    let fixture = Fixture::with_config(PROFILE);
    fixture.home.write(LINK, "#!/bin/sh\n");
    let said = fixture.refused(2, "keyring pypi.acme.dev");
    assert!(said.contains("it is not a link"), "{said}");
    fs::remove_file(fixture.path().join(LINK)).unwrap();
    fixture.done("keyring pypi.acme.dev");
    fs::remove_file(fixture.path().join(LINK)).unwrap();
    fixture.home.write(LINK, "#!/bin/sh\n");
    let said = fixture.done("keyring pypi.acme.dev --undo");
    assert!(said.contains("kept the link"), "{said}");
    assert_eq!(fixture.home.read(LINK), "#!/bin/sh\n");
}

/// Only the journal records the setup: no file of pip's names this program.
#[test]
fn doctor_knows_the_tool_of_its_rule() {
    let fixture = Fixture::with_config(PROFILE);
    let rules = || {
        let output = fixture.home.zitadel(["doctor"]).run();
        let text = String::from_utf8(output.stdout).unwrap();
        text.contains("pypi.acme.dev: no tool is set up for this host rule")
    };
    fixture
        .home
        .append_config("[hosts.\"pypi.acme.dev\"]\nprofile = \"prod\"\n");
    assert!(rules());
    let config = fixture.home.read(CONFIG);
    let (without, _) = config.split_once("[hosts").unwrap();
    fixture.home.write_config(without);
    fixture.done("keyring pypi.acme.dev");
    assert!(!rules());
}
