//! Logins that tools use before they ask this program: each setup names them.

use super::{Fixture, PROFILE};
use crate::support::machine::program;

const SECRET: &str = "hunter2-Sommer";

/// Sets a tool up, in a dry run and then for real. Returns the warning of other logins,
/// which must be the same.
#[track_caller]
fn told(fixture: &Fixture, words: &str, variables: &[(&str, &str)]) -> String {
    let setup = |more: &str| {
        let mut command = fixture.home.zitadel(["setup"]);
        command.env("PATH", fixture.home.path_with_bin());
        command.envs(variables.iter().copied());
        let words = format!("{words}{more}");
        let output = command.args(words.split(' ')).run();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains(SECRET), "{text}");
        let text = text.replace(&fixture.path().display().to_string(), "~");
        let lines = text.lines().map(|line| line.trim_start_matches("# "));
        let lines = lines.filter(|line| line.starts_with("warning: ") && !line.contains("on PATH"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let dry = setup(" --dry-run");
    assert_eq!(setup(""), dry, "{words}");
    dry
}

fn fixture() -> Fixture {
    let fixture = Fixture::with_config(PROFILE);
    for name in [
        "zitadel-credential",
        "docker-credential-zitadel",
        "cargo-credential-zitadel",
    ] {
        fixture.home.link(name);
    }
    let entry = |host: &str| format!("machine {host} login me password {SECRET}\n");
    fixture
        .home
        .write(".netrc", entry("git.acme.dev") + &entry("evil.test"));
    fixture
}

#[test]
fn setup_git_and_go_name_logins_in_netrc() {
    let fixture = fixture();
    let line = "warning: ~/.netrc has a login for git.acme.dev, sent by TOOL instead of a token: remove the entry of machine git.acme.dev there";
    if program("git").is_some() {
        fixture.home.link("git-credential-zitadel");
        assert_eq!(
            told(&fixture, "git git.acme.dev", &[]),
            line.replace("TOOL", "git")
        );
    }
    assert_eq!(
        told(&fixture, "go git.acme.dev", &[]),
        "",
        "ours comes first"
    );
    assert_eq!(
        told(&fixture, "go *.acme.dev", &[]),
        line.replace("TOOL", "Go")
    );
    let variable = [("GOAUTH", "netrc; zitadel-credential go")];
    assert_eq!(
        told(&fixture, "go git.acme.dev", &variable),
        line.replace("TOOL", "Go")
    );
}

#[test]
fn setup_git_names_headers_and_urls_with_a_login() {
    if program("git").is_none() {
        return;
    }
    let fixture = fixture();
    fixture.home.write(".netrc", "");
    fixture.home.link("git-credential-zitadel");
    fixture.home.write(
        ".gitconfig",
        format!("[http]\n\textraHeader = Authorization: Basic {SECRET}\n"),
    );
    assert_eq!(
        told(&fixture, "git git.acme.dev", &[]),
        "warning: http.extraheader in ~/.gitconfig: git sends that header instead of a token: remove that line from ~/.gitconfig"
    );
}

#[test]
fn setup_terraform_names_tokens_of_terraforms_own() {
    let fixture = fixture();
    fixture.home.write(
        ".terraform.d/credentials.tfrc.json",
        format!("{{\"credentials\": {{\"tf.acme.dev\": {{\"token\": \"{SECRET}\"}}}}}}"),
    );
    let told = told(
        &fixture,
        "terraform tf.acme.dev",
        &[("TF_TOKEN_tf_acme_dev", SECRET)],
    );
    assert_eq!(
        told,
        "warning: ~/.terraform.d/credentials.tfrc.json has a token for tf.acme.dev, which Terraform uses before this program's: terraform logout tf.acme.dev, or remove the entry of tf.acme.dev there\n\
         warning: the variable TF_TOKEN_tf_acme_dev has a token for tf.acme.dev, which Terraform uses before this program's: unset TF_TOKEN_tf_acme_dev"
    );
}

#[test]
fn setup_docker_names_logins_that_podman_finds_first() {
    let fixture = fixture();
    let run = fixture.path().join("run");
    let login = format!("{{\"auths\": {{\"r.acme.dev\": {{\"auth\": \"{SECRET}\"}}}}}}");
    fixture.home.write("run/containers/auth.json", login);
    let told = told(
        &fixture,
        "docker r.acme.dev",
        &[("XDG_RUNTIME_DIR", run.to_str().unwrap())],
    );
    assert_eq!(
        told,
        "warning: ~/run/containers/auth.json has a login for r.acme.dev, which podman, skopeo and buildah use before this program: podman logout --authfile ~/run/containers/auth.json r.acme.dev"
    );
}

#[test]
fn setup_cargo_names_a_token_of_cargos_own() {
    let fixture = fixture();
    let token = format!("[registries.acme]\ntoken = \"{SECRET}\"\n");
    fixture.home.write(".cargo/credentials.toml", token);
    let told = told(
        &fixture,
        "cargo --registry acme --index sparse+https://c.acme.dev/ c.acme.dev",
        &[],
    );
    assert_eq!(
        told,
        "warning: ~/.cargo/credentials.toml has a token for registry acme, which cargo ignores with a warning at each call: remove it there: the provider makes it useless"
    );
}

#[test]
fn a_wildcard_rule_that_covers_a_host_is_named() {
    let fixture = fixture();
    fixture.done("go *.acme.dev");
    let said = fixture.done("go a.acme.dev");
    assert!(
        said.contains("hosts.*.acme.dev already covers a.acme.dev: no rule is added"),
        "{said}"
    );
}

#[test]
fn setup_git_serves_http_if_the_rule_allows_it_and_undo_removes_it() {
    if program("git").is_none() {
        return;
    }
    let rule = "[hosts.\"g.acme.dev\"]\nprofile = \"prod\"\nallow-http = true\n";
    let fixture = Fixture::with_config(&format!("{PROFILE}{rule}"));
    fixture.home.link("git-credential-zitadel");
    let before = fixture.home.write(".gitconfig", "[user]\n\tname = x\n");
    fixture.done("git g.acme.dev");
    let text = std::fs::read_to_string(&before).unwrap();
    for scheme in ["https", "http"] {
        let section =
            format!("[credential \"{scheme}://g.acme.dev\"]\n\thelper = \n\thelper = zitadel\n");
        assert!(text.contains(&section), "{text}");
    }
    fixture.done("git g.acme.dev --undo");
    assert_eq!(
        std::fs::read_to_string(&before).unwrap(),
        "[user]\n\tname = x\n"
    );
}
