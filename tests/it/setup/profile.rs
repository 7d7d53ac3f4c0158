//! `setup profile`.

mod refused;

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::{BACKUP, CONFIG, Fixture, JOURNAL};
use crate::support::ServiceUser;
use crate::support::issuer::{Endpoint, Fault, Times};
use crate::support::tree::Node;

const PROD: &str = "profile prod --issuer ISSUER --key-file key.json";

#[test]
fn a_profile_is_written_and_tested() {
    let fixture = Fixture::new();
    let said = fixture.done(PROD);
    let user_id = &fixture.user.user_id;
    let issuer = fixture.issuer.url();
    assert_eq!(
        said,
        format!(
            "created ~/{CONFIG}\n\
             profile prod: {issuer} gave an opaque token for user {user_id}\n\
             next: zitadel-credential setup git HOST, setup docker HOST, or setup kubectl --context CONTEXT\n\
             if a server checks roles of a project:\n  \
             zitadel-credential setup profile prod --project ID --roles\n"
        )
    );
    let key_file = fixture.path().join("key.json");
    let text = format!(
        "[profiles.prod]\nissuer = \"{issuer}\"\nkey-file = \"{}\"\n",
        key_file.display()
    );
    assert_eq!(fixture.files()[CONFIG], Node::File(0o600, text));
    fixture.home.zitadel(["whoami"]).assert().success();
    assert_eq!(
        fixture.issuer.token_requests(),
        1,
        "the proof's token is kept"
    );
}

/// A cached token with the same IDs does not test the key.
#[test]
fn a_profile_is_tested_with_its_key_and_not_a_cached_token() {
    let fixture = Fixture::new();
    fixture.done(PROD);
    fixture.done(PROD);
    assert_eq!(fixture.issuer.token_requests(), 2);
    let key = fs::read_to_string(fixture.path().join("key.json")).unwrap();
    let mut other: serde_json::Value = serde_json::from_str(&key).unwrap();
    let stranger: serde_json::Value =
        serde_json::from_str(&ServiceUser::with_bits(2048).key_json()).unwrap();
    other["key"] = stranger["key"].clone();
    fixture.home.write("other.json", other.to_string());
    let by_other = PROD
        .replace("key.json", "other.json")
        .replace("prod", "two");
    let said = fixture.refused(1, &by_other);
    assert!(said.contains("the issuer refused the assertion"), "{said}");
    // The cached token is then no longer used.
    fixture.done(PROD);
    other["key"] = "no key".into();
    fixture.home.write("other.json", other.to_string());
    let said = fixture.refused(1, &by_other);
    assert!(said.contains("other.json"), "{said}");
    fixture.issuer.remove_key(&fixture.user.key_id);
    fixture.refused(1, &PROD.replace("prod", "three"));
}

#[test]
fn a_key_that_cannot_be_tested_is_reported_with_the_cached_token() {
    let fixture = Fixture::new();
    fixture.done(PROD);
    let down = Fault::Close;
    let (fixture, issuer) = (&fixture, &fixture.issuer);
    issuer.fault(Endpoint::Token, down, Times::Forever);
    let said = fixture.done(&PROD.replace("prod", "two"));
    let told = "warning: profile two: the key was not tried now: ";
    let user = format!(
        "accepts a cached token of this key, an opaque token for user {}\n",
        fixture.user.user_id
    );
    assert!(said.contains(told) && said.contains(&user), "{said}");
    issuer.fault(Endpoint::Userinfo, Fault::Close, Times::Forever);
    fixture.refused(75, &PROD.replace("prod", "three"));
}

#[test]
fn the_user_is_named_if_the_scopes_ask_for_the_name() {
    let fixture = Fixture::new();
    let said = fixture.done(&format!("{PROD} --scope openid --scope profile"));
    let named = format!("for A service user, user {}\n", fixture.user.user_id);
    assert!(said.contains(&named), "{said}");
}

#[test]
fn a_second_setup_changes_nothing() {
    let fixture = Fixture::new();
    fixture.done(PROD);
    let once = fixture.files();
    let said = fixture.done(PROD);
    assert!(said.starts_with("nothing to change\n"), "{said}");
    assert_eq!(fixture.files(), once);
}

#[test]
fn undo_leaves_no_new_file() {
    let fixture = Fixture::new();
    fixture.done(PROD);
    assert!(fixture.exists(JOURNAL));
    assert_eq!(
        fixture.done("profile prod --undo"),
        format!("removed ~/{CONFIG}\nremoved profiles.prod\n")
    );
    assert!(!fixture.exists(CONFIG) && !fixture.exists(JOURNAL));
    assert_eq!(
        fixture.done("profile prod --undo"),
        "nothing to change\nprofile prod was not set up\n"
    );
}

const MINE: &str = "# mine, first\ndefault-profile = 'old'   # why\n\n[profiles.old]\n\
                    issuer   = \"ISSUER\"\nkey-file = \"~/key.json\"   # the key\n\n\
                    [hosts.\"x.dev\"]\nprofile = \"old\"\n# the end\n";

#[test]
fn comments_and_order_of_an_existing_file_are_kept() {
    let fixture = Fixture::with_config(MINE);
    let before = fixture.home.read(CONFIG);
    fixture.done(PROD);
    let after = fixture.home.read(CONFIG);
    for line in before.lines() {
        assert!(after.contains(line), "{line}");
    }
    assert_eq!(fixture.home.read(format!("{CONFIG}{BACKUP}")), before);
    fixture.done("profile prod --undo");
    assert_eq!(fixture.home.read(CONFIG), before);
    assert!(!fixture.exists(&format!("{CONFIG}{BACKUP}")));
}

#[test]
fn changes_by_others_stay() {
    let fixture = Fixture::with_config(MINE);
    let before = fixture.home.read(CONFIG);
    fixture.done(PROD);
    let line = "\n[hosts.\"new.dev\"]\nprofile = \"old\"\n";
    fixture.home.append_config(line.trim_start());
    fixture.done("profile prod --undo");
    let after = fixture.home.read(CONFIG);
    assert!(
        after.starts_with(before.trim_end_matches("# the end\n")),
        "{after}"
    );
    assert!(after.contains(line) && !after.contains("prod"), "{after}");
}

#[test]
fn an_existing_profile_keeps_other_settings_and_undo_restores_it() {
    let fixture = Fixture::with_config(MINE);
    let before = fixture.home.read(CONFIG);
    fixture.done("profile old --project 7 --scope openid --scope profile");
    let after = fixture.home.read(CONFIG);
    assert!(
        after.contains("# the key\nscopes = [\"openid\", \"profile\"]\nprojects = [\"7\"]\n"),
        "{after}"
    );
    fixture.home.append_config("# later\n");
    fixture.done("profile old --undo");
    assert_eq!(fixture.home.read(CONFIG), format!("{before}\n# later\n"));
}

/// A token with roles is a different token from one without.
#[test]
fn roles_are_written_asked_for_and_cached_apart() {
    let fixture = Fixture::new();
    let shown = fixture.done(&format!(
        "{PROD} --project 7 --roles --zitadel-api --dry-run"
    ));
    for line in ["+roles = true\n", "+zitadel-api = true\n"] {
        assert!(shown.contains(line), "{shown}");
    }
    fixture.done(PROD);
    let before = fixture.home.read(CONFIG);
    fixture.done("profile prod --project 7 --roles");
    let written = fixture.home.read(CONFIG);
    assert!(
        written.ends_with("projects = [\"7\"]\nroles = true\n"),
        "{written}"
    );
    let scope = || {
        let request = fixture.issuer.last_token_request();
        request.form_value("scope").unwrap_or_default()
    };
    let with_roles =
        "openid urn:zitadel:iam:org:project:id:7:aud urn:zitadel:iam:org:projects:roles";
    assert_eq!(scope(), with_roles);
    fixture.done("profile prod --undo");
    fixture.done(PROD);
    assert_eq!(fixture.home.read(CONFIG), before);
    let token = |words: &[&str]| {
        let output = fixture.home.zitadel(words).run();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    let plain = token(&["token"]);
    let asked = token(&["--roles", "token"]);
    assert_ne!(plain, asked);
    assert_eq!(scope(), "openid urn:zitadel:iam:org:projects:roles");
    assert_eq!(
        (token(&["token"]), token(&["token", "--roles"])),
        (plain, asked)
    );
}

#[test]
fn a_profile_that_was_the_only_one_stays_the_default() {
    let fixture =
        Fixture::with_config("[profiles.old]\nissuer = \"ISSUER\"\nkey-file = \"~/key.json\"\n");
    let before = fixture.home.read(CONFIG);
    fixture.done(PROD);
    let after = fixture.home.read(CONFIG);
    assert!(after.starts_with("default-profile = \"old\"\n"), "{after}");
    fixture.home.zitadel(["token"]).assert().success();
    fixture.done("profile prod --undo");
    assert_eq!(fixture.home.read(CONFIG), before);
}

#[test]
fn a_key_that_others_may_use_is_reported() {
    let fixture = Fixture::new();
    let key = fixture.path().join("key.json");
    let line = "warning: other users can read the key: chmod 600 key.json\n";
    assert!(
        !fixture
            .done(&format!("{PROD} --dry-run"))
            .contains("warning")
    );
    fs::set_permissions(key, Permissions::from_mode(0o644)).unwrap();
    assert!(fixture.done(&format!("{PROD} --dry-run")).contains(line));
    assert!(fixture.done(PROD).contains(line));
}

#[test]
fn a_project_is_suggested_only_where_it_helps() {
    for source in ["--key-file key.json --zitadel-api", "--token-file token"] {
        let fixture = Fixture::new();
        fixture.home.write("token", "a-token-of-another");
        let said = fixture.done(&format!("profile p --issuer ISSUER {source} --no-try"));
        assert!(
            said.contains("next: ") && !said.contains("--project"),
            "{said}"
        );
    }
}

#[test]
fn the_next_steps_use_the_same_config_file() {
    let fixture = Fixture::new();
    let said = fixture.done(&format!("{PROD} --config other.toml"));
    for next in [
        "each with --config ~/other.toml\n",
        "--project ID --roles --config ~/other.toml\n",
    ] {
        assert!(said.contains(next), "{said}");
    }
}

/// Other users of the file run in other directories.
#[test]
fn paths_are_written_absolute_and_normalized() {
    let fixture = Fixture::new();
    fixture.home.write("keys/deep/x", "");
    fixture.home.write("keys/key.json", fixture.user.key_json());
    std::os::unix::fs::symlink("keys/deep", fixture.path().join("link")).unwrap();
    for (typed, written) in [
        ("./keys/../key.json", "key.json"),
        ("keys/deep/../key.json", "keys/key.json"),
        ("~/keys/../key.json", "key.json"),
        // This is the parent of the link's target.
        ("link/../key.json", "keys/key.json"),
    ] {
        fixture.done(&format!(
            "profile prod --issuer ISSUER --key-file {typed} --config other.toml"
        ));
        let text = fixture.home.read("other.toml");
        let home = fixture.path().canonicalize().unwrap();
        let path = home.join(written).display().to_string();
        assert!(text.contains(&format!("key-file = \"{path}\"\n")), "{text}");
        fixture.done("profile prod --undo --config ./other.toml");
        assert!(!fixture.exists("other.toml"));
    }
}
