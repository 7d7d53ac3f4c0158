//! Invalid calls of pip, or of a user in its place.

use snapbox::str;

use crate::errors::ruled;

#[test]
fn an_unknown_option_before_keyrings_operation() {
    let words = [
        "keyring",
        "--profil",
        "ci",
        "get",
        "https://git.acme.test/",
        "ci",
    ];
    ruled().ask(words, "").fails(
        2,
        str![[r#"
zitadel-credential: error: keyring: unexpected argument --profil
  hint: run zitadel-credential keyring --help for the options, which go before the operation

"#]],
    );
}
