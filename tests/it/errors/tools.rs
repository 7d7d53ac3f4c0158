//! Responses to every tool, and messages to its user, if there is no token.

use snapbox::str;

use crate::errors::refused;
use crate::support::tools::{CALLS, HOST, Shows};

/// The protocols of these have separate texts for it: `tools/*/errors.rs`.
const OWN_WORDS: [&str; 3] = ["git", "docker", "cargo"];

/// git would take an empty line of `askpass` as an empty password, and repeat ssh's
/// questions endlessly.
#[test]
fn other_tools_get_no_output_if_the_token_is_refused() {
    for call in CALLS.iter().filter(|call| call.shows == Shows::Token) {
        let words = call.words();
        if OWN_WORDS.contains(&&*words[0]) {
            continue;
        }
        let case = refused();
        case.world.allow(HOST);
        case.ask(words, call.input).fails(1, str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: the issuer's clock and the local clock agree
  found: the key file has no expiration date
  hint: check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key
  hint: check that neither the user nor the key was removed, and that both are of the instance [ISSUER] and not of another instance
  hint: check the clocks; if everything is right, try again later and read ZITADEL's log: ZITADEL gives the same answer for an internal error, such as a database that is down or read-only

"#]]);
    }
}
