//! `setup profile`.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::{BACKUP, CONFIG, Desk, JOURNAL};
use crate::support::tree::Node;

const PROD: &str = "profile prod --issuer ISSUER --key-file key.json";

#[test]
fn a_profile_is_written_and_proved() {
    let desk = Desk::new();
    let said = desk.done(PROD);
    let user_id = &desk.user.user_id;
    let issuer = desk.issuer.url();
    assert_eq!(
        said,
        format!(
            "made ~/{CONFIG}\n\
             profile prod: {issuer} gave an opaque token for A service user, user {user_id}\n\
             next: zitadel-credential setup git HOST, setup docker HOST, or setup kubectl --user NAME\n"
        )
    );
    let key_file = desk.path().join("key.json");
    let text = format!(
        "[profiles.prod]\nissuer = \"{issuer}\"\nkey-file = \"{}\"\n",
        key_file.display()
    );
    assert_eq!(desk.files()[CONFIG], Node::File(0o600, text));
    desk.home.zitadel(["whoami"]).assert().success();
    assert_eq!(desk.issuer.token_requests(), 1, "the proof's token is kept");
}

#[test]
fn twice_is_once() {
    let desk = Desk::new();
    desk.done(PROD);
    let once = desk.files();
    let said = desk.done(PROD);
    assert!(said.starts_with("nothing to change\n"), "{said}");
    assert_eq!(desk.files(), once);
}

#[test]
fn undo_leaves_no_file_that_was_not_there() {
    let desk = Desk::new();
    desk.done(PROD);
    assert!(desk.exists(JOURNAL));
    assert_eq!(
        desk.done("profile prod --undo"),
        format!("removed ~/{CONFIG}\ntakes out profiles.prod\n")
    );
    assert!(!desk.exists(CONFIG) && !desk.exists(JOURNAL));
    assert_eq!(
        desk.done("profile prod --undo"),
        "nothing to change\nprofile prod was not set up\n"
    );
}

const MINE: &str = "# mine, first\ndefault-profile = 'old'   # why\n\n[profiles.old]\n\
                    issuer   = \"ISSUER\"\nkey-file = \"~/key.json\"   # the key\n\n\
                    [hosts.\"x.dev\"]\nprofile = \"old\"\n# the end\n";

#[test]
fn comments_and_order_of_an_existing_file_are_kept() {
    let desk = Desk::with_config(MINE);
    let before = desk.home.read(CONFIG);
    desk.done(PROD);
    let after = desk.home.read(CONFIG);
    for line in before.lines() {
        assert!(after.contains(line), "{line}");
    }
    assert_eq!(desk.home.read(format!("{CONFIG}{BACKUP}")), before);
    desk.done("profile prod --undo");
    assert_eq!(desk.home.read(CONFIG), before);
    assert!(!desk.exists(&format!("{CONFIG}{BACKUP}")));
}

#[test]
fn what_others_wrote_meanwhile_stays() {
    let desk = Desk::with_config(MINE);
    let before = desk.home.read(CONFIG);
    desk.done(PROD);
    let line = "\n[hosts.\"new.dev\"]\nprofile = \"old\"\n";
    desk.home.append_config(line.trim_start());
    desk.done("profile prod --undo");
    let after = desk.home.read(CONFIG);
    assert!(
        after.starts_with(before.trim_end_matches("# the end\n")),
        "{after}"
    );
    assert!(after.contains(line) && !after.contains("prod"), "{after}");
}

#[test]
fn a_profile_that_is_there_keeps_what_is_not_named_and_gets_it_back() {
    let desk = Desk::with_config(MINE);
    let before = desk.home.read(CONFIG);
    desk.done("profile old --project 7 --scope openid --scope profile");
    let after = desk.home.read(CONFIG);
    assert!(
        after.contains("# the key\nscopes = [\"openid\", \"profile\"]\nprojects = [\"7\"]\n"),
        "{after}"
    );
    desk.home.append_config("# later\n");
    desk.done("profile old --undo");
    assert_eq!(desk.home.read(CONFIG), format!("{before}\n# later\n"));
}

#[test]
fn a_profile_that_was_the_only_one_stays_the_default() {
    let desk =
        Desk::with_config("[profiles.old]\nissuer = \"ISSUER\"\nkey-file = \"~/key.json\"\n");
    let before = desk.home.read(CONFIG);
    desk.done(PROD);
    let after = desk.home.read(CONFIG);
    assert!(after.starts_with("default-profile = \"old\"\n"), "{after}");
    desk.home.zitadel(["token"]).assert().success();
    desk.done("profile prod --undo");
    assert_eq!(desk.home.read(CONFIG), before);
}

#[test]
fn a_profile_that_gets_no_token_is_not_written() {
    let desk = Desk::new();
    desk.issuer.remove_key(&desk.user.key_id);
    let said = desk.refused(1, PROD);
    assert!(said.contains("the issuer refused the assertion"), "{said}");
    assert!(!desk.exists(CONFIG));
}

#[test]
fn a_dry_run_asks_nobody_and_changes_nothing() {
    let desk = Desk::new();
    let before = desk.files();
    let said = desk.done(&format!("{PROD} --dry-run"));
    assert!(said.starts_with("--- /dev/null\n+++ ~/"), "{said}");
    assert!(said.contains("+[profiles.prod]\n+issuer = "), "{said}");
    assert_eq!(desk.files(), before);
    assert_eq!(desk.issuer.total_requests(), 0);
}

#[test]
fn a_file_that_does_not_parse_is_refused_and_left_alone() {
    let desk = Desk::with_config("[profiles.old\n");
    let said = desk.refused(2, PROD);
    assert!(said.contains("line 1: invalid TOML"), "{said}");
    let desk = Desk::new();
    desk.home.write(JOURNAL, "{}");
    let said = desk.refused(2, PROD);
    assert!(said.contains("setup.json: invalid setup journal"), "{said}");
}

#[test]
fn what_is_missing_is_named_where_nobody_can_be_asked() {
    let desk = Desk::new();
    let said = desk.refused(2, "profile prod");
    assert!(said.contains("a new profile needs --issuer"), "{said}");
    let said = desk.refused(2, "profile prod --issuer ISSUER");
    assert!(said.contains("a new profile needs --key-file"), "{said}");
    let said = desk.refused(2, "profile prod --host a.dev");
    assert!(
        said.contains("--host is not an option of setup profile"),
        "{said}"
    );
    let mut command = desk
        .home
        .zitadel(["setup", "profile", "prod", "--issuer", "https://a.dev"]);
    command.env("ZITADEL_CREDENTIAL_KEY", desk.user.key_json());
    let output = command.run();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("a config file holds no key"), "{said}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_profile_that_is_in_use_is_not_taken_out() {
    let desk = Desk::new();
    desk.done(PROD);
    desk.done("docker r.dev");
    let said = desk.refused(2, "profile prod --undo");
    assert!(
        said.contains("host rules still use profile prod: r.dev"),
        "{said}"
    );
    desk.done("docker r.dev --undo");
    desk.done("profile prod --undo");
    assert!(!desk.exists(CONFIG) && !desk.exists(JOURNAL));
    let home = fs::read_dir(desk.path().join(".docker")).unwrap();
    assert_eq!(home.count(), 0);
}

#[test]
fn a_key_that_others_may_use_is_told_of() {
    let desk = Desk::new();
    let key = desk.path().join("key.json");
    let line = "warning: other users can read the key: chmod 600 key.json\n";
    assert!(!desk.done(&format!("{PROD} --dry-run")).contains("warning"));
    fs::set_permissions(key, Permissions::from_mode(0o644)).unwrap();
    assert!(desk.done(&format!("{PROD} --dry-run")).contains(line));
    assert!(desk.done(PROD).contains(line));
}

#[test]
fn what_comes_next_goes_by_the_same_config_file() {
    let desk = Desk::new();
    let said = desk.done(&format!("{PROD} --config other.toml"));
    assert!(
        said.ends_with("each with --config ~/other.toml\n"),
        "{said}"
    );
}
