use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::text::clock::UnixTime;
use crate::token::{Lifespan, Token};

fn read(message: &str) -> Request {
    parse(message.as_bytes()).unwrap_or_else(|reason| panic!("{message:?}: {reason}"))
}

fn answered(message: &str, auth: Auth) -> String {
    let obtained_at = UnixTime::from_secs(1_000_000);
    let lifespan = Lifespan {
        obtained_at,
        expires_at: obtained_at.plus(Duration::from_secs(3600)),
    };
    let token = Token::new("abc".into(), Some(lifespan)).expect("a b64token");
    let username = "ci";
    read(message).answer(
        auth,
        Login {
            username,
            token: &token,
        },
    )
}

const OLD: &str = "protocol=https\nhost=git.acme.dev\n\n";
const NEW: &str = "capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=git.acme.dev\n\
                   wwwauth[]=Negotiate\nwwwauth[]=Bearer realm=\"y\"\n";
const BASIC: &str = "username=ci\npassword=abc\npassword_expiry_utc=1003570\n";
const BEARER: &str = "capability[]=authtype\nauthtype=Bearer\ncredential=abc\nephemeral=1\n\
                      password_expiry_utc=1003570\n";

#[test]
fn an_old_git_gets_a_password() {
    for auth in [Auth::Auto, Auth::Basic, Auth::Bearer] {
        assert_eq!(answered(OLD, auth), BASIC, "{auth:?}");
    }
}

#[test]
fn a_new_git_gets_bearer_if_the_rule_and_the_server_allow_it() {
    assert_eq!(answered(NEW, Auth::Auto), BEARER);
    assert_eq!(answered(NEW, Auth::Bearer), BEARER);
    assert_eq!(answered(NEW, Auth::Basic), BASIC);
    // git fails at a large push with Bearer.
    for both in [
        "wwwauth[]=Basic realm=\"x\"\nwwwauth[]=Bearer realm=\"y\"\n",
        "wwwauth[]=Bearer realm=\"y\"\nwwwauth[]=basic realm=\"x\"\n",
        "wwwauth[]=Bearer realm=\"y, Digest\", Basic realm=\"x\"\n",
    ] {
        let message = format!("{NEW}wwwauth[]=\n{both}");
        assert_eq!(answered(&message, Auth::Auto), BASIC, "{both}");
        assert_eq!(answered(&message, Auth::Bearer), BEARER, "{both}");
    }
    let no_offer = NEW.replace("Bearer", "Digest");
    assert_eq!(answered(&no_offer, Auth::Auto), BASIC);
    assert_eq!(answered(&no_offer, Auth::Bearer), BEARER);
}

#[test]
fn an_empty_value_clears_a_list() {
    let message = format!("{NEW}wwwauth[]=\n");
    assert_eq!(answered(&message, Auth::Auto), BASIC);
    let message = format!("{NEW}capability[]=\n");
    assert_eq!(answered(&message, Auth::Bearer), BASIC);
}

#[test]
fn a_message_ends_at_a_blank_line_or_with_the_input() {
    for message in [
        "protocol=https\nhost=a.dev",
        "protocol=https\nhost=a.dev\n",
        "protocol=https\nhost=a.dev\n\n",
        "protocol=https\nhost=a.dev\n\nhost=b.dev\n",
        "protocol=https\r\nhost=a.dev\r\n\r\n",
        "protocol=https\nhost=a.dev\npath=x/y.git\nstate[]=x\nnew-key=v=w\n",
    ] {
        assert_eq!(
            read(message).ask.origin.host.as_str(),
            "a.dev",
            "{message:?}"
        );
    }
}

#[test]
fn messages_that_git_never_sends_are_ignored() {
    let mut bad: Vec<String> = [
        "protocol=http\nhost=localhost\nusername=\rprotocol=https\rhost=a.dev\r\n",
        "protocol=https\r\nhost=a.dev\n",
        "protocol=https\nhost=a.dev\nx=\r\n",
        "protocol=https\nhost=b.dev\nhost=a.dev\n",
        "protocol=https\nhost=\nhost=a.dev\n",
        "protocol=http\nprotocol=https\nhost=a.dev\n",
        "protocol=https\nhost=a.dev\nusername=x\nusername=y\n",
        "protocol=https\n",
        "host=a.dev\n",
        "protocol=https\nhost=\n",
        "protocol=cert\nhost=a.dev\n",
        "protocol=ftp\nhost=a.dev\n",
        "protocol=\nhost=a.dev\n",
        "url=https://a.dev\n",
        "url=https://b.dev\nprotocol=https\nhost=a.dev\n",
        "protocol=https\nhost=a.dev\0\n",
        "protocol=https\nhost=a.dev\npassword=x\0y\n",
        "protocol=https\nhost=a.dev\nhello\n",
        "protocol=https\nhost=a.dev\n=x\n",
        "protocol=https\nhost=a.dev.\n",
        "protocol=https\nhost=a.dev \n",
        "protocol=https\nhost=a.dev%00.evil\n",
        "protocol=https\nhost=user@a.dev\n",
        "protocol=https\nhost=а.dev\n",
        "protocol=https\nhost=a.dev\npath=\u{1b}[31m\n",
        "protocol=https\nhost=\u{7}a.dev\n",
        "",
        "\n",
    ]
    .map(str::to_owned)
    .into();
    for separator in ["\u{2028}", "\u{2029}", "\u{85}", "\u{b}", "\u{c}"] {
        bad.push(format!(
            "protocol=http\nhost=localhost\nusername={separator}protocol=https{separator}host=a.dev\n"
        ));
    }
    for message in bad {
        assert!(parse(message.as_bytes()).is_err(), "{message:?}");
    }
    assert!(parse(b"protocol=https\nhost=a.dev\nusername=\xff\n").is_err());
}

#[test]
fn a_refused_secret_is_read_in_both_forms() {
    for key in ["password", "credential"] {
        let request = read(&OLD.replace("\n\n", &format!("\n{key}=abc\n")));
        assert_eq!(request.secret, Some(Secret::new("abc".into())), "{key}");
    }
}

proptest! {
    #[test]
    fn any_message_parses_without_panic(message: Vec<u8>) {
        let _ = parse(&message);
    }

    #[test]
    fn the_host_that_is_answered_is_a_line_of_the_message(
        message in "(protocol=https?|host=[a-c.]{1,3}|username=[a-c\r\u{2028}]{0,3}|[\n\r])(\n(protocol=https?|host=[a-c.:1\r]{1,4}|x=[\ra-c=]{0,3})){0,4}"
    ) {
        if let Ok(request) = parse(message.as_bytes()) {
            let host = request.ask.origin.host.as_str();
            let lines = message.split('\n').map(|line| line.trim_end_matches('\r'));
            let named = lines.filter(|line| line.strip_prefix("host=").is_some_and(|v| v.starts_with(host)));
            prop_assert_eq!(named.count(), 1);
        }
    }

    #[test]
    fn an_answer_contains_only_the_credentials(
        new: bool,
        username in "[^:\\p{Cc}\u{200e}\u{200f}\u{2028}-\u{202e}\u{2066}-\u{2069}]{1,12}",
        secret in "[A-Za-z0-9._~+/-]{1,40}={0,2}",
    ) {
        let token = Token::new(secret.clone(), None).expect("a b64token");
        let login = Login { username: &username, token: &token };
        let answer = read(if new { NEW } else { OLD }).answer(Auth::Auto, login);
        // git's rules: LF ends a line, an empty line ends the message, and the first =
        // separates key and value.
        let lines: Vec<_> = answer.split_terminator('\n').collect();
        let fields: Vec<_> = lines.iter().filter_map(|line| line.split_once('=')).collect();
        prop_assert!(answer.ends_with('\n') && fields.len() == lines.len());
        let expected = if new {
            vec![
                ("capability[]", "authtype"),
                ("authtype", "Bearer"),
                ("credential", &*secret),
                ("ephemeral", "1"),
            ]
        } else {
            vec![("username", &*username), ("password", &*secret)]
        };
        prop_assert_eq!(fields, expected);
    }
}
