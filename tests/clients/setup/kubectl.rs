//! `setup kubectl`.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::Value;

use super::{KUBECONFIG, command, files, kubeconfig, setup, with_profile};
use crate::kubernetes::kubectl::{Kubectl, kubectls};
use crate::program::{client, output_of, stderr_of_failure, stdout_of_success};
use crate::support::Run;

#[test]
fn every_kubectl_is_given_the_entry_that_it_can_write() {
    for kubectl in kubectls() {
        let cluster = with_profile();
        kubeconfig(&cluster);
        let home = &cluster.world.home;
        let Kubectl { program, minor, .. } = &kubectl;
        symlink(program, home.path().join("bin/kubectl")).unwrap();
        let look = setup(home, "kubectl --user zitadel --context test --dry-run");
        for hidden in ["cluster: […]", "user: […]", "name: […]"] {
            assert!(!look.contains(hidden), "{look}");
        }
        let said = setup(home, "kubectl --user zitadel --context test");
        assert_eq!(
            said.contains("the entry uses v1beta1"),
            *minor < 30,
            "{said}"
        );
        assert!(
            said.contains("next: kubectl --context test auth whoami\n"),
            "{said}"
        );
        let kuberc = "credentialPluginPolicy: Allowlist";
        assert!(said.contains(kuberc), "{said}");
        // The text is a comment, so that the lines can be copied unchanged.
        let remark = "zitadel-credential    # kubectl 1.35: name instead of command\n";
        assert!(said.contains(remark), "{said}");
        let mut view = command(home, "kubectl");
        view.args(["config", "view", "--raw", "--output", "json"]);
        let view: Value = serde_json::from_str(&stdout_of_success(view)).unwrap();
        let users = view["users"].as_array().unwrap();
        let user = users.iter().find(|user| user["name"] == "zitadel").unwrap();
        let exec = &user["user"]["exec"];
        // The version is for clients that pass none and compare the response's.
        let version = exec["apiVersion"].as_str().unwrap();
        let (_, short) = version.rsplit_once('/').unwrap();
        let args = exec["args"].as_array().unwrap();
        assert_eq!(args[..3], ["kubectl", "--api-version", short]);
        let again = setup(home, "kubectl --user zitadel --context test");
        assert!(again.starts_with("nothing to change\n"), "{again}");
        assert!(again.contains("next: "), "{again}");
        assert!(!again.contains(kuberc), "{again}");
        let look = setup(home, "kubectl --user zitadel --dry-run");
        assert!(look.contains(kuberc), "{look}");
        assert!(said.contains("warning: the token is opaque"), "{said}");
        let answer = kubectl.get_version(home).run();
        assert_eq!(Kubectl::answer(&answer), crate::kubernetes::cluster::MINOR);
    }
}

#[test]
fn undo_keeps_changes_of_the_kubeconfig_and_restores_the_user() {
    let Some(kubectl) = client("kubectl") else {
        return;
    };
    let cluster = with_profile();
    kubeconfig(&cluster);
    let home = &cluster.world.home;
    let view = || -> Value {
        let mut view = command(home, &kubectl);
        view.args(["config", "view", "--raw", "--output", "json"]);
        serde_json::from_str(&stdout_of_success(view)).unwrap()
    };
    let before = view();
    // zitadel is the default name of the user.
    setup(home, "kubectl --context test");
    assert_eq!(view()["contexts"][0]["context"]["user"], "zitadel");
    let again = setup(home, "kubectl --user zitadel --context test");
    assert!(again.starts_with("nothing to change\n"), "{again}");
    let mut other = command(home, &kubectl);
    other.args([
        "config",
        "set-context",
        "other",
        "--cluster=test",
        "--user=admin",
    ]);
    stdout_of_success(other);
    let said = setup(home, "kubectl --undo");
    assert!(
        said.contains("restored user admin of context test\nremoved user zitadel\n"),
        "{said}"
    );
    let mut after = view();
    let contexts = after["contexts"].as_array_mut().unwrap();
    contexts.retain(|context| context["name"] != "other");
    assert_eq!(after, before);
}

#[test]
fn a_user_that_others_gave_a_token_is_not_ours() {
    let Some(kubectl) = client("kubectl") else {
        return;
    };
    let cluster = with_profile();
    kubeconfig(&cluster);
    let home = &cluster.world.home;
    setup(home, "kubectl --user zitadel");
    let mut theirs = command(home, &kubectl);
    theirs.args(["config", "set-credentials", "zitadel", "--token=THEIRS"]);
    stdout_of_success(theirs);
    let mut again = command(home, "zitadel-credential");
    again.args(["setup", "kubectl", "--user", "zitadel"]);
    let said = stderr_of_failure(again);
    assert!(said.contains("user zitadel exists already"), "{said}");
    let said = setup(home, "kubectl --user zitadel --undo");
    assert!(
        said.contains("user zitadel was changed since the setup, so it stays"),
        "{said}"
    );
    assert!(home.read(KUBECONFIG).contains("THEIRS"));
}

#[test]
fn invalid_kubectl_setups_are_refused() {
    let Some(_) = client("kubectl") else {
        return;
    };
    let cluster = with_profile();
    kubeconfig(&cluster);
    let home = &cluster.world.home;
    let broken = home.write("broken", "a: [");
    let before = files(home);
    let refused = |words: &str, environment: (&str, &str)| {
        let mut call = command(home, "zitadel-credential");
        call.arg("setup").args(words.split(' ')).envs([environment]);
        let said = stderr_of_failure(call);
        assert_eq!(files(home), before, "{words}");
        said
    };
    let none = ("UNUSED", "");
    let said = refused("kubectl --user admin", none);
    assert!(said.contains("user admin exists already"), "{said}");
    let said = refused("kubectl --user zitadel --context absent", none);
    assert!(said.contains("no context absent"), "{said}");
    let said = refused("kubectl --user zitadel", ("KUBECONFIG", "/a:/b"));
    assert!(said.contains("KUBECONFIG has several files"), "{said}");
    let said = refused(
        &format!("kubectl --user zitadel --kubeconfig {}", broken.display()),
        none,
    );
    assert!(said.contains("kubectl failed"), "{said}");
    let said = refused("kubectl --user zitadel --kubeconfig key.json", none);
    assert!(said.contains("key.json: it is a key file"), "{said}");
}

/// The limit also applies to kubectl's writes.
#[test]
fn a_file_size_limit_is_reported() {
    let Some(_) = client("kubectl") else {
        return;
    };
    let cluster = with_profile();
    kubeconfig(&cluster);
    let home = &cluster.world.home;
    let long = format!("{}\n{}", home.read(KUBECONFIG), "# long\n".repeat(400));
    home.write(KUBECONFIG, long);
    let before = files(home);
    let mut call = command(home, "/bin/sh");
    call.args(["-c", "ulimit -f 1; exec \"$0\" \"$@\""]);
    call.args(["zitadel-credential", "setup", "kubectl", "--user", "u"]);
    let said = stderr_of_failure(call);
    assert!(said.contains("file too large"), "{said}");
    assert_eq!(files(home), before);
}

/// The kubectl on PATH makes no change, or other changes than the requested one.
#[test]
fn a_kubectl_that_makes_other_changes_is_not_trusted() {
    let Some(kubectl) = client("kubectl") else {
        return;
    };
    let cluster = with_profile();
    kubeconfig(&cluster);
    let home = &cluster.world.home;
    let real = kubectl.display();
    let lying = |call: &str, does: &str| {
        let script =
            format!("#!/bin/sh\ncase $4 in {call}) {does} ;; *) exec {real} \"$@\" ;; esac\n");
        let program = home.write("bin/kubectl", script);
        fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
    };
    let refused = |words: &str| {
        let before = files(home);
        let mut call = command(home, "zitadel-credential");
        call.args(["setup", "kubectl", "--user", "zitadel"]);
        call.args(words.split_ascii_whitespace());
        let said = stderr_of_failure(call);
        let what = ".kube/config: rejected the change that kubectl made: ";
        assert!(said.contains(what), "{said}");
        assert_eq!(files(home), before, "{words}");
    };
    let lies = [
        "exit 0".to_owned(),
        ": > \"$3\"".to_owned(),
        "ln -f ~/key.json \"$3\"".to_owned(),
        format!("{real} \"$@\" --token=t"),
        format!("{real} \"$@\" && {real} config --kubeconfig \"$3\" delete-user admin"),
    ];
    for lie in &lies {
        lying("set-credentials", lie);
        refused("--context test");
    }
    for lie in [&lies[0], &lies[1], &format!("{real} \"$@\" --namespace=n")] {
        lying("set-context", lie);
        refused("--context test");
    }
    lying("nothing", "");
    setup(home, "kubectl --user zitadel --context test");
    for lie in [&lies[0], &lies[1]] {
        lying("delete-user", lie);
        refused("--undo");
        lying("set-context", lie);
        refused("--undo");
    }
}

/// kubectl locks the name that it got, even if that is a link.
#[test]
fn a_kubeconfig_locked_through_a_link_is_unchanged() {
    let Some(_) = client("kubectl") else {
        return;
    };
    let cluster = with_profile();
    kubeconfig(&cluster);
    let home = &cluster.world.home;
    fs::rename(home.path().join(KUBECONFIG), home.path().join("real")).unwrap();
    symlink("../real", home.path().join(KUBECONFIG)).unwrap();
    for lock in [&format!("{KUBECONFIG}.lock"), "real.lock"] {
        let lock = home.write(lock, "");
        let before = files(home);
        let mut call = command(home, "zitadel-credential");
        call.args(["setup", "kubectl", "--user", "u"]);
        let said = stderr_of_failure(call);
        assert!(
            said.contains(".lock: another program is changing the file"),
            "{said}"
        );
        assert_eq!(files(home), before);
        fs::remove_file(lock).unwrap();
    }
    setup(home, "kubectl --user u");
}

/// Otherwise kubectl writes a program beside the kubeconfig as a bare name, and searches
/// it on PATH.
#[test]
fn a_kubeconfig_beside_the_program_calls_it_by_its_whole_path() {
    for Kubectl { program, .. } in kubectls() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(program, home.path().join("bin/kubectl")).unwrap();
        let words = "kubectl --user u --kubeconfig bin/config";
        setup(home, words);
        let config = home.read("bin/config");
        let binary = home.path().join("bin/zitadel-credential");
        let command = format!("      command: {}\n", binary.display());
        assert!(config.contains(&command), "{config}");
        let again = setup(home, words);
        assert!(again.starts_with("nothing to change\n"), "{again}");
    }
}

/// A setup that is killed before kubectl has written leaves this.
#[test]
fn a_setup_killed_before_its_change_leaves_nothing_to_undo() {
    let Some(_) = client("kubectl") else {
        return;
    };
    let cluster = with_profile();
    kubeconfig(&cluster);
    let home = &cluster.world.home;
    home.write(KUBECONFIG, format!("# mine\n{}", home.read(KUBECONFIG)));
    let before = files(home);
    for order in [["ci2", "ci"], ["ci", "ci2"]] {
        setup(home, "kubectl --user ci --context test");
        let one = home.read(KUBECONFIG);
        setup(home, "kubectl --user ci2 --context test");
        home.write(KUBECONFIG, &one);
        for user in order {
            let said = setup(home, &format!("kubectl --user {user} --undo"));
            assert!(!said.contains("changed since"), "{said}");
        }
        assert_eq!(files(home), before);
    }
}

/// The second setup is killed too, after this program was moved.
#[test]
fn a_setup_that_is_killed_after_the_program_moved_is_undone() {
    let Some(_) = client("kubectl") else {
        return;
    };
    let cluster = with_profile();
    kubeconfig(&cluster);
    let home = &cluster.world.home;
    home.write(KUBECONFIG, format!("# mine\n{}", home.read(KUBECONFIG)));
    let before = files(home);
    setup(home, "kubectl --user ci --context test");
    let one = home.read(KUBECONFIG);
    fs::remove_file(home.path().join("bin/zitadel-credential")).unwrap();
    let moved = |words: &str| {
        let mut call = command(home, crate::support::binary());
        call.args(["setup", "kubectl", "--user", "ci"]);
        stdout_of_success({
            call.args(words.split_ascii_whitespace());
            call
        })
    };
    moved("--context test");
    assert_ne!(home.read(KUBECONFIG), one);
    home.write(KUBECONFIG, &one);
    let said = moved("--undo");
    assert!(said.contains("removed user ci\n"), "{said}");
    assert_eq!(files(home), before);
}

#[test]
fn kubectls_messages_are_hidden_if_they_may_quote_the_kubeconfig() {
    let Some(_) = client("kubectl") else {
        return;
    };
    let cluster = with_profile();
    let home = &cluster.world.home;
    let user =
        "{\"name\": \"a\", \"user\": {\"username\": \"root\", \"password\": \"hunter2-Sommer\"}}";
    let twice =
        format!("{{\"apiVersion\": \"v1\", \"kind\": \"Config\", \"users\": [{user}, {user}]}}");
    for broken in [twice, "users: hunter2-Sommer\n".to_owned()] {
        home.write(KUBECONFIG, broken);
        let mut call = command(home, "zitadel-credential");
        call.args(["setup", "kubectl", "--user", "ci"]);
        let output = output_of(call, b"");
        for said in [output.stdout, output.stderr] {
            let said = String::from_utf8(said).unwrap();
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}

/// kubectl writes only the fields that it knows.
#[test]
fn fields_that_kubectl_drops_are_reported_and_restored() {
    let Some(kubectl) = client("kubectl") else {
        return;
    };
    let cluster = with_profile();
    kubeconfig(&cluster);
    let home = &cluster.world.home;
    let mut view = command(home, &kubectl);
    view.args(["config", "view", "--raw"]);
    let plain = format!("# ours\n{}", stdout_of_success(view));
    for (more, told) in [
        (
            "extra:\n  a: b\n",
            Some("kubectl drops the key extra from the file;"),
        ),
        (
            "---\na: b\n",
            Some("kubectl drops the documents after the first from the file;"),
        ),
        ("", None),
    ] {
        let before = format!("{plain}{more}");
        home.write(KUBECONFIG, &before);
        let said = setup(home, "kubectl --context test --no-try");
        match told {
            Some(told) => assert!(said.contains(told), "{said}"),
            None => assert!(!said.contains("kubectl drops"), "{said}"),
        }
        setup(home, "kubectl --undo");
        assert_eq!(home.read(KUBECONFIG), before);
    }
}
