//! git's message gets a token only for the host that it names, once and on a separate
//! line; the response has the keys that git reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::host::Auth;
use zitadel_credential::token::Login;
use zitadel_credential::tools::git::protocol;
use zitadel_credential_fuzz as plain;

fuzz_target!(|message: &[u8]| {
    let Ok(question) = protocol::parse(message) else {
        return;
    };
    assert_eq!(
        plain::origin(the("protocol", message), the("host", message)),
        Some(plain::understood(&question.ask.origin))
    );
    if let Some(username) = &question.ask.username {
        assert_eq!(the("username", message), username);
    }

    let token = plain::token();
    let login = Login {
        username: "ci",
        token: &token,
    };
    for auth in [Auth::Auto, Auth::Basic, Auth::Bearer] {
        let answer = question.answer(auth, login);
        let lines: Vec<_> = answer
            .strip_suffix('\n')
            .expect("lines")
            .split('\n')
            .collect();
        let fields: Vec<_> = lines
            .iter()
            .filter_map(|line| line.split_once('='))
            .collect();
        assert_eq!(lines.len(), fields.len(), "{answer:?}");
        let expected: &[_] = if answer.contains("authtype=Bearer\n") {
            assert!(message.windows(21).any(|w| w == b"capability[]=authtype"));
            &[
                ("capability[]", "authtype"),
                ("authtype", "Bearer"),
                ("credential", token.expose()),
                ("ephemeral", "1"),
                ("password_expiry_utc", "1700003570"),
            ]
        } else {
            &[
                ("username", "ci"),
                ("password", token.expose()),
                ("password_expiry_utc", "1700003570"),
            ]
        };
        assert_eq!(fields, expected);
    }
});

/// Returns the value of a key that occurs once before the first empty line.
fn the<'a>(key: &str, message: &'a [u8]) -> &'a str {
    let text = std::str::from_utf8(message).expect("text");
    let lines = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line));
    let lines = lines.take_while(|line| !line.is_empty());
    let values: Vec<_> = lines
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        .collect();
    assert_eq!(values.len(), 1, "{key} in {text:?}");
    values[0]
}
