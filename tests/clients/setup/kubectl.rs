//! `setup kubectl`.

use std::os::unix::fs::symlink;

use serde_json::Value;

use super::{KUBECONFIG, command, files, kubeconfig, setup, with_profile};
use crate::kubernetes::kubectl::{Kubectl, kubectls};
use crate::program::{client, stderr_of_failure, stdout_of_success};

#[test]
fn every_kubectl_is_given_the_entry_that_it_can_write() {
    for kubectl in kubectls() {
        let cluster = with_profile();
        kubeconfig(&cluster);
        let home = &cluster.world.home;
        let Kubectl { program, minor, .. } = &kubectl;
        symlink(program, home.path().join("bin/kubectl")).unwrap();
        let said = setup(home, "kubectl --user zitadel --context test");
        assert_eq!(
            said.contains("the entry is of v1beta1"),
            *minor < 30,
            "{said}"
        );
        assert!(
            said.contains("next: kubectl --context test auth whoami\n"),
            "{said}"
        );
        let kuberc = "credentialPluginPolicy: Allowlist";
        assert!(said.contains(kuberc), "{said}");
        let again = setup(home, "kubectl --user zitadel --context test");
        assert!(again.starts_with("nothing to change\n"), "{again}");
        assert!(again.contains("next: "), "{again}");
        assert!(!again.contains(kuberc), "{again}");
        let look = setup(home, "kubectl --user zitadel --dry-run");
        assert!(look.contains(kuberc), "{look}");
        assert!(said.contains("warning: the token is opaque"), "{said}");
        let answer = kubectl.get_version(home).output().unwrap();
        assert_eq!(Kubectl::answer(&answer), crate::kubernetes::cluster::MINOR);
    }
}

#[test]
fn a_kubeconfig_that_others_changed_keeps_that_and_gets_its_user_back() {
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
    setup(home, "kubectl --user zitadel --context test");
    assert_eq!(view()["contexts"][0]["context"]["user"], "zitadel");
    let mut other = command(home, &kubectl);
    other.args([
        "config",
        "set-context",
        "other",
        "--cluster=test",
        "--user=admin",
    ]);
    stdout_of_success(other);
    let said = setup(home, "kubectl --user zitadel --undo");
    assert!(
        said.contains("puts back user admin of context test\ntakes out user zitadel\n"),
        "{said}"
    );
    let mut after = view();
    let contexts = after["contexts"].as_array_mut().unwrap();
    contexts.retain(|context| context["name"] != "other");
    assert_eq!(after, before);
}

#[test]
fn a_user_that_others_gave_a_token_is_theirs() {
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
    assert!(said.contains("user zitadel is there already"), "{said}");
    let said = setup(home, "kubectl --user zitadel --undo");
    assert!(
        said.contains("user zitadel was changed since, and stays"),
        "{said}"
    );
    assert!(home.read(KUBECONFIG).contains("THEIRS"));
}

#[test]
fn what_kubectl_or_the_user_would_not_want_is_refused() {
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
    assert!(said.contains("user admin is there already"), "{said}");
    let said = refused("kubectl --user zitadel --context absent", none);
    assert!(said.contains("there is no context absent"), "{said}");
    let said = refused("kubectl --user zitadel", ("KUBECONFIG", "/a:/b"));
    assert!(said.contains("KUBECONFIG names several files"), "{said}");
    let said = refused(
        &format!("kubectl --user zitadel --kubeconfig {}", broken.display()),
        none,
    );
    assert!(said.contains("kubectl failed"), "{said}");
    let said = refused("kubectl --user zitadel --kubeconfig key.json", none);
    assert!(said.contains("key.json: it is a key file"), "{said}");
}

/// The limit holds for what kubectl writes as well.
#[test]
fn a_limit_on_the_size_of_files_is_told() {
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
