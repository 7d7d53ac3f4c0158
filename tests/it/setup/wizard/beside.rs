//! The wizard with existing profiles and host rules.

use super::super::{CONFIG, Fixture};
use super::{HOSTS, ISSUER, KEY, NAME, answered, wizard};

#[test]
fn a_host_that_a_tool_was_set_up_for_stays_until_that_is_undone() {
    let fixture = Fixture::new();
    let answers = ["ISSUER", "key.json", "prod", "r.dev s.dev"];
    let (code, shown) = answered(&fixture, "setup", answers);
    assert_eq!(code, Some(0), "{shown}");
    fixture.done("docker r.dev");
    let said = fixture.refused(2, "profile prod --undo");
    assert!(
        said.contains("host rules still use profile prod: r.dev\n"),
        "{said}"
    );
    fixture.done("docker r.dev --undo");
    assert!(fixture.home.read(CONFIG).contains("[hosts.\"r.dev\"]"));
    fixture.done("profile prod --undo");
    assert!(!fixture.exists(CONFIG));
}

/// Two instances with a name in common must not overwrite a profile.
#[test]
fn an_existing_profile_is_replaced_only_if_named_twice() {
    const OLD: &str = "[profiles.old]\nissuer = \"https://a.dev\"\nkey-file = \"~/old.json\"\n\
         projects = [\"7\"]\n[profiles.zitadel]\nissuer = \"https://b.dev\"\nkey-file = \"~/x\"\n";
    for (names, is_replaced) in [
        (&["old", "new"][..], false),
        (&["old", "zitadel", "old", "new"], false),
        (&[""], false),
        (&["old", "old"], true),
    ] {
        let fixture = Fixture::new();
        fixture.home.write(CONFIG, OLD);
        let mut screen = wizard(&fixture, "setup");
        screen.answers(ISSUER, &fixture.issuer.url());
        screen.answers(KEY, "key.json");
        screen.see("there already: profile old, zitadel");
        for (asked, name) in names.iter().enumerate() {
            screen.see_times(NAME, asked + 1);
            screen.types(&format!("{name}\n"));
        }
        screen.answers(HOSTS, "");
        let (code, shown) = screen.end();
        assert_eq!(code, Some(0), "{shown}");
        let asked_again = names.len() - 1;
        assert_eq!(
            shown.matches("to replace its issuer and key").count(),
            asked_again,
            "{shown}"
        );
        let text = fixture.home.read(CONFIG);
        let key = fixture.path().join("key.json");
        let (url, key) = (fixture.issuer.url(), key.display());
        if is_replaced {
            let changed = OLD
                .replace("https://a.dev", &url)
                .replace("~/old.json", &key.to_string());
            assert_eq!(text, changed);
            fixture.done("profile old --undo");
            assert_eq!(fixture.home.read(CONFIG), OLD);
        } else {
            assert!(text.starts_with(OLD), "{text}");
            let name = if names == [""] { "zitadel-2" } else { "new" };
            let added = format!("[profiles.{name}]\nissuer = \"{url}\"\nkey-file = \"{key}\"\n");
            assert!(text.contains(&added), "{text}");
        }
    }
}
