//! `setup bazel`: host rules, and lines for a person to keep.

use crate::setup::{CONFIG, Desk, PROFILE};

fn desk() -> Desk {
    let desk = Desk::with_config(PROFILE);
    for name in ["zitadel-credential", "bazel-credential-zitadel"] {
        desk.home.link(name);
    }
    desk
}

#[test]
fn bazel_gets_a_line_for_each_host_whatever_its_ports() {
    let desk = desk();
    let before = desk.files();
    let words = "bazel *.acme.dev b.dev:8443 b.dev";
    let line = "next, in .bazelrc:\n\
                common --credential_helper=*.acme.dev=bazel-credential-zitadel\n\
                common --credential_helper=b.dev=bazel-credential-zitadel\n";
    assert_eq!(desk.done(words), format!("changed ~/{CONFIG}\n{line}"));
    let rules = "\n[hosts.\"*.acme.dev\"]\nprofile = \"prod\"\n\
                 \n[hosts.\"b.dev:8443\"]\nprofile = \"prod\"\n\
                 \n[hosts.\"b.dev\"]\nprofile = \"prod\"\n";
    assert!(desk.home.read(CONFIG).ends_with(rules));
    let once = desk.files();
    assert_eq!(desk.done(words), format!("nothing to change\n{line}"));
    assert_eq!(desk.files(), once);
    let said = desk.done("bazel b.dev --undo");
    assert!(said.ends_with("takes out hosts.b.dev\n"), "{said}");
    let said = desk.done("bazel *.acme.dev b.dev:8443 --undo");
    assert!(said.ends_with("in .bazelrc stays\n"), "{said}");
    assert_eq!(desk.files(), before);
}

#[test]
fn bazel_is_told_what_it_would_not_find() {
    let desk = Desk::with_config(PROFILE);
    std::fs::copy(desk.path().join(CONFIG), desk.path().join("c.toml")).unwrap();
    let said = desk.done("bazel b.dev --config c.toml");
    for warning in [
        "warning: Bazel does not find bazel-credential-zitadel on PATH: ln -s ",
        "warning: Bazel passes no --config: set ZITADEL_CREDENTIAL_CONFIG=~/c.toml where it runs",
    ] {
        assert!(said.contains(warning), "{said}");
    }
}
