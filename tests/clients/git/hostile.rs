//! Requests that a repository, its server and its URL can cause in git. The helper is set
//! for every host, so git does ask.
//!
//! The servers are our own: the gates of `docs/servers.md` send no redirects.

use super::{BOTH, Forge, gits};
use crate::gateway::{Gateway, Shown};
use crate::program::{stderr_of_failure, stdout_of_success};
use crate::support::http::{Request, Response, Server};

const REDIRECTS: [u16; 3] = [301, 302, 307];

#[test]
fn a_submodule_on_another_host_is_shown_nothing() {
    for_each_victim(|forge, stranger| {
        for host in names(stranger) {
            let url = format!("https://{host}/sub.git");
            let branch = forge.pushes_submodule(&url);
            let (from, to) = (forge.url(), branch.as_str());
            let clone = ["clone", "--recurse-submodules", "-b", to, &from, to];
            let said = stderr_of_failure(forge.git(&clone));
            assert!(said.contains("terminal prompts disabled"), "{said}");
            assert_eq!(stranger.take_shown(), [Shown::Nothing], "{host}");
        }
        assert!(forge.gateway.take_shown().contains(&forge.best()));
        assert_eq!(forge.world.issuer.token_requests(), 1);
    });
}

/// git asks for the host of the redirect.
#[test]
fn a_redirect_target_before_a_login_is_shown_nothing() {
    for_each_victim(|forge, stranger| {
        for (status, host) in redirects(stranger) {
            let send = move |request: &Request| redirect(status, &host, request).into();
            let sender = Server::https(forge.ca.server_config(&["localhost"]), send);
            let sender = format!("localhost:{}", sender.port());
            forge.world.allow(&sender);
            let url = format!("https://{sender}/app.git");
            let said = stderr_of_failure(forge.git(&["ls-remote", &url]));
            assert!(said.contains("terminal prompts disabled"), "{said}");
            assert_eq!(stranger.take_shown(), [Shown::Nothing]);
        }
        assert_eq!(forge.world.issuer.total_requests(), 0);
    });
}

/// After a redirect, curl removes the first host's credentials. git counts the refusal
/// there against the token, which the issuer still accepts: it is kept.
#[test]
fn a_redirect_target_after_a_login_is_shown_nothing() {
    for_each_victim(|forge, stranger| {
        for (status, host) in redirects(stranger) {
            let sender = Gateway::start(&forge.ca, &forge.world.issuer, BOTH, move |request| {
                redirect(status, &host, request)
            });
            forge.world.allow(&sender.host());
            let url = format!("https://{}/app.git", sender.host());
            for follow in ["initial", "true"] {
                let follow = format!("http.followRedirects={follow}");
                stderr_of_failure(forge.git(&["-c", &follow, "ls-remote", &url]));
                assert!(sender.take_shown().len() > 1, "it was shown the token");
                assert_eq!(stranger.take_shown(), [Shown::Nothing]);
            }
        }
        assert_eq!(forge.world.issuer.token_requests(), 1);
    });
}

/// A server that redirects git to a host with a rule does not see the credentials for it.
/// git forgets the challenge at a redirect, so ours responds with basic.
#[test]
fn a_stranger_that_redirects_to_a_host_with_a_rule_is_shown_nothing() {
    for_each_victim(|forge, _| {
        let host = forge.gateway.host();
        let send = move |request: &Request| redirect(302, &host, request);
        let sender = Gateway::guarded(&forge.ca, &[], |_, _| true, send);
        let url = format!("https://{}/app.git", sender.host());
        stdout_of_success(forge.git(&["ls-remote", &url]));
        assert_eq!(sender.take_shown(), [Shown::Nothing]);
        let ci = Shown::Basic("ci".to_owned());
        assert!(forge.gateway.take_shown().contains(&ci));
    });
}

#[test]
fn a_user_other_than_the_rules_is_given_nothing() {
    for_each_victim(|forge, _| {
        let ls_remote = |user: &str| {
            let url = format!("https://{user}@{}/app.git", forge.gateway.host());
            forge.git(&["ls-remote", &url])
        };
        stdout_of_success(ls_remote("ci"));
        assert!(forge.gateway.take_shown().contains(&forge.best()));
        let requests = forge.world.issuer.total_requests();
        for user in ["eve", "CI", "ci%20", "c%69x"] {
            let said = stderr_of_failure(ls_remote(user));
            assert!(said.contains("terminal prompts disabled"), "{said}");
            assert_no_token_came(&forge.gateway, user);
        }
        assert_eq!(forge.world.issuer.total_requests(), requests);
    });
}

#[test]
fn a_path_from_git_changes_nothing() {
    for_each_victim(|forge, _| {
        forge.configure("useHttpPath = true\n");
        stdout_of_success(forge.ls_remote());
        forge.world.issuer.revoke_all();
        stderr_of_failure(forge.ls_remote());
        stdout_of_success(forge.ls_remote());
        assert_eq!(forge.world.issuer.token_requests(), 2);
    });
}

/// The test runs with git's own check (CVE-2024-52006, since 2.39.5 and 2.47.2) and
/// without it.
#[test]
fn an_escaped_line_end_in_a_url_gets_nothing_anywhere() {
    for_each_victim(|forge, stranger| {
        forge.configure("useHttpPath = true\n");
        let (good, bad) = (forge.gateway.host(), stranger.host());
        for end in ["%0a", "%0d", "%0d%0a", "%e2%80%a8", "%c2%85", "%00"] {
            for url in [
                format!("https://{bad}{end}host={good}/app.git"),
                format!("https://{bad}/{end}host={good}{end}/app.git"),
                format!("https://{bad}/{end}{end}https://{good}/app.git"),
                format!("https://eve{end}host={good}@{bad}/app.git"),
                format!("https{end}host={good}://{bad}/app.git"),
            ] {
                for guard in ["true", "false"] {
                    let guard = format!("credential.protectProtocol={guard}");
                    stderr_of_failure(forge.git(&["-c", &guard, "ls-remote", &url]));
                    for gateway in [stranger, &forge.gateway] {
                        assert_no_token_came(gateway, &url);
                    }
                }
            }
        }
        assert_eq!(forge.world.issuer.total_requests(), 0);
    });
}

/// Runs a test for each git, with a rule for its forge and none for the stranger, which
/// asks for a login and would accept the same token.
fn for_each_victim(test: impl Fn(&Forge<'_>, &Gateway)) {
    for git in gits() {
        let forge = Forge::new(&git, BOTH);
        forge.allow();
        forge.ask_for_all();
        let found_nothing = |_: &Request| Response::text(404, "there is nothing\n");
        let stranger = Gateway::start(&forge.ca, &forge.world.issuer, BOTH, found_nothing);
        test(&forge, &stranger);
    }
}

/// Asserts that no token came, which would have been accepted. A username without a
/// password is the URL's own, and git sends it before it asks.
fn assert_no_token_came(gateway: &Gateway, context: &str) {
    let seen = gateway.take_seen();
    assert!(
        seen.iter().all(|seen| seen.status == 401),
        "{context} {seen:?}"
    );
}

/// Returns a server with the forge's name at another port, and with another name.
fn names(server: &Gateway) -> [String; 2] {
    [server.host(), format!("127.0.0.1:{}", server.port())]
}

fn redirects(target: &Gateway) -> impl Iterator<Item = (u16, String)> {
    let names = names(target);
    REDIRECTS
        .into_iter()
        .flat_map(move |status| names.clone().map(|name| (status, name)))
}

fn redirect(status: u16, host: &str, request: &Request) -> Response {
    let location = format!("https://{host}{}", request.target);
    Response::new(status).with_header("Location", location)
}

impl Forge<'_> {
    /// Pushes a branch with a submodule at this URL, and names the branch.
    fn pushes_submodule(&self, url: &str) -> String {
        let branch: String = url.chars().filter(char::is_ascii_alphanumeric).collect();
        let work = format!("work-{branch}");
        let modules = format!("[submodule \"sub\"]\npath = sub\nurl = {url}\n");
        let link = format!("160000,{},sub", "1".repeat(40));
        stdout_of_success(self.git(&["init", "-b", &branch, &work]));
        self.world
            .home
            .write(format!("{work}/.gitmodules"), modules);
        for arguments in [
            ["add", ".gitmodules"].as_slice(),
            &["update-index", "--add", "--cacheinfo", &link],
            &["commit", "-m", "a submodule"],
            &["push", &self.url(), &branch],
        ] {
            stdout_of_success(self.git(&[&["-C", &work], arguments].concat()));
        }
        branch
    }
}
