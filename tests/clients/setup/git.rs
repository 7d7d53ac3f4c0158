//! `setup git`.

mod helpers;

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use super::{CONFIG, command, files, setup, with_profile};
use crate::git::gits;
use crate::program::{stderr_of_failure, stdout_of_success};
use crate::support::{World, binary};

#[test]
fn what_others_wrote_into_gits_file_meanwhile_stays_and_all_of_ours_goes() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        let store = "[credential]\n\thelper = store\n";
        home.write(".gitconfig", store);
        setup(home, "git git.acme.dev");
        let theirs = "[credential \"https://git.acme.dev\"]\n\tusername = THEIRS\n";
        let ours = home.read(".gitconfig");
        assert!(ours.contains("\thelper = \n\thelper = zitadel\n"), "{ours}");
        home.write(".gitconfig", format!("{ours}{theirs}"));
        setup(home, "git git.acme.dev --undo");
        let left = home.read(".gitconfig");
        assert!(left.contains(theirs) && left.starts_with(store), "{left}");
        assert_eq!(left.matches("helper").count(), 1, "{left}");

        home.write(".gitconfig", store);
        setup(home, "git git.acme.dev other.acme.dev");
        let ours = home.read(".gitconfig");
        home.write(".gitconfig", format!("{ours}[user]\n\tname = x\n"));
        setup(home, "git git.acme.dev --undo");
        setup(home, "git other.acme.dev --undo");
        let left = home.read(".gitconfig");
        assert_eq!(left, format!("{store}[user]\n\tname = x\n"));
    }
}

#[test]
fn a_git_that_gets_no_login_is_told_of_and_a_helper_of_the_hosts_own_stays() {
    for git in gits() {
        let cluster = with_profile();
        let World {
            home, issuer, user, ..
        } = &cluster.world;
        symlink(&git, home.path().join("bin/git")).unwrap();
        let own = "[credential \"https://git.acme.dev\"]\n\thelper = cache\n";
        home.write(".gitconfig", own);
        let said = setup(home, "git git.acme.dev");
        assert!(
            said.contains("names cache as well: git no longer asks it"),
            "{said}"
        );
        assert_eq!(
            home.read(".gitconfig"),
            format!("{own}\thelper = \n\thelper = zitadel\n")
        );
        let said = setup(home, "git git.acme.dev --undo");
        assert!(
            said.ends_with(
                "removed credential.https://git.acme.dev.helper: \"zitadel\"\n\
                 removed credential.https://git.acme.dev.helper: \"\"\n\
                 removed hosts.git.acme.dev\n"
            ),
            "{said}"
        );
        assert_eq!(home.read(".gitconfig"), own);

        let mut clear = command(home, "zitadel-credential");
        clear.args(["cache", "clear"]);
        stdout_of_success(clear);
        issuer.remove_key(&user.key_id);
        let mut call = command(home, "zitadel-credential");
        call.args(["setup", "git", "other.acme.dev"]);
        let said = stderr_of_failure(call);
        assert!(
            said.contains(
                "other.acme.dev is set up, but git gets no login for it: the issuer refused"
            ),
            "{said}"
        );
        setup(home, "git other.acme.dev --undo");
        assert_eq!(home.read(".gitconfig"), own);
        assert!(!home.read(CONFIG).contains("acme.dev\"]"));
    }
}

#[test]
fn without_its_name_on_path_git_is_given_the_binarys_path() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        fs::remove_file(home.path().join("bin/git-credential-zitadel")).unwrap();
        let said = setup(home, "git git.acme.dev *.apps.dev");
        assert!(
            said.contains("git credential fill answers for git.acme.dev"),
            "{said}"
        );
        let next = "next: git clone https://git.acme.dev/REPOSITORY\n\
                    next: git clone https://HOST/REPOSITORY, from a HOST of *.apps.dev\n";
        assert!(said.ends_with(next), "{said}");
        let binary = home.path().join("bin/zitadel-credential");
        let helper = format!("helper = !'{}' git\n", binary.display());
        assert!(
            home.read(".gitconfig").contains(&helper),
            "{}",
            home.read(".gitconfig")
        );
    }
}

#[test]
fn where_the_binary_moved_its_new_path_stands_in_place_of_the_old() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        fs::remove_file(home.path().join("bin/git-credential-zitadel")).unwrap();
        let own = "[credential]\n\thelper = store\n";
        home.write(".gitconfig", own);
        setup(home, "git git.acme.dev");
        let was = home.path().join("bin/zitadel-credential");
        let before = home.read(".gitconfig");
        fs::remove_file(&was).unwrap();
        let moved = |words: &str| {
            let mut call = command(home, binary());
            call.arg("setup").args(words.split(' '));
            stdout_of_success(call)
        };
        let path = |path: &Path| path.display().to_string();
        let after = before.replace(&path(&was), &path(&binary()));
        let dry = moved("git git.acme.dev --dry-run");
        assert!(
            dry.contains(&format!("-\thelper = !'{}' git\n", path(&was))),
            "{dry}"
        );
        for _ in 0..2 {
            let said = moved("git git.acme.dev");
            assert!(!said.contains("as well"), "{said}");
            assert_eq!(home.read(".gitconfig"), after);
        }
        moved("git git.acme.dev --undo");
        assert_eq!(home.read(".gitconfig"), own);
        // What a person has put there already is theirs, and enough.
        home.link("zitadel-credential");
        setup(home, "git git.acme.dev");
        fs::remove_file(&was).unwrap();
        let theirs = format!(
            "[credential \"https://git.acme.dev\"]\n\thelper = !'{}' git\n",
            path(&binary())
        );
        home.write(".gitconfig", home.read(".gitconfig") + &theirs);
        moved("git git.acme.dev");
        assert!(!home.read(".gitconfig").contains(&path(&was)));
        moved("git git.acme.dev --undo");
        let left = home.read(".gitconfig");
        assert!(left.starts_with(own) && left.ends_with(&theirs), "{left}");
    }
}

#[test]
fn what_gits_file_includes_is_not_taken_for_its_own() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        home.write(
            "inc",
            "[credential \"https://git.acme.dev\"]\n\thelper = zitadel\n",
        );
        let whole = home.path().join("inc").display().to_string();
        for include in ["inc", &whole] {
            let own = format!("[include]\n\tpath = {include}\n");
            home.write(".gitconfig", &own);
            let before = files(home);
            setup(home, "git git.acme.dev");
            let once = files(home);
            let said = setup(home, "git git.acme.dev");
            assert!(said.starts_with("nothing to change\n"), "{said}");
            assert_eq!(files(home), once);
            assert_eq!(home.read(".gitconfig").matches("zitadel").count(), 1);
            setup(home, "git git.acme.dev --undo");
            assert_eq!(files(home), before);
        }
    }
}

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

/// As a setup leaves it that is killed before git has written.
#[test]
fn a_setup_that_git_was_not_asked_for_any_more_is_nothing_to_undo() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        let own = "# mine\n[user]\n\tname = x\n";
        home.write(".gitconfig", own);
        let before = files(home);
        setup(home, "git git.acme.dev");
        home.write(".gitconfig", own);
        let said = setup(home, "git git.acme.dev --undo");
        assert!(!said.contains("changed since"), "{said}");
        assert_eq!(files(home), before);
    }
}

/// Each ends the helpers before it with an empty one of its own.
#[test]
fn setups_by_several_config_files_leave_nothing_of_theirs_in_either_order() {
    for git in gits() {
        for beside in [true, false] {
            for is_first_undone_first in [true, false] {
                let cluster = with_profile();
                let home = &cluster.world.home;
                symlink(&git, home.path().join("bin/git")).unwrap();
                let before =
                    "[credential \"https://a.test\"]\n\thelper = \n\thelper = cache # mine\n";
                home.write(".gitconfig", before);
                let dir = if beside {
                    ".config/zitadel-credential"
                } else {
                    "other"
                };
                let other = format!("{dir}/other.toml");
                home.write(&*other, home.read(CONFIG));
                let other = home.path().join(other);
                let by_other = format!("git git.acme.dev --config {}", other.display());
                setup(home, "git git.acme.dev");
                setup(home, &by_other);
                let both = home.read(".gitconfig");
                assert_eq!(both.matches("helper = \n").count(), 3, "{both}");
                let [first, second] = if is_first_undone_first {
                    ["git git.acme.dev", &*by_other]
                } else {
                    [&*by_other, "git git.acme.dev"]
                };
                let said = setup(home, &format!("{first} --undo"));
                let left = home.read(".gitconfig");
                let own = if is_first_undone_first {
                    format!(
                        "\thelper = \n\thelper = zitadel --config '{}'\n",
                        other.display()
                    )
                } else {
                    "\thelper = \n\thelper = zitadel\n".to_owned()
                };
                assert_eq!(
                    left,
                    format!("{before}[credential \"https://git.acme.dev\"]\n{own}"),
                    "{said}"
                );
                setup(home, &format!("{second} --undo"));
                assert_eq!(home.read(".gitconfig"), before);
            }
        }
    }
}
