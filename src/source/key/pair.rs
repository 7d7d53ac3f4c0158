//! Creates a key pair, and the key file of its private half. This is the only file that
//! uses the crate `rsa`: it makes keys, and neither signs nor decrypts.

use getrandom::SysRng;
use rsa::PrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use serde::Serialize;

use crate::error::Report;
use crate::grant::{KeyId, UserId};
use crate::secret::{Secret, on_wiped_stack};
use crate::text::clock::UnixTime;

/// The size of ZITADEL's own keys.
const BITS: usize = 2048;

/// An RSA key pair. Only the public half leaves this machine.
#[derive(Debug)]
pub struct Pair {
    /// The private half: PEM, PKCS#1, as ZITADEL writes it.
    pub private_pem: Secret,
    /// The public half: PEM of SPKI, as ZITADEL accepts it.
    pub public_pem: String,
}

/// Creates a key pair from the operating system's random numbers.
///
/// # Errors
/// The operating system has no random numbers.
pub fn make() -> Result<Pair, Report> {
    let made = on_wiped_stack(|| {
        let private = PrivateKey::new(&mut SysRng, BITS).ok()?;
        let public_pem = private.to_public_key().to_public_key_pem(LineEnding::LF);
        let pem = private.to_pkcs1_pem(LineEnding::LF).ok()?;
        Some(Pair {
            private_pem: Secret::new(pem.as_str().to_owned()),
            public_pem: public_pem.ok()?,
        })
    });
    made.ok_or_else(|| Report::new("cannot make a key: the system gives no random numbers"))
}

/// The key file, with its fields in ZITADEL's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyFile<'a> {
    r#type: &'a str,
    key_id: &'a str,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_date: Option<String>,
    user_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replaced_key_ids: Vec<&'a str>,
}

/// Returns the key file of a private key, in ZITADEL's download format, with the IDs of
/// the keys that it replaces.
pub fn key_file(
    id: &KeyId,
    user: &UserId,
    private_pem: &Secret,
    expires_at: Option<UnixTime>,
    replaced: &[KeyId],
) -> Secret {
    let file = KeyFile {
        r#type: "serviceaccount",
        key_id: id.as_str(),
        key: private_pem.expose(),
        expiration_date: expires_at.map(|end| end.to_string()),
        user_id: user.as_str(),
        replaced_key_ids: replaced.iter().map(KeyId::as_str).collect(),
    };
    // Infallible: string fields only.
    Secret::new(serde_json::to_string(&file).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::source::assertion;
    use crate::source::assertion::Statement;
    use crate::source::key::{Key, Owner};

    #[test]
    fn a_new_key_signs_and_its_file_reads_back() {
        let pair = make().expect("a key");
        assert!(pair.public_pem.starts_with("-----BEGIN PUBLIC KEY-----\n"));
        let (id, user) = (KeyId::parse("31"), UserId::parse("7"));
        let (id, user) = (id.expect("an ID"), user.expect("an ID"));
        let end = UnixTime::from_secs(1_798_761_600);
        let file = key_file(&id, &user, &pair.private_pem, Some(end), &[]);
        let start =
            r#"{"type":"serviceaccount","keyId":"31","key":"-----BEGIN RSA PRIVATE KEY-----\n"#;
        assert!(file.expose().starts_with(start));
        let rest = r#"\n","expirationDate":"2027-01-01T00:00:00Z","userId":"7"}"#;
        assert!(file.expose().ends_with(rest));
        let key = Key::parse(file.expose(), Owner::User, None, None).expect("a key file");
        assert_eq!((key.id.as_str(), key.expires_at), ("31", Some(end)));
        assert_eq!(assertion::bits(&key).ok(), Some(BITS));
        let statement = Statement {
            key: Some(&key.id),
            user: &key.user,
            audience: "https://id.acme.dev",
            now: UnixTime::now(),
            lifetime: Duration::from_secs(60),
        };
        assert!(assertion::sign(&key, &statement).is_ok());
        assert_ne!(make().expect("a key").public_pem, pair.public_pem);
    }
}
