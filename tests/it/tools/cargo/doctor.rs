//! What doctor finds in cargo's configuration.

use snapbox::str;

use crate::doctor::{case, examine, hold_files};

const CARGOS: &str = ".cargo/config.toml";

#[test]
fn each_registry_of_cargo_is_held_against_the_rules() {
    hold_files(
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
