//! Logins that tools use before they ask this program.

use std::fs;
use std::os::unix::fs::symlink;

use snapbox::str;

use crate::doctor::{allow_and_wire, case, examine, found, wire_docker};
use crate::support::binary;
use crate::support::machine::program;

/// Every file below contains it.
const SECRET: &str = "hunter2-Sommer";

#[test]
fn a_login_in_netrc_is_reported_with_the_tools_that_send_it() {
    if program("git").is_none() {
        return;
    }
    let case = case();
    case.guard(SECRET);
    let home = &case.world.home;
    allow_and_wire(&case);
    case.world.allow("*.go.acme.test");
    let entry = |host: &str| format!("machine {host}\n  login me\n  password {SECRET}\n");
    home.write(".netrc", entry("evil.test"));
    assert_eq!(found(&case, "netrc"), "", "it has no rule");
    home.write(".netrc", entry("git.acme.test") + &entry("x.go.acme.test"));
    home.write(".config/go/env", "GOAUTH=zitadel-credential go; netrc\n");
    case.matches(&found(&case, "netrc"), str![[r#"
warning netrc: [HOME]/.netrc has a login for git.acme.test, sent by git and curl -n instead of a token
    remove the entry of machine git.acme.test there
warning netrc: [HOME]/.netrc has a login for x.go.acme.test, sent by Go and curl -n instead of a token
    remove the entry of machine x.go.acme.test there

"#]]);
    home.write(".config/go/env", "GOAUTH=netrc; zitadel-credential go\n");
    home.link("keyring");
    case.matches(&found(&case, "netrc"), str![[r#"
warning netrc: [HOME]/.netrc has a login for git.acme.test, sent by git, Go, pip, uv and curl -n instead of a token
    remove the entry of machine git.acme.test there
warning netrc: [HOME]/.netrc has a login for x.go.acme.test, sent by Go, pip, uv and curl -n instead of a token
    remove the entry of machine x.go.acme.test there

"#]]);
    home.write(".netrc", "");
    home.write("_netrc", format!("default login me password {SECRET}\n"));
    case.matches(&found(&case, "netrc"), str![[r#"
warning netrc: [HOME]/_netrc has a default login, sent by git, pip, uv and curl -n to all other hosts instead of a token
    remove the entry default there

"#]]);
    // git ignores the variable, and has its own file.
    let other = home.write("other", entry("git.acme.test"));
    let found = examine(&case, &[], &[("NETRC", other.to_str().unwrap())]);
    case.matches(
        &found.of("netrc"),
        str![[r#"
warning netrc: [HOME]/other has a login for git.acme.test, sent by Go and curl -n instead of a token
    remove the entry of machine git.acme.test there
warning netrc: [HOME]/_netrc has a default login, sent by git to all other hosts instead of a token
    remove the entry default there

"#]],
    );
}

#[test]
fn a_login_in_gits_configuration_is_reported() {
    if program("git").is_none() {
        return;
    }
    let case = case();
    case.guard(SECRET);
    case.world.allow("git.acme.test");
    case.world.home.link("git-credential-zitadel");
    case.world.home.write(
        ".gitconfig",
        format!(
            "[credential \"https://git.acme.test\"]\n\thelper =\n\thelper = zitadel\n\
             [http \"https://git.acme.test/\"]\n\textraHeader = AUTHORIZATION: basic {SECRET}\n\
             [http \"https://evil.test/\"]\n\textraHeader = AUTHORIZATION: basic {SECRET}\n\
             [http]\n\textraHeader = X-Trace: 1\n\
             [url \"https://ci:{SECRET}@git.acme.test/\"]\n\tinsteadOf = https://git.acme.test/\n"
        ),
    );
    case.matches(&found(&case, "git"), str![[r#"
ok git: https://git.acme.test: host rule git.acme.test, profile test
warning git: http.https://git.acme.test/.extraheader in [HOME]/.gitconfig: git sends that header instead of a token
    remove that line from [HOME]/.gitconfig
warning git: url.https://…@git.acme.test.insteadof in [HOME]/.gitconfig: git uses the login in that URL, and asks no helper
    remove that line from [HOME]/.gitconfig

"#]]);
}

#[test]
fn terraforms_own_tokens_are_reported_in_every_place() {
    let case = case();
    case.guard(SECRET);
    let home = &case.world.home;
    case.world.allow("*.tf.acme.test");
    case.world.allow("tf-1.acme.test");
    let link = home
        .path()
        .join(".terraform.d/plugins/terraform-credentials-zitadel");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(binary(), link).unwrap();
    home.write(
        ".terraformrc",
        format!(
            "credentials_helper \"zitadel\" {{\n  args = []\n}}\n\
             credentials \"a.tf.acme.test\" {{\n  token = \"{SECRET}\"\n}}\n"
        ),
    );
    let login =
        |host: &str| format!("{{\"credentials\": {{\"{host}\": {{\"token\": \"{SECRET}\"}}}}}}");
    home.write(
        ".terraform.d/credentials.tfrc.json",
        login("b.tf.acme.test"),
    );
    home.write(".terraform.d/z.tfrc.json", login("evil.test"));
    let found = examine(&case, &[], &[("TF_TOKEN_tf__1_acme_test", SECRET)]);
    case.matches(&found.of("terraform"), str![[r#"
ok terraform: [HOME]/.terraformrc: all hosts: those with a host rule get a token, through [HOME]/.terraform.d/plugins/terraform-credentials-zitadel
warning terraform: [HOME]/.terraformrc has a token for a.tf.acme.test, which Terraform uses before this program's
    terraform logout a.tf.acme.test, or remove the entry of a.tf.acme.test there
warning terraform: [HOME]/.terraform.d/credentials.tfrc.json has a token for b.tf.acme.test, which Terraform uses before this program's
    terraform logout b.tf.acme.test, or remove the entry of b.tf.acme.test there
warning terraform: the variable TF_TOKEN_tf__1_acme_test has a token for tf-1.acme.test, which Terraform uses before this program's
    unset TF_TOKEN_tf__1_acme_test

"#]]);
}

#[test]
fn cargos_own_token_is_reported() {
    let case = case();
    case.guard(SECRET);
    let home = &case.world.home;
    case.world.allow("a.acme.test");
    home.link("cargo-credential-zitadel");
    home.write(
        ".cargo/config.toml",
        "[registries.acme]\nindex = 'sparse+https://a.acme.test/'\n\
         credential-provider = ['cargo-credential-zitadel']\n",
    );
    home.write(
        ".cargo/credentials.toml",
        format!("[registries.acme]\ntoken = '{SECRET}'\n[registries.other]\ntoken = '{SECRET}'\n"),
    );
    let path = home.path_with_bin();
    let variables = [
        ("PATH", path.to_str().unwrap()),
        ("CARGO_REGISTRIES_ACME_TOKEN", SECRET),
    ];
    case.matches(&examine(&case, &[], &variables).of("cargo"), str![[r#"
ok cargo: [HOME]/.cargo/config.toml: registry acme: host rule a.acme.test, profile test
warning cargo: [HOME]/.cargo/credentials.toml has a token for registry acme, which cargo ignores with a warning at each call
    remove it there: the provider makes it useless
warning cargo: the variable CARGO_REGISTRIES_ACME_TOKEN has a token for registry acme, which cargo ignores with a warning at each call
    remove it there: the provider makes it useless

"#]]);
}

#[test]
fn podmans_and_dockers_own_logins_are_reported() {
    let case = case();
    case.guard(SECRET);
    let home = &case.world.home;
    case.world.allow("registry.acme.test:5000");
    home.link("docker-credential-zitadel");
    wire_docker(&case, "registry.acme.test:5000");
    let login =
        |registry: &str| format!("{{\"auths\": {{\"{registry}\": {{\"auth\": \"{SECRET}\"}}}}}}");
    home.write(
        "run/containers/auth.json",
        login("registry.acme.test:5000/team"),
    );
    home.write(".config/containers/auth.json", login("ghcr.io"));
    let path = home.path_with_bin();
    let runtime = home.path().join("run");
    let variables = [
        ("PATH", path.to_str().unwrap()),
        ("XDG_RUNTIME_DIR", runtime.to_str().unwrap()),
        ("DOCKER_AUTH_CONFIG", &login("registry.acme.test:5000")),
    ];
    case.matches(
        &examine(&case, &[], &variables).of("docker"),
        str![[r#"
ok docker: [HOME]/.docker/config.json: registry.acme.test:5000: host rule registry.acme.test:5000, profile test
warning docker: the variable DOCKER_AUTH_CONFIG has a login for registry.acme.test:5000, which docker uses before this program
    unset DOCKER_AUTH_CONFIG, or remove that login from it
warning docker: [HOME]/run/containers/auth.json has a login for registry.acme.test:5000/team, which podman, skopeo and buildah use before this program
    podman logout --authfile [HOME]/run/containers/auth.json registry.acme.test:5000/team

"#]],
    );
    // docker's own mark of a login in a helper is not a login.
    home.write(
        "run/containers/auth.json",
        "{\"auths\": {\"registry.acme.test:5000\": {}}}",
    );
    home.write(
        ".docker/config.json",
        format!(
            "{{\"credHelpers\": {{\"registry.acme.test:5000\": \"zitadel\"}}, {}",
            &login("registry.acme.test:5000")[1..]
        ),
    );
    case.matches(
        &examine(&case, &[], &variables[..2]).of("docker"),
        str![[r#"
ok docker: [HOME]/.docker/config.json: registry.acme.test:5000: host rule registry.acme.test:5000, profile test
warning docker: [HOME]/.docker/config.json still has a login for registry.acme.test:5000 under auths, which no tool uses before this program
    remove it there: the file contains it in clear text

"#]],
    );
}

#[test]
fn podmans_order_of_helpers_is_read() {
    let case = case();
    let home = &case.world.home;
    case.world.allow("registry.acme.test");
    home.link("docker-credential-zitadel");
    let conf = |list: &str| {
        let text = format!("unqualified-search-registries = []\ncredential-helpers = [{list}]\n");
        home.write(".config/containers/registries.conf", text);
    };
    conf("\"secretservice\", \"zitadel\"");
    case.matches(
        &found(&case, "docker"),
        str![[r#"
ok docker: [HOME]/.config/containers/registries.conf: all registries: those with a host rule get a token
warning docker: podman asks the helper secretservice before this program
    put zitadel first in credential-helpers of registries.conf

"#]],
    );
    assert_eq!(found(&case, "rule"), "");
    conf("\"secretservice\"");
    wire_docker(&case, "registry.acme.test");
    case.matches(
        &found(&case, "docker"),
        str![[r#"
ok docker: [HOME]/.docker/config.json: registry.acme.test: host rule registry.acme.test, profile test
warning docker: [HOME]/.config/containers/registries.conf: podman, skopeo and buildah ignore credHelpers, because credential-helpers lacks containers-auth.json
    add "containers-auth.json" to credential-helpers

"#]],
    );
    let part = ".config/containers/registries.conf.d/9.conf";
    home.write(part, "credential-helpers = [\"containers-auth.json\"]\n");
    case.matches(
        &found(&case, "docker"),
        str![[r#"
ok docker: [HOME]/.docker/config.json: registry.acme.test: host rule registry.acme.test, profile test

"#]],
    );
}
