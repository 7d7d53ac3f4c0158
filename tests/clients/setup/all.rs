//! `setup list` and `setup undo --all` with git's and kubectl's own files.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use super::{KUBECONFIG, command, files, fresh, kubeconfig, setup};
use crate::program::{client, stdout_of_success};
use crate::support::World;

/// The files may be anywhere, and two users are in one of them.
#[test]
fn undo_all_restores_the_files_of_git_and_kubectl() {
    let (Some(kubectl), Some(_)) = (client("kubectl"), client("git")) else {
        return;
    };
    let cluster = fresh();
    kubeconfig(&cluster);
    let World { home, issuer, .. } = &cluster.world;
    symlink(&kubectl, home.path().join("bin/kubectl")).unwrap();
    let other = home.write("another place/config", home.read(KUBECONFIG));
    home.write(".gitconfig", "[user]\n\tname = me # myself\n");
    let gitconfig = home.write("git/config", "[core]\n\tpager = cat\n");
    let before = files(home);
    let set_up = |words: &str, variable: &str, file: &std::path::Path| {
        let mut call = command(home, "zitadel-credential");
        call.arg("setup").args(words.split(' ')).env(variable, file);
        stdout_of_success(call)
    };
    let host = issuer.url().replace("http://", "");
    setup(
        home,
        &format!("profile prod --issuer {} --key-file key.json", issuer.url()),
    );
    setup(home, &format!("git {host}"));
    set_up(&format!("git {host}"), "GIT_CONFIG_GLOBAL", &gitconfig);
    setup(home, "kubectl --context test");
    setup(home, "kubectl --user ci");
    set_up("kubectl", "KUBECONFIG", &other);
    let listed =
        || -> Vec<Value> { serde_json::from_str(&setup(home, "list --output json")).unwrap() };
    assert_eq!(listed().len(), 6);
    for setup in listed() {
        assert_eq!(setup["changed"], json!([]), "{setup}");
    }
    let look = setup(home, "undo --all --dry-run");
    for line in [
        "# restores user admin of context test\n",
        "# removes user ci\n",
        "# removes profiles.prod\n",
    ] {
        assert_eq!(look.matches(line).count(), 1, "{line}{look}");
    }
    for file in [&other, &gitconfig] {
        assert!(look.contains(file.to_str().unwrap()), "{look}");
    }
    let config = home.read("git/config");
    fs::write(&gitconfig, config.replace("zitadel", "other")).unwrap();
    let changed: Vec<_> = listed()
        .into_iter()
        .filter(|setup| setup["changed"] != json!([]))
        .collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0]["tool"], "git");
    fs::write(&gitconfig, config).unwrap();
    setup(home, "undo --all");
    assert_eq!(files(home), before);
}
