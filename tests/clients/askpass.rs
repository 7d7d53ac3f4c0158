//! git with the binary as its program for usernames and passwords, and ssh, which asks
//! the same program for other things.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::gateway::{Scheme, Shown};
use crate::git::{Forge, at_nginx, gits};
use crate::program::{client, output_of, stderr_of_failure, stdout_of_success};
use crate::support::World;

/// git passes no argument for a command's name.
const LINK: &str = "askpass-credential-zitadel";

const BASIC: &[Scheme] = &[Scheme::Basic];

#[test]
fn git_pushes_and_clones_by_askpass_alone() {
    for git in gits() {
        at_nginx(&git, |forge| {
            remove_helper(forge);
            let askpass = forge.world.home.link(LINK);
            forge.configure(&format!("[core]\naskPass = {}\n", askpass.display()));
            forge.pushes_and_clones();
            assert_eq!(forge.gateway.take_shown(), [Shown::Nothing, ci()]);
            assert_eq!(forge.world.issuer.token_requests(), 1);
        });
    }
}

#[test]
fn git_asks_the_program_of_either_variable() {
    for git in gits() {
        let forge = without_helper(&git);
        forge.allow();
        for variable in ["GIT_ASKPASS", "SSH_ASKPASS"] {
            let mut call = forge.ls_remote();
            call.env(variable, forge.world.home.link(LINK));
            stdout_of_success(call);
            assert_eq!(forge.gateway.take_shown(), [Shown::Nothing, ci()]);
        }
    }
}

/// git encodes it, and asks only for the password.
#[test]
fn the_username_of_the_url_is_kept() {
    for git in gits() {
        let forge = without_helper(&git);
        forge.world.allow(&forge.gateway.host());
        for (in_url, username) in [("alice", "alice"), ("c%40i", "c@i")] {
            let url = forge.url().replace("://", &format!("://{in_url}@"));
            let mut call = forge.git(&["ls-remote", &url]);
            call.env("GIT_ASKPASS", forge.world.home.link(LINK));
            stdout_of_success(call);
            let username = Shown::Basic(username.to_owned());
            assert_eq!(forge.gateway.take_shown(), [Shown::Nothing, username]);
        }
    }
}

/// The words are the same in every language: git does not translate them.
#[test]
fn git_asks_in_these_words() {
    for git in gits() {
        let world = World::new();
        let recorder = write_recorder(&world);
        for (request, asked) in [
            (
                "host=git.acme.dev",
                [
                    "Username for 'https://git.acme.dev': ",
                    "Password for 'https://ci@git.acme.dev': ",
                ]
                .as_slice(),
            ),
            (
                "host=git.acme.dev:8443\npath=group/it's.git",
                &[
                    "Username for 'https://git.acme.dev:8443/group/it%27s.git': ",
                    "Password for 'https://ci@git.acme.dev:8443/group/it%27s.git': ",
                ],
            ),
            (
                "host=[::1]:8443",
                &[
                    "Username for 'https://[::1]:8443': ",
                    "Password for 'https://ci@[::1]:8443': ",
                ],
            ),
            (
                "host=git.acme.dev\nusername=c@i:x/y '",
                &["Password for 'https://c%40i%3Ax%2Fy%20%27@git.acme.dev': "],
            ),
            (
                "host=m\u{fc}nchen.dev\nusername=",
                &["Password for 'https://m%C3%BCnchen.dev': "],
            ),
        ] {
            let mut fill = world.home.command(&git);
            fill.args(["-c", "credential.useHttpPath=true", "credential", "fill"])
                .env("GIT_ASKPASS", &recorder)
                .env("LANGUAGE", "de")
                .env("LANG", "C.UTF-8");
            let request = format!("protocol=https\n{request}\n\n");
            let filled = output_of(fill, request.as_bytes());
            assert!(filled.status.success(), "{request}");
            let noted = world.home.read(ASKED);
            assert_eq!(noted.lines().collect::<Vec<_>>(), asked);
            world.home.write(ASKED, "");
        }
    }
}

#[test]
fn a_host_without_a_rule_is_shown_nothing() {
    for git in gits() {
        let forge = without_helper(&git);
        let mut call = forge.ls_remote();
        call.env("GIT_ASKPASS", forge.world.home.link(LINK));
        let said = stderr_of_failure(call);
        // An empty response would be an empty password.
        assert!(said.contains("unable to read askpass response"), "{said}");
        assert_eq!(forge.gateway.take_shown(), [Shown::Nothing]);
        assert_eq!(forge.world.issuer.total_requests(), 0);
    }
}

#[test]
fn a_request_without_https_gets_nothing() {
    for git in gits() {
        let forge = without_helper(&git);
        forge.allow();
        for protocol in ["http", "imap", "smtp"] {
            let mut fill = forge.git(&["credential", "fill"]);
            fill.env("GIT_ASKPASS", forge.world.home.link(LINK));
            let request = format!("protocol={protocol}\nhost={}\n\n", forge.gateway.host());
            let refused = output_of(fill, request.as_bytes());
            assert!(!refused.status.success(), "{protocol}");
        }
        assert_eq!(forge.world.issuer.total_requests(), 0);
    }
}

#[test]
fn git_asks_only_where_no_helper_answers() {
    for git in gits() {
        let forge = Forge::new(&git, BASIC);
        forge.allow();
        let recorder = write_recorder(&forge.world);
        let mut call = forge.ls_remote();
        call.env("GIT_ASKPASS", &recorder);
        stdout_of_success(call);
        assert_eq!(forge.world.home.read(ASKED), "");
        assert_eq!(forge.gateway.take_shown(), [Shown::Nothing, ci()]);
    }
}

#[test]
fn git_shows_why_there_is_no_token() {
    for git in gits() {
        let forge = without_helper(&git);
        forge.allow();
        forge.world.issuer.remove_key(&forge.world.user.key_id);
        let mut call = forge.ls_remote();
        call.env("GIT_ASKPASS", forge.world.home.link(LINK));
        let said = stderr_of_failure(call);
        let with = format!("with: key ID {}", forge.world.user.key_id);
        for part in [&with, "hint: check in ZITADEL that"] {
            assert!(said.contains(part), "{said}");
        }
    }
}

/// git reports no refusal of a response of askpass.
#[test]
fn a_token_that_was_revoked_is_replaced_after_cache_clear() {
    for git in gits() {
        let forge = without_helper(&git);
        forge.allow();
        let ls_remote = || {
            let mut call = forge.ls_remote();
            call.env("GIT_ASKPASS", forge.world.home.link(LINK));
            call
        };
        stdout_of_success(ls_remote());
        forge.world.issuer.revoke_all();
        let said = stderr_of_failure(ls_remote());
        assert!(said.contains("Authentication failed"), "{said}");
        let mut clear = forge.world.zitadel(["cache", "clear"]);
        clear.assert().success();
        stdout_of_success(ls_remote());
        assert_eq!(forge.world.issuer.token_requests(), 2);
    }
}

/// ssh runs the same program for passphrases, passwords and to confirm a host's key. It
/// would repeat that question endlessly after an unknown answer.
#[test]
fn ssh_gets_neither_a_token_nor_an_answer() {
    let Some(keygen) = client("ssh-keygen") else {
        return;
    };
    let world = World::new();
    world.allow("localhost");
    let keygen = |arguments: &[&str]| {
        let mut command = world.home.command(&keygen);
        command
            .args(arguments)
            .env("SSH_ASKPASS", world.home.link(LINK))
            .env("SSH_ASKPASS_REQUIRE", "force");
        command
    };
    let new = ["-q", "-t", "ed25519", "-N", "correct horse", "-f", "id"];
    stdout_of_success(keygen(&new));
    stderr_of_failure(keygen(&["-y", "-f", "id"]));
    assert_eq!(world.issuer.total_requests(), 0);
}

fn ci() -> Shown {
    Shown::Basic("ci".to_owned())
}

/// Returns a repository, and a git without a credential helper for it.
fn without_helper(git: &Path) -> Forge<'_> {
    let forge = Forge::new(git, BASIC);
    remove_helper(&forge);
    forge
}

fn remove_helper(forge: &Forge<'_>) {
    forge.configure(&format!(
        "[credential \"https://{}\"]\nhelper =\n",
        forge.gateway.host()
    ));
}

/// The file to which the recorder writes each prompt as a line.
const ASKED: &str = "asked";

/// Writes a program that records its prompts, and answers all of them.
fn write_recorder(world: &World) -> PathBuf {
    world.home.write(ASKED, "");
    let script = "#!/bin/sh\nprintf '%s\\n' \"$@\" >>\"$HOME/asked\"\necho ci\n";
    let recorder = world.home.write("recorder", script);
    fs::set_permissions(&recorder, Permissions::from_mode(0o700)).unwrap();
    recorder
}
