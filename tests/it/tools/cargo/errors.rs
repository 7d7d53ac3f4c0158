//! `setup cargo`: its refusals, with their reasons.

use snapbox::str;

use crate::errors::hold;

#[test]
fn an_invalid_registry_of_cargo() {
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
zitadel-credential: error: [HOME]/.cargo/config.toml: invalid TOML
  hint: cargo cannot read it either: correct it by hand

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
zitadel-credential: error: [HOME]/.cargo/config.toml: unknown registry other
  hint: --index URL adds it

"#]],
            ),
            (
                known,
                "setup cargo a.dev --registry acme",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: the index of registry acme is not at https://a.dev
  hint: use an index like sparse+https://HOST/index/

"#]],
            ),
            (
                known,
                "setup cargo a.dev --registry a.b",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: "a.b" is not a valid registry name
  hint: use a name like acme

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
  hint: set up one at a time

"#]],
            ),
            (
                bare,
                "setup cargo a.dev --registry acme",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: registry acme has no index in this file
  hint: add its index to the file first

"#]],
            ),
            (
                &taken,
                "setup cargo cargo.acme.dev",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: registry acme has another credential-provider
  hint: remove that line first

"#]],
            ),
            (
                inline,
                "setup cargo cargo.acme.dev",
                str![[r#"
zitadel-credential: error: [HOME]/.cargo/config.toml: unsupported layout for this change
  hint: make the change by hand

"#]],
            ),
        ],
    );
}
