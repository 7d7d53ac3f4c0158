//! Invalid answers: a paste, a secret, an option, and a name that another setup has used
//! meanwhile.

use super::wizard::{ERROR, HOSTS, ISSUER, KEY, NAME, wizard};
use super::{CONFIG, Fixture};

/// A pasted key has many lines, and one of them would be a valid name.
#[test]
fn a_pasted_key_counts_as_one_wrong_answer() {
    let pem = format!(
        "-----BEGIN RSA PRIVATE KEY-----\n{}short\n-----END RSA PRIVATE KEY-----\n",
        "Vq3-8sKw2LmXz7Rt5pYb1Nc9GhJdFu6AeVq3-8sKw2LmXz7Rt5pYb1Nc9GhJdFu6A\n".repeat(25)
    );
    for pasted in [
        pem,
        "{\n  \"type\": \"serviceaccount\",\n  \"keyId\": \"1\"\n}\n".into(),
    ] {
        let fixture = Fixture::new();
        let mut screen = wizard(&fixture, "setup");
        let url = fixture.issuer.url();
        for (question, answer) in [
            (ISSUER, &*url),
            (KEY, "key.json"),
            (NAME, "prod"),
            (HOSTS, ""),
        ] {
            screen.see(question);
            screen.types(&pasted);
            screen.see_times(question, 2);
            screen.types(&format!("{answer}\n"));
        }
        let (code, shown) = screen.end();
        assert_eq!(code, Some(0), "{shown}");
        assert_eq!(shown.matches(ERROR).count(), 4, "{shown}");
        let text = fixture.home.read(CONFIG);
        assert!(
            text.starts_with("[profiles.prod]\n") && !text.contains("[hosts"),
            "{text}"
        );
    }
}

#[test]
fn key_parts_and_options_are_refused_as_hosts_and_files() {
    let fixture = Fixture::new();
    let mut screen = wizard(&fixture, "setup");
    screen.answers(ISSUER, &fixture.issuer.url());
    let key = "{\"type\":\"serviceaccount\"}";
    let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjMyNDY4Mjc1NTIwNDMyMDY3MSJ9";
    let end = "-----END RSA PRIVATE KEY-----";
    for (asked, answer) in [&*format!("'{key}'"), &format!("\"{key}"), token, end]
        .iter()
        .enumerate()
    {
        screen.see_times(KEY, asked + 1);
        screen.types(&format!("{answer}\n"));
    }
    screen.see_times(KEY, 5);
    screen.types("key.json\n");
    screen.answers(NAME, "prod");
    for (asked, answer) in [end, "-x.dev", "a.dev --undo"].iter().enumerate() {
        screen.see_times(HOSTS, asked + 1);
        screen.types(&format!("{answer}\n"));
    }
    screen.see_times(HOSTS, 4);
    screen.types("a.dev\n");
    let (code, shown) = screen.end();
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(shown.matches("the answer is a key").count(), 3, "{shown}");
    assert_eq!(
        shown.matches("looks like a key or a token").count(),
        2,
        "{shown}"
    );
    assert_eq!(shown.matches("invalid host: ").count(), 2, "{shown}");
    assert_eq!(fixture.home.read(CONFIG).matches("[hosts.").count(), 1);
}

/// Two terminals use one name.
#[test]
fn changes_by_another_setup_since_the_question_stay() {
    for (answer, wrote, told) in [
        ("", "profile prod", "profile prod exists already\n"),
        (
            "a.dev",
            "profile other",
            "host rule a.dev exists already, for profile other\n",
        ),
    ] {
        let fixture = Fixture::new();
        let mut screen = wizard(&fixture, "setup");
        screen.answers(ISSUER, &fixture.issuer.url());
        screen.answers(KEY, "key.json");
        screen.answers(NAME, "prod");
        screen.see(HOSTS);
        fixture.home.write("other.json", fixture.user.key_json());
        let url = fixture.issuer.url();
        fixture.done(&format!("{wrote} --issuer {url} --key-file other.json"));
        fixture.done("docker a.dev");
        let before = fixture.home.read(CONFIG);
        screen.types(&format!("{answer}\n"));
        let (code, shown) = screen.end();
        assert_eq!(code, Some(2), "{shown}");
        assert!(shown.contains(told), "{shown}");
        assert_eq!(fixture.home.read(CONFIG), before);
    }
}
