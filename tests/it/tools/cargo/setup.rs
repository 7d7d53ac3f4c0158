//! `setup cargo`: cargo's file, byte for byte.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::setup::{BACKUP, CONFIG, Fixture, PROFILE};
use crate::support::tree::Node;

const CARGOS: &str = ".cargo/config.toml";
const INDEX: &str = "index = \"sparse+https://cargo.acme.dev/index/\"\n";
const PROVIDER: &str = "credential-provider = [\"cargo-credential-zitadel\"]\n";
const NEW: &str = "cargo n.dev --registry new --index sparse+https://n.dev/i/";

/// Returns a user's own file: in another order, with comments and a token.
fn theirs() -> String {
    format!(
        "# mine\n[net]\nretry = 0 # few\n\n[registries.acme] # ours\n{INDEX}\
         \n[registries.other]\nindex = 'sparse+https://other.dev/'\ntoken = \"hunter2\"\n"
    )
}

fn fixture(cargos: &str) -> Fixture {
    let fixture = Fixture::with_config(PROFILE);
    fixture.home.write(CARGOS, cargos);
    fixture.home.link("cargo-credential-zitadel");
    fixture
}

#[test]
fn a_known_registry_gets_our_provider_by_the_host_of_its_index() {
    let fixture = fixture(&theirs());
    let said = fixture.done("cargo cargo.acme.dev");
    assert_eq!(
        said,
        format!(
            "changed ~/{CONFIG}\nchanged ~/{CARGOS}\n\
             cargo-credential-zitadel answers for cargo.acme.dev\n\
             next: cargo add --registry acme CRATE\n"
        )
    );
    let expected = theirs().replace(INDEX, &format!("{INDEX}{PROVIDER}"));
    assert_eq!(fixture.home.read(CARGOS), expected);
    let config = fixture.home.read(CONFIG);
    assert!(
        config.ends_with("\n[hosts.\"cargo.acme.dev\"]\nprofile = \"prod\"\n"),
        "{config}"
    );
}

#[test]
fn a_registry_that_is_new_to_cargo_is_added_with_its_index() {
    let fixture = fixture(&theirs());
    fixture.done(NEW);
    let added = format!("\n[registries.new]\nindex = \"sparse+https://n.dev/i/\"\n{PROVIDER}");
    assert_eq!(fixture.home.read(CARGOS), theirs() + &added);
    let none = Fixture::with_config(PROFILE);
    none.done(NEW);
    assert_eq!(none.home.read(CARGOS), added[1..]);
    none.done("cargo n.dev --undo");
    assert!(!none.exists(CARGOS));
}

#[test]
fn undo_brings_the_file_back_to_the_byte() {
    for cargos in [theirs(), String::new()] {
        let fixture = fixture(&cargos);
        let before = fixture.files();
        fixture.done(NEW);
        let hosts = if cargos.is_empty() {
            "n.dev"
        } else {
            fixture.done("cargo cargo.acme.dev *.acme.dev");
            "cargo.acme.dev n.dev"
        };
        let once = fixture.files();
        assert_eq!(
            once[&format!("{CARGOS}{BACKUP}")],
            Node::File(0o600, cargos.clone())
        );
        fixture.done(NEW);
        fixture.done(&format!("cargo {hosts}"));
        assert_eq!(fixture.files(), once);
        fixture.done(&format!("cargo {hosts} --undo"));
        if !cargos.is_empty() {
            // The wildcard's setup still needs it.
            assert!(fixture.home.read(CARGOS).contains(PROVIDER.trim_end()));
            fixture.done("cargo *.acme.dev --undo");
        }
        assert_eq!(fixture.files(), before, "{cargos}");
    }
}

#[test]
fn a_file_whose_lines_end_in_crlf_keeps_them() {
    let fixture = fixture(&theirs().replace('\n', "\r\n"));
    let before = fixture.files();
    fixture.done("cargo cargo.acme.dev");
    fixture.done(NEW);
    let text = fixture.home.read(CARGOS);
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert!(text.contains("[registries.new]\r\n"), "{text:?}");
    let once = fixture.files();
    fixture.done("cargo cargo.acme.dev");
    assert_eq!(fixture.files(), once);
    fixture.done("cargo cargo.acme.dev n.dev --undo");
    assert_eq!(fixture.files(), before);
}

#[test]
fn a_file_whose_layout_would_change_is_refused_with_the_lines_to_paste() {
    for cargos in [
        theirs().replacen('\n', "\r\n", 1),
        theirs().replace("[registries.acme]", "[ registries . acme ]"),
    ] {
        let fixture = fixture(&cargos);
        let said = fixture.refused(2, "cargo cargo.acme.dev");
        let lines = "by hand:\n    credential-provider = [\"cargo-credential-zitadel\"]\n";
        assert!(said.ends_with(lines), "{said}");
        let said = fixture.refused(2, NEW);
        let lines = "by hand:\n    [registries.new]\n    index = \"sparse+https://n.dev/i/\"\n";
        assert!(said.contains(lines), "{said}");
    }
}

#[test]
fn a_new_registry_stays_as_long_as_a_setup_needs_it() {
    let fixture = fixture(&theirs());
    let before = fixture.files();
    fixture.done("cargo c.n.dev --registry new --index sparse+https://c.n.dev/i/");
    fixture.done("cargo *.n.dev");
    fixture.done("cargo c.n.dev --undo");
    assert!(fixture.home.read(CARGOS).contains("[registries.new]\n"));
    fixture.done("cargo *.n.dev --undo");
    assert_eq!(fixture.files(), before);
}

#[test]
fn undo_removes_only_our_part_of_a_file_changed_since() {
    let fixture = fixture(&theirs());
    fixture.done(NEW);
    fixture.done("cargo cargo.acme.dev");
    let other = |text: &str| text.replace("retry = 0", "retry = 9");
    fixture
        .home
        .write(CARGOS, other(&fixture.home.read(CARGOS)));
    fixture.done("cargo n.dev cargo.acme.dev --undo");
    assert_eq!(fixture.home.read(CARGOS), other(&theirs()));

    let (fixture, more) = (self::fixture(""), "token = \"x\"\n");
    fixture.done(NEW);
    let changed = fixture.home.read(CARGOS) + more;
    fixture.home.write(CARGOS, &changed);
    let said = fixture.done("cargo n.dev --undo");
    assert!(
        said.contains("registries.new was changed since the setup, so it stays"),
        "{said}"
    );
    assert_eq!(fixture.home.read(CARGOS), changed);
}

#[test]
fn a_provider_of_the_users_own_stays() {
    let own = theirs().replace(INDEX, &format!("{INDEX}{PROVIDER}"));
    let fixture = fixture(&own);
    fixture.done("cargo cargo.acme.dev");
    assert_eq!(fixture.home.read(CARGOS), own);
    fixture.done("cargo cargo.acme.dev --undo");
    assert_eq!(fixture.home.read(CARGOS), own);
}

#[test]
fn another_config_file_is_named_to_the_provider() {
    let fixture = fixture(&theirs());
    let config = fixture.path().join("other.toml");
    fs::write(&config, fixture.home.read(CONFIG)).unwrap();
    fixture.done("cargo cargo.acme.dev --config other.toml");
    let line = format!("\"--config\", \"{}\"]\n", config.display());
    assert!(fixture.home.read(CARGOS).contains(&line));
}

#[test]
fn a_dry_run_shows_the_change_and_no_secret() {
    let fixture = fixture(&theirs());
    let before = fixture.files();
    for (words, line) in [
        ("cargo cargo.acme.dev --dry-run", PROVIDER),
        (&format!("{NEW} --dry-run"), "[registries.new]\n"),
        (
            &format!("{NEW} --dry-run"),
            "index = \"sparse+https://n.dev/i/\"\n",
        ),
    ] {
        let said = fixture.done(words);
        assert!(said.contains(&format!("+{line}")), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert_eq!(fixture.files(), before);
    }
}

#[test]
fn links_modes_and_cargos_older_name_are_kept() {
    let fixture = fixture("");
    fs::remove_file(fixture.path().join(CARGOS)).unwrap();
    let real = fixture.home.write("dotfiles/cargo.toml", theirs());
    fs::set_permissions(&real, Permissions::from_mode(0o644)).unwrap();
    symlink(
        "../dotfiles/cargo.toml",
        fixture.path().join(".cargo/config"),
    )
    .unwrap();
    let before = fixture.files();
    fixture.done("cargo cargo.acme.dev");
    let after = fixture.files();
    assert_eq!(after[".cargo/config"], before[".cargo/config"]);
    assert!(!after.contains_key(CARGOS));
    assert!(
        matches!(&after["dotfiles/cargo.toml"], Node::File(0o644, text) if text.contains(PROVIDER))
    );
    fixture.done("cargo cargo.acme.dev --undo");
    assert_eq!(fixture.files(), before);
}

#[test]
fn an_unsupported_change_is_refused_and_changes_nothing() {
    for (cargos, words, reason) in [
        ("[registries", "cargo cargo.acme.dev", "invalid TOML"),
        (
            "[registries]\nacme = { index = \"sparse+https://cargo.acme.dev/\" }\n",
            "cargo cargo.acme.dev",
            "unsupported layout for this change",
        ),
        (
            "registries = {}\n",
            NEW,
            "registries is not written as [registries.NAME]",
        ),
        (
            "[registries.a]\nindex = \"sparse+http://cargo.acme.dev/\"\n",
            "cargo cargo.acme.dev",
            "no registry has its index at https://cargo.acme.dev",
        ),
        (
            "[registries.a]\nindex = \"sparse+https://cargo.acme.dev.evil.dev/\"\n",
            "cargo cargo.acme.dev *.acme.dev",
            "no registry has its index at https://cargo.acme.dev",
        ),
        (
            "[registries.a]\nindex = \"sparse+https://a.dev/\"\ncredential-provider = 'cargo:token'\n",
            "cargo a.dev",
            "registry a has another credential-provider",
        ),
        (
            "",
            "cargo a.dev --registry n --index sparse+https://b.dev/",
            "the index of registry n is not at https://a.dev",
        ),
    ] {
        let said = fixture(cargos).refused(2, words);
        assert!(
            said.contains(&format!(".cargo/config.toml: {reason}")),
            "{said}"
        );
    }
}

#[test]
fn an_invalid_provider_counts_as_the_users_own() {
    for own in ["[] # mine", "\"\"", "5"] {
        let text = format!("[registries.a]\n{INDEX}credential-provider = {own}\n");
        let said = fixture(&text).refused(2, "cargo cargo.acme.dev");
        let what = "registry a has another credential-provider";
        assert!(said.contains(what), "{own}: {said}");
    }
}

#[test]
fn a_registrys_name_is_escaped_and_quoted_for_the_shell() {
    for (name, shown) in [
        ("\\u001b[31mX\\u0007", "'\\u{1b}[31mX\\u{7}'"),
        ("a; rm -rf ~", "'a; rm -rf ~'"),
    ] {
        let fixture = fixture(&format!("[registries.\"{name}\"]\n{INDEX}{PROVIDER}"));
        let said = fixture.done("cargo cargo.acme.dev");
        let line = format!("next: cargo add --registry {shown} CRATE\n");
        assert!(said.ends_with(&line), "{said}");
    }
}

#[test]
fn a_provider_with_another_config_file_is_refused() {
    let fixture = fixture(&theirs());
    fixture.home.write("other.toml", fixture.home.read(CONFIG));
    fixture.done("cargo cargo.acme.dev");
    let what = "registry acme runs this program with another config file\n";
    let said = fixture.refused(2, "cargo *.acme.dev --config other.toml");
    assert!(said.contains(what), "{said}");
    fixture.done("cargo cargo.acme.dev --undo");
    fixture.done("cargo cargo.acme.dev --config other.toml");
    fixture.done("cargo *.acme.dev --config other.toml");
    let said = fixture.refused(2, "cargo *.acme.dev");
    assert!(said.contains(what), "{said}");
}
