//! `setup bazel`: host rules, and lines for the user to copy.

use crate::setup::{CONFIG, Fixture, PROFILE};

fn fixture() -> Fixture {
    let fixture = Fixture::with_config(PROFILE);
    for name in ["zitadel-credential", "bazel-credential-zitadel"] {
        fixture.home.link(name);
    }
    fixture
}

#[test]
fn bazel_gets_a_line_for_each_host_whatever_its_ports() {
    let fixture = fixture();
    let before = fixture.files();
    let words = "bazel *.acme.dev b.dev:8443 b.dev";
    let line = "next, in .bazelrc:\n\
                common --credential_helper=*.acme.dev=bazel-credential-zitadel\n\
                common --credential_helper=b.dev=bazel-credential-zitadel\n";
    let tried = "bazel-credential-zitadel get answers for b.dev:8443\n\
                 bazel-credential-zitadel get answers for b.dev\n";
    assert_eq!(
        fixture.done(words),
        format!("changed ~/{CONFIG}\n{tried}{line}")
    );
    let rules = "\n[hosts.\"*.acme.dev\"]\nprofile = \"prod\"\n\
                 \n[hosts.\"b.dev:8443\"]\nprofile = \"prod\"\n\
                 \n[hosts.\"b.dev\"]\nprofile = \"prod\"\n";
    assert!(fixture.home.read(CONFIG).ends_with(rules));
    let once = fixture.files();
    assert_eq!(
        fixture.done(words),
        format!("nothing to change\n{tried}{line}")
    );
    assert_eq!(fixture.files(), once);
    let said = fixture.done("bazel b.dev --undo");
    assert!(said.ends_with("removed hosts.b.dev\n"), "{said}");
    let said = fixture.done("bazel *.acme.dev b.dev:8443 --undo");
    assert!(
        said.ends_with("if you added bazel-credential-zitadel to .bazelrc, remove its entry\n"),
        "{said}"
    );
    assert_eq!(fixture.files(), before);
}

#[test]
fn setup_warns_of_settings_bazel_misses() {
    let fixture = Fixture::with_config(PROFILE);
    std::fs::copy(fixture.path().join(CONFIG), fixture.path().join("c.toml")).unwrap();
    let said = fixture.done("bazel b.dev --config c.toml");
    for warning in [
        "warning: Bazel does not find bazel-credential-zitadel on PATH: ln -s ",
        "warning: Bazel passes no --config: set ZITADEL_CREDENTIAL_CONFIG=~/c.toml where it runs",
    ] {
        assert!(said.contains(warning), "{said}");
    }
}
