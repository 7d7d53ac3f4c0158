//! `setup cargo`: cargo's file, to the byte.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::setup::{BACKUP, CONFIG, Desk, PROFILE};
use crate::support::tree::Node;

const CARGOS: &str = ".cargo/config.toml";
const INDEX: &str = "index = \"sparse+https://cargo.acme.dev/index/\"\n";
const PROVIDER: &str = "credential-provider = [\"cargo-credential-zitadel\"]\n";
const NEW: &str = "cargo n.dev --registry new --index sparse+https://n.dev/i/";

/// As a person keeps it: in an order of their own, with remarks and a token.
fn theirs() -> String {
    format!(
        "# mine\n[net]\nretry = 0 # few\n\n[registries.acme] # ours\n{INDEX}\
         \n[registries.other]\nindex = 'sparse+https://other.dev/'\ntoken = \"hunter2\"\n"
    )
}

fn desk(cargos: &str) -> Desk {
    let desk = Desk::with_config(PROFILE);
    desk.home.write(CARGOS, cargos);
    desk.home.link("cargo-credential-zitadel");
    desk
}

#[test]
fn a_registry_that_cargo_knows_gets_our_provider_by_its_indexs_host() {
    let desk = desk(&theirs());
    let said = desk.done("cargo cargo.acme.dev");
    assert_eq!(
        said,
        format!("changed ~/{CONFIG}\nchanged ~/{CARGOS}\nnext: cargo add --registry acme CRATE\n")
    );
    let expected = theirs().replace(INDEX, &format!("{INDEX}{PROVIDER}"));
    assert_eq!(desk.home.read(CARGOS), expected);
    let config = desk.home.read(CONFIG);
    assert!(
        config.ends_with("\n[hosts.\"cargo.acme.dev\"]\nprofile = \"prod\"\n"),
        "{config}"
    );
}

#[test]
fn a_registry_that_is_new_to_cargo_is_added_with_its_index() {
    let desk = desk(&theirs());
    desk.done(NEW);
    let added = format!("\n[registries.new]\nindex = \"sparse+https://n.dev/i/\"\n{PROVIDER}");
    assert_eq!(desk.home.read(CARGOS), theirs() + &added);
    let none = Desk::with_config(PROFILE);
    none.done(NEW);
    assert_eq!(none.home.read(CARGOS), added[1..]);
    none.done("cargo n.dev --undo");
    assert!(!none.exists(CARGOS));
}

#[test]
fn undo_brings_the_file_back_to_the_byte() {
    for cargos in [theirs(), String::new()] {
        let desk = desk(&cargos);
        let before = desk.files();
        desk.done(NEW);
        let hosts = if cargos.is_empty() {
            "n.dev"
        } else {
            desk.done("cargo cargo.acme.dev *.acme.dev");
            "cargo.acme.dev n.dev"
        };
        let once = desk.files();
        assert_eq!(
            once[&format!("{CARGOS}{BACKUP}")],
            Node::File(0o600, cargos.clone())
        );
        desk.done(NEW);
        desk.done(&format!("cargo {hosts}"));
        assert_eq!(desk.files(), once);
        desk.done(&format!("cargo {hosts} --undo"));
        if !cargos.is_empty() {
            // The wildcard's setup needs it still.
            assert!(desk.home.read(CARGOS).contains(PROVIDER.trim_end()));
            desk.done("cargo *.acme.dev --undo");
        }
        assert_eq!(desk.files(), before, "{cargos}");
    }
}

#[test]
fn a_file_whose_layout_would_change_is_refused_with_the_lines_to_paste() {
    for cargos in [
        theirs().replace('\n', "\r\n"),
        theirs().replace("[registries.acme]", "[ registries . acme ]"),
    ] {
        let desk = desk(&cargos);
        let said = desk.refused(2, "cargo cargo.acme.dev");
        let lines = "by hand:\n    credential-provider = [\"cargo-credential-zitadel\"]\n";
        assert!(said.ends_with(lines), "{said}");
        let said = desk.refused(2, NEW);
        let lines = "by hand:\n    [registries.new]\n    index = \"sparse+https://n.dev/i/\"\n";
        assert!(said.contains(lines), "{said}");
    }
}

#[test]
fn a_new_registry_stays_as_long_as_a_setup_needs_it() {
    let desk = desk(&theirs());
    let before = desk.files();
    desk.done("cargo c.n.dev --registry new --index sparse+https://c.n.dev/i/");
    desk.done("cargo *.n.dev");
    desk.done("cargo c.n.dev --undo");
    assert!(desk.home.read(CARGOS).contains("[registries.new]\n"));
    desk.done("cargo *.n.dev --undo");
    assert_eq!(desk.files(), before);
}

#[test]
fn undo_takes_out_only_what_is_ours_where_others_wrote_since() {
    let desk = desk(&theirs());
    desk.done(NEW);
    desk.done("cargo cargo.acme.dev");
    let other = |text: &str| text.replace("retry = 0", "retry = 9");
    desk.home.write(CARGOS, other(&desk.home.read(CARGOS)));
    desk.done("cargo n.dev cargo.acme.dev --undo");
    assert_eq!(desk.home.read(CARGOS), other(&theirs()));

    let (desk, more) = (self::desk(""), "token = \"x\"\n");
    desk.done(NEW);
    let changed = desk.home.read(CARGOS) + more;
    desk.home.write(CARGOS, &changed);
    let said = desk.done("cargo n.dev --undo");
    assert!(
        said.contains("registries.new was changed since, and is kept"),
        "{said}"
    );
    assert_eq!(desk.home.read(CARGOS), changed);
}

#[test]
fn a_provider_of_a_persons_own_stays() {
    let own = theirs().replace(INDEX, &format!("{INDEX}{PROVIDER}"));
    let desk = desk(&own);
    desk.done("cargo cargo.acme.dev");
    assert_eq!(desk.home.read(CARGOS), own);
    desk.done("cargo cargo.acme.dev --undo");
    assert_eq!(desk.home.read(CARGOS), own);
}

#[test]
fn another_config_file_is_named_to_the_provider() {
    let desk = desk(&theirs());
    let config = desk.path().join("other.toml");
    fs::write(&config, desk.home.read(CONFIG)).unwrap();
    desk.done("cargo cargo.acme.dev --config other.toml");
    let line = format!("\"--config\", \"{}\"]\n", config.display());
    assert!(desk.home.read(CARGOS).contains(&line));
}

#[test]
fn a_dry_run_shows_the_change_and_no_secret() {
    let desk = desk(&theirs());
    let before = desk.files();
    for (words, line) in [
        ("cargo cargo.acme.dev --dry-run", PROVIDER),
        (&format!("{NEW} --dry-run"), "[registries.new]\n"),
        (
            &format!("{NEW} --dry-run"),
            "index = \"sparse+https://n.dev/i/\"\n",
        ),
    ] {
        let said = desk.done(words);
        assert!(said.contains(&format!("+{line}")), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        assert_eq!(desk.files(), before);
    }
}

#[test]
fn links_modes_and_cargos_older_name_are_kept() {
    let desk = desk("");
    fs::remove_file(desk.path().join(CARGOS)).unwrap();
    let real = desk.home.write("dotfiles/cargo.toml", theirs());
    fs::set_permissions(&real, Permissions::from_mode(0o644)).unwrap();
    symlink("../dotfiles/cargo.toml", desk.path().join(".cargo/config")).unwrap();
    let before = desk.files();
    desk.done("cargo cargo.acme.dev");
    let after = desk.files();
    assert_eq!(after[".cargo/config"], before[".cargo/config"]);
    assert!(!after.contains_key(CARGOS));
    assert!(
        matches!(&after["dotfiles/cargo.toml"], Node::File(0o644, text) if text.contains(PROVIDER))
    );
    desk.done("cargo cargo.acme.dev --undo");
    assert_eq!(desk.files(), before);
}

#[test]
fn what_cannot_be_done_plainly_is_refused_and_left_alone() {
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
        let said = desk(cargos).refused(2, words);
        assert!(
            said.contains(&format!(".cargo/config.toml: {reason}")),
            "{said}"
        );
    }
}

#[test]
fn a_provider_that_is_none_is_a_persons_own_as_well() {
    for own in ["[] # mine", "\"\"", "5"] {
        let text = format!("[registries.a]\n{INDEX}credential-provider = {own}\n");
        let said = desk(&text).refused(2, "cargo cargo.acme.dev");
        let what = "registry a has another credential-provider";
        assert!(said.contains(what), "{own}: {said}");
    }
}

#[test]
fn a_registrys_name_steers_no_terminal_and_is_one_word_of_a_shells() {
    for (name, shown) in [
        ("\\u001b[31mX\\u0007", "'\\u{1b}[31mX\\u{7}'"),
        ("a; rm -rf ~", "'a; rm -rf ~'"),
    ] {
        let desk = desk(&format!("[registries.\"{name}\"]\n{INDEX}{PROVIDER}"));
        let said = desk.done("cargo cargo.acme.dev");
        let line = format!("next: cargo add --registry {shown} CRATE\n");
        assert!(said.ends_with(&line), "{said}");
    }
}

#[test]
fn a_provider_that_goes_by_another_config_file_is_refused() {
    let desk = desk(&theirs());
    desk.home.write("other.toml", desk.home.read(CONFIG));
    desk.done("cargo cargo.acme.dev");
    let what = "registry acme runs this program with another config file\n";
    let said = desk.refused(2, "cargo *.acme.dev --config other.toml");
    assert!(said.contains(what), "{said}");
    desk.done("cargo cargo.acme.dev --undo");
    desk.done("cargo cargo.acme.dev --config other.toml");
    desk.done("cargo *.acme.dev --config other.toml");
    let said = desk.refused(2, "cargo *.acme.dev");
    assert!(said.contains(what), "{said}");
}
