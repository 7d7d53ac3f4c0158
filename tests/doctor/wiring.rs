//! Programs on `PATH`, and the tools' files that name us.

mod tools;

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use snapbox::data::Inline;
use snapbox::str;

use crate::support::binary;
use crate::support::machine::program;
use crate::{case, examine, kubeconfig, mode, wire_docker, wire_git};

#[test]
fn programs_on_path_are_held_against_this_one() {
    let case = case();
    let home = &case.world.home;
    home.link("zitadel-credential");
    let path = home.path_with_bin();
    let path = [("PATH", path.to_str().unwrap())];
    wire_docker(&case, "registry.acme.test");
    case.world.allow("registry.acme.test");
    let found = examine(&case, &[], &path);
    case.matches(
        &found.of("program"),
        str![[r#"
failed program: docker-credential-zitadel is not on PATH, and a tool is set up to run it
    ln -s [PROGRAM] [HOME]/bin/docker-credential-zitadel
ok program: [PROGRAM] [VERSION]
ok program: on PATH in [HOME]/bin: zitadel-credential

"#]],
    );

    let script = |name: &str, text: &str| {
        let path = home.write(format!("bin/{name}"), format!("#!/bin/sh\n{text}\n"));
        mode(&path, 0o755);
    };
    script("docker-credential-zitadel", "echo zitadel-credential 0.0.1");
    script("git-credential-zitadel", "echo something else");
    let found = examine(&case, &[], &path);
    case.matches(
        &found.of("program"),
        str![[r#"
warning program: [HOME]/bin/git-credential-zitadel is another program, or does not tell its version
    ln -sf [PROGRAM] [HOME]/bin/git-credential-zitadel
warning program: [HOME]/bin/docker-credential-zitadel is version 0.0.1, this program is [VERSION]
    ln -sf [PROGRAM] [HOME]/bin/docker-credential-zitadel
ok program: [PROGRAM] [VERSION]
ok program: on PATH in [HOME]/bin: zitadel-credential

"#]],
    );

    fs::copy(binary(), home.path().join("bin/git-credential-zitadel")).unwrap();
    fs::remove_file(home.path().join("bin/docker-credential-zitadel")).unwrap();
    let found = examine(&case, &[], &path);
    case.matches(&found.of("program"), str![[r#"
warning program: [HOME]/bin/git-credential-zitadel is another file than this program, of the same version
    ln -sf [PROGRAM] [HOME]/bin/git-credential-zitadel
failed program: docker-credential-zitadel is not on PATH, and a tool is set up to run it
    ln -s [PROGRAM] [HOME]/bin/docker-credential-zitadel
ok program: [PROGRAM] [VERSION]
ok program: on PATH in [HOME]/bin: zitadel-credential

"#]]);
}

/// A change of a user's exec entry, and what is said of it.
type ExecRow = (fn(&mut Value), Inline);

#[test]
fn the_kubeconfigs_users_are_held_against_what_kubectl_needs() {
    if program("kubectl").is_none() {
        return;
    }
    let table: [ExecRow; 10] = [
        (
            |_| {},
            str![[r#"
ok kubectl: user ci: profile test, v1

"#]],
        ),
        (
            |exec| exec["apiVersion"] = "client.authentication.k8s.io/v1beta1".into(),
            str![[r#"
ok kubectl: user ci: profile test, v1beta1

"#]],
        ),
        (
            |exec| exec["apiVersion"] = "client.authentication.k8s.io/v1alpha1".into(),
            str![[r#"
failed kubectl: user ci: its apiVersion "client.authentication.k8s.io/v1alpha1" is none that kubectl and we speak
    zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| exec["command"] = "zitadel-credential".into(),
            str![[r#"
failed kubectl: user ci: its command zitadel-credential is not on PATH
    zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| exec["command"] = "bin/zitadel-credential".into(),
            str![[r#"
failed kubectl: user ci: its command bin/zitadel-credential is no program
    zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| drop(exec.as_object_mut().unwrap().remove("interactiveMode")),
            str![[r#"
failed kubectl: user ci: it has no interactiveMode, which v1 needs
    zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| exec["interactiveMode"] = "Always".into(),
            str![[r#"
warning kubectl: user ci: interactiveMode Always keeps it from running without a terminal
    zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| exec["args"] = json!(["token"]),
            str![[r#"
failed kubectl: user ci: its args do not run our command kubectl
    zitadel-credential setup kubectl --user ci

"#]],
        ),
        (
            |exec| exec["args"] = json!(["kubectl", "--profile", "staging"]),
            str![[r#"
failed kubectl: user ci: [HOME]/.config/zitadel-credential/config.toml: no profile is called "staging"
    its profiles are: test; choose one, or let zitadel-credential setup profile staging add it

"#]],
        ),
        (
            |exec| exec["env"] = json!([{"name": "ZITADEL_CREDENTIAL_PROFILE", "value": "other"}]),
            str![[r#"
failed kubectl: user ci: [HOME]/.config/zitadel-credential/config.toml: no profile is called "other"
    its profiles are: test; choose one, or let zitadel-credential setup profile other add it

"#]],
        ),
    ];
    let case = case();
    for (change, told) in table {
        kubeconfig(&case, change);
        case.matches(&examine(&case, &[], &[]).of("kubectl"), told);
    }
}

#[test]
fn without_kubectl_a_kubeconfig_is_looked_at_as_text() {
    let case = case();
    kubeconfig(&case, |_| {});
    let found = examine(&case, &[], &[("PATH", "/nowhere")]);
    case.matches(&found.of("kubectl"), str![[r#"
ok kubectl: [HOME]/.kube/config names us; only its text was looked at, for there is no kubectl to read it

"#]]);
}

#[test]
fn each_registry_of_docker_is_held_against_the_rules() {
    let case = case();
    case.world.allow("registry.acme.test:5000");
    case.world.home.link("docker-credential-zitadel");
    let path = case.world.home.path_with_bin();
    let path = [("PATH", path.to_str().unwrap())];
    let found = examine(&case, &[], &path);
    case.matches(
        &found.of("rule"),
        str![[r#"
warning rule: registry.acme.test:5000: no tool is found that is set up to ask us for it
    zitadel-credential setup git registry.acme.test:5000, or setup docker, bazel, cargo, go or terraform

"#]],
    );

    for (registry, told) in [
        (
            "registry.acme.test:443",
            str![[r#"
failed docker: [HOME]/.docker/config.json: registry.acme.test:443: no host rule lets https://registry.acme.test have a token: registry.acme.test:5000 is for another port
    zitadel-credential setup docker registry.acme.test

"#]],
        ),
        (
            "registry.acme.test:5000",
            str![[r#"
ok docker: [HOME]/.docker/config.json: registry.acme.test:5000: rule registry.acme.test:5000, profile test

"#]],
        ),
    ] {
        wire_docker(&case, registry);
        case.matches(&examine(&case, &[], &path).of("docker"), told);
    }
    assert_eq!(examine(&case, &[], &path).status("rule"), "absent");
    // As long as setup takes it.
    let blanks = " ".repeat(4 * 1024 * 1024 - 2);
    case.world
        .home
        .write(".docker/config.json", format!("{{{blanks}}}"));
    assert_eq!(examine(&case, &[], &path).status("docker"), "absent");
    case.world.home.write(".docker/config.json", "{");
    let found = examine(&case, &[], &path);
    case.matches(
        &found.of("docker"),
        str![[r#"
failed docker: [HOME]/.docker/config.json: it is not as docker writes it (line 1)
    docker cannot read it either: mend it by hand

"#]],
    );
}

#[test]
fn each_helper_of_git_is_held_against_the_rules() {
    if program("git").is_none() {
        return;
    }
    let case = case();
    case.world.allow("git.acme.test");
    case.world.home.link("git-credential-zitadel");
    let path = case.world.home.path_with_bin();
    let path = [("PATH", path.to_str().unwrap())];
    for (url, told) in [
        (
            "https://git.acme.test",
            str![[r#"
ok git: https://git.acme.test: rule git.acme.test, profile test

"#]],
        ),
        (
            "https://evil.test",
            str![[r#"
failed git: https://evil.test: no host rule lets https://evil.test have a token
    zitadel-credential setup git evil.test

"#]],
        ),
        (
            "http://git.acme.test",
            str![[r#"
failed git: http://git.acme.test: host rule git.acme.test is for https, not for http://git.acme.test
    allow-http = true in that rule lets http too

"#]],
        ),
        (
            "ssh://git.acme.test",
            str![[r#"
failed git: ssh://git.acme.test: it is no URL of a host that could have a rule
    git config --global --get-regexp credential shows it: name https://HOST

"#]],
        ),
    ] {
        wire_git(&case, url);
        case.matches(&examine(&case, &[], &path).of("git"), told);
    }
    let helper =
        "[credential \"https://git.acme.test\"]\n\thelper = /nowhere/git-credential-zitadel\n";
    case.world.home.write(".gitconfig", helper);
    case.matches(
        &examine(&case, &[], &path).of("git"),
        str![[r#"
failed git: https://git.acme.test: its helper /nowhere/git-credential-zitadel is not there
    see the check program, or zitadel-credential setup git git.acme.test

"#]],
    );
}

/// git hands an approved login to every helper that it asks for the host.
#[test]
fn another_helper_that_is_handed_the_token_is_told_of_with_its_file() {
    const SECRET: &str = "another's-password";
    if program("git").is_none() {
        return;
    }
    let case = case();
    case.guard(SECRET);
    case.world.allow("git.acme.test");
    case.world.home.link("git-credential-zitadel");
    let path = case.world.home.path_with_bin();
    let path = [("PATH", path.to_str().unwrap())];
    let ours = "[credential \"https://git.acme.test\"]\n\thelper =\n\thelper = zitadel\n";
    let store = "[credential]\n\thelper = store\n";
    for (config, told) in [
        (
            format!("{ours}{store}"),
            str![[r#"
ok git: https://git.acme.test: rule git.acme.test, profile test
warning git: https://git.acme.test: git hands the token to the helper store too, which may keep it; [HOME]/.gitconfig names it
    take it out there, or move it above an empty helper of this host's

"#]],
        ),
        (
            format!("{store}{ours}"),
            str![[r#"
ok git: https://git.acme.test: rule git.acme.test, profile test

"#]],
        ),
        (
            format!("{ours}\thelper = cache --token {SECRET}\n"),
            str![[r#"
ok git: https://git.acme.test: rule git.acme.test, profile test
warning git: https://git.acme.test: git hands the token to the helper cache too, which may keep it; [HOME]/.gitconfig names it
    take it out there, or move it above an empty helper of this host's

"#]],
        ),
        (
            "[credential]\n\thelper = store\n\thelper = zitadel\n".to_owned(),
            str![[r#"
ok git: every host: those that a rule names are answered
warning git: every host: git hands the token to the helper store too, which may keep it; [HOME]/.gitconfig names it
    take it out there, or move it above an empty helper of this host's

"#]],
        ),
        (
            format!("{ours}[credential \"https://github.com\"]\n\thelper = store\n"),
            str![[r#"
ok git: https://git.acme.test: rule git.acme.test, profile test

"#]],
        ),
    ] {
        case.world.home.write(".gitconfig", config);
        case.matches(&examine(&case, &[], &path).of("git"), told);
    }
}

/// As setup writes them where no name of ours is on PATH.
#[test]
fn a_helper_that_names_a_path_in_quotes_is_held_against_the_rules_too() {
    if program("git").is_none() {
        return;
    }
    let case = case();
    case.world.allow("git.acme.test");
    let wire = |program: &str| {
        let helper = format!("helper = !'{program}' git");
        let section = format!("[credential \"https://git.acme.test\"]\n\t{helper}\n");
        case.world.home.write(".gitconfig", section);
        examine(&case, &[], &[])
    };
    let found = wire(binary().to_str().unwrap());
    assert_eq!(found.status("rule"), "absent");
    case.matches(
        &found.of("git"),
        str![[r#"
ok git: https://git.acme.test: rule git.acme.test, profile test

"#]],
    );
    case.matches(
        &wire("/no where/zitadel-credential").of("git"),
        str![[r#"
failed git: https://git.acme.test: its helper /no where/zitadel-credential is not there
    see the check program, or zitadel-credential setup git git.acme.test

"#]],
    );
}

#[test]
fn programs_that_hang_are_ended() {
    let case = case();
    kubeconfig(&case, |_| {});
    for name in ["kubectl", "git", "docker-credential-zitadel"] {
        let path = case
            .world
            .home
            .write(format!("bin/{name}"), "#!/bin/sh\nexec sleep 60\n");
        mode(&path, 0o755);
    }
    symlink(
        binary(),
        case.world.home.path().join("bin/zitadel-credential"),
    )
    .unwrap();
    let path = case.world.home.path_with_bin();
    let start = Instant::now();
    let found = examine(
        &case,
        &["--timeout", "4"],
        &[("PATH", path.to_str().unwrap())],
    );
    assert!(start.elapsed() < Duration::from_secs(8));
    case.matches(
        &found.of("kubectl"),
        str![[r#"
failed kubectl: [HOME]/bin/kubectl config view: not complete within 1 s
    run it by hand: it must print the kubeconfig

"#]],
    );
    case.matches(
        &found.of("git"),
        str![[r#"
failed git: git config: not complete within 1 s
    run git config --get-regexp credential by hand: it must end

"#]],
    );
    assert_eq!(found.status("userinfo"), "ok");
}

#[test]
fn a_program_in_a_relative_directory_of_path_is_never_run() {
    let case = case();
    kubeconfig(&case, |_| {});
    let home = &case.world.home;
    for name in ["kubectl", "git", "zitadel-credential"] {
        // Where the call stands, as a clone's own files do.
        let path = home.write(name, "#!/bin/sh\necho > \"$HOME/was-run\"\n");
        mode(&path, 0o755);
    }
    for path in ["", ".", ".:/nowhere"] {
        examine(&case, &[], &[("PATH", path)]);
    }
    assert!(!home.path().join("was-run").exists());
}
