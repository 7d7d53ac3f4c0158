//! Two sites of one nginx, each for a separate project.

use super::{Asks, Nginx};
use crate::servers::cast::{Cast, OTHER_PROJECT, PROJECT, Who};
use crate::support::TokenKind::{Jwt, Opaque};

const SITES: &str = "/etc/nginx/sites-enabled";

#[test]
fn a_role_of_one_site_is_invalid_at_the_other() {
    for asks in Asks::BOTH {
        let cast = Cast::new();
        let Some(mut nginx) = Nginx::with_git_files(&cast, asks) else {
            return;
        };
        nginx.create_repository();
        nginx.add_site("other.test", OTHER_PROJECT);
        let Some(()) = nginx.start() else {
            return;
        };
        for kind in [Jwt, Opaque] {
            let [deployer, other] = [Who::Deployer, Who::OtherProject].map(|who| {
                let token = cast.token_of_both_projects(who, kind);
                format!("Bearer {token}")
            });
            for _ in 0..2 {
                let status = |host: &str, token: &str| {
                    let host = ["--header", &format!("Host: {host}")].map(str::to_owned);
                    nginx.read_with(&host, token)
                };
                assert_eq!(status("localhost", &deployer), 200);
                assert_eq!(status("other.test", &deployer), 403);
                assert_eq!(status("localhost", &other), 403);
                assert_eq!(status("other.test", &other), 200);
            }
        }
    }
}

impl Nginx<'_> {
    /// Adds a copy of git's site with another name and project.
    fn add_site(&self, name: &str, project: &str) {
        let git = std::fs::read_to_string(self.files.path(&format!("{SITES}/git.conf"))).unwrap();
        let site = git.replace(PROJECT, project).replace(
            "server_name               localhost",
            &format!("server_name {name}"),
        );
        assert!(site.contains(name));
        self.files.write(&format!("{SITES}/{name}.conf"), &site);
        let secret = self.files.path("/etc/nginx/zitadel/secret.conf");
        if secret.exists() {
            let credentials = self.cast.issuer().new_application(project).credentials();
            let before = std::fs::read_to_string(&secret).unwrap();
            let line = format!("    {project} \"Basic {credentials}\";\n}}");
            self.cast
                .world
                .home
                .write(secret, before.replace('}', &line));
        }
    }
}
