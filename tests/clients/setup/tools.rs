//! `setup cargo`, `setup terraform` and `setup go`.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;

use super::{command, files, setup};
use crate::cargo::{Acme as Registry, OWNERS};
use crate::gateway::Shown;
use crate::go::{Acme as Modules, gos};
use crate::program::{cargo, stdout_of_success};
use crate::support::tree::Node;
use crate::support::{Home, World};
use crate::terraform::Site;

/// Creates a profile with `setup`; all other configuration stays.
fn fresh(world: &World) {
    let World { home, issuer, .. } = world;
    fs::remove_dir_all(home.path().join(".config")).unwrap();
    home.link("zitadel-credential");
    let issuer = issuer.url();
    let profile = format!("profile prod --issuer {issuer} --key-file key.json");
    setup(home, &profile);
}

/// Returns all configuration, of any program.
fn settings(home: &Home) -> BTreeMap<String, Node> {
    let mut files = files(home);
    let kept = [".cargo/config", ".config/", ".terraform.d/", ".terraformrc"];
    files.retain(|name, _| kept.iter().any(|start| name.starts_with(start)));
    files
}

/// Sets a tool up, twice, and checks that a dry run announces it.
fn wired(home: &Home, words: &str) -> String {
    let before = settings(home);
    let dry = setup(home, &format!("{words} --dry-run"));
    assert!(dry.contains("\n@@ "), "{dry}");
    assert_eq!(settings(home), before);
    let said = setup(home, words);
    let once = settings(home);
    let again = setup(home, words);
    assert!(again.starts_with("nothing to change\n"), "{again}");
    assert_eq!(settings(home), once);
    said
}

/// Returns doctor's findings about the tool.
fn looked_over(home: &Home, tool: &str) -> Value {
    let mut doctor = command(home, "zitadel-credential");
    doctor.args(["doctor", "--output", "json"]);
    let found: Value = serde_json::from_str(&stdout_of_success(doctor)).unwrap();
    let checks = found["checks"].as_array().unwrap().iter();
    let mut of_tool = checks.filter(|check| check["name"] == tool);
    of_tool.next().unwrap()["status"].clone()
}

fn with_path(home: &Home, mut command: Command) -> Command {
    command.env("PATH", home.path_with_bin());
    command
}

#[test]
fn two_commands_lead_from_a_key_file_to_a_cargo_that_works_and_back() {
    const CARGOS: &str = ".cargo/config.toml";
    let Some(cargo) = cargo() else { return };
    for is_known in [true, false] {
        let acme = Registry::new(&cargo);
        let home = &acme.world.home;
        fresh(&acme.world);
        let host = acme.gateway.host();
        let index = format!("sparse+https://{host}/index/");
        let lines = home.read(CARGOS);
        let mut lines: Vec<_> = lines.lines().collect();
        lines.retain(|line| !line.starts_with("credential-provider"));
        if !is_known {
            lines.retain(|line| !line.starts_with("index") && *line != "[registries.acme]");
        }
        home.write(CARGOS, lines.join("\n") + "\n");
        let before = settings(home);
        let words = if is_known {
            format!("cargo {host}")
        } else {
            format!("cargo {host} --registry acme --index {index}")
        };
        let said = wired(home, &words);
        assert!(!said.contains("warning"), "{said}");
        stdout_of_success(with_path(home, acme.cargo(OWNERS)));
        assert_eq!(acme.gateway.take_shown(), [Shown::Nothing, Shown::Bearer]);
        assert_eq!(acme.world.issuer.token_requests(), 1);
        assert_eq!(looked_over(home, "cargo"), "ok");
        setup(home, &format!("cargo {host} --undo"));
        assert_eq!(settings(home), before);
    }
}

#[test]
fn two_commands_lead_from_a_key_file_to_a_terraform_that_works_and_back() {
    let Some(site) = Site::new() else { return };
    let home = &site.world.home;
    fresh(&site.world);
    fs::remove_dir_all(home.path().join(".terraform.d")).unwrap();
    let own = "# mine\ndisable_checkpoint = true\n";
    home.write(".terraformrc", own);
    let before = settings(home);
    let said = wired(home, &format!("terraform {}", site.host()));
    let (_, block) = said.split_once(":\ncredentials_helper").unwrap();
    let (block, _) = block.split_once("next: ").unwrap();
    home.write(".terraformrc", format!("{own}credentials_helper{block}"));
    stdout_of_success(site.gets_the_module());
    assert_eq!(site.registry.take_shown(), [Shown::Bearer]);
    assert_eq!(site.world.issuer.token_requests(), 1);
    assert_eq!(looked_over(home, "terraform"), "ok");
    let said = setup(home, &format!("terraform {} --undo", site.host()));
    assert!(said.ends_with("stays: remove it by hand\n"), "{said}");
    home.write(".terraformrc", own);
    let mut after = settings(home);
    // This file is Terraform's own.
    after.retain(|name, _| !name.starts_with(".terraform.d/checkpoint"));
    assert_eq!(after, before);
}

#[test]
fn two_commands_and_gos_own_lead_from_a_key_file_to_a_go_that_works() {
    for go in gos() {
        let acme = Modules::new(&go);
        let home = &acme.world.home;
        fresh(&acme.world);
        let before = settings(home);
        let host = acme.gateway.host();
        let run = |arguments: &[&str]| {
            let mut command = with_path(home, acme.go(&host, arguments));
            command.env_remove("GOAUTH");
            stdout_of_success(command)
        };
        let said = wired(home, &format!("go {host}"));
        let (_, goauth) = said.split_once("next: go env -w GOAUTH='").unwrap();
        let goauth = goauth.trim_end().strip_suffix('\'').unwrap();
        run(&["env", "-w", &format!("GOAUTH={goauth}")]);
        let said = setup(home, &format!("go {host}"));
        assert!(
            said.ends_with("/go/env names this program already\n"),
            "{said}"
        );
        assert_eq!(looked_over(home, "go"), "ok");
        run(&["mod", "download"]);
        assert_eq!(acme.gateway.take_shown(), [Shown::Bearer]);
        run(&["env", "-u", "GOAUTH"]);
        setup(home, &format!("go {host} --undo"));
        let mut after = settings(home);
        after.retain(|name, _| !name.starts_with(".config/go/"));
        assert_eq!(after, before);
    }
}
