//! `setup git`.

mod refused;

mod helpers;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::{CONFIG, command, files, setup, with_profile};
use crate::git::gits;
use crate::program::{stderr_of_failure, stdout_of_success};
use crate::support::{World, binary};

#[test]
fn undo_removes_only_our_lines_from_gits_file() {
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
fn a_git_without_a_login_is_reported_and_the_hosts_own_helper_stays() {
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
fn the_new_path_of_a_moved_binary_replaces_the_old_one() {
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
        // The user's own link stays, and is sufficient.
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
fn included_helpers_are_not_treated_as_the_files_own() {
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

/// A setup that is killed before git has written leaves this.
#[test]
fn a_setup_that_never_reached_git_leaves_nothing_to_undo() {
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

/// Each setup ends the helpers before it with a separate empty one.
#[test]
fn setups_of_several_config_files_are_undone_in_either_order() {
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
