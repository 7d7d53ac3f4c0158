//! Files that git, or a setup of it, cannot change.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;
use std::{fs, thread};

use super::super::{command, files, setup, with_profile};
use crate::git::gits;
use crate::program::stderr_of_failure;

#[test]
fn a_file_that_git_cannot_read_is_told_and_left_alone() {
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
        // One that goes away is waited for.
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
        // Another program's change, as soon as git has changed its copy.
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

/// `ulimit -f`: the signal would end it without a word.
#[test]
fn a_limit_on_the_size_of_files_is_told() {
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

/// What such a git on PATH does instead, or besides: as told, exit 0.
#[test]
fn a_git_that_does_other_than_it_is_asked_is_not_believed() {
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
fn a_line_without_a_value_is_refused_where_it_is_ours_to_add_to_and_left_alone_elsewhere() {
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
        // One that came since is no hindrance to what takes ours out.
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
fn a_lone_carriage_return_at_the_end_is_no_hindrance() {
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
