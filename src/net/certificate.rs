//! Reads parts of a certificate that its verifier does not expose (RFC 5280, section 4).

use rustls_pki_types::UnixTime;

use super::der::{element, inside};
use crate::text::clock;

const SEQUENCE: u8 = 0x30;

/// 2.5.29.19, basicConstraints.
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];

/// 2.5.29.15, keyUsage.
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];

/// 2.5.29.37, extKeyUsage.
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];

/// 1.3.6.1.5.5.7.3.1, serverAuth.
pub const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];

/// The bit keyCertSign of a keyUsage's first byte.
const KEY_CERT_SIGN: u8 = 0x04;

/// The uses that a certificate declares.
#[derive(Debug)]
pub struct Uses {
    /// The first second of its validity.
    pub not_before: UnixTime,
    /// The last second of its validity.
    pub not_after: UnixTime,
    /// True if it may sign other certificates.
    pub can_sign: bool,
    /// True if it may identify a server.
    pub is_for_servers: bool,
}

impl Uses {
    /// Reads a certificate; `None` if it is not one.
    pub fn of(certificate: &[u8]) -> Option<Self> {
        let body = inside(inside(certificate, SEQUENCE)?.0, SEQUENCE)?.0;
        let (is_first_version, rest) = match inside(body, 0xa0) {
            Some((version, rest)) => (inside(version, 2)?.0 == [0], rest),
            None => (true, body),
        };
        // The serial number, the algorithm and the issuer.
        let rest = element(element(element(rest)?.2)?.2)?.2;
        let (validity, mut rest) = inside(rest, SEQUENCE)?;
        let (not_before, validity) = time(validity)?;
        let (not_after, _) = time(validity)?;
        let (mut constraints, mut key_usage, mut purposes) = (None, None, None);
        while let Some((tag, content, after)) = element(rest) {
            let mut extensions = match tag {
                0xa3 => inside(content, SEQUENCE)?.0,
                _ => &[],
            };
            while let Some((extension, next)) = inside(extensions, SEQUENCE) {
                let (name, value) = extension_of(extension)?;
                match name {
                    BASIC_CONSTRAINTS => constraints = Some(value),
                    KEY_USAGE => key_usage = Some(value),
                    EXTENDED_KEY_USAGE => purposes = Some(value),
                    _ => {}
                }
                extensions = next;
            }
            rest = after;
        }
        // As in OpenSSL: without basicConstraints, the key usage decides.
        let signs = |usage: &[u8]| {
            let bits = inside(usage, 3).map(|(bits, _)| bits);
            bits.is_some_and(|bits| bits.get(1).is_some_and(|byte| byte & KEY_CERT_SIGN != 0))
        };
        let can_sign = match constraints {
            Some(value) => {
                let (value, _) = inside(value, SEQUENCE)?;
                let is_authority = inside(value, 1).is_some_and(|(flag, _)| flag != [0]);
                is_authority && key_usage.is_none_or(signs)
            }
            None => is_first_version || key_usage.is_some_and(signs),
        };
        Some(Self {
            not_before,
            not_after,
            can_sign,
            is_for_servers: purposes.is_none_or(|list| {
                inside(list, SEQUENCE).is_some_and(|(list, _)| names(list, SERVER_AUTH))
            }),
        })
    }
}

/// Returns true if a list of object identifiers contains this one.
pub fn names(mut list: &[u8], identifier: &[u8]) -> bool {
    while let Some((_, one, rest)) = element(list) {
        if one == identifier {
            return true;
        }
        list = rest;
    }
    false
}

/// Returns an extension's name and its value, whether or not it is critical.
fn extension_of(extension: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = inside(extension, 6)?;
    let rest = inside(rest, 1).map_or(rest, |(_, rest)| rest);
    Some((name, inside(rest, 4)?.0))
}

/// Reads `UTCTime` or `GeneralizedTime`, and returns the rest.
fn time(der: &[u8]) -> Option<(UnixTime, &[u8])> {
    let (tag, text, rest) = element(der)?;
    let text = std::str::from_utf8(text).ok().filter(|t| t.is_ascii())?;
    let text = match tag {
        // RFC 5280, section 4.1.2.5.1: two digits from 50 on belong to the last century.
        0x17 if text >= "50" => format!("19{text}"),
        0x17 => format!("20{text}"),
        0x18 => text.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| text.get(from..to);
    let date = format!(
        "{}-{}-{}T{}:{}:{}",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        text.get(12..)?
    );
    let secs = clock::UnixTime::parse_rfc3339(&date)?.as_secs();
    Some((
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(secs)),
        rest,
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{
        BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair,
        KeyUsagePurpose,
    };

    use super::*;

    fn uses(change: impl FnOnce(&mut CertificateParams)) -> Uses {
        let mut params = CertificateParams::new(["id.acme.dev".to_owned()]).expect("a name");
        params.not_before = rcgen::date_time_ymd(2026, 1, 2);
        params.not_after = rcgen::date_time_ymd(2061, 1, 2);
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Uses::of(certificate.der()).expect("a certificate")
    }

    #[test]
    fn only_a_ca_certificate_can_sign_others() {
        let authority = IsCa::Ca(BasicConstraints::Unconstrained);
        assert!(!uses(|_| ()).can_sign);
        assert!(!uses(|params| params.is_ca = IsCa::ExplicitNoCa).can_sign);
        assert!(uses(|params| params.is_ca = authority).can_sign);
        let with = |usage| {
            uses(|params| {
                params.is_ca = authority;
                params.key_usages = vec![usage];
            })
        };
        assert!(with(KeyUsagePurpose::KeyCertSign).can_sign);
        assert!(!with(KeyUsagePurpose::DigitalSignature).can_sign);
    }

    #[test]
    fn a_named_purpose_must_be_server_auth() {
        let with = |purpose| uses(|params| params.extended_key_usages = vec![purpose]);
        assert!(uses(|_| ()).is_for_servers);
        assert!(with(ExtendedKeyUsagePurpose::ServerAuth).is_for_servers);
        assert!(!with(ExtendedKeyUsagePurpose::ClientAuth).is_for_servers);
    }

    #[test]
    fn both_forms_of_a_date_are_read() {
        let uses = uses(|_| ());
        assert_eq!(uses.not_before.as_secs(), 1_767_312_000);
        assert_eq!(uses.not_after.as_secs(), 2_871_849_600);
    }

    proptest! {
        #[test]
        fn any_bytes_parse_without_panic(bytes: Vec<u8>) {
            let _ = Uses::of(&bytes);
        }
    }
}
