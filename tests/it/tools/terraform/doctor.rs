//! The findings of doctor in Terraform's configuration.

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
failed terraform: [HOME]/.terraformrc: names this program, but [HOME]/.terraform.d/plugins/terraform-credentials-zitadel, where Terraform looks for it, does not exist
    zitadel-credential setup terraform HOST

"#]],
            ),
            (
                PLUGIN,
                "#!/bin/sh\n",
                str![[r#"
warning terraform: [HOME]/.terraformrc: names this program, but [HOME]/.terraform.d/plugins/terraform-credentials-zitadel is another program
    ln -sf [PROGRAM] [HOME]/.terraform.d/plugins/terraform-credentials-zitadel

"#]],
            ),
            (
                RC,
                "x = <<EOF\nzitadel\nEOF\n",
                str![[r#"
warning terraform: [HOME]/.terraformrc: not parsed: unsupported multi-line string
    check which credentials helper it names: Terraform accepts only one

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
ok terraform: [HOME]/.terraform.d/mine.tfrc: all hosts: those with a host rule get a token, through [HOME]/.terraform.d/plugins/terraform-credentials-zitadel

"#]]);
}

/// Otherwise Terraform exits with an error of its configuration.
#[test]
fn terraform_accepts_one_helper_in_all_its_files() {
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
failed terraform: [HOME]/.terraformrc: names the credentials helper other, but [HOME]/.terraformrc names this program, and Terraform accepts only one
    remove one of the two blocks

"#]],
    );
    home.write(RC, BLOCK);
    home.write(BESIDE, "credentials_helper \"other\" {}\n");
    case.matches(
        &found(&case, "terraform"),
        str![[r#"
failed terraform: [HOME]/.terraform.d/o.tfrc: names the credentials helper other, but [HOME]/.terraformrc names this program, and Terraform accepts only one
    remove one of the two blocks

"#]],
    );
    home.write(BESIDE, "x = {\n");
    // terraform login's own block, which names no helper.
    home.write(
        ".terraform.d/credentials.tfrc.json",
        "{\"credentials\": {}}\n",
    );
    case.matches(
        &found(&case, "terraform"),
        str![[r#"
warning terraform: [HOME]/.terraform.d/o.tfrc: not parsed: unexpected end of the file
    check which credentials helper it names: Terraform accepts only one
ok terraform: [HOME]/.terraformrc: all hosts: those with a host rule get a token, through [HOME]/.terraform.d/plugins/terraform-credentials-zitadel

"#]],
    );
    home.write(BESIDE, "");
    home.write(RC, format!("\u{feff}{BLOCK}"));
    case.matches(
        &found(&case, "terraform"),
        str![[r#"
warning terraform: [HOME]/.terraformrc: not parsed: byte order mark, which Terraform refuses
    check which credentials helper it names: Terraform accepts only one

"#]],
    );
}
