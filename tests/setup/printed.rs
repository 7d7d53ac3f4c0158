//! `setup bazel` and `setup go`: host rules, and a line for a person to keep.

use super::{CONFIG, Desk, PROFILE};

const GO_ENV: &str = ".config/go/env";

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

#[test]
fn go_gets_one_value_that_keeps_what_was_there() {
    let desk = desk();
    let before = desk.files();
    let next = "next: go env -w GOAUTH='zitadel-credential go; netrc'\n";
    assert_eq!(desk.done("go g.dev"), format!("changed ~/{CONFIG}\n{next}"));
    assert_eq!(desk.done("go g.dev"), format!("nothing to change\n{next}"));
    desk.home.write(GO_ENV, "GOAUTH=git /src; netrc\n");
    let said = desk.done("go g.dev");
    let next = "next: go env -w GOAUTH='zitadel-credential go; git /src; netrc'\n";
    assert!(said.ends_with(next), "{said}");
    desk.home
        .write(GO_ENV, "GOAUTH=zitadel-credential go; netrc\n");
    let names_us = format!("GOAUTH in ~/{GO_ENV} names this program already\n");
    assert!(desk.done("go g.dev").ends_with(&names_us));
    // Go ends where it reads this.
    desk.home
        .write(GO_ENV, "GOAUTH=zitadel-credential go; off\n");
    let next = "next: go env -w GOAUTH='zitadel-credential go'\n";
    let said = desk.done("go g.dev");
    assert!(said.ends_with(next), "{said}");
    desk.home
        .write(GO_ENV, "GOAUTH=zitadel-credential go; netrc\n");
    desk.done("go h.dev");
    let said = desk.done("go h.dev --undo");
    assert!(said.ends_with("takes out hosts.h.dev\n"), "{said}");
    desk.done("go g.dev --undo");
    std::fs::remove_dir_all(desk.path().join(".config/go")).unwrap();
    assert_eq!(desk.files(), before);
}

/// As the binary's move leaves it; it is where doctor sends a person.
#[test]
fn go_gets_another_value_in_place_of_one_that_does_not_run_us() {
    let desk = desk();
    for (was, value) in [
        (
            "/nowhere/zitadel-credential go; netrc",
            "zitadel-credential go; netrc",
        ),
        ("zitadel-credential", "zitadel-credential go"),
    ] {
        desk.home.write(GO_ENV, format!("GOAUTH={was}\n"));
        let next = format!("next: go env -w GOAUTH='{value}'\n");
        assert!(desk.done("go g.dev").ends_with(&next), "{was}");
    }
}

#[test]
fn go_is_told_how_its_value_comes_to_be_without_us() {
    let desk = desk();
    for (value, next) in [
        ("zitadel-credential go; netrc", "go env -u GOAUTH"),
        ("/opt/zitadel-credential go", "go env -u GOAUTH"),
        (
            "git /src;'/a b/zitadel-credential' go ; netrc",
            "go env -w GOAUTH='git /src; netrc'",
        ),
    ] {
        desk.done("go g.dev");
        desk.home.write(GO_ENV, format!("GOAUTH={value}\n"));
        let said = desk.done("go g.dev --undo");
        let told = format!("GOAUTH in ~/{GO_ENV} still names this program\nnext: {next}\n");
        assert!(said.ends_with(&told), "{said}");
    }
    for (value, next) in [
        ("zitadel-credential go", "unset GOAUTH"),
        ("zitadel-credential go; off", "export GOAUTH='off'"),
    ] {
        let mut undo = desk.home.zitadel(["setup", "go", "g.dev", "--undo"]);
        let output = undo.env("GOAUTH", value).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let told = format!("the variable GOAUTH still names this program\nnext: {next}\n");
        assert!(said.ends_with(&told), "{said}");
    }
}

#[test]
fn go_is_given_the_programs_path_and_config_where_it_would_find_neither() {
    let desk = Desk::with_config(PROFILE);
    let config = desk.home.write("a b/c.toml", desk.home.read(CONFIG));
    let mut setup = desk.home.zitadel(["setup", "go", "g.dev", "--config"]);
    let output = setup.arg(&config).env("GOAUTH", "off").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let next = format!(
        "next: export GOAUTH='{} go --config \"{}\"'\n",
        super::support::binary().display(),
        config.display()
    );
    assert!(said.ends_with(&next), "{said}");
}

#[test]
fn what_is_no_host_or_has_no_profile_is_refused() {
    for tool in ["bazel", "go", "terraform", "cargo"] {
        for (desk, words, reason) in [
            (desk(), "https://b.dev", "names no host"),
            (
                desk(),
                "b.dev --key-id 1",
                "--key-id is a profile's, not a tool's",
            ),
            (
                desk(),
                "b.dev --profile absent",
                "no profile is called \"absent\"",
            ),
            (
                Desk::new(),
                "b.dev",
                "there is no profile to get tokens with",
            ),
        ] {
            let said = desk.refused(2, &format!("{tool} {words}"));
            assert!(said.contains(reason), "{said}");
        }
    }
}
