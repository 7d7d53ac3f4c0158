//! The real git, with the binary as its helper.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::cast::Who;
use super::gate::Gate;
use crate::program::{stderr_of_failure, stdout_of_success};

const GITCONFIG: &str = ".gitconfig";

/// Runs a git as one of the cast.
pub struct Person<'a> {
    pub gate: &'a Gate<'a>,
    pub git: &'a Path,
    pub who: Who,
}

impl Person<'_> {
    pub fn git(&self, arguments: &[&str]) -> Command {
        let home = &self.gate.cast.world.home;
        let mut command = home.command(self.git);
        command
            .args(arguments)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("ZITADEL_CREDENTIAL_PROFILE", self.who.profile());
        command
    }

    pub fn clones(&self, directory: &str) {
        stdout_of_success(self.git(&["clone", &self.gate.url("/app.git"), directory]));
    }

    pub fn commits(&self, directory: &str, message: &str) {
        let commit = ["-C", directory, "commit", "--allow-empty", "-m", message];
        stdout_of_success(self.git(&commit));
    }

    /// Commits more than git sends in one piece, even compressed.
    fn commits_large_file(&self, directory: &str) {
        let mut large = vec![0; 3 << 20];
        getrandom::fill(&mut large).unwrap();
        let file = self
            .gate
            .cast
            .world
            .home
            .path()
            .join(directory)
            .join("large");
        fs::write(file, large).unwrap();
        stdout_of_success(self.git(&["-C", directory, "add", "large"]));
        self.commits(directory, "a large file");
    }

    pub fn push(&self, directory: &str) -> Command {
        self.git(&["-C", directory, "push", "origin", "HEAD:main"])
    }
}

/// Lets git ask the binary for the site.
pub fn configure_git(gate: &Gate) {
    let home = &gate.cast.world.home;
    let helper = home.link("git-credential-zitadel");
    home.write(
        GITCONFIG,
        format!(
            "[user]\nname = ci\nemail = ci@acme.dev\n\
             [init]\ndefaultBranch = main\n\
             [http]\nsslCAInfo = {}\n\
             [credential \"https://localhost:{}\"]\nhelper = {}\n",
            home.path().join("ca.pem").display(),
            gate.port,
            helper.display(),
        ),
    );
    home.append_config(&format!("[hosts.\"localhost:{}\"]\n", gate.port));
}

impl Gate<'_> {
    fn person<'a>(&'a self, git: &'a Path, who: Who) -> Person<'a> {
        let gate = self;
        Person { gate, git, who }
    }

    /// Asserts that a deployer clones and pushes, a viewer clones, and all else is 403.
    pub fn assert_git_clones_and_pushes_by_role(&self, git: &Path) {
        let [deployer, viewer, nobody] =
            [Who::Deployer, Who::Viewer, Who::Nobody].map(|who| self.person(git, who));
        deployer.clones("deployer");
        deployer.commits("deployer", "a change");
        deployer.commits_large_file("deployer");
        stdout_of_success(deployer.push("deployer"));

        viewer.clones("viewer");
        let log = viewer.git(&["-C", "viewer", "log", "--format=%s"]);
        assert_eq!(stdout_of_success(log), "a large file\na change\n");
        viewer.commits("viewer", "not to be");
        let refusals = [
            viewer.push("viewer"),
            nobody.git(&["ls-remote", &self.url("/app.git")]),
        ];
        for refused in refusals {
            let said = stderr_of_failure(refused);
            assert!(
                said.contains("The requested URL returned error: 403"),
                "{said}"
            );
        }
        let requests = self.cast.issuer().token_requests();
        assert_eq!(requests, 3, "no token is forgotten");
    }

    /// Lets a deployer push, and asserts that the hook's environment has the user's name,
    /// but not the token.
    pub fn assert_hooks_know_the_user_and_not_the_token(&self, git: &Path) {
        let who = Who::Deployer;
        let deployer = self.person(git, who);
        deployer.clones("deployer");
        deployer.commits_large_file("deployer");
        stdout_of_success(deployer.push("deployer"));
        let environment = self.files.path("/srv/git/app.git/environment");
        let environment = fs::read_to_string(environment).unwrap();
        let user = format!("REMOTE_USER={}\n", self.cast.user(who).user_id);
        assert!(environment.contains(&user), "{environment}");
        assert!(!environment.contains(":roles"), "{environment}");
        for secret in self.cast.secrets() {
            assert!(!environment.contains(&secret), "{environment}");
        }
    }

    /// Asserts that git of a deactivated user is refused with its former token.
    pub fn assert_git_of_a_deactivated_user_is_refused(&self, git: &Path) {
        let who = Who::Viewer;
        let mut token = self.cast.world.zitadel(["token"]);
        token.env("ZITADEL_CREDENTIAL_PROFILE", who.profile());
        assert!(token.run().status.success());
        self.cast.issuer().deactivate(&self.cast.user(who).user_id);
        let list = self
            .person(git, who)
            .git(&["ls-remote", &self.url("/app.git")]);
        let said = stderr_of_failure(list);
        assert!(said.contains("Authentication failed"), "{said}");
    }
}
