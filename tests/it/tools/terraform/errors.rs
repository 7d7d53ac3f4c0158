//! Refusals of Terraform's helper and its setup, with their reasons.

use std::fs;
use std::os::unix::fs::symlink;

use snapbox::str;

use crate::errors::{HOST, hold, ruled};
use crate::support::Case;

#[test]
fn terraform_names_two_hosts() {
    let words = ["terraform", "get", HOST, "--profile=ci"];
    ruled().ask(words, "").fails(
        2,
        str![[r#"
zitadel-credential: error: terraform: expected one host after the operation
  hint: call it as Terraform does: get HOST

"#]],
    );
}

#[test]
fn a_terraform_configuration_with_another_helper() {
    hold(
        ".terraformrc",
        [(
            "credentials_helper \"x\" {}\n",
            "setup terraform a.dev",
            str![[r#"
zitadel-credential: error: [HOME]/.terraformrc: it has the credentials helper x already
  hint: remove that block first: Terraform allows one helper

"#]],
        )],
    );
}

#[test]
fn a_terraform_plugin_of_another_program() {
    let case = Case::new();
    let plugin = case
        .world
        .home
        .write(".terraform.d/plugins/terraform-credentials-zitadel", "");
    let call = || case.run(["setup", "terraform", "a.dev"]);
    call().fails(
        2,
        str![[r#"
zitadel-credential: error: [HOME]/.terraform.d/plugins/terraform-credentials-zitadel: it is not a link
  hint: move it away first

"#]],
    );
    fs::remove_file(&plugin).unwrap();
    symlink("/bin/sh", &plugin).unwrap();
    call().fails(2, str![[r#"
zitadel-credential: error: [HOME]/.terraform.d/plugins/terraform-credentials-zitadel: symbolic link to another program
  hint: move it away first

"#]]);
    fs::remove_file(&plugin).unwrap();
    let plugins = plugin.parent().unwrap();
    fs::remove_dir(plugins).unwrap();
    symlink("/proc", plugins).unwrap();
    call().fails(1, str![[r#"
zitadel-credential: error: [HOME]/.terraform.d/plugins/terraform-credentials-zitadel: the link was not changed: no such file or directory
  hint: check the directory's permissions

"#]]);
}
