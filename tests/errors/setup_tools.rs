//! `setup bazel`, `cargo`, `go` and `terraform`: what they refuse, and why.

use std::fs;
use std::os::unix::fs::symlink;

use snapbox::data::Inline;
use snapbox::str;

use crate::support::Case;

/// What the tool's file holds, the call, and what is said.
type Row<'a> = (&'a str, &'a str, Inline);

fn hold<const ROWS: usize>(file: &str, rows: [Row<'_>; ROWS]) {
    let case = Case::new();
    for (text, words, told) in rows {
        case.world.home.write(file, text);
        case.run(words.split(' ')).fails(2, told);
    }
}

#[test]
fn a_registry_of_cargos_that_is_not_as_it_must_be() {
    let known = "[registries.acme]\nindex = \"sparse+https://cargo.acme.dev/index/\"\n";
    let taken = format!("{known}credential-provider = \"cargo:token\"\n");
    let bare = "[registries.acme]\ntoken = \"x\"\n";
    let inline = "registries = { acme = { index = \"https://cargo.acme.dev\" } }\n";
    hold(
        ".cargo/config.toml",
        [
            (
                "[",
                "setup cargo cargo.acme.dev",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: it is no TOML
  hint: cargo cannot read it either: mend it by hand

"#]],
            ),
            (
                known,
                "setup cargo a.dev",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: no registry has its index at https://a.dev
  hint: --registry NAME --index URL adds one

"#]],
            ),
            (
                known,
                "setup cargo a.dev --registry other",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: there is no registry other
  hint: --index URL adds it

"#]],
            ),
            (
                known,
                "setup cargo a.dev --registry acme",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: the index of registry acme is not at https://a.dev
  hint: an index reads like sparse+https://HOST/index/

"#]],
            ),
            (
                known,
                "setup cargo a.dev --registry a.b",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: "a.b" is no registry's name
  hint: a name reads like acme

"#]],
            ),
            (
                known,
                "setup cargo cargo.acme.dev --registry acme --index https://cargo.acme.dev",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: registry acme has another index
  hint: leave --index out, or choose another name

"#]],
            ),
            (
                known,
                "setup cargo a.dev b.dev --registry acme",
                str![[r#"
zitadel-credential: error: --registry is at one host, and several are named
  hint: set them up one by one

"#]],
            ),
            (
                bare,
                "setup cargo a.dev --registry acme",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: registry acme has no index in this file
  hint: write its index into it first

"#]],
            ),
            (
                &taken,
                "setup cargo cargo.acme.dev",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: registry acme has another credential-provider
  hint: take that line out first

"#]],
            ),
            (
                inline,
                "setup cargo cargo.acme.dev",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: it has not the form for this change
  hint: make the change by hand

"#]],
            ),
        ],
    );
}

#[test]
fn a_configuration_of_terraforms_that_has_no_place_for_us() {
    hold(
        ".terraformrc",
        [
            (
                "a {",
                "setup terraform a.dev",
                str![[r#"
zitadel-credential: error: [HOME]/.terraformrc: its end is missing
  hint: make the change by hand: zitadel-credential terraform --help shows the block

"#]],
            ),
            (
                "{}",
                "setup terraform a.dev",
                str![[r#"
zitadel-credential: error: [HOME]/.terraformrc: it is JSON, or has a block without a name
  hint: make the change by hand: zitadel-credential terraform --help shows the block

"#]],
            ),
            (
                "credentials_helper \"x\" {}\n",
                "setup terraform a.dev",
                str![[r#"
zitadel-credential: error: [HOME]/.terraformrc: it has the credentials helper x already
  hint: Terraform takes one alone: take that block out first

"#]],
            ),
        ],
    );
}

#[test]
fn a_plugin_of_terraforms_that_is_anothers() {
    let case = Case::new();
    let plugin = case
        .world
        .home
        .write(".terraform.d/plugins/terraform-credentials-zitadel", "");
    let call = || case.run(["setup", "terraform", "a.dev"]);
    call().fails(
        2,
        str![[r#"
zitadel-credential: error: [HOME]/.terraform.d/plugins/terraform-credentials-zitadel: it is no link
  hint: move it away first

"#]],
    );
    fs::remove_file(&plugin).unwrap();
    symlink("/bin/sh", &plugin).unwrap();
    call().fails(2, str![[r#"
zitadel-credential: error: [HOME]/.terraform.d/plugins/terraform-credentials-zitadel: it leads to another program
  hint: move it away first

"#]]);
    fs::remove_file(&plugin).unwrap();
    let plugins = plugin.parent().unwrap();
    fs::remove_dir(plugins).unwrap();
    symlink("/proc", plugins).unwrap();
    call().fails(1, str![[r#"
zitadel-credential: error: [HOME]/.terraform.d/plugins/terraform-credentials-zitadel: the link was not changed: no such file or directory
  hint: see who may write in its directory

"#]]);
}

#[test]
fn settings_of_gos_that_are_no_file() {
    let case = Case::new();
    fs::create_dir_all(case.world.home.path().join(".config/go/env")).unwrap();
    case.run(["setup", "go", "a.dev"]).fails(
        2,
        str![[r#"
zitadel-credential: error: [HOME]/.config/go/env: is a directory
  hint: Go cannot read it either: mend it by hand

"#]],
    );
}
