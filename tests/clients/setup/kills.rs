//! Setups that are killed before or after each change that git or kubectl makes to its
//! own file.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{KUBECONFIG, command, files, kubeconfig, setup, with_profile};
use crate::git::gits;
use crate::program::client;
use crate::support::{Home, Run, side_by_side};

/// Maximum number of changes by one setup.
const MOST: usize = 9;

/// Calls `setup` with a tool that kills it at its nth change of a file. Returns false if
/// it made fewer.
fn killed(home: &Home, (tool, real): (&str, &Path), words: &str, at: (usize, bool)) -> bool {
    let (nth, is_before) = at;
    let real = real.display();
    let kill = "kill -9 $PPID; exit 1";
    let then = if is_before {
        kill.to_owned()
    } else {
        format!("{real} \"$@\"; {kill}")
    };
    let count = home.path().join("bin/count");
    let count = count.display();
    let script = format!(
        "#!/bin/sh\ncase \"$3 $4\" in\n*/copy\\ *) ;;\n\
         *\\ --add|*\\ --replace-all|*\\ --unset|*\\ --remove-section|*\\ set-c*|*\\ delete-user)\n\
         echo >> {count}; [ $(wc -l < {count}) = {nth} ] && {{ {then}; }} ;;\nesac\n\
         exec {real} \"$@\"\n"
    );
    let program = home.path().join("bin").join(tool);
    let _ = fs::remove_file(&program);
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
    let mut call = command(home, "zitadel-credential");
    call.arg("setup").args(words.split(' '));
    let output = call.run();
    fs::remove_file(&program).unwrap();
    symlink(real.to_string(), &program).unwrap();
    let _ = fs::remove_file(home.path().join("bin/count"));
    !output.status.success()
}

/// Kills calls at each change, and undoes them: all files are restored.
fn each(home: &Home, tool: (&str, &Path), words: &str, undos: &[&str], begin: impl Fn()) {
    let before = files(home);
    for is_before in [true, false] {
        let mut changes = 0;
        for nth in 1..MOST {
            begin();
            let is_killed = killed(home, tool, words, (nth, is_before));
            if nth % 2 == 0 && !words.contains("--undo") {
                setup(home, words);
            }
            for undo in undos {
                setup(home, undo);
            }
            assert_eq!(files(home), before, "{words}: {nth}, before: {is_before}");
            if !is_killed {
                break;
            }
            changes += 1;
        }
        assert!((1..MOST - 1).contains(&changes), "{words}: {changes}");
    }
}

#[test]
fn each_git_setup_is_undone() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        for own in [
            "# mine\n[user]\n\tname = x\n",
            "[credential]\n\thelper = other\n",
        ] {
            home.write(".gitconfig", own);
            let tool = ("git", &*git);
            let (words, undo) = ("git g.dev", "git g.dev --undo");
            each(home, tool, words, &[undo], || ());
        }
    }
}

#[test]
fn each_kubectl_setup_is_undone() {
    let Some(kubectl) = client("kubectl") else {
        return;
    };
    let [one, two] = ["ci", "ci2"].map(|user| format!("kubectl --user {user}"));
    let [undo_one, undo_two] = [&one, &two].map(|words| format!("{words} --undo"));
    let [one, two] = [&one, &two].map(|words| format!("{words} --context test"));
    let orders = [[&*undo_two, &*undo_one], [&*undo_one, &*undo_two]];
    side_by_side(orders, |undos| {
        let cluster = with_profile();
        kubeconfig(&cluster);
        let home = &cluster.world.home;
        home.write(KUBECONFIG, format!("# mine\n{}", home.read(KUBECONFIG)));
        let tool = ("kubectl", &*kubectl);
        each(home, tool, &two, &undos, || drop(setup(home, &one)));
    });
}

/// kubectl reaches that file through a link to its directory.
#[test]
fn a_kubeconfig_beside_the_program_leaves_nothing() {
    let Some(kubectl) = client("kubectl") else {
        return;
    };
    let cluster = with_profile();
    let home = &cluster.world.home;
    let bin = || {
        let entries = fs::read_dir(home.path().join("bin")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.filter(|name| name != "kubectl").collect();
        names.sort();
        names
    };
    let words = "kubectl --user u --kubeconfig bin/config";
    let before = bin();
    assert!(killed(home, ("kubectl", &kubectl), words, (1, true)));
    assert_ne!(bin(), before);
    setup(home, &format!("{words} --undo"));
    assert_eq!(bin(), before);
}
