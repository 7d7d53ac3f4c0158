//! The real git, with the binary as its helper.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Asks, Nginx};
use crate::git::{gits, speaks_bearer};
use crate::program::{stderr_of_failure, stdout_of_success};
use crate::servers::cast::{Cast, Who};
use crate::support::TokenKind::{Jwt, Opaque};
use crate::support::{Ca, Trouble, entry};

const GITCONFIG: &str = ".gitconfig";

impl Nginx<'_> {
    /// Makes nginx trust this authority, and no other.
    pub fn trust(&self, ca: &Ca) {
        self.files
            .write("/etc/ssl/certs/ca-certificates.crt", &ca.pem());
        self.reload();
        crate::support::until("nginx has reloaded", || {
            self.error_log().contains("gracefully shutting down")
        });
    }
}

/// Runs a git as one of the cast.
struct Person<'a> {
    nginx: &'a Nginx<'a>,
    git: &'a Path,
    who: Who,
}

impl Person<'_> {
    fn git(&self, arguments: &[&str]) -> Command {
        let home = &self.nginx.cast.world.home;
        let mut command = home.command(self.git);
        command
            .args(arguments)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("ZITADEL_CREDENTIAL_PROFILE", self.who.profile());
        command
    }

    fn clones(&self, directory: &str) {
        stdout_of_success(self.git(&["clone", &self.nginx.url("/app.git"), directory]));
    }

    fn commits(&self, directory: &str, message: &str) {
        let commit = ["-C", directory, "commit", "--allow-empty", "-m", message];
        stdout_of_success(self.git(&commit));
    }

    fn push(&self, directory: &str) -> Command {
        self.git(&["-C", directory, "push", "origin", "HEAD:main"])
    }
}

/// Lets git ask the binary for the site.
fn configure_git(nginx: &Nginx) {
    let home = &nginx.cast.world.home;
    let helper = home.link("git-credential-zitadel");
    home.write(
        GITCONFIG,
        format!(
            "[user]\nname = ci\nemail = ci@acme.dev\n\
             [init]\ndefaultBranch = main\n\
             [http]\nsslCAInfo = {}\n\
             [credential \"https://localhost:{}\"]\nhelper = {}\n",
            home.path().join("ca.pem").display(),
            nginx.port,
            helper.display(),
        ),
    );
    home.append_config(&format!("[hosts.\"localhost:{}\"]\n", nginx.port));
}

fn for_each_git(test: impl Fn(&Nginx, &Path)) {
    for git in gits() {
        for asks in Asks::BOTH {
            for kind in [Jwt, Opaque] {
                let cast = Cast::new();
                cast.issuer().set_token_kind(kind);
                let Some(nginx) = Nginx::with_git(&cast, asks) else {
                    return;
                };
                nginx.create_repository();
                configure_git(&nginx);
                test(&nginx, &git);
            }
        }
    }
}

#[test]
fn git_clones_and_pushes_by_role() {
    for_each_git(|nginx, git| {
        let [deployer, viewer, nobody] =
            [Who::Deployer, Who::Viewer, Who::Nobody].map(|who| Person { nginx, git, who });
        deployer.clones("deployer");
        deployer.commits("deployer", "a change");
        // More than git sends in one piece, and gzipped.
        let large = nginx.cast.world.home.path().join("deployer/large");
        fs::write(large, vec![7; 3 << 20]).unwrap();
        stdout_of_success(deployer.git(&["-C", "deployer", "add", "large"]));
        deployer.commits("deployer", "a large file");
        stdout_of_success(deployer.push("deployer"));

        viewer.clones("viewer");
        let log = viewer.git(&["-C", "viewer", "log", "--format=%s"]);
        assert_eq!(stdout_of_success(log), "a large file\na change\n");
        viewer.commits("viewer", "not to be");
        let said = stderr_of_failure(viewer.push("viewer"));
        assert!(
            said.contains("The requested URL returned error: 403"),
            "{said}"
        );
        let said = stderr_of_failure(nobody.git(&["ls-remote", &nginx.url("/app.git")]));
        assert!(
            said.contains("The requested URL returned error: 403"),
            "{said}"
        );
        assert_eq!(
            nginx.cast.issuer().token_requests(),
            3,
            "no token is forgotten"
        );
        nginx.assert_no_secret_written("git");
    });
}

/// The gate offers Basic alone, and takes Bearer too.
#[test]
fn git_gets_in_with_bearer_if_its_rule_says_so() {
    for_each_git(|nginx, git| {
        if !speaks_bearer(git) {
            return;
        }
        nginx.cast.world.home.append_config("auth = \"bearer\"\n");
        let who = Who::Deployer;
        let deployer = Person { nginx, git, who };
        deployer.clones("deployer");
        deployer.commits("deployer", "a change");
        stdout_of_success(deployer.push("deployer"));
        nginx.assert_no_secret_written("git");
    });
}

/// The hook's environment names the user, and does not have the token.
#[test]
fn hooks_know_the_user_and_not_the_token() {
    for_each_git(|nginx, git| {
        let who = Who::Deployer;
        let deployer = Person { nginx, git, who };
        deployer.clones("deployer");
        deployer.commits("deployer", "a change");
        stdout_of_success(deployer.push("deployer"));
        let environment = nginx.files.path("/srv/git/app.git/environment");
        let environment = fs::read_to_string(environment).unwrap();
        let user = format!("REMOTE_USER={}\n", nginx.cast.user(who).user_id);
        assert!(environment.contains(&user), "{environment}");
        for secret in nginx.cast.secrets() {
            assert!(!environment.contains(&secret), "{environment}");
        }
    });
}

#[test]
fn git_keeps_its_token_while_zitadel_is_down_and_gets_in_again() {
    for_each_git(|nginx, git| {
        let who = Who::Deployer;
        let deployer = Person { nginx, git, who };
        let issuer = nginx.cast.issuer();
        let token = nginx.cast.world.zitadel(["token"]).run();
        assert!(token.status.success());
        let kept = entry::files(&nginx.cast.world.home, "json");
        issuer.set_trouble(Trouble::DatabaseDown);
        let said = stderr_of_failure(deployer.git(&["ls-remote", &nginx.url("/app.git")]));
        assert!(
            said.contains("The requested URL returned error: 500"),
            "{said}"
        );
        assert_eq!(entry::files(&nginx.cast.world.home, "json"), kept);
        issuer.set_trouble(None);
        deployer.clones("deployer");
        assert_eq!(issuer.token_requests(), 1);
    });
}

#[test]
fn git_of_a_deactivated_user_is_refused() {
    for_each_git(|nginx, git| {
        let who = Who::Viewer;
        let viewer = Person { nginx, git, who };
        let mut token = nginx.cast.world.zitadel(["token"]);
        token.env("ZITADEL_CREDENTIAL_PROFILE", who.profile());
        assert!(token.run().status.success());
        nginx
            .cast
            .issuer()
            .deactivate(&nginx.cast.user(who).user_id);
        let said = stderr_of_failure(viewer.git(&["ls-remote", &nginx.url("/app.git")]));
        assert!(said.contains("Authentication failed"), "{said}");
    });
}
