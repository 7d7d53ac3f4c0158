use proptest::prelude::*;

use super::*;

const FILE: &str = "# mine\ndefault-profile='prod' # why\n\n[ profiles . prod ]  # x\n\
                    issuer   =   \"https://a.dev\"\n\n# the end\n";

fn document(text: &str) -> Document {
    Document::parse(text).expect("TOML")
}

#[test]
fn a_table_is_added_and_removed_and_the_rest_stays_to_the_byte() {
    for before in ["", FILE, "a = 1\n\n[b]\nc = [\n1, # d\n]\n"] {
        let mut document = document(before);
        let values = [("profile", string("prod"))];
        document
            .add_table("hosts", "git.acme.dev", &values)
            .expect("added");
        let after = document.text();
        let line = "[hosts.\"git.acme.dev\"]\nprofile = \"prod\"\n";
        assert!(after.ends_with(line), "{after}");
        let mut again = Document::parse(&after).expect("TOML");
        let key = ["hosts", "git.acme.dev"];
        assert_eq!(again.at(&key), Some(body(&values)));
        again
            .remove_table(key[0], key[1], &body(&values))
            .expect("removed");
        assert_eq!(again.text(), before);
    }
}

#[test]
fn a_value_is_set_in_place_and_restored() {
    let mut document = document(FILE);
    let key = ["profiles", "prod", "issuer"];
    let former = document.at(&key).expect("a value");
    assert_eq!(former, "\"https://a.dev\"");
    document.set(&key, "\"https://b.dev\"").expect("set");
    assert_eq!(document.text(), FILE.replace("a.dev", "b.dev"));
    document.set(&key, &former).expect("set");
    assert_eq!(document.text(), FILE);
    assert!(document.set(&["profiles", "none", "x"], "1").is_err());
}

#[test]
fn a_value_is_added_after_the_others_of_its_table_and_removed() {
    for (key, line) in [
        (["default-profile"].as_slice(), "default-profile = \"x\"\n"),
        (&["profiles", "a", "key-file"], "key-file = \"x\"\n"),
    ] {
        for text in [
            "",
            "# c\n[profiles.a]\nissuer = 'b' # d\n\n[hosts.b]\n",
            "other = 1\n[profiles.a] # d\n[hosts.b]\n",
            "[profiles.a]\nscopes = [\n\"b\",\n]\n",
            "[profiles.a]",
            "x.y = 1\nprofiles.a.issuer = 'b'\n",
        ] {
            let mut document = document(text);
            if document.at(&key[..key.len() - 1]).is_none() {
                continue;
            }
            document.set(key, "\"x\"").expect("set");
            let after = document.text();
            assert!(after.contains(line), "{after:?}");
            assert_eq!(document.at(key).as_deref(), Some("\"x\""));
            document.remove(key).expect("removed");
            assert_eq!(document.text().trim_end(), text.trim_end());
        }
    }
}

#[test]
fn a_comment_above_a_removed_value_stays() {
    for (text, key, after) in [
        ("a = 1\n# c\nb = 2\nd = 3\n", "b", "a = 1\n# c\nd = 3\n"),
        ("a = 1\n# c\nb = 2\n\n[d]\n", "b", "a = 1\n# c\n\n[d]\n"),
        ("a = 1\n# c\nb = 2\n", "b", "a = 1\n# c\n"),
    ] {
        let mut document = document(text);
        document.remove(&[key]).expect("removed");
        assert_eq!(document.text(), after);
    }
    let mut one = document("a = 1 # c\nb = 2\n");
    assert_eq!(one.remove(&["b"]).ok(), Some(false));
    assert_eq!(one.remove(&["a"]).ok(), Some(true), "its comment goes");
    assert_eq!(one.text(), "");
    let text = "[hosts.\"a.dev\"] # ours\n# theirs\nprofile = 'p' # ours\n\n# more\n[b]\nc = 1\n";
    let mut document = document(text);
    document
        .remove_table("hosts", "a.dev", "profile = 'p'\n")
        .expect("removed");
    assert_eq!(document.text(), "# theirs\n\n# more\n[b]\nc = 1\n");
}

#[test]
fn a_table_that_others_changed_is_not_removed() {
    let mut document = document("");
    let values = [("profile", string("prod"))];
    document
        .add_table("hosts", "a.dev", &values)
        .expect("added");
    let more = format!("{}auth = \"basic\"\n", document.text());
    let mut changed = self::document(&more);
    let ours = body(&values);
    assert_ne!(changed.at(&["hosts", "a.dev"]).as_ref(), Some(&ours));
    assert!(changed.remove_table("hosts", "a.dev", &ours).is_err());
    assert_eq!(changed.text(), more);
}

#[test]
fn a_value_in_an_inline_table_is_not_removed() {
    let text = "[profiles]\nprod = { issuer = \"a\", key-id = \"X\" }\n";
    let mut document = document(text);
    let key = ["profiles", "prod", "key-id"];
    assert!(document.remove(&key).is_err());
    assert_eq!(document.text(), text);
}

#[test]
fn a_group_that_is_not_a_table_is_unchanged() {
    for other in ["hosts = {}\n", "hosts = 1\n"] {
        let mut document = document(other);
        let added = document.add_table("hosts", "b.dev", &[]);
        assert!(added.is_err(), "{other}");
        assert_eq!(document.text(), other);
    }
}

#[test]
fn a_file_whose_lines_all_end_in_crlf_keeps_them() {
    let before = "# mine\r\n[profiles.a]\r\nissuer = '''\r\nb'''\r\n";
    let mut document = document(before);
    let values = [("profile", string("a"))];
    document
        .add_table("hosts", "b.dev", &values)
        .expect("added");
    let added = "\r\n[hosts.\"b.dev\"]\r\nprofile = \"a\"\r\n";
    assert_eq!(document.text(), format!("{before}{added}"));
    let key = ["profiles", "a", "key-id"];
    document.set(&key, "'1'").expect("set");
    assert!(document.text().contains("b'''\r\nkey-id = '1'\r\n"));
    let mut again = self::document(&document.text());
    again.remove(&key).expect("removed");
    again
        .remove_table("hosts", "b.dev", &body(&values))
        .expect("removed");
    assert_eq!(again.text(), before);
}

#[test]
fn a_file_that_undo_could_not_restore_is_refused_with_the_lines_to_paste() {
    for other in [
        "# c\r\n[profiles.a]\nissuer = 'b'\n",
        "\u{feff}[profiles.a]\nissuer = 'b'\n",
        "[ profiles . a ]\nissuer = 'b'\n[profiles.b]\n",
    ] {
        let mut document = document(other);
        let values = [("profile", string("p"))];
        let refused = document.add_table("hosts", "b.dev", &values).err();
        let said = refused.expect("refused").to_string();
        let lines = "\n    [hosts.\"b.dev\"]\n    profile = \"p\"";
        assert!(said.ends_with(lines), "{said}");
        let key = ["profiles", "a", "issuer"];
        assert!(document.set(&key, "1").is_err());
        assert!(document.remove(&key).is_err());
        let removed = document.remove_table("profiles", "a", "issuer = 'b'\n");
        assert!(removed.is_err());
        assert_eq!(document.text(), other);
    }
}

proptest! {
    #[test]
    fn an_added_table_can_be_removed_exactly(
        lines in prop::collection::vec(
            prop::sample::select(&["# c", "", "[profiles.a]", "[hosts.\"x.dev\"]", "issuer = 'b'", "  y=1 # d", "z = [\n1,\n]"]),
            0..8,
        ),
    ) {
        let text = lines.join("\n") + "\n";
        if let Ok(mut document) = Document::parse(&text) {
            let key = ["hosts", "new.dev"];
            if document.add_table(key[0], key[1], &[("profile", string("p"))]).is_ok() {
                document.remove_table(key[0], key[1], "profile = \"p\"\n").unwrap();
                prop_assert_eq!(document.text(), text);
            }
        }
    }
}
