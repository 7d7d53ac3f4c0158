//! Programs on `PATH`, and the tools' files that name us.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Case, binary};
use crate::{examine, kubeconfig, mode, wire_docker, wire_git};

/// A change of a user's exec entry, and what is said of it.
type ExecRow = (&'static str, fn(&mut Value), [&'static str; 3]);

#[test]
fn programs_on_path_are_held_against_this_one() {
    let case = Case::new();
    let home = &case.world.home;
    home.link("zitadel-credential");
    let path = home.path_with_bin();
    let path = [("PATH", path.to_str().unwrap())];
    wire_docker(&case, "registry.acme.test");
    case.world.allow("registry.acme.test");
    let found = examine(&case, &[], &path);
    let remedy = "/bin/docker-credential-zitadel";
    assert!(found.has(
        "program",
        "warning",
        "docker-credential-zitadel is not on PATH",
        "ln -s "
    ));
    assert!(found.has("program", "warning", "", remedy));

    let script = |name: &str, text: &str| {
        let path = home.write(format!("bin/{name}"), format!("#!/bin/sh\n{text}\n"));
        mode(&path, 0o755);
    };
    script("docker-credential-zitadel", "echo zitadel-credential 0.0.1");
    script("git-credential-zitadel", "echo something else");
    let found = examine(&case, &[], &path);
    assert!(found.has(
        "program",
        "warning",
        "is version 0.0.1, this program is ",
        "ln -sf "
    ));
    assert!(found.has(
        "program",
        "warning",
        "git-credential-zitadel is another program",
        "ln -sf "
    ));
}

#[test]
fn the_kubeconfigs_users_are_held_against_what_kubectl_needs() {
    let table: [ExecRow; 9] = [
        ("right", |_| {}, ["ok", "user ci: profile test, v1", ""]),
        (
            "v1beta1",
            |exec| exec["apiVersion"] = "client.authentication.k8s.io/v1beta1".into(),
            ["ok", "user ci: profile test, v1beta1", ""],
        ),
        (
            "v1alpha1",
            |exec| exec["apiVersion"] = "client.authentication.k8s.io/v1alpha1".into(),
            [
                "failed",
                "its apiVersion ",
                "zitadel-credential setup kubectl --user ci",
            ],
        ),
        (
            "not on PATH",
            |exec| exec["command"] = "zitadel-credential".into(),
            [
                "failed",
                "zitadel-credential is not on PATH",
                "setup kubectl --user ci",
            ],
        ),
        (
            "a relative path to nothing",
            |exec| exec["command"] = "bin/zitadel-credential".into(),
            [
                "failed",
                "its command bin/zitadel-credential is no program",
                "setup kubectl --user ci",
            ],
        ),
        (
            "always interactive",
            |exec| exec["interactiveMode"] = "Always".into(),
            [
                "warning",
                "interactiveMode Always",
                "setup kubectl --user ci",
            ],
        ),
        (
            "other args",
            |exec| exec["args"] = json!(["token"]),
            ["failed", "its args do not run", "setup kubectl --user ci"],
        ),
        (
            "an unknown profile",
            |exec| exec["args"] = json!(["kubectl", "--profile", "staging"]),
            [
                "failed",
                "no profile is called \"staging\"",
                "its profiles are: test",
            ],
        ),
        (
            "an unknown profile by a variable",
            |exec| exec["env"] = json!([{"name": "ZITADEL_CREDENTIAL_PROFILE", "value": "other"}]),
            [
                "failed",
                "no profile is called \"other\"",
                "its profiles are: test",
            ],
        ),
    ];
    let case = Case::new();
    for (fault, change, [status, finding, remedy]) in table {
        kubeconfig(&case, change);
        let found = examine(&case, &[], &[]);
        if found.has("kubectl", "ok", "only its text was looked at", "") {
            return;
        }
        assert!(
            found.has("kubectl", status, finding, remedy),
            "{fault}: {:#?}",
            found.0
        );
    }
}

#[test]
fn without_kubectl_a_kubeconfig_is_looked_at_as_text() {
    let case = Case::new();
    kubeconfig(&case, |_| {});
    let found = examine(&case, &[], &[("PATH", "/nowhere")]);
    assert!(found.has("kubectl", "ok", "only its text was looked at", ""));
}

#[test]
fn each_setting_of_git_and_docker_is_held_against_the_rules() {
    let case = Case::new();
    case.world.allow("registry.acme.test:5000");
    case.world.home.link("git-credential-zitadel");
    case.world.home.link("docker-credential-zitadel");
    let path = case.world.home.path_with_bin();
    let path = [("PATH", path.to_str().unwrap())];
    let found = examine(&case, &[], &path);
    assert!(found.has(
        "rule",
        "ok",
        "registry.acme.test:5000: neither git nor docker",
        ""
    ));

    wire_docker(&case, "registry.acme.test:443");
    let found = examine(&case, &[], &path);
    assert!(found.has(
        "docker",
        "failed",
        "is for another port",
        "zitadel-credential setup docker registry.acme.test"
    ));
    wire_docker(&case, "registry.acme.test:5000");
    let found = examine(&case, &[], &path);
    assert!(found.has(
        "docker",
        "ok",
        "rule registry.acme.test:5000, profile test",
        ""
    ));
    assert_eq!(found.status("rule"), "absent");
    case.world.home.write(".docker/config.json", "{");
    let found = examine(&case, &[], &path);
    assert!(found.has(
        "docker",
        "failed",
        "it is not as docker writes it",
        "mend it by hand"
    ));

    wire_git(&case, "https://git.acme.test");
    let found = examine(&case, &[], &path);
    if found.status("git") != "absent" {
        assert!(found.has(
            "git",
            "failed",
            "no host rule lets https://git.acme.test",
            "zitadel-credential setup git git.acme.test"
        ));
    }
}

#[test]
fn programs_that_hang_are_ended() {
    let case = Case::new();
    kubeconfig(&case, |_| {});
    for name in ["kubectl", "git", "docker-credential-zitadel"] {
        let path = case
            .world
            .home
            .write(format!("bin/{name}"), "#!/bin/sh\nexec sleep 60\n");
        mode(&path, 0o755);
    }
    symlink(
        binary(),
        case.world.home.path().join("bin/zitadel-credential"),
    )
    .unwrap();
    let path = case.world.home.path_with_bin();
    let start = Instant::now();
    let found = examine(
        &case,
        &["--timeout", "4"],
        &[("PATH", path.to_str().unwrap())],
    );
    assert!(start.elapsed() < Duration::from_secs(8));
    assert!(
        found.has("kubectl", "failed", "not complete within", "run it by hand"),
        "{:#?}",
        found.0
    );
    assert!(found.has("git", "failed", "not complete within", "by hand"));
    assert_eq!(found.status("userinfo"), "ok");
}

#[test]
fn a_program_in_a_relative_directory_of_path_is_never_run() {
    let case = Case::new();
    kubeconfig(&case, |_| {});
    let home = &case.world.home;
    for name in ["kubectl", "git", "zitadel-credential"] {
        // Where the call stands, as a clone's own files do.
        let path = home.write(name, "#!/bin/sh\necho > \"$HOME/was-run\"\n");
        mode(&path, 0o755);
    }
    for path in ["", ".", ".:/nowhere"] {
        examine(&case, &[], &[("PATH", path)]);
    }
    assert!(!home.path().join("was-run").exists());
}

#[test]
fn a_git_helper_that_is_not_there_is_named_with_its_host() {
    let case = Case::new();
    case.world.allow("git.acme.test");
    let helper =
        "[credential \"https://git.acme.test\"]\n\thelper = /nowhere/git-credential-zitadel\n";
    case.world.home.write(".gitconfig", helper);
    let found = examine(&case, &[], &[]);
    assert!(found.has(
        "git",
        "failed",
        "/nowhere/git-credential-zitadel is not there",
        "zitadel-credential setup git git.acme.test"
    ));
}
