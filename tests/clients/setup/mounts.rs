//! Files that are mount points, as in a container.

use rustix::process::geteuid;

use super::{command, with_profile};
use crate::git::gits;
use crate::program::{client, output};

/// git cannot replace its file: the error names the mount, and nothing changes.
#[test]
fn a_git_file_on_a_mount_point_is_reported_as_such() {
    if !geteuid().is_root() {
        return;
    }
    let Some(unshare) = client("unshare") else {
        return;
    };
    for git in gits() {
        let cluster = with_profile();
        let home = &cluster.world.home;
        std::os::unix::fs::symlink(&git, home.path().join("bin/git")).unwrap();
        let text = "[user]\n\tname = ci\n";
        home.write("mounted", text);
        home.write(".gitconfig", "");
        let mut setup = command(home, &unshare);
        setup.args(["--mount", "sh", "-c"]);
        setup.arg(
            "mount --bind mounted .gitconfig && LC_ALL=de_DE.UTF-8 LANGUAGE=de \
             zitadel-credential setup git git.acme.dev",
        );
        setup.current_dir(home.path());
        let ended = output(setup);
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success(), "{said}");
        assert!(
            said.contains("git failed: its file is a mount point"),
            "{said}"
        );
        assert_eq!(home.read("mounted"), text);
    }
}
