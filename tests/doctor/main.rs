//! `doctor`: every fault is named with its remedy, in what stands right nothing
//! is found, and nothing is changed or given away.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

#[path = "../support/mod.rs"]
mod support;

mod cache;
mod host;
mod issuer;
mod key;
mod wiring;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::entry::files;
use support::{Case, binary};

/// What a call of `doctor` found.
struct Found(Vec<Value>);

impl Found {
    /// Whether a check of that name and status says both.
    fn has(&self, name: &str, status: &str, finding: &str, remedy: &str) -> bool {
        self.0.iter().any(|check| {
            check["name"] == name
                && check["status"] == status
                && check["finding"].as_str().unwrap().contains(finding)
                && check["remedy"]
                    .as_str()
                    .unwrap_or_default()
                    .contains(remedy)
        })
    }

    fn status(&self, name: &str) -> &str {
        let check = self.0.iter().find(|check| check["name"] == name);
        check.map_or("absent", |check| check["status"].as_str().unwrap())
    }
}

/// Calls it, holds it to giving nothing away and to changing nothing.
fn examine(case: &Case, options: &[&str], variables: &[(&str, &str)]) -> Found {
    let mut command = case.world.zitadel(["doctor", "--output", "json"]);
    command.args(options).envs(variables.iter().copied());
    let before = snapshot(case.world.home.path());
    let call = case.end(command);
    assert_eq!(snapshot(case.world.home.path()), before);
    let stdout = call.stdout.clone();
    let found: Value = serde_json::from_str(&stdout).unwrap_or_default();
    let checks = found["checks"].as_array().cloned();
    let checks = checks.unwrap_or_else(|| unreachable!("{stdout} {}", call.stderr));
    let failed = checks.iter().any(|check| check["status"] == "failed");
    call.gives_nothing_away(i32::from(failed));
    Found(checks)
}

/// Every file below: its mode, its size, its time and what it holds.
fn snapshot(root: &Path) -> BTreeMap<PathBuf, (u32, u64, i64, i64, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(path) = left.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        let mut contents = Vec::new();
        if meta.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        } else if meta.is_file() {
            contents = fs::read(&path).unwrap();
        }
        let look = (meta.mode(), meta.size(), meta.mtime(), meta.mtime_nsec());
        found.insert(path, (look.0, look.1, look.2, look.3, contents));
    }
    found
}

/// A fault, and the check that names it.
type Row = (
    &'static str,
    fn(&Case),
    &'static [&'static str],
    [&'static str; 4],
);

fn hold(rows: &[Row]) {
    for (fault, induce, options, [name, status, finding, remedy]) in rows {
        let case = Case::new();
        induce(&case);
        let found = examine(&case, options, &[]);
        assert!(
            found.has(name, status, finding, remedy),
            "{fault}: {:#?}",
            found.0
        );
    }
}

fn allow_and_wire(case: &Case) {
    case.world.allow("git.acme.test");
    wire_git(case, "https://git.acme.test");
}

fn wire_git(case: &Case, url: &str) {
    let section = format!("[credential \"{url}\"]\n\thelper = zitadel\n");
    case.world.home.write(".gitconfig", section);
}

fn wire_docker(case: &Case, registry: &str) {
    let config = json!({ "credHelpers": { registry: "zitadel", "ghcr.io": "other" } });
    case.world
        .home
        .write(".docker/config.json", config.to_string());
}

fn kubeconfig(case: &Case, change: impl FnOnce(&mut Value)) {
    let mut exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": binary(),
        "args": ["kubectl"],
        "interactiveMode": "Never",
    });
    change(&mut exec);
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "users": [
            {"name": "ci", "user": {"exec": exec}},
            {"name": "other", "user": {"token": "a secret of a cluster's"}},
        ],
    });
    case.guard("a secret of a cluster's");
    case.world.home.write(".kube/config", config.to_string());
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn where_all_is_right_every_check_is_ok() {
    let case = Case::new();
    allow_and_wire(&case);
    wire_docker(&case, "registry.acme.test:5000");
    case.world.allow("registry.acme.test:5000");
    for name in [
        "zitadel-credential",
        "git-credential-zitadel",
        "docker-credential-zitadel",
    ] {
        case.world.home.link(name);
    }
    let path = case.world.home.path_with_bin();
    let variables = [("PATH", path.to_str().unwrap())];
    let found = examine(&case, &["https://git.acme.test/a.git"], &variables);
    for check in &found.0 {
        assert_eq!(check["status"], "ok", "{check}");
    }
    let names: Vec<_> = found.0.iter().map(|check| &check["name"]).collect();
    let mut expected = vec![
        "config",
        "profile",
        "key",
        "program",
        "proxy",
        "dns",
        "tcp",
        "tls",
        "clock",
        "discovery",
        "token",
        "userinfo",
        "cache",
    ];
    if cfg!(unix) && found.status("git") != "absent" {
        expected.push("git");
    }
    expected.extend(["docker", "host"]);
    assert_eq!(names, expected);
    assert!(found.has("userinfo", "ok", "A service user", ""));
    assert!(found.has("host", "ok", "rule git.acme.test: profile test", ""));
    assert_eq!(files(&case.world.home, "json").len(), 0);
}

#[test]
fn text_is_a_line_for_each_check_and_a_sum() {
    let case = Case::new();
    case.world.issuer.remove_key(&case.world.user.key_id);
    let call = case.run(["doctor"]);
    assert_eq!(call.code, Some(1));
    assert!(
        call.stdout
            .contains("ok       dns        127.0.0.1 has 127.0.0.1:")
    );
    assert!(
        call.stdout
            .contains("failed   token      the issuer refused")
    );
    assert!(
        call.stdout
            .contains("skipped  userinfo   there is no token to show\n")
    );
    assert!(
        call.stdout.ends_with("\n\n11 ok, 1 failed, 1 skipped\n"),
        "{}",
        call.stdout
    );
    assert!(!call.stdout.contains('\u{1b}'));
}
