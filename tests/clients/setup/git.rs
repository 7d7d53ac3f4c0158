//! `setup git`.

use std::fs;
use std::os::unix::fs::symlink;

use super::{CONFIG, command, setup, with_profile};
use crate::program::{clients, stderr_of_failure, stdout_of_success};
use crate::support::World;

#[test]
fn what_others_wrote_into_gits_file_meanwhile_stays_and_all_of_ours_goes() {
    for git in clients("git") {
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
    for git in clients("git") {
        let cluster = with_profile();
        let World {
            home, issuer, user, ..
        } = &cluster.world;
        symlink(&git, home.path().join("bin/git")).unwrap();
        let own = "[credential \"https://git.acme.dev\"]\n\thelper = cache\n";
        home.write(".gitconfig", own);
        let said = setup(home, "git git.acme.dev");
        assert!(
            said.contains("names cache as well: git asks it first"),
            "{said}"
        );
        assert_eq!(
            home.read(".gitconfig"),
            format!("{own}\thelper = zitadel\n")
        );
        setup(home, "git git.acme.dev --undo");
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
    for git in clients("git") {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        fs::remove_file(home.path().join("bin/git-credential-zitadel")).unwrap();
        let said = setup(home, "git git.acme.dev");
        assert!(
            said.contains("git credential fill answers for git.acme.dev"),
            "{said}"
        );
        let binary = home.path().join("bin/zitadel-credential");
        let helper = format!("helper = !'{}' git\n", binary.display());
        assert!(
            home.read(".gitconfig").contains(&helper),
            "{}",
            home.read(".gitconfig")
        );
    }
}
