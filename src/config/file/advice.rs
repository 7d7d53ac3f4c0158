//! Finds the place of an unknown key of the config file, or the key that it probably
//! means.

use crate::text::near::nearest;

/// The hint for a value that must be a table.
pub(super) const TABLES: &str = "write a profile as [profiles.NAME], and a host rule as [hosts.\"HOST\"] with profile = \"NAME\" below it";

const TOP: &[&str] = &["default-profile", "profiles", "hosts"];

const PROFILE: &[&str] = &[
    "issuer",
    "key-file",
    "key-command",
    "sign-command",
    "public-key-file",
    "token-file",
    "token-command",
    "client-id",
    "client-secret-file",
    "client-secret-command",
    "self-signed",
    "key-id",
    "user-id",
    "scopes",
    "projects",
    "roles",
    "zitadel-api",
    "token-endpoint",
    "ca-file",
    "allow-http",
    "shared",
];

const SHARED: &[&str] = &[
    "url",
    "username",
    "password-file",
    "ca-file",
    "pool",
    "seal-key-file",
    "on-failure",
    "max-age",
];

const HOST: &[&str] = &["profile", "username", "auth", "allow-http"];

/// Settings that exist only as an option or a variable.
const OPTIONS: &[(&str, &str)] = &[
    ("cache-dir", "--cache-dir or ZITADEL_CREDENTIAL_CACHE_DIR"),
    ("timeout", "--timeout or ZITADEL_CREDENTIAL_TIMEOUT"),
    ("log", "-v or ZITADEL_CREDENTIAL_LOG"),
    ("verbose", "-v or ZITADEL_CREDENTIAL_LOG"),
    (
        "log-format",
        "--log-format or ZITADEL_CREDENTIAL_LOG_FORMAT",
    ),
    ("no-cache", "--no-cache"),
    ("refresh", "--refresh"),
];

/// Other words for a key.
const WORDS: &[(&str, &str)] = &[
    ("key", "key-file"),
    ("url", "issuer"),
    ("domain", "issuer"),
    ("user", "username"),
    ("ca", "ca-file"),
    ("token", "token-file"),
    ("pat", "token-file"),
    ("client-secret", "client-secret-file"),
    ("secret", "client-secret-file"),
];

/// Returns the hint for serde's message `unknown field`, which names the keys of the
/// table; `None` if no key is similar.
pub(super) fn for_unknown(message: &str) -> Option<String> {
    let (_, message) = message.split_once("unknown field `")?;
    // The key may have any character, and may be a secret: serde's list comes last.
    let (wrong, expected) = message.rsplit_once("`, expected ")?;
    let here: Vec<_> = expected.split('`').skip(1).step_by(2).collect();
    let word = WORDS.iter().find(|(word, _)| *word == wrong);
    let meant = word
        .map(|(_, meant)| *meant)
        .filter(|meant| here.contains(meant));
    if let Some(right) = meant.or_else(|| nearest(wrong, &here)) {
        return Some(format!("write {right} instead"));
    }
    let known = [TOP, PROFILE, HOST, SHARED].concat();
    let elsewhere = match nearest(wrong, &known) {
        Some("hosts") => {
            "write each host as a table of its own: [hosts.\"HOST\"], and below it profile = \"NAME\"".to_owned()
        }
        Some("profiles") => "write a profile as a table of its own: [profiles.NAME]".to_owned(),
        Some(key) if TOP.contains(&key) => {
            format!("set {key} at the top of the file, before the first table")
        }
        Some(key) if PROFILE.contains(&key) => {
            format!("set {key} in a profile: below [profiles.NAME]")
        }
        Some(key) if HOST.contains(&key) => {
            format!("set {key} in a host rule: below [hosts.\"HOST\"]")
        }
        Some(key) => format!("set {key} in the table of a shared cache: below [profiles.NAME.shared]"),
        None => {
            let (_, ways) = OPTIONS.iter().find(|(option, _)| *option == wrong)?;
            format!("use {ways} instead: the config file has no such key")
        }
    };
    Some(elsewhere)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::parse;

    /// Returns the hint for this text.
    fn hint(text: &str) -> String {
        let report = parse(text).expect_err("refused");
        report.advice().unwrap_or_default()
    }

    #[test]
    fn the_keys_are_those_of_the_format() {
        for (table, keys) in [
            ("", TOP),
            ("[profiles.prod]\n", PROFILE),
            ("[hosts.\"a.dev\"]\n", HOST),
            ("[profiles.prod.shared]\n", SHARED),
        ] {
            let said = parse(&format!("{table}qqq = 1\n")).expect_err("refused");
            let said = said.headline();
            let named: Vec<_> = said.split('`').skip(3).step_by(2).collect();
            assert_eq!(named, keys);
        }
    }

    #[test]
    fn a_wrong_key_gets_a_hint_of_spelling_or_table() {
        let profile = |line: &str| hint(&format!("[profiles.prod]\n{line} = 1\n"));
        let host = |line: &str| hint(&format!("[hosts.\"a.dev\"]\n{line} = 1\n"));
        assert_eq!(profile("keyfile"), "write key-file instead");
        assert_eq!(profile("key"), "write key-file instead");
        assert_eq!(profile("scope"), "write scopes instead");
        assert_eq!(host("user"), "write username instead");
        assert_eq!(hint("[profile.prod]\n"), "write profiles instead");
        assert_eq!(hint("[host.\"a\"]\n"), "write hosts instead");
        assert!(profile("hosts").contains("[hosts.\"HOST\"]"));
        assert!(profile("host").contains("[hosts.\"HOST\"]"));
        assert_eq!(
            profile("username"),
            "set username in a host rule: below [hosts.\"HOST\"]"
        );
        assert_eq!(
            profile("default-profile"),
            "set default-profile at the top of the file, before the first table"
        );
        for key in ["issuer", "key-file", "keyfile"] {
            for said in [hint(&format!("{key} = 1\n")), host(key)] {
                assert!(said.contains("below [profiles.NAME]"), "{key}: {said}");
            }
        }
        assert!(profile("on-failure").contains("[profiles.NAME.shared]"));
        assert!(profile("pool").contains("[profiles.NAME.shared]"));
        assert!(profile("timeout").contains("--timeout"));
        assert!(hint("hosts = [\"a.dev\"]\n").contains("[hosts.\"HOST\"]"));
        assert!(hint("[hosts]\n\"a.dev\" = \"prod\"\n").contains("profile = \"NAME\""));
        assert_eq!(profile("qqq"), "");
        assert!(hint("[hosts.registry.acme.dev]\nprofile = \"a\"\n").contains("quote a name"));
        assert!(hint("[profiles.acme.dev]\nissuer = \"a\"\n").contains("quote a name"));
        assert_eq!(hint("[qqq.acme.dev]\n"), "");
    }

    #[test]
    fn no_part_of_a_key_or_value_is_parsed_as_serdes_message() {
        let secret = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";
        for text in [
            format!("`{secret}`"),
            format!("x, expected {secret}"),
            format!("x`, expected `{secret}`"),
            format!("x`, expected one of `{secret}`, `y"),
            format!("x\\\", expected {secret}"),
        ] {
            for line in [
                format!("\"{text}\" = 1"),
                format!("[\"{text}\"]"),
                format!("[profiles.prod]\n\"{text}\" = 1"),
                format!("[profiles.prod]\nscopes = \"{text}\""),
                format!("[profiles.prod]\nno-cache = \"{text}\""),
                format!("hosts = \"{text}\""),
                format!("[profiles.prod.shared]\non-failure = \"{text}\""),
            ] {
                let said = parse(&line).expect_err("refused").to_string();
                assert!(!said.contains(secret), "{line}: {said}");
            }
        }
    }
}
