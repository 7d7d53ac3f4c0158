//! Bazel, cargo, Go, Terraform, and pip's keyring.

use std::fs;
use std::os::unix::fs::symlink;

use snapbox::data::Inline;
use snapbox::str;

use crate::support::{Case, binary};
use crate::{case, examine};

const CARGOS: &str = ".cargo/config.toml";
const RC: &str = ".terraformrc";
const BLOCK: &str = "credentials_helper \"zitadel\" {\n  args = []\n}\n";
const PLUGIN: &str = ".terraform.d/plugins/terraform-credentials-zitadel";

/// A file, what it holds, and what is then found under the check's name.
type Row<'a> = (&'a str, &'a str, Inline);

/// Each file in a home with rules for two hosts, and our names on PATH.
fn hold<const ROWS: usize>(check: &str, rows: [Row<'_>; ROWS]) {
    let case = case();
    case.world.allow("a.acme.test");
    case.world.allow("b.acme.test:8443");
    for name in [
        "zitadel-credential",
        "bazel-credential-zitadel",
        "cargo-credential-zitadel",
    ] {
        case.world.home.link(name);
    }
    for (file, text, told) in rows {
        case.world.home.write(file, text);
        case.matches(&found(&case, check), told);
    }
}

fn found(case: &Case, check: &str) -> String {
    let path = case.world.home.path_with_bin();
    examine(case, &[], &[("PATH", path.to_str().unwrap())]).of(check)
}

#[test]
fn each_registry_of_cargo_is_held_against_the_rules() {
    hold(
        "cargo",
        [
            (
                CARGOS,
                "[registries.a]\nindex = 'sparse+https://a.acme.test/i/'\n\
                 credential-provider = ['cargo-credential-zitadel']\n\
                 [registries.other]\ncredential-provider = ['cargo:token']\n",
                str![[r#"
ok cargo: [HOME]/.cargo/config.toml: registry a: rule a.acme.test, profile test

"#]],
            ),
            (
                CARGOS,
                "[registries.b]\nindex = 'sparse+https://b.acme.test/'\n\
                 credential-provider = 'cargo-credential-zitadel --profile test'\n\
                 [registries.c]\ncredential-provider = ['cargo-credential-zitadel']\n\
                 [registries.d]\nindex = 'file:///x'\n\
                 credential-provider = ['cargo-credential-zitadel']\n\
                 [registries.e]\ncredential-provider = ['/nowhere/cargo-credential-zitadel']\n\
                 [registries.f]\ncredential-provider = ['zitadel-credential', 'cargo']\n",
                str![[r#"
failed cargo: [HOME]/.cargo/config.toml: registry b: no host rule lets https://b.acme.test have a token: b.acme.test:8443 is for another port
    zitadel-credential setup cargo b.acme.test
warning cargo: [HOME]/.cargo/config.toml: registry c: its index is not in this file, so its rule is not known
    give doctor the index's host
failed cargo: [HOME]/.cargo/config.toml: registry d: its index names no host that could have a rule
    an index reads like sparse+https://HOST/index/
failed cargo: [HOME]/.cargo/config.toml: registry e: its provider /nowhere/cargo-credential-zitadel is not there
    name cargo-credential-zitadel there
failed cargo: [HOME]/.cargo/config.toml: registry f: cargo passes zitadel-credential no command to run
    name cargo-credential-zitadel there

"#]],
            ),
            (
                CARGOS,
                "[registry]\nglobal-credential-providers = ['cargo-credential-zitadel']\n",
                str![[r#"
warning cargo: [HOME]/.cargo/config.toml: every registry: a project's Cargo.toml chooses which index gets the token
    take it out of global-credential-providers: zitadel-credential setup cargo HOST names it for one registry

"#]],
            ),
            (
                CARGOS,
                "[credential-alias]\nzit = 'cargo-credential-zitadel --profile test'\n\
                 [registries.a]\nindex = 'sparse+https://a.acme.test/'\n\
                 credential-provider = 'zit'\n\
                 [registry]\n\
                 global-credential-providers = ['zit', 'cargo:token-from-stdout zitadel-credential token']\n",
                str![[r#"
warning cargo: [HOME]/.cargo/config.toml: every registry: a project's Cargo.toml chooses which index gets the token
    take it out of global-credential-providers: zitadel-credential setup cargo HOST names it for one registry
warning cargo: [HOME]/.cargo/config.toml: every registry: a project's Cargo.toml chooses which index gets the token
    take it out of global-credential-providers: zitadel-credential setup cargo HOST names it for one registry
ok cargo: [HOME]/.cargo/config.toml: registry a: rule a.acme.test, profile test

"#]],
            ),
            (
                CARGOS,
                "[registries.a]\nindex = 'sparse+https://a.acme.test/'\n\
                 credential-provider = ['cargo-credential-zitadel', '--nonsense']\n",
                str![[r#"
failed cargo: [HOME]/.cargo/config.toml: registry a: unexpected argument '--nonsense' found
    the options of every command: zitadel-credential --help

"#]],
            ),
            (
                CARGOS,
                "[registries",
                str![[r#"
failed cargo: [HOME]/.cargo/config.toml: it is no TOML
    cargo cannot read it either: mend it by hand

"#]],
            ),
        ],
    );
}

#[test]
fn what_variables_say_of_cargos_registries_counts() {
    let case = case();
    case.world.allow("a.acme.test");
    case.world.home.link("cargo-credential-zitadel");
    case.world.home.write(
        CARGOS,
        "[registries.my-own]\nindex = 'sparse+https://other.test/'\n",
    );
    let path = case.world.home.path_with_bin();
    let variables = [
        ("PATH", path.to_str().unwrap()),
        (
            "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS",
            "cargo:token cargo-credential-zitadel",
        ),
        (
            "CARGO_REGISTRIES_MY_OWN_INDEX",
            "sparse+https://a.acme.test/",
        ),
        (
            "CARGO_REGISTRIES_MY_OWN_CREDENTIAL_PROVIDER",
            "cargo-credential-zitadel --profile test",
        ),
    ];
    case.matches(&examine(&case, &[], &variables).of("cargo"), str![[r#"
warning cargo: the variable CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS: every registry: a project's Cargo.toml chooses which index gets the token
    take it out of global-credential-providers: zitadel-credential setup cargo HOST names it for one registry
ok cargo: [HOME]/.cargo/config.toml: registry my-own: rule a.acme.test, profile test

"#]]);
}

#[test]
fn each_helper_of_bazels_is_held_against_the_rules() {
    hold(
        "bazel",
        [
            (
                ".bazelrc",
                "common --credential_helper=a.acme.test=bazel-credential-zitadel\n\
                 common --credential_helper=b.acme.test=bazel-credential-zitadel\n\
                 common --credential_helper=*.acme.test=bazel-credential-zitadel\n\
                 common --credential_helper=ghcr.io=other\n",
                str![[r#"
ok bazel: [HOME]/.bazelrc: a.acme.test: rule a.acme.test, profile test
ok bazel: [HOME]/.bazelrc: b.acme.test: rule b.acme.test:8443, profile test
ok bazel: [HOME]/.bazelrc: *.acme.test: rule a.acme.test, profile test

"#]],
            ),
            (
                ".bazelrc",
                "common --credential_helper=c.acme.test=bazel-credential-zitadel\n\
                 common --credential_helper=*.evil.test=bazel-credential-zitadel\n\
                 common --credential_helper=a/b=bazel-credential-zitadel\n\
                 common --credential_helper=a.acme.test=/nowhere/bazel-credential-zitadel\n\
                 common --credential_helper=a.acme.test=zitadel-credential\n\
                 common --credential_helper a.acme.test=~/bin/bazel-credential-zitadel\n\
                 common --credential_helper a.acme.test=~/no/bazel-credential-zitadel\n",
                str![[r#"
failed bazel: [HOME]/.bazelrc: c.acme.test: no host rule lets https://c.acme.test have a token
    zitadel-credential setup bazel c.acme.test
failed bazel: [HOME]/.bazelrc: *.evil.test: no host rule is for any of these hosts
    zitadel-credential setup bazel '*.evil.test'
failed bazel: [HOME]/.bazelrc: a/b: it is no host that could have a rule
    a host reads like acme.dev or *.acme.dev
failed bazel: [HOME]/.bazelrc: a.acme.test: its helper /nowhere/bazel-credential-zitadel is not there
    name bazel-credential-zitadel there
failed bazel: [HOME]/.bazelrc: a.acme.test: Bazel runs zitadel-credential without our command bazel
    name bazel-credential-zitadel there
ok bazel: [HOME]/.bazelrc: a.acme.test: rule a.acme.test, profile test
failed bazel: [HOME]/.bazelrc: a.acme.test: its helper ~/no/bazel-credential-zitadel is not there
    name bazel-credential-zitadel there

"#]],
            ),
            (
                ".bazelrc",
                "common --credential_helper=bazel-credential-zitadel\n",
                str![[r#"
ok bazel: [HOME]/.bazelrc: every host: those that a rule names are answered

"#]],
            ),
        ],
    );
}

#[test]
fn goauth_is_looked_for_where_go_looks() {
    hold(
        "go",
        [
            (
                ".config/go/env",
                "GOPROXY=x\nGOAUTH=zitadel-credential go; netrc\n",
                str![[r#"
ok go: GOAUTH in [HOME]/.config/go/env: every host: those that a rule names are answered

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=/nowhere/zitadel-credential go\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: its command /nowhere/zitadel-credential is not there
    zitadel-credential setup go HOST tells the right value

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: it does not run our command go
    zitadel-credential setup go HOST tells the right value

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential go; off\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: Go refuses off beside another command
    zitadel-credential setup go HOST tells the right value

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential --profile go kubectl\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: it does not run our command go
    zitadel-credential setup go HOST tells the right value

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential go --config /nowhere; netrc\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: its config file /nowhere is not there
    zitadel-credential setup go HOST tells the right value

"#]],
            ),
            (".config/go/env", "GOAUTH=netrc\n", str![[r#""#]]),
        ],
    );
    let case = case();
    let value = format!("{} go", binary().display());
    let found = examine(&case, &[], &[("GOAUTH", "zitadel-credential go")]);
    case.matches(
        &found.of("go"),
        str![[r#"
failed go: the variable GOAUTH: its command zitadel-credential is not there
    zitadel-credential setup go HOST tells the right value

"#]],
    );
    let found = examine(&case, &[], &[("GOAUTH", &value)]);
    case.matches(
        &found.of("go"),
        str![[r#"
ok go: the variable GOAUTH: every host: those that a rule names are answered

"#]],
    );
}

#[test]
fn terraform_needs_its_block_and_its_link() {
    hold(
        "terraform",
        [
            (RC, "credentials_helper \"other\" {}\n", str![[r#""#]]),
            (
                RC,
                BLOCK,
                str![[r#"
failed terraform: [HOME]/.terraformrc: names us, and Terraform looks for us at [HOME]/.terraform.d/plugins/terraform-credentials-zitadel: nothing is there
    zitadel-credential setup terraform HOST

"#]],
            ),
            (
                PLUGIN,
                "#!/bin/sh\n",
                str![[r#"
warning terraform: [HOME]/.terraformrc: names us, but [HOME]/.terraform.d/plugins/terraform-credentials-zitadel is another program than this
    ln -sf [PROGRAM] [HOME]/.terraform.d/plugins/terraform-credentials-zitadel

"#]],
            ),
            (
                RC,
                "x = <<EOF\nzitadel\nEOF\n",
                str![[r#"
warning terraform: [HOME]/.terraformrc: not looked into: it has a text of several lines
    see by hand which credentials helper it names: Terraform takes one alone

"#]],
            ),
            (RC, "x = <<EOF\nother\nEOF\n", str![[r#""#]]),
        ],
    );
    let case = case();
    case.world.home.write(".terraform.d/mine.tfrc", BLOCK);
    let link = case.world.home.path().join(PLUGIN);
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(binary(), link).unwrap();
    case.matches(&found(&case, "terraform"), str![[r#"
ok terraform: [HOME]/.terraform.d/mine.tfrc: every host: those that a rule names are answered, by [HOME]/.terraform.d/plugins/terraform-credentials-zitadel

"#]]);
}

/// Terraform ends with an error of its configuration.
#[test]
fn terraform_takes_one_helper_alone_of_all_its_files() {
    const BESIDE: &str = ".terraform.d/o.tfrc";
    let case = case();
    let home = &case.world.home;
    let link = home.path().join(PLUGIN);
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(binary(), link).unwrap();
    home.write(RC, format!("{BLOCK}credentials_helper \"other\" {{}}\n"));
    case.matches(
        &found(&case, "terraform"),
        str![[r#"
failed terraform: [HOME]/.terraformrc: it names the credentials helper other, and [HOME]/.terraformrc names us: Terraform takes one alone
    take one of the two blocks out

"#]],
    );
    home.write(RC, BLOCK);
    home.write(BESIDE, "credentials_helper \"other\" {}\n");
    case.matches(
        &found(&case, "terraform"),
        str![[r#"
failed terraform: [HOME]/.terraform.d/o.tfrc: it names the credentials helper other, and [HOME]/.terraformrc names us: Terraform takes one alone
    take one of the two blocks out

"#]],
    );
    home.write(BESIDE, "x = {\n");
    // terraform login's own, which names no helper.
    home.write(
        ".terraform.d/credentials.tfrc.json",
        "{\"credentials\": {}}\n",
    );
    case.matches(
        &found(&case, "terraform"),
        str![[r#"
warning terraform: [HOME]/.terraform.d/o.tfrc: not looked into: its end is missing
    see by hand which credentials helper it names: Terraform takes one alone
ok terraform: [HOME]/.terraformrc: every host: those that a rule names are answered, by [HOME]/.terraform.d/plugins/terraform-credentials-zitadel

"#]],
    );
    home.write(BESIDE, "");
    home.write(RC, format!("\u{feff}{BLOCK}"));
    case.matches(
        &found(&case, "terraform"),
        str![[r#"
warning terraform: [HOME]/.terraformrc: not looked into: it begins with a byte order mark, which Terraform refuses
    see by hand which credentials helper it names: Terraform takes one alone

"#]],
    );
}

#[test]
fn names_that_tools_look_for_are_held_against_this_program() {
    let case = case();
    let home = &case.world.home;
    home.link("zitadel-credential");
    home.write("bin/keyring", "#!/bin/sh\n");
    super::mode(&home.path().join("bin/keyring"), 0o755);
    home.write(
        ".bazelrc",
        "common --credential_helper=bazel-credential-zitadel\n",
    );
    home.write(
        CARGOS,
        "[registries.a]\ncredential-provider = ['cargo-credential-zitadel']\n",
    );
    case.matches(
        &found(&case, "program"),
        str![[r#"
failed program: bazel-credential-zitadel is not on PATH, and a tool is set up to run it
    ln -s [PROGRAM] [HOME]/bin/bazel-credential-zitadel
failed program: cargo-credential-zitadel is not on PATH, and a tool is set up to run it
    ln -s [PROGRAM] [HOME]/bin/cargo-credential-zitadel
ok program: [PROGRAM] [VERSION]
ok program: on PATH in [HOME]/bin: zitadel-credential

"#]],
    );
    home.link("keyring");
    home.link("bazel-credential-zitadel");
    home.link("cargo-credential-zitadel");
    case.matches(&found(&case, "program"), str![[r#"
ok program: [PROGRAM] [VERSION]
ok program: on PATH in [HOME]/bin: zitadel-credential, bazel-credential-zitadel, cargo-credential-zitadel, keyring

"#]]);
}

/// A rule that some tool asks for is no finding.
#[test]
fn a_rule_is_told_that_no_tool_asks_for() {
    let case = case();
    case.world.allow("a.acme.test");
    case.world.allow("b.acme.test:8443");
    let home = &case.world.home;
    home.write(
        CARGOS,
        "[registries.a]\nindex = 'sparse+https://a.acme.test/'\n\
         credential-provider = ['cargo-credential-zitadel']\n",
    );
    case.matches(
        &found(&case, "rule"),
        str![[r#"
warning rule: b.acme.test:8443: no tool is found that is set up to ask us for it
    zitadel-credential setup git b.acme.test:8443, or setup docker, bazel, cargo, go or terraform

"#]],
    );
    home.write(
        ".bazelrc",
        "common --credential_helper=b.acme.test=bazel-credential-zitadel\n",
    );
    assert_eq!(found(&case, "rule"), "");
    for (file, text) in [
        (".config/go/env", "GOAUTH=zitadel-credential go\n"),
        (RC, BLOCK),
    ] {
        home.write(CARGOS, "");
        home.write(".bazelrc", "");
        assert_ne!(found(&case, "rule"), "");
        let path = home.write(file, text);
        assert_eq!(found(&case, "rule"), "", "{file}");
        fs::remove_file(path).unwrap();
    }
    assert_ne!(found(&case, "rule"), "");
    home.link("keyring");
    assert_eq!(found(&case, "rule"), "", "pip needs no file");
}
