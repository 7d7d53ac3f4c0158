//! Other helpers, and ours as configured by others.

use std::os::unix::fs::symlink;

use super::super::{files, setup, with_profile};
use crate::git::gits;

#[test]
fn a_global_helper_below_ours_is_reported_also_without_a_change() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        home.write(".gitconfig", "[credential]\n\thelper = cache\n");
        let said = setup(home, "git git.acme.dev");
        assert!(!said.contains("warning"), "{said}");
        let more = "[credential]\n\thelper = !: x=hunter2\n";
        home.write(".gitconfig", home.read(".gitconfig") + more);
        let said = setup(home, "git git.acme.dev");
        let line = format!(
            "warning: git also passes the token to !:, which may store it: credential.helper in {}\n",
            home.path().join(".gitconfig").display()
        );
        assert!(said.starts_with("nothing to change\n"), "{said}");
        assert!(said.contains(&line), "{said}");
    }
}

#[test]
fn a_helper_of_ours_with_options_is_not_doubled() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        let own = "[credential \"https://git.acme.dev\"]\n\thelper = \n\thelper = zitadel --profile prod -v\n";
        home.write(".gitconfig", own);
        let said = setup(home, "git git.acme.dev");
        assert!(!said.contains("as well"), "{said}");
        assert_eq!(home.read(".gitconfig"), own);
    }
}

#[test]
fn only_the_program_of_the_hosts_own_helper_is_shown() {
    for git in gits() {
        for (helper, shown) in [("!echo password=hunter2", "!echo"), ("!P=hunter2 x", "!P")] {
            let cluster = with_profile();
            let home = &cluster.world.home;
            symlink(&git, home.path().join("bin/git")).unwrap();
            let own = format!("[credential \"https://*.acme.dev\"]\n\thelper = {helper}\n");
            home.write(".gitconfig", own);
            let said = setup(home, "git *.acme.dev");
            assert!(said.contains(&format!("names {shown} as well")), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}

#[test]
fn an_included_wildcard_helper_is_cleared_before_ours() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        let theirs = "[credential \"https://*.acme.dev\"]\n\thelper = store\n";
        home.write("theirs", theirs);
        let own = "[include]\n\tpath = theirs\n";
        home.write(".gitconfig", own);
        setup(home, "git *.acme.dev");
        assert_eq!(
            home.read(".gitconfig"),
            format!("{own}[credential \"https://*.acme.dev\"]\n\thelper = \n\thelper = zitadel\n")
        );
    }
}

#[test]
fn a_helper_of_the_first_edition_gets_an_empty_one_before_it() {
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        symlink(&git, home.path().join("bin/git")).unwrap();
        let journal = ".config/zitadel-credential/setup.json";
        let before = files(home);
        setup(home, "git git.acme.dev");
        let once = home.read(".gitconfig");
        // The first edition wrote this if no other helper was configured.
        let text: String = home.read(journal);
        let mut text: serde_json::Value = serde_json::from_str(&text).unwrap();
        let configs = text["configs"].as_object_mut().unwrap();
        for edits in configs
            .values_mut()
            .flat_map(|c| c.as_object_mut().unwrap().values_mut())
        {
            let edits = edits.as_array_mut().unwrap();
            edits.retain(|edit| edit["ours"] != "");
        }
        home.write(journal, text.to_string());
        home.write(".gitconfig", once.replace("\thelper = \n", ""));
        setup(home, "git git.acme.dev");
        assert_eq!(home.read(".gitconfig"), once);
        setup(home, "git git.acme.dev --undo");
        let left = files(home);
        assert_eq!(left.get(".gitconfig"), None);
        assert_eq!(
            left.keys().collect::<Vec<_>>(),
            before.keys().collect::<Vec<_>>()
        );
    }
}
