//! Helpers and headers in git's configuration that would store the token, or have
//! priority.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::{command, setup, with_profile};
use crate::git::gits;
use crate::kubernetes::cluster::Cluster;
use crate::program::{output, output_of, stdout_of_success};

const OURS: &str = "[credential \"https://git.acme.dev\"]\n\thelper = \n\thelper = zitadel\n";

/// Returns a home with this git, its configuration and a rule for git.acme.dev.
fn home_with(git: &Path, gitconfig: &str) -> Cluster {
    let cluster = with_profile();
    let home = &cluster.world.home;
    symlink(git, home.path().join("bin/git")).unwrap();
    home.write(".gitconfig", gitconfig);
    home.append_config("[hosts.\"git.acme.dev\"]\nprofile = \"prod\"\n");
    cluster
}

/// Returns setup's stderr and stdout, and doctor's findings about git.
fn said(cluster: &Cluster) -> [String; 2] {
    let home = &cluster.world.home;
    let both = |words: &[&str]| {
        let mut call = command(home, "zitadel-credential");
        call.args(words);
        let ended = output(call);
        [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).unwrap())
    };
    let setup = both(&["setup", "git", "git.acme.dev"]).concat();
    let [doctor, _] = both(&["doctor", "git.acme.dev"]);
    let git = doctor.lines().filter(|line| line.contains(" git "));
    [setup, git.collect()]
}

/// True if git gives the token to a helper that stores it.
fn is_stored(cluster: &Cluster) -> bool {
    let home = &cluster.world.home;
    let question = "protocol=https\nhost=git.acme.dev\n\n";
    let mut fill = command(home, "git");
    fill.args(["credential", "fill"]);
    let answer = output_of(fill, question.as_bytes());
    assert!(answer.status.success(), "{answer:?}");
    let mut approve = command(home, "git");
    approve.args(["credential", "approve"]);
    assert!(output_of(approve, &answer.stdout).status.success());
    home.path().join(".git-credentials").exists()
}

#[test]
fn a_storing_helper_of_another_section_is_reported_in_any_spelling() {
    for git in gits() {
        for section in [
            "https://*.acme.dev",
            "https://*.*.dev",
            "https://git.acme.dev/",
            "https://git.acme.dev:443",
            "https://GIT.acme.dev",
            "https://",
            "git.acme.dev",
        ] {
            let store = format!("[credential \"{section}\"]\n\thelper = store\n");
            let cluster = home_with(&git, &format!("{OURS}{store}"));
            for said in said(&cluster) {
                assert!(
                    said.contains("also passes the token to"),
                    "{section}: {said}"
                );
                assert!(said.contains(".gitconfig"), "{section}: {said}");
            }
            assert!(is_stored(&cluster), "{section}");
            // Our empty helper ends the list before ours.
            let cluster = home_with(&git, &format!("{store}{OURS}"));
            for said in said(&cluster) {
                assert!(!said.contains("also passes"), "{section}: {said}");
            }
            assert!(!is_stored(&cluster), "{section}");
        }
        let other = "[credential \"https://*.acme.test\"]\n\thelper = store\n";
        let cluster = home_with(&git, &format!("{OURS}{other}"));
        for said in said(&cluster) {
            assert!(!said.contains("also passes"), "{said}");
        }
    }
}

#[test]
fn the_empty_helper_is_always_before_ours() {
    let host = "[credential \"https://git.acme.dev\"]\n";
    for git in gits() {
        for (before, options) in [
            ("[credential]\n\thelper = store\n@\thelper = zitadel\n", ""),
            ("@\thelper = store\n\thelper = zitadel\n", ""),
            ("@\thelper = zitadel\n\thelper = store\n", ""),
            ("@\thelper = \n\thelper = store\n\thelper = zitadel\n", ""),
            (
                "@\thelper = zitadel --profile prod\n\thelper = store\n",
                " --profile prod",
            ),
        ] {
            let before = before.replace('@', host);
            let cluster = home_with(&git, &before);
            let home = &cluster.world.home;
            setup(home, "git git.acme.dev");
            let after = home.read(".gitconfig");
            let end = format!("\thelper = \n\thelper = zitadel{options}\n");
            assert!(after.ends_with(&end), "{after}");
            assert_eq!(after.matches("zitadel").count(), 1, "{after}");
            assert!(!is_stored(&cluster), "{after}");
            let again = setup(home, "git git.acme.dev");
            assert!(again.contains("nothing to change"), "{again}");
            setup(home, "git git.acme.dev --undo");
            assert_eq!(home.read(".gitconfig"), before);
        }
    }
}

#[test]
fn a_header_under_a_wildcard_overrides_a_token_and_is_reported() {
    for git in gits() {
        for section in [
            "https://*.acme.dev",
            "https://git.acme.dev/",
            "https://git.acme.dev:443",
        ] {
            let header =
                format!("[http \"{section}\"]\n\textraHeader = Authorization: Basic c2VjcmV0\n");
            let cluster = home_with(&git, &format!("{OURS}{header}"));
            let mut sent = command(&cluster.world.home, "git");
            sent.args([
                "config",
                "--get-urlmatch",
                "http.extraHeader",
                "https://git.acme.dev/x",
            ]);
            assert!(stdout_of_success(sent).contains("c2VjcmV0"));
            for said in said(&cluster) {
                assert!(said.contains("git sends that header"), "{section}: {said}");
                assert!(!said.contains("c2VjcmV0"), "{section}: {said}");
            }
        }
    }
}
