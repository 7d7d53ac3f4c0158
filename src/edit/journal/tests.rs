use super::super::entry::digest_of;
use super::*;
use crate::setup::owns;

const CONFIG: &str = if cfg!(windows) {
    "C:/c.toml"
} else {
    "/c.toml"
};
const OTHER: &str = if cfg!(windows) {
    "C:/d.toml"
} else {
    "/d.toml"
};

/// Returns a text whose paths begin like absolute paths of this system.
fn placed(text: &str) -> String {
    if cfg!(unix) {
        return text.to_owned();
    }
    let text = text.replace(" /", " C:/").replace("\"/", "\"C:/");
    match text.strip_prefix('/') {
        Some(rest) => format!("C:/{rest}"),
        None => text,
    }
}

fn edit(at: &str, ours: &str, former: Option<&str>) -> Edit {
    Edit::new(placed("/f"), &["hosts", at], ours, former.map(Into::into))
}

fn journal() -> Journal {
    Journal::parse("", CONFIG, owns).expect("an empty journal")
}

#[test]
fn a_journal_round_trips_and_other_text_is_refused() {
    let mut journal = journal();
    assert_eq!(journal.text(owns).expect("text"), None);
    journal.record("git a.dev", edit("a.dev", "x", None));
    let mut note = Note::first(None);
    note.leave(Some("z"), std::iter::empty());
    journal.files.insert(placed("/f"), note);
    let text = journal.text(owns).expect("text").expect("some");
    let read = |text: &str| Journal::parse(text, CONFIG, owns);
    assert_eq!(read(&text).expect("a journal"), journal);
    for bad in ["{}", "[]", "x", &text.replace("\"1\"", "\"2\"")] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

fn is_believed(journal: &Journal) -> bool {
    let text = serde_json::to_string(journal).expect("text");
    let is_read = Journal::parse(&text, CONFIG, owns).is_ok();
    assert_eq!(
        journal.text(owns).is_ok(),
        is_read,
        "it is written only then"
    );
    is_read
}

fn parse(setup: &str, file: &str, at: &[&str], ours: &str, former: Option<&str>) -> bool {
    let mut journal = journal();
    let edit = Edit::new(placed(file), at, &placed(ours), former.map(Into::into));
    journal.record(&placed(setup), edit);
    is_believed(&journal)
}

#[test]
fn only_entries_that_a_setup_can_write_are_accepted() {
    let key = "credential.https://g.dev.helper";
    for (setup, at, ours, former) in [
        (
            "profile p",
            &["default-profile"][..],
            "\"p\"",
            Some("\"q\""),
        ),
        ("profile p", &["profiles", "p"], "issuer = 1\n", None),
        ("profile p", &["profiles", "p", "issuer"], "1", Some("2")),
        ("profile p", &["hosts", "g.dev"], "profile = \"p\"\n", None),
        ("git g.dev /f", &["hosts", "g.dev"], "x", None),
        ("git g.dev /f", &[key, ""], "", None),
        ("git g.dev /f", &[key, "!'/x' git"], "!'/x' git", None),
        ("docker r.dev:5 /f", &["credHelpers"], "{}", Some("null")),
        (
            "docker r.dev /f",
            &["credHelpers", "r.dev"],
            "zitadel",
            Some("x"),
        ),
        ("kubectl a b /f", &["users", "a b"], "{}", None),
        ("kubectl a /f", &["contexts", "c", "user"], "a", Some("b")),
    ] {
        assert!(parse(setup, "/f", at, ours, former), "{setup} {at:?}");
        for file in [
            "f",
            "",
            "/d/../f",
            "/f\n",
            &format!("/{}", "f".repeat(4096)),
        ] {
            assert!(!parse(setup, file, at, ours, former), "{setup} {file}");
        }
        assert!(!parse(setup, "/f", at, &"x".repeat(70_000), former));
        assert!(!parse("other g.dev /f", "/f", at, ours, former));
    }
    for (setup, at, ours, former) in [
        ("profile p", &["profiles", "q"][..], "x", None),
        ("profile p", &["profiles", "p", "key-command"], "x", None),
        ("profile p", &["hosts", "g.dev"], "x", None),
        ("profile p", &["hosts", "g.dev"], "profile = \"q\"\n", None),
        ("git g.dev /g", &[key, ""], "", None),
        ("git g.dev /f", &["hosts", "g.dev"], "x", Some("y")),
        ("git g.dev /f", &["core.pager", "x"], "x", None),
        ("git g.dev /f", &[key, "--file=/g"], "--file=/g", None),
        ("git g.dev /f", &[key, "zitadel"], "other", None),
        ("docker r.dev /f", &["auths"], "{}", None),
        (
            "docker r.dev /f",
            &["credHelpers"],
            "{}",
            Some("{},\"a\":1"),
        ),
        ("docker r.dev /f", &["credHelpers", "r.dev"], "other", None),
        ("kubectl a /f", &["users", "--kubeconfig=/g"], "{}", None),
        ("kubectl a /f", &["contexts", "-c", "user"], "a", None),
        ("kubectl a /f", &["clusters", "c", "server"], "a", None),
        ("kubectl a /f", &[], "a", None),
    ] {
        assert!(!parse(setup, "/f", at, ours, former), "{setup} {at:?}");
    }
    let note = |file: &str, digest: &str, copy: u32| {
        let mut journal = journal();
        journal.record(&placed("git g.dev /f"), edit("g.dev", "x", None));
        let note = Note {
            before: Some(digest.to_owned()),
            left: None,
            touched: false,
            copy: Some(copy),
            found: None,
            steps: Vec::new(),
        };
        journal.files.insert(placed(file), note);
        is_believed(&journal)
    };
    let digest = digest_of("");
    assert!(note("/f", &digest, 1));
    assert!(!note("f", &digest, 1));
    assert!(!note("/f", &digest[1..], 1));
    assert!(!note("/f", &digest, 0));
    assert!(!note("/f", &digest, 100));
}

/// A provider's former value is not restored: it would be run.
#[test]
fn cargo_and_terraform_entries_may_name_only_what_undo_removes() {
    let provider = ["registries", "c", "credential-provider"];
    let plugin = "/p/terraform-credentials-zitadel";
    for (setup, file, at, ours) in [
        ("bazel *.b.dev /f", "/f", &["hosts", "*.b.dev"][..], "x"),
        ("cargo c.dev /f", "/f", &["registries", "c"], "index = 1\n"),
        ("cargo c.dev /f", "/f", &provider, "[\"x\"]"),
        (
            "terraform t.dev /f",
            "/f",
            &["credentials_helper", "zitadel"],
            "x",
        ),
        ("terraform t.dev /f", plugin, &["link"], "/bin/us"),
    ] {
        assert!(parse(setup, file, at, ours, None), "{setup} {at:?}");
        assert!(!parse(setup, file, at, ours, Some("x")), "{setup} {at:?}");
    }
    for (setup, file, at, ours) in [
        ("go g.dev /f", "/f", &["registries", "c"][..], "x"),
        ("cargo c.dev /g", "/f", &["registries", "c"], "x"),
        ("cargo c.dev /f", "/f", &["registries", "c", "index"], "x"),
        (
            "terraform t.dev /f",
            "/f",
            &["credentials_helper", "x"],
            "x",
        ),
        ("terraform t.dev /f", "/p/other", &["link"], "/bin/us"),
        ("terraform t.dev /f", plugin, &["link"], "us"),
    ] {
        assert!(!parse(setup, file, at, ours, None), "{setup} {at:?}");
    }
}

#[test]
fn a_shared_edit_is_undone_with_its_last_setup() {
    let mut journal = journal();
    for setup in ["git a.dev", "docker a.dev"] {
        journal.record(setup, edit("a.dev", "x", None));
    }
    assert_eq!(journal.take("git a.dev"), Some(vec![]));
    assert!(journal.uses(&placed("/f")));
    let last = journal.take("docker a.dev").expect("in place");
    assert_eq!(last, [edit("a.dev", "x", None)]);
    assert_eq!(journal.take("docker a.dev"), None);
    assert!(!journal.uses(&placed("/f")));
}

#[test]
fn a_repeated_setup_keeps_the_original_value() {
    let mut journal = journal();
    journal.record("kubectl a", edit("user", "ours", Some("admin")));
    journal.record("kubectl a", edit("user", "newer", Some("ours")));
    let undone = journal.take("kubectl a").expect("in place");
    let mut expected = edit("user", "newer", Some("admin"));
    expected.earlier = Some("ours".into());
    assert_eq!(undone, [expected]);
}

#[test]
fn setups_at_one_place_are_undone_in_any_order() {
    let both = || {
        let mut journal = journal();
        journal.record("kubectl a", edit("user", "a", Some("admin")));
        journal.record("kubectl b", edit("user", "b", Some("a")));
        journal
    };
    let mut first = both();
    let last = first.take("kubectl b").expect("in place");
    assert_eq!(last, [edit("user", "b", Some("a"))]);
    let mut first = both();
    // The former value is there only if the second setup was killed.
    let former = first.take("kubectl a").expect("in place");
    assert_eq!(former, [edit("user", "a", Some("admin"))]);
    assert!(first.is_anothers(&former[0], |ours| ours == "b"));
    let last = first.take("kubectl b").expect("in place");
    assert_eq!(last, [edit("user", "b", Some("admin"))]);
}

#[test]
fn each_config_file_has_its_own_setups_and_shares_the_tools_files() {
    let text = |journal: &Journal| journal.text(owns).expect("text").expect("some");
    let rule = |file: &str| Edit::new(file.into(), &["hosts", "g.dev"], "x", None);
    let helper = || {
        let key = "credential.https://g.dev.helper";
        Edit::new(placed("/f"), &[key, "zitadel"], "zitadel", None)
    };
    let name = &placed("git g.dev /f");
    let mut one = journal();
    one.record(name, rule(CONFIG));
    one.record(name, helper());
    let mut two = Journal::parse(&text(&one), OTHER, owns).expect("a journal");
    assert_eq!(two.edits_of(name), []);
    two.record(name, rule(OTHER));
    two.record(name, helper());
    let mut one = Journal::parse(&text(&two), CONFIG, owns).expect("a journal");
    // The other setup still has the helper.
    assert_eq!(one.take(name), Some(vec![rule(CONFIG)]));
    let mut two = Journal::parse(&text(&one), OTHER, owns).expect("a journal");
    assert_eq!(two.take(name), Some(vec![helper(), rule(OTHER)]));
    assert_eq!(two.text(owns).expect("text"), None);
}

#[test]
fn a_journal_of_the_first_edition_is_read() {
    let digest = digest_of("");
    let text = format!(
        "{{\"version\": \"1\", \"files\": {{\"/f\": {{\"before\": \"{digest}\", \"left\": null, \
         \"touched\": false, \"copy\": 2}}}}, \"setups\": {{\
         \"docker r.dev /f\": [{{\"file\": \"/d.toml\", \"at\": [\"hosts\", \"r.dev\"], \"ours\": \"x\", \"former\": null}}],\
         \"kubectl a /f\": [{{\"file\": \"/f\", \"at\": [\"users\", \"a\"], \"ours\": \"{{}}\", \"former\": null}}]}}}}"
    );
    let read = |config| Journal::parse(&placed(&text), config, owns).expect("a journal");
    for config in [CONFIG, OTHER] {
        let mut journal = read(config);
        assert_eq!(journal.files[&placed("/f")].backup(), Some(2));
        assert_eq!(
            journal
                .take(&placed("kubectl a /f"))
                .expect("in place")
                .len(),
            1
        );
        let is_of_it = journal.take(&placed("docker r.dev /f")).is_some();
        assert_eq!(is_of_it, config == OTHER);
    }
}

#[test]
fn a_directory_is_removed_with_the_last_setup_file_in_it() {
    let owns = |_: &str, _: &Edit| true;
    let mut journal = Journal::parse("", CONFIG, owns).expect("empty");
    for (setup, file) in [("docker a /d/e/f", "/d/e/f"), ("docker a /d/g", "/d/g")] {
        journal.record(&placed(setup), Edit::new(placed(file), &["a"], "x", None));
    }
    for dir in ["/d", "/d/e", "/other", "/d/../up"] {
        journal.note_directory(Path::new(&placed(dir)));
    }
    let text = journal.text(owns).expect("valid").expect("setups");
    let mut journal = Journal::parse(&text, CONFIG, owns).expect("its own text");
    journal.take(&placed("docker a /d/e/f")).expect("in place");
    let removed = |file: &str| [PathBuf::from(placed(file))];
    let taken = journal.take_directories(&removed("/d/e/f"));
    assert_eq!(taken, [PathBuf::from(placed("/d/e"))]);
    journal.take(&placed("docker a /d/g")).expect("in place");
    let taken = journal.take_directories(&removed("/d/g"));
    assert_eq!(taken, [PathBuf::from(placed("/d"))]);
    let foreign = text.replace("/other", "/d/../up");
    Journal::parse(&foreign, CONFIG, owns).expect_err("no path of ours");
}
