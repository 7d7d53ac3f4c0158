//! `setup terraform`: the link to its plugin, and the block that it prints.

use std::fs;
use std::os::unix::fs::symlink;

use crate::setup::{CONFIG, Fixture, JOURNAL, PROFILE};
use crate::support::binary;
use crate::support::tree::Node;

const RC: &str = ".terraformrc";
const LINK: &str = ".terraform.d/plugins/terraform-credentials-zitadel";
const BLOCK: &str = "credentials_helper \"zitadel\" {\n  args = []\n}\n";
const THEIRS: &str = "# mine {\nplugin_cache_dir   = \"/cache\"\n\
    credentials \"other.dev\" {\n  token = \"hunter2\" // }\n}\n/* the end */\n";

fn fixture(rc: &str) -> Fixture {
    let fixture = Fixture::with_config(PROFILE);
    fixture.home.write(RC, rc);
    // undo leaves the directory: it may have other files
    fs::create_dir_all(fixture.path().join(LINK).parent().unwrap()).unwrap();
    fixture
}

#[test]
fn a_block_and_a_link_of_the_users_own_stay() {
    let own = format!(
        "{THEIRS}{}",
        BLOCK.replace("[]", "[\"--profile\", \"prod\"]")
    );
    let fixture = fixture(&own);
    symlink(binary(), fixture.path().join(LINK)).unwrap();
    let before = fixture.files();
    fixture.done("terraform t.dev");
    assert_eq!(fixture.home.read(RC), own);
    fixture.done("terraform t.dev --undo");
    assert_eq!(fixture.files(), before);
}

#[test]
fn the_link_follows_a_moved_binary() {
    let fixture = fixture(THEIRS);
    let before = fixture.files();
    let program = fixture.home.link("zitadel-credential");
    fixture.done("terraform t.dev u.dev");
    let leads = |fixture: &Fixture| fs::read_link(fixture.path().join(LINK)).unwrap();
    assert_eq!(leads(&fixture), program);
    fs::remove_file(program).unwrap();
    let said = fixture.done("terraform t.dev");
    assert!(said.contains(&format!("linked ~/{LINK} to ")), "{said}");
    assert_eq!(leads(&fixture), binary());
    // A setup that is killed after writing its journal leaves this.
    fs::remove_file(fixture.path().join(LINK)).unwrap();
    symlink("/nowhere", fixture.path().join(LINK)).unwrap();
    fixture.done("terraform t.dev");
    assert_eq!(leads(&fixture), binary());
    // The other setup still needs the link.
    fixture.done("terraform t.dev --undo");
    assert_eq!(leads(&fixture), binary());
    fixture.done("terraform u.dev --undo");
    let mut after = fixture.files();
    after.remove("bin");
    assert_eq!(after, before);
    // A broken link that others made is not ours.
    symlink("/nowhere", fixture.path().join(LINK)).unwrap();
    fixture.refused(2, "terraform t.dev");
}

#[test]
fn a_link_that_became_a_file_stays_and_the_rest_is_removed() {
    let fixture = fixture(THEIRS);
    fixture.done("terraform t.dev");
    fs::remove_file(fixture.path().join(LINK)).unwrap();
    fixture.home.write(LINK, "another");
    let said = fixture.done("terraform t.dev --undo");
    let line = format!("kept the link ~/{LINK}, which was changed since\n");
    assert!(said.contains(&line), "{said}");
    assert_eq!(
        (fixture.home.read(RC), fixture.home.read(LINK)),
        (THEIRS.into(), "another".into())
    );
    assert!(!fixture.home.read(CONFIG).contains("t.dev"));
}

#[test]
fn the_link_is_recognized_by_any_name_of_the_home() {
    let fixture = fixture(THEIRS);
    let before = fixture.files();
    let by = fixture.path().with_extension("by-link");
    symlink(fixture.path(), &by).unwrap();
    let mut command = fixture.home.zitadel(["setup", "terraform", "t.dev"]);
    assert!(command.env("HOME", &by).run().status.success());
    fs::remove_file(by).unwrap();
    let said = fixture.done("terraform t.dev --undo");
    assert!(said.contains("removed the link"), "{said}");
    assert_eq!(fixture.files(), before);
}

#[test]
fn the_link_is_made_and_the_block_printed() {
    let fixture = fixture(THEIRS);
    let said = fixture.done("terraform t.dev *.t.dev");
    let program = binary().display().to_string();
    assert_eq!(
        said,
        format!(
            "changed ~/{CONFIG}\nlinked ~/{LINK} to {program}\n\
             terraform-credentials-zitadel get answers for t.dev\n\
             next, in ~/{RC}:\n{BLOCK}\
             next: terraform init, where a source is t.dev/…\n\
             next: terraform init, where a source is at a host of *.t.dev\n"
        )
    );
    assert_eq!(fixture.home.read(RC), THEIRS);
    assert_eq!(fixture.files()[LINK], Node::Link(program));
    assert!(fixture.home.read(CONFIG).contains("[hosts.\"*.t.dev\"]\n"));
    fixture.home.write(RC, format!("{THEIRS}{BLOCK}"));
    let said = fixture.done("terraform t.dev");
    let line = format!(
        "nothing to change\nterraform-credentials-zitadel get answers for t.dev\n\
         ~/{RC} names this program already\n"
    );
    assert!(said.starts_with(&line), "{said}");
}

#[test]
fn undo_removes_the_link_and_says_that_the_block_stays() {
    let fixture = fixture(THEIRS);
    let before = fixture.files();
    fixture.done("terraform t.dev u.dev");
    let once = fixture.files();
    let said = fixture.done("terraform t.dev u.dev");
    assert!(said.starts_with("nothing to change\n"), "{said}");
    assert_eq!(fixture.files(), once);
    fixture.done("terraform t.dev --undo");
    assert_eq!(fixture.files()[LINK], once[LINK]);
    let said = fixture.done("terraform u.dev --undo");
    assert!(!said.contains("stays"), "{said}");
    assert_eq!(fixture.files(), before);

    fixture.done("terraform t.dev");
    fixture.home.write(RC, format!("{THEIRS}{BLOCK}"));
    let said = fixture.done("terraform t.dev --undo");
    let line = format!("credentials_helper \"zitadel\" in ~/{RC} stays: remove it by hand\n");
    assert!(said.ends_with(&line), "{said}");
    assert!(!fixture.exists(JOURNAL) && !fixture.path().join(LINK).is_symlink());
}

/// Its setup wrote the block as well.
#[test]
fn a_setup_of_the_first_edition_is_undone_but_for_its_block() {
    let fixture = fixture(&format!("{THEIRS}\n{BLOCK}"));
    let before = fixture.home.read(CONFIG);
    fixture
        .home
        .append_config("\n[hosts.\"t.dev\"]\nprofile = \"prod\"\n");
    symlink("/bin/was", fixture.path().join(LINK)).unwrap();
    let place = |relative: &str| fixture.path().canonicalize().unwrap().join(relative);
    let edit = |file: &str, at: &[&str], ours: &str| {
        let file = place(file);
        serde_json::json!({ "file": file, "at": at, "ours": ours, "former": null })
    };
    let edits = [
        edit(CONFIG, &["hosts", "t.dev"], "profile = \"prod\"\n"),
        edit(RC, &["credentials_helper", "zitadel"], BLOCK),
        edit(LINK, &["link"], "/bin/was"),
    ];
    let note = serde_json::json!({
        "before": "0".repeat(64), "left": "1".repeat(64), "touched": false, "copy": 1
    });
    let journal = serde_json::json!({
        "version": "1",
        "files": { place(RC).to_str().unwrap(): note },
        "setups": { format!("terraform t.dev {}", place(RC).display()): edits },
    });
    fixture.home.write(JOURNAL, journal.to_string());
    let again = fixture.done("terraform t.dev");
    assert!(again.contains("names this program already"), "{again}");
    let said = fixture.done("terraform t.dev --undo");
    assert!(said.contains("stays: remove it by hand\n"), "{said}");
    assert_eq!(fixture.home.read(RC), format!("{THEIRS}\n{BLOCK}"));
    assert_eq!(fixture.home.read(CONFIG).trim_end(), before.trim_end());
    assert!(!fixture.exists(JOURNAL) && !fixture.path().join(LINK).is_symlink());
}

#[test]
fn a_dry_run_shows_the_link_and_no_secret() {
    let fixture = fixture(THEIRS);
    let before = fixture.files();
    let said = fixture.done("terraform t.dev --dry-run");
    let linked = format!(
        "--- /dev/null\n+++ ~/{LINK}\n@@ -0,0 +1 @@\n+{}\n",
        binary().display()
    );
    let block = BLOCK.replace('\n', "\n# ");
    assert!(said.contains(&linked), "{said}");
    assert!(
        said.contains(&format!("# {}", block.trim_end_matches("# "))),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
    assert_eq!(fixture.files(), before);
    fixture.done("terraform t.dev");
    let once = fixture.files();
    let said = fixture.done("terraform t.dev --undo --dry-run");
    let removed = format!("--- ~/{LINK}\n+++ /dev/null\n");
    assert!(said.contains(&removed), "{said}");
    assert_eq!(fixture.files(), once);
}

#[test]
fn the_block_names_the_config_file() {
    let fixture = fixture(THEIRS);
    fixture.home.write("other.toml", fixture.home.read(CONFIG));
    let said = fixture.done("terraform t.dev --config other.toml");
    let args = "  args = [\"--config\", \"~/other.toml\"]\n";
    assert!(said.contains(args), "{said}");
    fs::create_dir(fixture.path().join("${x}")).unwrap();
    fixture.home.write("${x}/c.toml", fixture.home.read(CONFIG));
    let said = fixture.refused(2, "terraform t.dev --config ${x}/c.toml");
    assert!(said.contains("HCL cannot contain this path"), "{said}");
}

#[test]
fn a_block_with_another_config_file_is_refused() {
    let fixture = fixture(&format!("{THEIRS}{BLOCK}"));
    fixture.home.write("other.toml", fixture.home.read(CONFIG));
    fixture.done("terraform t.dev");
    let what = format!("~/{RC} runs this program with another config file\n");
    let said = fixture.refused(2, "terraform u.dev --config other.toml");
    assert!(said.contains(&what), "{said}");
    let other = fixture.path().join("other.toml").display().to_string();
    let other = format!("[\"--config\", \"{other}\"]");
    fixture.home.write(RC, BLOCK.replace("[]", &other));
    fixture.done("terraform u.dev --config other.toml");
    let said = fixture.refused(2, "terraform u.dev");
    assert!(said.contains(&what), "{said}");
}

#[test]
fn another_helper_is_refused_in_every_file_of_terraform() {
    let fixture = fixture(THEIRS);
    let beside = ".terraform.d/mine.tfrc";
    fixture.home.write(".terraform.d/none", "{");
    fixture.home.write(beside, "credentials_helper \"x\" {}\n");
    let said = fixture.refused(2, "terraform t.dev");
    let reason = format!("{beside}: it has the credentials helper x already");
    assert!(said.contains(&reason), "{said}");
    fixture.home.write(beside, BLOCK);
    let said = fixture.done("terraform t.dev");
    assert!(said.contains("names this program already"), "{said}");
    let both = "credentials_helper \"zitadel\" {}\ncredentials_helper \"x\" {}\n";
    let said = self::fixture(both).refused(2, "terraform t.dev");
    assert!(
        said.contains("it has the credentials helper zitadel already"),
        "{said}"
    );
}

/// The link comes last: all earlier changes are reverted.
#[test]
fn a_link_that_cannot_be_created_changes_nothing() {
    let fixture = Fixture::with_config(PROFILE);
    fixture.home.write(".terraform.d", "");
    let said = fixture.refused(2, "terraform t.dev");
    assert!(said.contains("not a directory"), "{said}");
    fs::remove_file(fixture.path().join(".terraform.d")).unwrap();
    symlink("/proc", fixture.path().join(".terraform.d")).unwrap();
    let said = fixture.refused(1, "terraform t.dev");
    assert!(said.contains("the link was not changed"), "{said}");
}

#[test]
fn a_link_or_file_of_others_is_refused_and_unchanged() {
    let fixture = fixture(THEIRS);
    symlink("/bin/other", fixture.path().join(LINK)).unwrap();
    let said = fixture.refused(2, "terraform t.dev");
    assert!(said.contains("symbolic link to another program"), "{said}");
    fs::remove_file(fixture.path().join(LINK)).unwrap();
    fs::write(fixture.path().join(LINK), "").unwrap();
    let said = fixture.refused(2, "terraform t.dev");
    assert!(said.contains("it is not a link"), "{said}");
}

#[test]
fn a_link_that_others_changed_stays() {
    let fixture = fixture(THEIRS);
    fixture.done("terraform t.dev");
    fs::remove_file(fixture.path().join(LINK)).unwrap();
    symlink("/bin/other", fixture.path().join(LINK)).unwrap();
    let said = fixture.done("terraform t.dev --undo");
    let line = format!("kept the link ~/{LINK}, which was changed since\n");
    assert!(said.contains(&line), "{said}");
    assert_eq!(fixture.files()[LINK], Node::Link("/bin/other".to_owned()));
    assert!(!fixture.exists(JOURNAL));
}
