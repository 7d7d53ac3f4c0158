//! What doctor finds in Terraform's configuration.

use std::fs;
use std::os::unix::fs::symlink;

use snapbox::str;

use crate::doctor::{case, found, hold_files};
use crate::support::binary;

const RC: &str = ".terraformrc";
const BLOCK: &str = "credentials_helper \"zitadel\" {\n  args = []\n}\n";
const PLUGIN: &str = ".terraform.d/plugins/terraform-credentials-zitadel";

#[test]
fn terraform_needs_its_block_and_its_link() {
    hold_files(
        "terraform",
        [
            (RC, "credentials_helper \"other\" {}\n", str![[r#""#]]),
            (
                RC,
                BLOCK,
                str![[r#"
failed terraform: [HOME]/.terraformrc: names us, and Terraform looks for us at [HOME]/.terraform.d/plugins/terraform-credentials-zitadel: nothing is there
    zitadel-credential setup terraform HOST

"#]],
            ),
            (
                PLUGIN,
                "#!/bin/sh\n",
                str![[r#"
warning terraform: [HOME]/.terraformrc: names us, but [HOME]/.terraform.d/plugins/terraform-credentials-zitadel is another program than this
    ln -sf [PROGRAM] [HOME]/.terraform.d/plugins/terraform-credentials-zitadel

"#]],
            ),
            (
                RC,
                "x = <<EOF\nzitadel\nEOF\n",
                str![[r#"
warning terraform: [HOME]/.terraformrc: not looked into: it has a text of several lines
    see by hand which credentials helper it names: Terraform takes one alone

"#]],
            ),
            (RC, "x = <<EOF\nother\nEOF\n", str![[r#""#]]),
        ],
    );
    let case = case();
    case.world.home.write(".terraform.d/mine.tfrc", BLOCK);
    let link = case.world.home.path().join(PLUGIN);
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(binary(), link).unwrap();
    case.matches(&found(&case, "terraform"), str![[r#"
ok terraform: [HOME]/.terraform.d/mine.tfrc: every host: those that a rule names are answered, by [HOME]/.terraform.d/plugins/terraform-credentials-zitadel

"#]]);
}

/// Terraform ends with an error of its configuration.
#[test]
fn terraform_takes_one_helper_alone_of_all_its_files() {
    const BESIDE: &str = ".terraform.d/o.tfrc";
    let case = case();
    let home = &case.world.home;
    let link = home.path().join(PLUGIN);
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(binary(), link).unwrap();
    home.write(RC, format!("{BLOCK}credentials_helper \"other\" {{}}\n"));
    case.matches(
        &found(&case, "terraform"),
        str![[r#"
failed terraform: [HOME]/.terraformrc: it names the credentials helper other, and [HOME]/.terraformrc names us: Terraform takes one alone
    take one of the two blocks out

"#]],
    );
    home.write(RC, BLOCK);
    home.write(BESIDE, "credentials_helper \"other\" {}\n");
    case.matches(
        &found(&case, "terraform"),
        str![[r#"
failed terraform: [HOME]/.terraform.d/o.tfrc: it names the credentials helper other, and [HOME]/.terraformrc names us: Terraform takes one alone
    take one of the two blocks out

"#]],
    );
    home.write(BESIDE, "x = {\n");
    // terraform login's own, which names no helper.
    home.write(
        ".terraform.d/credentials.tfrc.json",
        "{\"credentials\": {}}\n",
    );
    case.matches(
        &found(&case, "terraform"),
        str![[r#"
warning terraform: [HOME]/.terraform.d/o.tfrc: not looked into: its end is missing
    see by hand which credentials helper it names: Terraform takes one alone
ok terraform: [HOME]/.terraformrc: every host: those that a rule names are answered, by [HOME]/.terraform.d/plugins/terraform-credentials-zitadel

"#]],
    );
    home.write(BESIDE, "");
    home.write(RC, format!("\u{feff}{BLOCK}"));
    case.matches(
        &found(&case, "terraform"),
        str![[r#"
warning terraform: [HOME]/.terraformrc: not looked into: it begins with a byte order mark, which Terraform refuses
    see by hand which credentials helper it names: Terraform takes one alone

"#]],
    );
}
