//! Files that git, or a setup of it, cannot change.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;
use std::{fs, thread};

use super::super::{command, files, setup, with_profile};
use crate::git::gits;
use crate::program::stderr_of_failure;

#[test]
fn a_file_that_git_cannot_read_is_reported_and_unchanged() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        setup(home, "git git.acme.dev");
        let broken = home.read(".gitconfig") + "[broken\n";
        home.write(".gitconfig", broken);
        let before = files(home);
        for words in ["git git.acme.dev --undo", "git *.acme.dev"] {
            let mut call = command(home, "zitadel-credential");
            call.arg("setup").args(words.split(' '));
            let said = stderr_of_failure(call);
            assert!(said.contains("git failed: "), "{said}");
            assert_eq!(files(home), before);
        }
    }
}

#[test]
fn gits_own_lock_is_waited_for() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        let before = files(home);
        let lock = home.write(".gitconfig.lock", "");
        let mut call = command(home, "zitadel-credential");
        call.args(["setup", "git", "git.acme.dev"]);
        let said = stderr_of_failure(call);
        assert!(
            said.contains(".gitconfig.lock: another program is changing the file"),
            "{said}"
        );
        assert!(lock.exists(), "it is not ours");
        fs::remove_file(&lock).unwrap();
        assert_eq!(files(home), before);
        // Setup waits for a lock that is released in time.
        fs::write(&lock, "").unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(300));
                fs::remove_file(&lock).unwrap();
            });
            setup(home, "git git.acme.dev");
        });
        setup(home, "git git.acme.dev --undo");
        assert_eq!(files(home), before);
    }
}

#[test]
fn a_file_that_another_program_changed_meanwhile_is_not_written() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        let theirs = "[user]\n\tname = x\n";
        home.write(".gitconfig", "");
        let before = files(home);
        // Another program changes the file as soon as git has changed its copy.
        let script = format!(
            "#!/bin/sh\ncase $4 in --add) printf '[user]\\n\\tname = x\\n' > ~/.gitconfig ;; esac\n\
             exec {} \"$@\"\n",
            git.display()
        );
        let program = home.write("bin/git", script);
        fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
        let mut call = command(home, "zitadel-credential");
        call.args(["setup", "git", "git.acme.dev"]);
        let said = stderr_of_failure(call);
        assert!(
            said.contains(".gitconfig: another program changed it at the same time"),
            "{said}"
        );
        assert_eq!(home.read(".gitconfig"), theirs);
        home.write(".gitconfig", "");
        assert_eq!(files(home), before);
    }
}

/// `ulimit -f`: the signal would end it silently.
#[test]
fn a_file_size_limit_is_reported() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        home.write(".gitconfig", "# long\n".repeat(400));
        let before = files(home);
        let mut call = command(home, "/bin/sh");
        call.args(["-c", "ulimit -f 1; exec \"$0\" \"$@\""]);
        call.args(["zitadel-credential", "setup", "git", "git.acme.dev"]);
        let said = stderr_of_failure(call);
        assert!(said.contains("a temporary file: file too large"), "{said}");
        assert_eq!(files(home), before);
    }
}

/// The git on PATH makes no change, or other changes than the requested one.
#[test]
fn a_git_that_makes_other_changes_is_not_trusted() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        let real = git.display();
        home.write(".gitconfig", "[user]\n\tname = x\n");
        let lying = |option: &str, does: &str| {
            let script = format!(
                "#!/bin/sh\ncase $* in *{option}*) {does} ;; *) exec {real} \"$@\" ;; esac\n"
            );
            let program = home.write("bin/git", script);
            fs::set_permissions(program, Permissions::from_mode(0o700)).unwrap();
        };
        let refused = |words: &str| {
            let before = files(home);
            let mut call = command(home, "zitadel-credential");
            call.args(["setup", "git", "git.acme.dev"]);
            call.args(words.split_ascii_whitespace());
            let said = stderr_of_failure(call);
            let what = ".gitconfig: rejected the change that git made: ";
            assert!(said.contains(what), "{said}");
            assert_eq!(files(home), before, "{words}");
        };
        let lies = [
            "exit 0".to_owned(),
            ": > \"$3\"".to_owned(),
            format!("{real} \"$@\" && {real} config --file \"$3\" user.name y"),
        ];
        for lie in &lies {
            lying("--add", lie);
            refused("");
        }
        lying("config", "exit 0");
        refused("");
        lying("nothing", "");
        setup(home, "git git.acme.dev");
        for lie in &lies {
            lying("--unset", lie);
            refused("--undo");
        }
        lying("config", "exit 0");
        refused("--undo");
    }
}

#[test]
fn a_helper_without_a_value_is_refused_and_other_keys_without_one_are_kept() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        for section in ["credential \"https://git.acme.dev\"", "credential"] {
            home.write(".gitconfig", format!("[{section}]\n\thelper\n"));
            let before = files(home);
            let mut call = command(home, "zitadel-credential");
            call.args(["setup", "git", "git.acme.dev"]);
            let said = stderr_of_failure(call);
            assert!(said.contains("helper has no value\n"), "{said}");
            assert_eq!(files(home), before);
        }
        let own = "[core]\n\tbare\n[user]\n\tname = x\n";
        home.write(".gitconfig", own);
        let before = files(home);
        setup(home, "git git.acme.dev");
        setup(home, "git git.acme.dev --undo");
        assert_eq!(files(home), before);
        // A later one does not prevent the removal of our helper.
        setup(home, "git git.acme.dev");
        let since = format!("{}\thelper\n", home.read(".gitconfig"));
        home.write(".gitconfig", since);
        setup(home, "git git.acme.dev --undo");
        let left = format!("{own}[credential \"https://git.acme.dev\"]\n\thelper\n");
        assert_eq!(home.read(".gitconfig"), left);
        fs::remove_file(home.path().join(".gitconfig.before-zitadel-credential")).unwrap();
    }
}

#[test]
fn setup_accepts_a_lone_carriage_return_at_the_end() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        for own in ["[user]\n\tname = x\r", "[user]\n\tname = x\n\r", "\r"] {
            home.write(".gitconfig", own);
            let before = files(home);
            setup(home, "git git.acme.dev");
            setup(home, "git git.acme.dev --undo");
            assert_eq!(files(home), before, "{own:?}");
        }
    }
}
