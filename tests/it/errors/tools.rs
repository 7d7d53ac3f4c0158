//! What git, kubectl and others get, and the person behind them, where there is no token
//! to give. stdout is the tool's: its protocol decides, to the byte.

use snapbox::str;

use crate::errors::{HOST, refused};

#[test]
fn other_tools_get_not_a_byte_where_the_token_is_refused() {
    let image = format!(
        r#"{{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"{HOST}/app"}}"#
    );
    for (arguments, message) in [
        (["terraform", "get", HOST].as_slice(), ""),
        (
            &["go", "https://git.acme.test/x"],
            "HTTP/1.1 404 Not Found\n\n",
        ),
        (&["kubelet"], &image),
        (
            &["keyring", "get", "https://git.acme.test/simple/", "ci"],
            "",
        ),
    ] {
        refused().ask(arguments, message).fails(1, str![[r#"
zitadel-credential: error: the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400)
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  found: its clock and ours agree
  found: the key file does not say until when the key is good
  hint: in ZITADEL, see whether user [USER_ID] is an active service user and key [KEY_ID] is listed under its Keys and not expired (a key made seconds ago may take a moment); if not, make a new one

"#]]);
    }
}
