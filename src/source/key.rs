//! The service user's private key: ZITADEL's key file, or a bare PEM with the key
//! ID and the user ID given separately.

pub mod end;
pub mod pair;
pub mod spec;

use std::ffi::OsStr;
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Report};
use crate::grant::{KeyId, UserId};
use crate::secret::Secret;
use crate::text::clock::UnixTime;
use crate::text::quote::quoted;

/// A service user's private key.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key ID.
    pub id: KeyId,
    /// The user ID of its owner, or an application's client ID.
    pub user: UserId,
    /// The expiry, if the key file has one.
    pub expires_at: Option<UnixTime>,
    /// The keys that this one replaced, the latest last. A configuration may still name
    /// one of them.
    pub replaced: Vec<KeyId>,
    /// PEM, PKCS#1 or PKCS#8; parsed only for signing.
    pub pem: Secret,
}

/// The kinds of key owners that a caller accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Service users.
    User,
    /// Service users, and applications with their client ID as the user ID.
    UserOrApplication,
}

/// The key file that ZITADEL lets you download. Unknown fields are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyFile {
    r#type: Option<String>,
    key_id: Option<String>,
    key: Option<String>,
    user_id: Option<String>,
    client_id: Option<String>,
    expiration_date: Option<String>,
    // An extension by `key rotate`.
    #[serde(default)]
    replaced_key_ids: Vec<String>,
}

const MAKE_A_KEY: &str =
    "in ZITADEL open the service user, choose Keys, New, JSON, and download the file";

const WHOLE_FILE: &str =
    "use the downloaded file unchanged; if it is lost, create a new key in ZITADEL";

/// The first characters of a key file and of a PEM in base64: `{"`, `{` and a line break,
/// `-----B`.
const IN_BASE64: [&str; 4] = ["eyJ", "ewo", "ew0", "LS0tLS1C"];

impl Key {
    /// True if an ID is this key's, or that of a key that it replaced.
    pub fn answers_to(&self, id: &KeyId) -> bool {
        self.id == *id || self.replaced.contains(id)
    }

    /// Parses a key in either form. `id` and `user` are the IDs from flags or
    /// profile; they must equal those in a key file.
    ///
    /// # Errors
    /// [`Error::Final`] if the text is not a key; [`Error::Usage`] if an ID is
    /// missing or differs. No error contains a byte of the text.
    pub fn parse(
        text: &str,
        owner: Owner,
        id: Option<&KeyId>,
        user: Option<&UserId>,
    ) -> Result<Self, Error> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::Final(Report::new("empty").hint(MAKE_A_KEY)));
        }
        if text.starts_with("-----BEGIN") {
            return Self::from_pem(text, id, user);
        }
        let key = Self::from_json(text, owner).map_err(Error::Final)?;
        if !id.is_some_and(|id| key.answers_to(id)) {
            agree("keyId", key.id.as_str(), id.map(KeyId::as_str))?;
        }
        agree("userId", key.user.as_str(), user.map(UserId::as_str))?;
        Ok(key)
    }

    fn from_pem(text: &str, id: Option<&KeyId>, user: Option<&UserId>) -> Result<Self, Error> {
        if let Some(report) = not_private(text) {
            return Err(Error::Final(report));
        }
        let (Some(id), Some(user)) = (id, user) else {
            let report = Report::new("a bare PEM key without its key ID and user ID");
            return Err(Error::Usage(report.hint(
                "give --key-id and --user-id, or set key-id and user-id in the profile: ZITADEL shows both on the service user's page",
            )));
        };
        Ok(Self {
            id: id.clone(),
            user: user.clone(),
            expires_at: None,
            replaced: Vec::new(),
            pem: Secret::new(text.to_owned()),
        })
    }

    fn from_json(text: &str, owner: Owner) -> Result<Self, Report> {
        // serde_json's text may quote a value, and the value may be the key.
        let file: KeyFile = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let (what, hint) = if error.is_data() {
                ("JSON, but not a key file", MAKE_A_KEY)
            } else if error.is_eof() {
                ("truncated JSON", WHOLE_FILE)
            } else if text.starts_with('{') {
                ("invalid JSON", WHOLE_FILE)
            } else if is_token(text) && text.contains('.') {
                ("looks like a token (a JWT), not like a key", MAKE_A_KEY)
            } else if IN_BASE64.iter().any(|start| text.starts_with(start)) {
                ("looks like a key in base64", "decode it first")
            } else if is_path(text) {
                (
                    "looks like a path, not like a key",
                    "set ZITADEL_CREDENTIAL_KEY_FILE to a path",
                )
            } else if is_token(text) {
                (
                    "looks like a token, perhaps a personal access token, not like a key",
                    MAKE_A_KEY,
                )
            } else {
                ("neither JSON nor PEM", MAKE_A_KEY)
            };
            Report::new(format!("{what} (line {line}, column {column})")).hint(hint)
        })?;
        let is_application =
            file.r#type.as_deref() == Some("application") || file.client_id.is_some();
        if is_application && owner == Owner::User {
            return Err(
                Report::new("an application's key, not a service user's").hint(format!(
                    "{MAKE_A_KEY}: an application key authenticates an API or a client, not a user"
                )),
            );
        }
        let kinds = ["serviceaccount", "application"];
        if let Some(kind) = file.r#type.filter(|kind| !kinds.contains(&kind.as_str())) {
            let kind = quoted(&kind);
            return Err(
                Report::new(format!("type is \"{kind}\", not \"serviceaccount\"")).hint(MAKE_A_KEY),
            );
        }
        let missing = |field| Report::new(format!("{field} is missing")).hint(MAKE_A_KEY);
        let pem = file.key.ok_or_else(|| missing("key"))?;
        let file_id = file.key_id.ok_or_else(|| missing("keyId"))?;
        let (field, file_user) = if is_application {
            ("clientId", file.client_id)
        } else {
            ("userId", file.user_id)
        };
        let file_user = file_user.ok_or_else(|| missing(field))?;
        Ok(Self {
            id: KeyId::parse(&file_id).ok_or_else(|| not_an_id("keyId", &file_id))?,
            user: UserId::parse(&file_user).ok_or_else(|| not_an_id(field, &file_user))?,
            expires_at: file.expiration_date.map(|d| parse_expiry(&d)).transpose()?,
            replaced: file
                .replaced_key_ids
                .iter()
                .filter_map(|id| KeyId::parse(id))
                .collect(),
            pem: Secret::new(pem),
        })
    }
}

/// Returns the error for a PEM that is clearly not a usable private key; `None` if it
/// may be one.
pub(crate) fn not_private(pem: &str) -> Option<Report> {
    let has = |label: &str| pem.contains(label);
    let (what, hint) = if has("ENCRYPTED") {
        (
            "the private key has a passphrase",
            "remove the passphrase: openssl pkey -in OLD.pem -out NEW.pem",
        )
    } else if has("BEGIN OPENSSH PRIVATE KEY") {
        ("the key is one of SSH, in SSH's own format", MAKE_A_KEY)
    } else if has("PRIVATE KEY-----") {
        return None;
    } else if has("PUBLIC KEY-----") {
        (
            "the key is a public key, which cannot sign",
            "use the private key that belongs to it, or the JSON file from ZITADEL",
        )
    } else if has("CERTIFICATE-----") {
        (
            "the PEM is a certificate, not a private key",
            "use the private key that belongs to it, or the JSON file from ZITADEL",
        )
    } else {
        return None;
    };
    Some(Report::new(what).hint(hint))
}

/// True if a text is a file's path rather than its content.
pub(crate) fn is_path(text: &str) -> bool {
    let text = text.trim();
    let is_here = ["/", "./", "../", "~/"]
        .iter()
        .any(|start| text.starts_with(start));
    let begins = is_here || Path::new(text).is_absolute();
    let kind = Path::new(text).extension().and_then(OsStr::to_str);
    let is_kind = |kind: &str| ["json", "pem", "key"].contains(&kind.to_ascii_lowercase().as_str());
    !text.contains(['\n', '{', '"']) && (begins || kind.is_some_and(is_kind))
}

/// True if a text may be an access token: one long word without the start of a PEM.
fn is_token(text: &str) -> bool {
    const SHORTEST: usize = 40;
    // RFC 6750, section 2.1: b64token.
    let is_of_token = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    // `MII`: the body of a PEM.
    text.len() >= SHORTEST && text.bytes().all(is_of_token) && !text.starts_with("MII")
}

fn not_an_id(field: &str, text: &str) -> Report {
    let text = quoted(text);
    Report::new(format!("invalid {field}: \"{text}\"")).hint(MAKE_A_KEY)
}

fn parse_expiry(date: &str) -> Result<UnixTime, Report> {
    UnixTime::parse_rfc3339(date).ok_or_else(|| {
        let date = quoted(date);
        Report::new(format!("invalid expirationDate: \"{date}\""))
            .hint("write expirationDate like 2027-01-01T00:00:00Z")
    })
}

fn agree(field: &str, inside: &str, beside: Option<&str>) -> Result<(), Error> {
    match beside {
        Some(beside) if beside != inside => Err(Error::Usage(
            Report::new(format!(
                "{field} is {} in the key file, but {} was given",
                quoted(inside),
                quoted(beside)
            ))
            .hint("remove --key-id and --user-id: a key file contains both IDs"),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PEM: &str = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";

    fn json(fields: &serde_json::Value) -> Result<Key, Error> {
        Key::parse(&fields.to_string(), Owner::User, None, None)
    }

    fn refused(fields: &serde_json::Value) -> String {
        json(fields).expect_err("refused").report().headline()
    }

    #[test]
    fn a_downloaded_key_file_is_read_and_new_fields_are_ignored() {
        let key = json(&serde_json::json!({
            "type": "serviceaccount", "keyId": "1", "key": PEM, "userId": "2",
            "expirationDate": "2027-01-01T00:00:00Z", "later": {"more": 1}
        }))
        .expect("a key");
        assert_eq!((key.id.as_str(), key.user.as_str()), ("1", "2"));
        assert_eq!(key.expires_at, Some(UnixTime::from_secs(1_798_761_600)));
        assert!(!format!("{key:?}").contains("BEGIN"));
    }

    #[test]
    fn each_fault_has_its_own_error() {
        let whole = serde_json::json!({
            "type": "serviceaccount", "keyId": "1", "key": PEM, "userId": "2"
        });
        let with = |field: &str, value: serde_json::Value| {
            let mut fields = whole.clone();
            fields[field] = value;
            refused(&fields)
        };
        assert_eq!(
            with("type", "application".into()),
            "an application's key, not a service user's"
        );
        assert_eq!(with("keyId", serde_json::Value::Null), "keyId is missing");
        assert_eq!(with("key", serde_json::Value::Null), "key is missing");
        assert_eq!(with("keyId", "../1".into()), "invalid keyId: \"../1\"");
        assert_eq!(
            with("type", "x".into()),
            "type is \"x\", not \"serviceaccount\""
        );
        assert_eq!(
            with("expirationDate", "soon".into()),
            "invalid expirationDate: \"soon\""
        );
    }

    #[test]
    fn an_error_never_quotes_the_text() {
        for text in [
            "{\"key\": 5, \"x\": \"TOPSECRET\"}",
            "TOPSECRET",
            "\"TOPSECRET\"",
            "{\"keyId\":\"TOPSECRET",
        ] {
            let report = Key::parse(text, Owner::User, None, None).expect_err("refused");
            assert!(!report.to_string().contains("TOPSECRET"), "{report}");
        }
    }

    #[test]
    fn a_bare_pem_needs_both_ids() {
        let (id, user) = (KeyId::parse("1"), UserId::parse("2"));
        assert!(Key::parse(PEM, Owner::User, id.as_ref(), user.as_ref()).is_ok());
        assert!(Key::parse(PEM, Owner::User, id.as_ref(), None).is_err());
        assert!(Key::parse(PEM, Owner::User, None, None).is_err());
    }

    #[test]
    fn given_ids_must_equal_those_in_the_key_file() {
        let text = serde_json::json!({"keyId": "1", "key": PEM, "userId": "2"}).to_string();
        let parse = |id, user| {
            Key::parse(
                &text,
                Owner::User,
                KeyId::parse(id).as_ref(),
                UserId::parse(user).as_ref(),
            )
        };
        assert!(parse("1", "2").is_ok());
        assert!(parse("9", "2").is_err());
        assert!(parse("1", "9").is_err());
    }

    #[test]
    fn a_key_accepts_the_ids_of_keys_that_it_replaced() {
        let file = serde_json::json!({
            "keyId": "3", "key": PEM, "userId": "9", "replacedKeyIds": ["1", "2", "a/b"],
        });
        let parse = |id| {
            Key::parse(
                &file.to_string(),
                Owner::User,
                KeyId::parse(id).as_ref(),
                None,
            )
        };
        for id in ["1", "2", "3"] {
            assert_eq!(parse(id).expect("a key").id.as_str(), "3");
        }
        assert!(parse("4").is_err());
    }

    #[test]
    fn an_id_cannot_become_another_path() {
        for bad in ["", ".", "..", "a/b", "a\0", "a b", &"1".repeat(129)] {
            assert!(KeyId::parse(bad).is_none(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn an_error_for_any_key_text_does_not_quote_it(before in "[ -~\n]{0,12}", after in "[ -~\n]{0,12}") {
            for text in [
                format!("{before}TOPSECRET{after}"),
                format!("{{{before}\"key\":\"TOPSECRET\"{after}}}"),
                format!("{{\"keyId\":\"1\",\"userId\":\"2\",\"key\":\"TOPSECRET\"{after}"),
            ] {
                if let Err(error) = Key::parse(&text, Owner::User, None, None) {
                    prop_assert!(!error.to_string().contains("TOPSECRET"), "{error}");
                }
            }
        }

        #[test]
        fn a_key_file_is_read_as_it_was_written(id in "[A-Za-z0-9_-]{1,20}", user in "[A-Za-z0-9_.@-]{1,20}", pem: String) {
            let key = json(&serde_json::json!({"keyId": id, "userId": user, "key": pem})).expect("a key");
            prop_assert_eq!(key.id.as_str(), id);
            prop_assert_eq!(key.user.as_str(), user);
            prop_assert_eq!(key.pem.expose(), pem);
        }
    }
}
