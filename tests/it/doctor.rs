//! `doctor`: every fault is reported with its remedy, a correct setup gets no finding,
//! and nothing is changed or revealed.

mod cache;
mod host;
mod issuer;
mod key;
mod logins;
mod terminal;
mod token;
mod wiring;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use snapbox::data::Inline;
use snapbox::{file, str};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::support::entry::files;
use crate::support::machine::program;
use crate::support::{Case, Run, World, binary};

/// Times closer than this vary from run to run.
pub const SOON: Duration = Duration::days(10);

/// The findings of a call of `doctor`.
pub struct Found(Vec<Value>);

impl Found {
    /// Returns a check's status; the first one's if several have that name.
    pub fn status(&self, name: &str) -> &str {
        let check = self.0.iter().find(|check| check["name"] == name);
        check.map_or("absent", |check| check["status"].as_str().unwrap())
    }

    /// Returns all findings that the user must look after.
    pub fn faults(&self) -> String {
        self.lines(|check| check["status"] == "warning" || check["status"] == "failed")
    }

    /// Returns the text of a check.
    pub fn of(&self, name: &str) -> String {
        self.lines(|check| check["name"] == name)
    }

    pub fn lines(&self, is_told: impl Fn(&Value) -> bool) -> String {
        let lines = self.0.iter().filter(|check| is_told(check)).map(|check| {
            let text = |field: &str| check[field].as_str();
            let remedy = text("remedy").map(|remedy| format!("    {remedy}\n"));
            format!(
                "{} {}: {}\n{}",
                text("status").unwrap(),
                text("name").unwrap(),
                text("finding").unwrap(),
                remedy.unwrap_or_default()
            )
        });
        without_times(&lines.collect::<String>())
    }
}

/// Replaces the times of a text that are near this one by `[TIME]`.
pub fn without_times(text: &str) -> String {
    const LENGTH: usize = "2027-01-01T00:00:00Z".len();
    let now = OffsetDateTime::now_utc();
    let is_near = |moment: &str| {
        OffsetDateTime::parse(moment, &Rfc3339).is_ok_and(|moment| (moment - now).abs() < SOON)
    };
    let mut shown = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let moment = rest.get(..LENGTH).filter(|moment| is_near(moment));
        let (part, skipped) = match moment {
            Some(_) => ("[TIME]", LENGTH),
            None => (&rest[..c.len_utf8()], c.len_utf8()),
        };
        shown.push_str(part);
        rest = &rest[skipped..];
    }
    shown
}

/// Returns a separate world, in which varying texts are hidden.
pub fn case() -> Case {
    shown(World::new())
}

pub fn shown(world: World) -> Case {
    let case = Case::with(world);
    let host = case.world.issuer.url();
    let (_, host) = host.split_once("://").unwrap();
    case.hide("[ADDRESS]", host.to_owned());
    case.hide("[PROGRAM]", binary().display().to_string());
    case.hide("[VERSION]", version());
    case
}

/// Returns the output of `--version`, with the commit if the build got it.
pub fn version() -> String {
    let output = Command::new(binary()).arg("--version").run();
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, version) = text.trim().split_once(' ').unwrap();
    version.to_owned()
}

/// Calls `doctor`, and asserts that it reveals and changes nothing.
pub fn examine(case: &Case, options: &[&str], variables: &[(&str, &str)]) -> Found {
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

/// Returns each file's mode, size, time and content below a directory.
pub fn snapshot(root: &Path) -> BTreeMap<PathBuf, (u32, u64, i64, i64, Vec<u8>)> {
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

/// A fault, the function that causes it, the options for it, and all findings.
pub type Row = (&'static str, fn(&Case), &'static [&'static str], Inline);

#[track_caller]
pub fn hold<const ROWS: usize>(rows: [Row; ROWS]) {
    for (fault, induce, options, expected) in rows {
        let case = case();
        induce(&case);
        let faults = examine(&case, options, &[]).faults();
        assert_ne!(faults, "", "{fault} is not found");
        case.matches(&faults, expected);
    }
}

/// A tool's file, its content, and the findings of the check.
pub type FileRow<'a> = (&'a str, &'a str, Inline);

/// Asserts the findings for each file, in a home with rules for two hosts, and our names
/// on PATH.
pub fn hold_files<const ROWS: usize>(check: &str, rows: [FileRow<'_>; ROWS]) {
    let case = case();
    case.world.allow("a.acme.test");
    case.world.allow("b.acme.test:8443");
    for name in [
        "zitadel-credential",
        "bazel-credential-zitadel",
        "cargo-credential-zitadel",
    ] {
        case.world.home.link(name);
    }
    for (file, text, told) in rows {
        case.world.home.write(file, text);
        case.matches(&found(&case, check), told);
    }
}

/// Returns a check's findings, with our names on PATH.
pub fn found(case: &Case, check: &str) -> String {
    let path = case.world.home.path_with_bin();
    examine(case, &[], &[("PATH", path.to_str().unwrap())]).of(check)
}

pub fn allow_and_wire(case: &Case) {
    case.world.allow("git.acme.test");
    wire_git(case, "https://git.acme.test");
}

pub fn wire_git(case: &Case, url: &str) {
    let section = format!("[credential \"{url}\"]\n\thelper = zitadel\n");
    case.world.home.write(".gitconfig", section);
}

pub fn wire_docker(case: &Case, registry: &str) {
    let config = json!({ "credHelpers": { registry: "zitadel", "ghcr.io": "other" } });
    case.world
        .home
        .write(".docker/config.json", config.to_string());
}

pub fn kubeconfig(case: &Case, change: impl FnOnce(&mut Value)) {
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
        "clusters": [
            {"name": "ours", "cluster": {"server": "https://kube.acme.test:6443"}},
            {"name": "theirs", "cluster": {"server": "https://kube.other.test"}},
        ],
        "contexts": [
            {"name": "ours", "context": {"cluster": "ours", "user": "ci"}},
            {"name": "theirs", "context": {"cluster": "theirs", "user": "other"}},
        ],
    });
    case.guard("a secret of a cluster's");
    case.world.home.write(".kube/config", config.to_string());
}

pub fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Returns a case whose tools call this program, and the `PATH` with its names.
pub fn wired() -> (Case, OsString) {
    let case = case();
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
    (case, path)
}

/// Returns the output of `doctor` for a correct case.
pub fn all_is_right(case: &Case, path: &OsStr, options: &[&str]) -> String {
    let mut command = case
        .world
        .zitadel(["doctor", "https://git.acme.test/a.git"]);
    command.args(options).env("PATH", path);
    let call = case.end(command);
    call.gives_nothing_away(0);
    assert_eq!(files(&case.world.home, "json").len(), 0);
    without_times(&call.stdout)
}

#[test]
fn a_correct_setup_passes_every_check() {
    if program("git").is_none() {
        return;
    }
    let (case, path) = wired();
    case.matches(&all_is_right(&case, &path, &[]), str![[r#"
ok       config     [HOME]/.config/zitadel-credential/config.toml: profiles: 1, host rules: 2
ok       profile    test: issuer [ISSUER], scopes openid
ok       key        key file [HOME]/key.json: key [KEY_ID] of service user [USER_ID], RSA 2048 bits, no expiry date in the file, mode 0600
ok       program    [PROGRAM] [VERSION]
ok       program    on PATH in [HOME]/bin: zitadel-credential, git-credential-zitadel, docker-credential-zitadel
ok       proxy      no proxy: direct connection to the issuer
ok       dns        no lookup: 127.0.0.1 is an IP address
ok       tcp        connected to [ADDRESS]
ok       tls        no TLS: plain http
ok       clock      agrees with the issuer's clock
ok       discovery  issuer [ISSUER] matches the configuration
ok       token      new, opaque, valid until [TIME]; servers must check it with the issuer
ok       userinfo   the token belongs to user ID [USER_ID]
ok       cache      [HOME]/.cache/zitadel-credential does not exist yet: the first token creates it
ok       git        https://git.acme.test: host rule git.acme.test, profile test
ok       docker     [HOME]/.docker/config.json: registry.acme.test:5000: host rule registry.acme.test:5000, profile test
ok       host       host rule git.acme.test for https://git.acme.test: profile test, the user ID as username; git: basic, or Bearer if the server offers no basic

17 ok

"#]]);
}

#[test]
fn json_has_all_that_the_text_has() {
    if program("git").is_none() {
        return;
    }
    let (case, path) = wired();
    case.matches(
        &all_is_right(&case, &path, &["--output", "json"]),
        file!["doctor/right.json": Text],
    );
}

#[test]
fn text_is_a_line_for_each_check_and_a_sum() {
    let case = case();
    case.world.issuer.remove_key(&case.world.user.key_id);
    let call = case.run(["doctor"]);
    call.gives_nothing_away(1);
    case.matches(&call.stdout, str![[r#"
ok       config     [HOME]/.config/zitadel-credential/config.toml: profiles: 1, host rules: 0
ok       profile    test: issuer [ISSUER], scopes openid
ok       key        key file [HOME]/key.json: key [KEY_ID] of service user [USER_ID], RSA 2048 bits, no expiry date in the file, mode 0600
ok       program    [PROGRAM] [VERSION]; not on PATH
ok       proxy      no proxy: direct connection to the issuer
ok       dns        no lookup: 127.0.0.1 is an IP address
ok       tcp        connected to [ADDRESS]
ok       tls        no TLS: plain http
ok       clock      agrees with the issuer's clock
ok       discovery  issuer [ISSUER] matches the configuration
failed   token      the issuer refused the assertion: invalid_grant: invalid assertion (HTTP 400); the issuer's clock and the local clock agree; the key file has no expiration date
                    check in ZITADEL that user [USER_ID] is an active service user, and that key [KEY_ID] is listed under its Keys and not expired (a key created seconds ago may take a moment); otherwise create a new key; or check that neither the user nor the key was removed, and that both are of the instance [ISSUER] and not of another instance; or check the clocks; if everything is right, try again later and read ZITADEL's log: ZITADEL gives the same answer for an internal error, such as a database that is down or read-only
skipped  userinfo   no token was requested
ok       cache      [HOME]/.cache/zitadel-credential does not exist yet: the first token creates it

11 ok, 1 failed, 1 skipped

"#]]);
}
