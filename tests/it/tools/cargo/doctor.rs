//! The findings of doctor in cargo's configuration.

use snapbox::str;

use crate::doctor::{case, examine, hold_files};

const CARGOS: &str = ".cargo/config.toml";

#[test]
fn each_registry_of_cargo_is_compared_with_the_rules() {
    hold_files(
        "cargo",
        [
            (
                CARGOS,
                "[registries.a]\nindex = 'sparse+https://a.acme.test/i/'\n\
                 credential-provider = ['cargo-credential-zitadel']\n\
                 [registries.other]\ncredential-provider = ['cargo:token']\n",
                str![[r#"
ok cargo: [HOME]/.cargo/config.toml: registry a: host rule a.acme.test, profile test

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
failed cargo: [HOME]/.cargo/config.toml: registry b: no host rule for https://b.acme.test: b.acme.test:8443 is for another port
    zitadel-credential setup cargo b.acme.test
warning cargo: [HOME]/.cargo/config.toml: registry c: its index is not in this file, so its host rule is unknown
    run zitadel-credential doctor HOST with the host of the index
failed cargo: [HOME]/.cargo/config.toml: registry d: invalid host in its index
    write an index like sparse+https://HOST/index/
failed cargo: [HOME]/.cargo/config.toml: registry e: provider /nowhere/cargo-credential-zitadel not found
    set the provider to cargo-credential-zitadel
failed cargo: [HOME]/.cargo/config.toml: registry f: cargo runs zitadel-credential without the command cargo
    set the provider to cargo-credential-zitadel

"#]],
            ),
            (
                CARGOS,
                "[registry]\nglobal-credential-providers = ['cargo-credential-zitadel']\n",
                str![[r#"
warning cargo: [HOME]/.cargo/config.toml: all registries: a project's Cargo.toml chooses which index gets the token
    remove it from global-credential-providers, and run zitadel-credential setup cargo HOST for each registry

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
warning cargo: [HOME]/.cargo/config.toml: all registries: a project's Cargo.toml chooses which index gets the token
    remove it from global-credential-providers, and run zitadel-credential setup cargo HOST for each registry
warning cargo: [HOME]/.cargo/config.toml: all registries: a project's Cargo.toml chooses which index gets the token
    remove it from global-credential-providers, and run zitadel-credential setup cargo HOST for each registry
ok cargo: [HOME]/.cargo/config.toml: registry a: host rule a.acme.test, profile test

"#]],
            ),
            (
                CARGOS,
                "[registries.a]\nindex = 'sparse+https://a.acme.test/'\n\
                 credential-provider = ['cargo-credential-zitadel', '--nonsense']\n",
                str![[r#"
failed cargo: [HOME]/.cargo/config.toml: registry a: unexpected argument '--nonsense' found
    run zitadel-credential --help for the options

"#]],
            ),
            (
                CARGOS,
                "[registries",
                str![[r#"
failed cargo: [HOME]/.cargo/config.toml: invalid TOML
    fix the file: cargo cannot read it either

"#]],
            ),
        ],
    );
}

#[test]
fn variables_for_cargos_registries_are_read() {
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
warning cargo: the variable CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS: all registries: a project's Cargo.toml chooses which index gets the token
    remove it from global-credential-providers, and run zitadel-credential setup cargo HOST for each registry
ok cargo: [HOME]/.cargo/config.toml: registry my-own: host rule a.acme.test, profile test

"#]]);
}
