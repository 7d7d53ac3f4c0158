//! What pip, or a person in its place, asks wrongly.

use snapbox::str;

use crate::errors::ruled;

#[test]
fn an_option_that_there_is_not_before_keyrings_operation() {
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
