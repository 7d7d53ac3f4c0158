//! `setup terraform`: its configuration to the byte, and the link to its plugin.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::setup::{CONFIG, COPY, Desk, JOURNAL, PROFILE};
use crate::support::binary;
use crate::support::tree::Node;

const RC: &str = ".terraformrc";
const LINK: &str = ".terraform.d/plugins/terraform-credentials-zitadel";
const BLOCK: &str = "credentials_helper \"zitadel\" {\n  args = []\n}\n";
const THEIRS: &str = "# mine {\nplugin_cache_dir   = \"/cache\"\n\
    credentials \"other.dev\" {\n  token = \"hunter2\" // }\n}\n/* the end */\n";

fn desk(rc: &str) -> Desk {
    let desk = Desk::with_config(PROFILE);
    desk.home.write(RC, rc);
    // undo leaves it: others may lie there
    fs::create_dir_all(desk.path().join(LINK).parent().unwrap()).unwrap();
    desk
}

#[test]
fn the_block_is_appended_and_the_link_made() {
    let desk = desk(THEIRS);
    let said = desk.done("terraform t.dev *.t.dev");
    let program = binary().display().to_string();
    assert_eq!(
        said,
        format!(
            "changed ~/{CONFIG}\nchanged ~/{RC}\nlinked ~/{LINK} to {program}\n\
             next: terraform init, where a source is t.dev/…\n\
             next: terraform init, where a source is at a host of *.t.dev\n"
        )
    );
    assert_eq!(desk.home.read(RC), format!("{THEIRS}\n{BLOCK}"));
    assert_eq!(desk.files()[LINK], Node::Link(program));
    assert!(desk.home.read(CONFIG).contains("[hosts.\"*.t.dev\"]\n"));
}

#[test]
fn undo_brings_all_back_to_the_byte() {
    for rc in [
        THEIRS,
        "",
        "x = 1",
        &THEIRS.replace('\n', "\r\n"),
        "disable_checkpoint = true\r\n",
    ] {
        let desk = desk(rc);
        let before = desk.files();
        desk.done("terraform t.dev u.dev");
        let once = desk.files();
        assert_eq!(once[&format!("{RC}{COPY}")], Node::File(0o600, rc.into()));
        assert_eq!(rc.contains('\r'), desk.home.read(RC).contains("[]\r\n"));
        assert!(
            desk.done("terraform t.dev u.dev")
                .starts_with("nothing to change\n")
        );
        assert_eq!(desk.files(), once);
        desk.done("terraform t.dev --undo");
        let half = desk.files();
        assert_eq!((&half[RC], &half[LINK]), (&once[RC], &once[LINK]));
        desk.done("terraform u.dev --undo");
        assert_eq!(desk.files(), before, "{rc}");
    }
}

#[test]
fn where_there_was_nothing_nothing_is_left_but_directories() {
    let desk = Desk::with_config(PROFILE);
    let before = desk.files();
    desk.done("terraform t.dev");
    assert_eq!(desk.home.read(RC), BLOCK);
    desk.done("terraform t.dev --undo");
    let mut after = desk.files();
    after.retain(|name, _| !name.starts_with(".terraform.d"));
    assert_eq!(after, before);
    assert!(!desk.path().join(LINK).is_symlink());
}

#[test]
fn undo_takes_out_only_what_is_ours_where_others_wrote_since() {
    let desk = desk(THEIRS);
    desk.done("terraform t.dev");
    let more = "disable_checkpoint = true\n";
    desk.home.write(RC, desk.home.read(RC) + more);
    desk.done("terraform t.dev --undo");
    assert_eq!(desk.home.read(RC), format!("{THEIRS}{more}"));

    let desk = self::desk(THEIRS);
    desk.done("terraform t.dev");
    let changed = desk.home.read(RC).replace("[]", "[\"-v\"]");
    desk.home.write(RC, &changed);
    fs::remove_file(desk.path().join(LINK)).unwrap();
    symlink("/bin/other", desk.path().join(LINK)).unwrap();
    let said = desk.done("terraform t.dev --undo");
    for what in [
        "credentials_helper \"zitadel\"",
        &format!("the link ~/{LINK}"),
    ] {
        let line = format!("{what} was changed since, and stays\n");
        assert!(said.contains(&line), "{said}");
    }
    assert_eq!(desk.home.read(RC), changed);
    assert_eq!(desk.files()[LINK], Node::Link("/bin/other".to_owned()));
    assert!(!desk.exists(JOURNAL));
}

#[test]
fn a_block_in_a_remark_is_not_taken_out_for_ours() {
    let desk = desk(&format!("/*\n{BLOCK}*/\n"));
    desk.done("terraform t.dev");
    let more = desk.home.read(RC) + "disable_checkpoint = true\n";
    desk.home.write(RC, &more);
    let said = desk.done("terraform t.dev --undo");
    assert!(said.contains("takes out credentials_helper"), "{said}");
    let left = format!("/*\n{BLOCK}*/\ndisable_checkpoint = true\n");
    assert_eq!(desk.home.read(RC), left);
}

#[test]
fn a_block_and_a_link_of_a_persons_own_stay() {
    let own = format!(
        "{THEIRS}{}",
        BLOCK.replace("[]", "[\"--profile\", \"prod\"]")
    );
    let desk = desk(&own);
    symlink(binary(), desk.path().join(LINK)).unwrap();
    let before = desk.files();
    desk.done("terraform t.dev");
    assert_eq!(desk.home.read(RC), own);
    desk.done("terraform t.dev --undo");
    assert_eq!(desk.files(), before);
}

#[test]
fn where_the_binary_moved_the_link_is_made_to_lead_there() {
    let desk = desk(THEIRS);
    let before = desk.files();
    let program = desk.home.link("zitadel-credential");
    desk.done("terraform t.dev u.dev");
    let leads = |desk: &Desk| fs::read_link(desk.path().join(LINK)).unwrap();
    assert_eq!(leads(&desk), program);
    fs::remove_file(program).unwrap();
    let said = desk.done("terraform t.dev");
    assert!(said.contains(&format!("linked ~/{LINK} to ")), "{said}");
    assert_eq!(leads(&desk), binary());
    // As a setup leaves it that is killed after it has noted what it will do.
    fs::remove_file(desk.path().join(LINK)).unwrap();
    symlink("/nowhere", desk.path().join(LINK)).unwrap();
    desk.done("terraform t.dev");
    assert_eq!(leads(&desk), binary());
    // The other setup needs it as it is now.
    desk.done("terraform t.dev --undo");
    assert_eq!(leads(&desk), binary());
    desk.done("terraform u.dev --undo");
    let mut after = desk.files();
    after.remove("bin");
    assert_eq!(after, before);
    // One that leads nowhere, and was made by others, is theirs.
    symlink("/nowhere", desk.path().join(LINK)).unwrap();
    desk.refused(2, "terraform t.dev");
}

#[test]
fn a_dry_run_shows_both_changes_and_no_secret() {
    let desk = desk(THEIRS);
    let before = desk.files();
    let said = desk.done("terraform t.dev --dry-run");
    let added = "+credentials_helper \"zitadel\" {\n+  args = []\n+}\n";
    let linked = format!(
        "--- /dev/null\n+++ ~/{LINK}\n@@ -0,0 +1 @@\n+{}\n",
        binary().display()
    );
    assert!(said.contains(added) && said.contains(&linked), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    assert_eq!(desk.files(), before);
    desk.done("terraform t.dev");
    let once = desk.files();
    let said = desk.done("terraform t.dev --undo --dry-run");
    assert!(said.contains(&added.replace('+', "-")), "{said}");
    assert!(
        said.contains(&format!("--- ~/{LINK}\n+++ /dev/null\n")),
        "{said}"
    );
    assert_eq!(desk.files(), once);
}

#[test]
fn links_and_modes_are_kept_and_the_config_file_is_named() {
    let desk = desk(THEIRS);
    let real = desk.path().join("dotfiles-terraformrc");
    fs::rename(desk.path().join(RC), &real).unwrap();
    fs::set_permissions(&real, Permissions::from_mode(0o640)).unwrap();
    symlink("dotfiles-terraformrc", desk.path().join(RC)).unwrap();
    fs::copy(desk.path().join(CONFIG), desk.path().join("other.toml")).unwrap();
    let before = desk.files();
    desk.done("terraform t.dev --config other.toml");
    let after = desk.files();
    assert_eq!(after[RC], before[RC]);
    let config = desk.path().join("other.toml").display().to_string();
    let args = format!("  args = [\"--config\", \"{config}\"]\n");
    assert!(
        matches!(&after["dotfiles-terraformrc"], Node::File(0o640, text) if text.contains(&args))
    );
    desk.done("terraform t.dev --config other.toml --undo");
    assert_eq!(desk.files(), before);
}

#[test]
fn the_files_that_terraform_reads_as_well_are_looked_into() {
    let desk = desk(THEIRS);
    let beside = ".terraform.d/mine.tfrc";
    desk.home.write(beside, "credentials_helper \"x\" {}\n");
    desk.home.write(".terraform.d/none", "{");
    let said = desk.refused(2, "terraform t.dev");
    let reason = format!("{beside}: it has the credentials helper x already");
    assert!(said.contains(&reason), "{said}");
    desk.home.write(beside, "credentials_helper <<EOF\n");
    desk.refused(2, "terraform t.dev");
    desk.home.write(beside, BLOCK);
    desk.done("terraform t.dev");
    assert_eq!(desk.home.read(RC), THEIRS, "it is there already");
    assert!(desk.path().join(LINK).is_symlink());
}

/// The link comes last: what was written before it is put back.
#[test]
fn where_the_link_cannot_be_made_nothing_is_changed() {
    let desk = Desk::with_config(PROFILE);
    desk.home.write(RC, THEIRS);
    desk.home.write(".terraform.d", "");
    let said = desk.refused(2, "terraform t.dev");
    assert!(said.contains("not a directory"), "{said}");
    fs::remove_file(desk.path().join(".terraform.d")).unwrap();
    symlink("/proc", desk.path().join(".terraform.d")).unwrap();
    let said = desk.refused(1, "terraform t.dev");
    assert!(said.contains("the link was not changed"), "{said}");
}

#[test]
fn what_is_not_plainly_terraforms_is_refused_and_left_alone() {
    for (rc, reason) in [
        (
            "{\"disable_checkpoint\": true}",
            "it is JSON, or has a block without a name",
        ),
        ("host \"a\" {\n", "its end is missing"),
        ("x = <<EOF\n{\nEOF\n", "it has a text of several lines"),
        (
            "credentials_helper \"x\" {}\n",
            "it has the credentials helper x already",
        ),
        (
            "credentials_helper \"zitadel\" {}\ncredentials_helper \"x\" {}\n",
            "it has the credentials helper zitadel already",
        ),
    ] {
        let said = desk(rc).refused(2, "terraform t.dev");
        assert!(said.contains(&format!("{RC}: {reason}")), "{said}");
    }
    let desk = desk(THEIRS);
    desk.done("terraform t.dev");
    desk.done("terraform t.dev --undo");
    symlink("/bin/other", desk.path().join(LINK)).unwrap();
    let said = desk.refused(2, "terraform t.dev");
    assert!(said.contains("it leads to another program"), "{said}");
    fs::remove_file(desk.path().join(LINK)).unwrap();
    fs::write(desk.path().join(LINK), "").unwrap();
    let said = desk.refused(2, "terraform t.dev");
    assert!(said.contains("it is no link"), "{said}");
}

#[test]
fn the_rule_goes_where_the_file_holds_what_is_not_understood() {
    let desk = desk(THEIRS);
    desk.done("terraform t.dev");
    let changed = desk.home.read(RC) + "x = <<E\ny\nE\n";
    desk.home.write(RC, &changed);
    let said = desk.done("terraform t.dev --undo");
    let line = "credentials_helper \"zitadel\" stays: it has a text of several lines\n";
    assert!(said.contains(line), "{said}");
    assert_eq!(desk.home.read(RC), changed);
    assert!(!desk.home.read(CONFIG).contains("t.dev"));
}

#[test]
fn the_link_stays_with_a_block_that_stays() {
    let desk = desk(THEIRS);
    desk.done("terraform t.dev");
    let changed = desk
        .home
        .read(RC)
        .replace("[]", "[\"--profile\", \"prod\"]");
    desk.home.write(RC, &changed);
    let said = desk.done("terraform t.dev --undo");
    let line = format!("the link ~/{LINK} stays with it\n");
    assert!(said.contains(&line), "{said}");
    assert!(desk.path().join(LINK).is_symlink());
}

#[test]
fn a_link_that_became_a_file_is_left_and_the_rest_goes() {
    let desk = desk(THEIRS);
    desk.done("terraform t.dev");
    fs::remove_file(desk.path().join(LINK)).unwrap();
    desk.home.write(LINK, "another");
    let said = desk.done("terraform t.dev --undo");
    let line = format!("the link ~/{LINK} was changed since, and stays\n");
    assert!(said.contains(&line), "{said}");
    assert_eq!(
        (desk.home.read(RC), desk.home.read(LINK)),
        (THEIRS.into(), "another".into())
    );
    assert!(!desk.home.read(CONFIG).contains("t.dev"));
}

#[test]
fn the_link_is_known_by_whichever_name_of_the_home() {
    let desk = desk(THEIRS);
    let before = desk.files();
    let by = desk.path().with_extension("by-link");
    symlink(desk.path(), &by).unwrap();
    let mut command = desk.home.zitadel(["setup", "terraform", "t.dev"]);
    assert!(command.env("HOME", &by).run().status.success());
    fs::remove_file(by).unwrap();
    let said = desk.done("terraform t.dev --undo");
    assert!(said.contains("removed the link"), "{said}");
    assert_eq!(desk.files(), before);
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let desk = desk(THEIRS);
    fs::create_dir(desk.path().join("${x}")).unwrap();
    desk.home.write("${x}/c.toml", desk.home.read(CONFIG));
    let said = desk.refused(2, "terraform t.dev --config ${x}/c.toml");
    assert!(
        said.contains("it would not be plainly to be read"),
        "{said}"
    );
}

#[test]
fn a_block_that_goes_by_another_config_file_is_refused() {
    let desk = desk(THEIRS);
    desk.home.write("other.toml", desk.home.read(CONFIG));
    desk.done("terraform t.dev");
    let what = format!("~/{RC} calls this program with another config file\n");
    let said = desk.refused(2, "terraform u.dev --config other.toml");
    assert!(said.contains(&what), "{said}");
    desk.done("terraform t.dev --undo");
    desk.done("terraform t.dev --config other.toml");
    desk.done("terraform u.dev --config other.toml");
    let said = desk.refused(2, "terraform u.dev");
    assert!(said.contains(&what), "{said}");
}
