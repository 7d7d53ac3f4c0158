//! Quotes untrusted text for output, so that it cannot control a terminal, break its
//! line or reveal a part of a secret.
//!
//! A part of a secret cannot be recognized for certain. These parts count as secret:
//! 1. everything after a PEM header; in a text that arrives in parts, up to its last line;
//! 2. in untrusted text, a run of 32 or more characters of base64, or of 24 if its
//!    letters are mixed as in no word: a server may split a secret into lines. The
//!    backslashes of a path end such a run, but those of escapes do not;
//! 3. in a path, a name or a scope, where words form long runs too, 32 characters of
//!    base64 that look random.

mod secret;

use std::io;
use std::path::Path;

pub use secret::holds_secret;
pub(super) use secret::{is_secret, run};

use crate::sys::paths;

/// Returns the text as one line, with the characters escaped that a terminal acts on:
/// C0, DEL, C1, the Unicode line separators and the bidirectional controls
/// (CVE-2024-50349).
pub fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unprintable(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// Returns true if a terminal, or a reader of lines, acts on this character.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns the operating system's text of an I/O error, without its number and final dot.
pub fn system(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::ResourceBusy {
        // Most likely a container's bind mount of a single file.
        return "a mount point, which cannot be replaced or removed (resource busy)".to_owned();
    }
    let text = error.to_string();
    // Any other text is ours, and may begin with a path.
    if error.raw_os_error().is_none() {
        return text;
    }
    let words = text.split(" (os error ").next().unwrap_or_default();
    let words = words.trim_end_matches(['.', '\r', '\n']);
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => text,
    }
}

/// Returns untrusted text for an error message: one line of at most 200 bytes,
/// without parts that may belong to a key, an assertion, a token or a URL's password.
pub fn quoted(text: &str) -> String {
    const LINE: usize = 200;
    let mut line = String::new();
    for piece in pieces(&without_passwords(text.trim())) {
        if line.len() + piece.len() > LINE {
            line.push('…');
            break;
        }
        line.push_str(piece);
    }
    printable(&line)
}

/// Returns a text as one line of at most 1000 bytes: an argument that an error quotes
/// may have any length.
pub fn line(text: &str) -> String {
    first(text, 1000)
}

/// Returns at most this many bytes of a text as one line.
fn first(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return printable(text);
    }
    let starts = text.char_indices().map(|(start, _)| start);
    let end = starts.take_while(|start| *start <= limit).last();
    printable(&text[..end.unwrap_or_default()]) + "…"
}

/// Returns a text of any length without parts that may belong to a key, an assertion, a
/// token or a URL's password.
pub fn redacted(text: &str) -> String {
    pieces(&without_passwords(text)).collect()
}

/// The replacement for a part that is not shown.
pub const LEFT_OUT: &str = "[…]";

/// Returns a text without its URLs' passwords (RFC 3986, section 3.2.1), even of URLs
/// without a scheme or with an invalid one.
fn without_passwords(text: &str) -> String {
    let mut shown = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let start = word.find("://").map_or(0, |scheme| scheme + "://".len());
        let colon = word[start..].find(':').map(|colon| start + colon);
        match (colon, word.rfind('@')) {
            (Some(colon), Some(at)) if colon < at => {
                shown.extend([&word[..=colon], LEFT_OUT, &word[at..]]);
            }
            _ => shown.push_str(word),
        }
    }
    shown
}

/// Splits a text into runs of possible base64 and the characters between them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    // Everything after a PEM header is secret, however it is split.
    let (mut rest, end) = match text.find("-----BEGIN") {
        Some(start) => (&text[..start], Some(LEFT_OUT)),
        None => (text, None),
    };
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = match run(rest) {
            0 => first.len_utf8(),
            run => run,
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(if is_secret(piece) { LEFT_OUT } else { piece })
    })
    .chain(end)
}

/// Returns a path or a name as one line, unless it looks like a secret: a name of a
/// profile, a user or a context is often longer than [`quoted`] shows. It is at most as
/// long as Linux's longest path: a name in an argument may have any length.
pub fn path(path: &(impl AsRef<Path> + ?Sized)) -> String {
    const LONGEST: usize = 4096;
    let text = path.as_ref().to_string_lossy();
    if holds_secret(&text) {
        return LEFT_OUT.to_owned();
    }
    first(&text, LONGEST)
}

/// Returns a text as one quoted word for a POSIX shell.
pub fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Returns a path or a name as one word of a shell command.
pub fn word(text: &(impl AsRef<Path> + ?Sized)) -> String {
    paths::word(&path(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_of_a_pem_is_not_a_path_wherever_its_slashes_are() {
        const LINES: usize = 100_000;
        const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut random = fastrand::Rng::with_seed(7);
        for place in ["", "/nowhere/", "/home/runner/work/Repo/Repo/"] {
            let shown = (0..LINES).filter(|_| {
                let line = (0..64).map(|_| char::from(BASE64[random.usize(..64)]));
                let whole = format!("{place}{}", line.collect::<String>());
                path(&whole) == whole
            });
            let shown = shown.count();
            assert!(shown < LINES / 10_000, "{shown} of {LINES} in {place}");
        }
        let slashes = "MIIEvQ/IBADANBgkq/hkiG9w0BAQEFAASC/BKcwggSjAgEAAoIBAQD/Xc2bZ81k4Q";
        assert_eq!(path(slashes), "[…]");
    }

    #[test]
    fn the_paths_of_build_servers_and_stores_are_shown_whole() {
        for whole in [
            "/nix/store/0c4i0fgwz9mrv7lvz4b3vnqsf3jg0q5a-zitadel-credential-0.1.0/bin/key.json",
            "/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/TemporaryItems/Key1.json",
            "/private/var/folders/8k/7b2v1zq56bd3hq9w8s4k0000gn/T/Key1/Key2/Key3/key.json",
            "/home/runner/work/MyProject2/MyProject2/SubModule1/AnotherFolder/SecretFiles/Key.json",
            "/home/runner/work/Repo1/Repo1/da39a3ee5e6b4b0d3255bfef95601890afd80709/Keys/key.json",
            "/Cache/E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855/x.json",
            "/Users/John/Library/Developer/Xcode/UserData4/IBSupport/SimulatorDevices/Build/Products/key",
            "/Users/John/Library/Containers/0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0/Data/Documents/k.json",
            "/Users/ci/Library/Developer/CoreSimulator/Devices/0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0/data",
            "/var/lib/docker/overlay2/l/6Y5IM2XC7TSNIJZZFLJCS6I4I4/Etc/Zitadel/key.json",
            "/var/lib/docker/overlay2/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08/diff/K",
            "/var/lib/jenkins/workspace/Deploy_PR-12@tmp/secretFiles/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/key",
            "/MyProject2/SubModule1/AnotherFolder/SecretFiles/DerivedData/KeyFile/Key.json",
            "/builds/Group1/SubGroup2/Project3.tmp/ZITADEL_CREDENTIAL_KEY_FILE",
            "/run/secrets/kubernetes.io/serviceaccount/..2026_11_24_21_00_00.1234567890/key.json",
            "/proc/self/fd/63",
            "C:/Program Files (x86)/Acme/Key1.json",
        ] {
            assert_eq!(path(whole), whole);
        }
    }

    #[test]
    fn keys_and_tokens_are_detected_and_names_are_not() {
        for name in [
            "gke_acme-prod-1_europe-west1-b_build-cluster",
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
            "urn:zitadel:iam:org:project:id:2KqWvO9tS0mBCrBDKdQZ0xYh1Ab:aud",
            "Zitadel-Service-User-Key-Of-Build-Server-2026-11-28",
            "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0",
        ] {
            assert!(!holds_secret(name), "{name}");
        }
        for secret in [
            "eyJhbGciOiJSUzI1NiIsImtpZCI6IjMyNDY4Mjc1NTIwNDMyMDY3MSJ9",
            "Vq3-8sKw_2LmXz7-Rt5_pYb1Nc-9GhJd_Fu6Ae",
            "NyjUjZfIK4sX9lhTGG9qYDXg\nRl0cI6MOXLpw+wyq1Xv0nxKa\r\n4ueR5VdN32HuhTvl",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            assert!(holds_secret(secret), "{secret}");
        }
    }

    #[test]
    fn a_path_is_shown_whole_and_a_key_in_its_place_not() {
        for whole in [
            "/home/Ci-User1/.config/zitadel-credential/Prod-2026.json",
            "/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/x.json",
            "key.json",
        ] {
            assert_eq!(path(whole), whole);
        }
        for key in [
            "/etc/-----BEGIN RSA PRIVATE KEY-----",
            "MIIEowIBAAKCAQEAvV3b9zQ0XxKq7Lw2",
            "/x/eyJ0eXBlIjoic2VydmljZWFjY291bnQi/y",
        ] {
            assert_eq!(path(key), "[…]");
        }
        assert_eq!(path("a\u{1b}b"), "a\\u{1b}b");
    }

    #[test]
    fn a_urls_password_is_hidden_and_its_user_and_host_are_shown() {
        for (text, shown) in [
            ("https://ci:hunter2@git.a.dev", "https://ci:[…]@git.a.dev"),
            ("ci:hunter2@git.a.dev:5000", "ci:[…]@git.a.dev:5000"),
            (
                "'https://:hunt@er/2@a.dev/x': no",
                "'https://:[…]@a.dev/x': no",
            ),
            ("https://ci@a.dev:5000/x", "https://ci@a.dev:5000/x"),
            ("it is: ci@a.dev", "it is: ci@a.dev"),
        ] {
            assert_eq!(quoted(text), shown);
        }
    }

    #[test]
    fn a_quoted_answer_shows_words_but_no_assertion() {
        let assertion = format!("{}.{}.{}", "e".repeat(60), "y".repeat(200), "s".repeat(342));
        let text = quoted(&format!("issuedAt of token is in the future: {assertion}!"));
        assert_eq!(text, "issuedAt of token is in the future: […].[…].[…]!");
    }

    #[test]
    fn every_bidirectional_control_is_escaped() {
        // Unicode's property Bidi_Control.
        let all = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        assert!(printable(all).is_ascii());
    }

    #[test]
    fn a_system_error_is_shown_without_its_number() {
        let error = system(&io::Error::from_raw_os_error(2));
        assert!(error.contains("file") && !error.ends_with('.'), "{error}");
        assert!(cfg!(windows) || error == "no such file or directory");
        assert_eq!(system(&io::Error::other("Its own")), "Its own");
        let busy = io::Error::from(io::ErrorKind::ResourceBusy);
        assert!(system(&busy).starts_with("a mount point"));
    }

    #[test]
    fn a_quoted_setting_shows_a_path_but_no_key() {
        for path in [
            "https://id.acme.dev/a/long/path-of/words/and-a-1/more",
            r"C:\Users\Jane Doe\AppData\Roaming\zitadel-credential\config.toml",
            r"C:\Users\jdoe2\AppData\Local\Programs\ZitadelCredential\bin\key.json",
            r"\\fileserver01\Profiles\JaneDoe\Application\Settings\Zitadel\key.json",
            r"%LOCALAPPDATA%\Microsoft\WinGet\Links2\zitadel-credential.exe",
        ] {
            assert_eq!(quoted(path), path);
        }
        let base64 = "MIIEowIBAAKCAQEAqtpH/VgD08YUPmtBrhkM+YJc6nkkIaRVKHqMDSn23eqoL==";
        assert_eq!(quoted(&format!("a {base64} b")), "a […] b");
        assert_eq!(
            quoted("a -----BEGIN RSA PRIVATE KEY-----\nMIIE\nMIIE"),
            "a […]"
        );
    }

    #[test]
    fn a_line_of_a_secret_is_left_out_and_a_long_name_is_not() {
        for line in [
            "MzI0NjgyNzU1MjA0MzIwNjcxIiw",
            "zWdIiOiIzMjQbODInNTUyMDQabcD",
        ] {
            assert_eq!(quoted(&format!("a {line}\nb")), "a […]\\nb");
        }
        for escaped in [
            "%65%79%4A%68%62%47%63%69%4F%69%4A",
            r"\u0065\u0079\u004a\u0068\u0062\u0047",
            r"\x65\x79\x4A\x68\x62\x47\x63\x69\x4F",
            r"\145\171\112\150\142\107\143\151\117",
            r"MIIEvQ\/IBADANBgkq\/hkiG9w0BAQEFAASC",
        ] {
            assert_eq!(quoted(&format!("a {escaped} b")), "a […] b");
        }
        for name in [
            "InternalServerErrorException",
            "urn:ietf:params:oauth:grant-type",
            "AADSTS90002-2026-11-24-5",
            "caf%C3%A9%20au%20lait",
        ] {
            assert_eq!(quoted(name), name);
        }
    }

    #[test]
    fn a_long_line_is_cut() {
        assert_eq!(line("short\u{1b}"), "short\\u{1b}");
        for long in ["x".repeat(70_000), "ü".repeat(70_000)] {
            let shown = line(&long);
            assert!(
                shown.len() <= 1003 && shown.ends_with('…'),
                "{}",
                shown.len()
            );
        }
    }

    #[test]
    fn a_long_answer_is_cut() {
        assert!(quoted(&"so long ".repeat(1000)).chars().count() <= 201);
        assert!(quoted(&"ü ".repeat(1000)).len() <= 210);
    }

    proptest! {
        #[test]
        fn no_text_controls_a_terminal_or_shows_a_secret(before in "\\PC{0,20}", text: String) {
            const SECRET: &str = "eyJhbGciOiJSUzI1NiJ9-eyJpc3MiOiIxIn0";
            for shown in [printable(&text), quoted(&text), path(&text)] {
                prop_assert!(!shown.contains(is_unprintable), "{shown:?}");
            }
            let told = quoted(&format!("{before}{SECRET}{text}"));
            prop_assert!(!told.contains("UzI1NiJ9") && !told.contains("c3MiOiIx"), "{told}");
        }
    }

    #[test]
    fn a_word_of_a_command_hides_a_secret() {
        assert_eq!(word("/a/b.c"), "/a/b.c");
        assert!(word("MIIEowIBAAKCAQEAvV3b9zQ0XxKq7Lw2").contains("[…]"));
    }
}
