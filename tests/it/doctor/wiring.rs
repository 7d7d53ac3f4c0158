//! Programs on `PATH`, and the tools' files that name this program.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use snapbox::str;

use crate::doctor::{case, examine, found, kubeconfig, mode, wire_docker};
use crate::support::binary;
use crate::support::machine::program;
use crate::support::patience::{patient, within};

#[test]
fn programs_on_path_are_compared_with_this_one() {
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
warning program: [HOME]/bin/git-credential-zitadel is another program, or does not print its version
    ln -sf [PROGRAM] [HOME]/bin/git-credential-zitadel
warning program: [HOME]/bin/docker-credential-zitadel is version 0.0.1, this program is [VERSION]
    ln -sf [PROGRAM] [HOME]/bin/docker-credential-zitadel
ok program: [PROGRAM] [VERSION]
ok program: on PATH in [HOME]/bin: zitadel-credential

"#]],
    );

    home.link("terraform-credentials-zitadel");
    let found = examine(&case, &[], &path);
    let said = found.of("program");
    let said = said.replace(home.path().to_str().unwrap(), "[HOME]");
    let named = "in [HOME]/bin: zitadel-credential, terraform-credentials-zitadel\n";
    assert!(said.contains(named), "{said}");
    fs::remove_file(home.path().join("bin/terraform-credentials-zitadel")).unwrap();

    fs::copy(binary(), home.path().join("bin/git-credential-zitadel")).unwrap();
    fs::remove_file(home.path().join("bin/docker-credential-zitadel")).unwrap();
    let found = examine(&case, &[], &path);
    case.matches(&found.of("program"), str![[r#"
warning program: [HOME]/bin/git-credential-zitadel is another file with the same version as this program
    ln -sf [PROGRAM] [HOME]/bin/git-credential-zitadel
failed program: docker-credential-zitadel is not on PATH, and a tool is set up to run it
    ln -s [PROGRAM] [HOME]/bin/docker-credential-zitadel
ok program: [PROGRAM] [VERSION]
ok program: on PATH in [HOME]/bin: zitadel-credential

"#]]);
}

#[test]
fn programs_that_hang_are_ended() {
    patient(|| {
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
        within(start.elapsed(), Duration::from_secs(8));
        case.matches(
            &found.of("kubectl"),
            str![[r#"
failed kubectl: [HOME]/bin/kubectl config view: not complete within 1 s
    run kubectl config view --raw to see the error

"#]],
        );
        case.matches(
            &found.of("git"),
            str![[r#"
failed git: git config: not complete within 1 s
    run git config --get-regexp credential to see the error

"#]],
        );
        assert_eq!(found.status("userinfo"), "ok");
    });
}

/// doctor runs any file with this program's name, and tools that need no token of it.
#[test]
fn other_programs_get_no_secrets_from_variables() {
    let case = case();
    let home = &case.world.home;
    let elsewhere = tempfile::tempdir().unwrap();
    let noted = elsewhere.path().join("environments");
    let secrets = [
        ("ZITADEL_CREDENTIAL_KEY", "first secret"),
        ("ZITADEL_CREDENTIAL_CLIENT_SECRET", "second secret"),
        ("ZITADEL_CREDENTIAL_SHARED_PASSWORD", "third secret"),
    ];
    let (Some(git), Some(kubectl)) = (program("git"), program("kubectl")) else {
        return;
    };
    let run = |real: &Path| format!("exec '{}' \"$@\"", real.display());
    let programs = [
        ("git", run(&git)),
        ("kubectl", run(&kubectl)),
        ("docker-credential-zitadel", "exit 1".to_owned()),
    ];
    for (name, real) in &programs {
        let script = format!(
            "#!/bin/sh\n(echo ran {name}; env) >> '{}'\n{real}\n",
            noted.display()
        );
        mode(&home.write(format!("bin/{name}"), script), 0o755);
    }
    kubeconfig(&case, |_| {});
    let path = home.path_with_bin();
    let mut variables = secrets.to_vec();
    variables.push(("PATH", path.to_str().unwrap()));
    examine(&case, &[], &variables);
    let environments = fs::read_to_string(&noted).unwrap();
    for (name, _) in &programs {
        assert!(environments.contains(&format!("ran {name}\n")), "{name}");
    }

    let mut setup = case
        .world
        .zitadel(["setup", "git", "git.acme.test", "--no-try"]);
    setup.env("PATH", &path).env(secrets[2].0, secrets[2].1);
    case.end(setup).gives_nothing_away(0);
    let environments = fs::read_to_string(&noted).unwrap();
    for (name, secret) in secrets {
        assert!(!environments.contains(secret), "{name}");
    }
}

#[test]
fn a_program_in_a_relative_directory_of_path_is_never_run() {
    let case = case();
    kubeconfig(&case, |_| {});
    let home = &case.world.home;
    for name in ["kubectl", "git", "zitadel-credential"] {
        // The file is in the directory of the call, like a clone's own files.
        let path = home.write(name, "#!/bin/sh\necho > \"$HOME/was-run\"\n");
        mode(&path, 0o755);
    }
    for path in ["", ".", ".:/nowhere"] {
        examine(&case, &[], &[("PATH", path)]);
    }
    assert!(!home.path().join("was-run").exists());
}

const CARGOS: &str = ".cargo/config.toml";
const RC: &str = ".terraformrc";

const BLOCK: &str = "credentials_helper \"zitadel\" {\n  args = []\n}\n";

#[test]
fn names_that_tools_look_for_must_be_on_path() {
    let case = case();
    let home = &case.world.home;
    home.link("zitadel-credential");
    home.write("bin/keyring", "#!/bin/sh\n");
    super::mode(&home.path().join("bin/keyring"), 0o755);
    home.write(
        ".bazelrc",
        "common --credential_helper=bazel-credential-zitadel\n",
    );
    home.write(
        CARGOS,
        "[registries.a]\ncredential-provider = ['cargo-credential-zitadel']\n",
    );
    case.matches(
        &found(&case, "program"),
        str![[r#"
failed program: bazel-credential-zitadel is not on PATH, and a tool is set up to run it
    ln -s [PROGRAM] [HOME]/bin/bazel-credential-zitadel
failed program: cargo-credential-zitadel is not on PATH, and a tool is set up to run it
    ln -s [PROGRAM] [HOME]/bin/cargo-credential-zitadel
ok program: [PROGRAM] [VERSION]
ok program: on PATH in [HOME]/bin: zitadel-credential

"#]],
    );
    home.link("keyring");
    home.link("bazel-credential-zitadel");
    home.link("cargo-credential-zitadel");
    case.matches(&found(&case, "program"), str![[r#"
ok program: [PROGRAM] [VERSION]
ok program: on PATH in [HOME]/bin: zitadel-credential, bazel-credential-zitadel, cargo-credential-zitadel, keyring

"#]]);
}

/// A rule for which some tool asks is not a finding.
#[test]
fn a_rule_without_a_tool_is_reported() {
    let case = case();
    case.world.allow("a.acme.test");
    case.world.allow("b.acme.test:8443");
    let home = &case.world.home;
    home.write(
        CARGOS,
        "[registries.a]\nindex = 'sparse+https://a.acme.test/'\n\
         credential-provider = ['cargo-credential-zitadel']\n",
    );
    case.matches(
        &found(&case, "rule"),
        str![[r#"
warning rule: b.acme.test:8443: no tool is set up for this host rule
    zitadel-credential setup TOOL b.acme.test:8443, where TOOL is one of git, docker, bazel, cargo, go, terraform, kubelet, keyring

"#]],
    );
    home.write(
        ".bazelrc",
        "common --credential_helper=b.acme.test=bazel-credential-zitadel\n",
    );
    assert_eq!(found(&case, "rule"), "");
    for (file, text) in [
        (".config/go/env", "GOAUTH=zitadel-credential go\n"),
        (RC, BLOCK),
    ] {
        home.write(CARGOS, "");
        home.write(".bazelrc", "");
        assert_ne!(found(&case, "rule"), "");
        let path = home.write(file, text);
        assert_eq!(found(&case, "rule"), "", "{file}");
        fs::remove_file(path).unwrap();
    }
    assert_ne!(found(&case, "rule"), "");
    home.link("keyring");
    assert_eq!(found(&case, "rule"), "", "pip needs no file");
}

#[test]
fn a_too_wide_or_useless_rule_is_reported() {
    let case = case();
    let (issuer, key) = (case.world.issuer.url(), case.world.key_file.display());
    case.world.home.append_config(&format!(
        "[profiles.api]\nissuer = \"{issuer}\"\nkey-file = \"{key}\"\nzitadel-api = true\n\
         [hosts.\"api.acme.test\"]\nprofile = \"api\"\n\
         [hosts.\"*.co.uk\"]\n[hosts.\"*.0.0.1\"]\n[hosts.\"github.com\"]\n",
    ));
    let said = found(&case, "rule");
    for line in [
        "*.0.0.1 matches no host",
        "*.co.uk covers hosts of other people, who can get the token",
        "github.com belongs to GitHub, which accepts no ZITADEL tokens",
        "api.acme.test: profile api gives it a token for ZITADEL's own APIs",
    ] {
        assert!(said.contains(line), "{said}");
    }
}

/// A setup that leaves a line to the user must not be proposed forever.
#[test]
fn a_setup_that_awaits_a_manual_line_is_reported_as_such() {
    let case = case();
    let home = &case.world.home;
    // A profile's setup is in the same journal.
    let profile = ["setup", "profile", "more", "--no-try", "--key-file"];
    let mut profile = home.zitadel(profile);
    profile.arg(&case.world.key_file);
    profile.args(["--issuer", &case.world.issuer.url()]);
    assert!(profile.run().status.success());
    for (tool, host) in [("bazel", "b.acme.test"), ("go", "g.acme.test")] {
        let mut command = home.zitadel(["setup", tool, host]);
        command.env("PATH", home.path_with_bin());
        assert!(command.run().status.success());
    }
    case.matches(
        &found(&case, "rule"),
        str![[r#"
warning rule: b.acme.test: setup bazel added this host rule, but /etc/bazel.bazelrc and ~/.bazelrc do not name this program (doctor does not read the .bazelrc of a workspace)
    add what zitadel-credential setup bazel b.acme.test --dry-run prints
warning rule: g.acme.test: setup go added this host rule, but GOAUTH does not name this program
    add what zitadel-credential setup go g.acme.test --dry-run prints

"#]],
    );
}

#[test]
fn a_call_of_cargo_or_go_is_judged_by_the_config_file_that_it_names() {
    let case = case();
    let home = &case.world.home;
    home.link("cargo-credential-zitadel");
    home.link("zitadel-credential");
    let path = home.path_with_bin();
    let usual = home.read(".config/zitadel-credential/config.toml");
    let other = home.write("other.toml", format!("{usual}[hosts.\"c.test\"]\n"));
    let other = other.display();
    let registry = |provider: &str| {
        format!(
            "[registries.a]\nindex = 'sparse+https://c.test/i/'\n\
             credential-provider = [{provider}]\n"
        )
    };
    let own = format!("'cargo-credential-zitadel', '--config', '{other}'");
    let goauth = format!("zitadel-credential go --config {other}");
    for (provider, goauth, status, is_wired) in [
        (&*own, "", "ok", false),
        ("'cargo-credential-zitadel'", "", "failed", false),
        (&own, "zitadel-credential go", "ok", true),
        (&own, &goauth, "ok", false),
    ] {
        home.write(CARGOS, registry(provider));
        let variables = [("PATH", path.to_str().unwrap()), ("GOAUTH", goauth)];
        let found = examine(&case, &[], &variables);
        let said = found.of("cargo");
        assert!(said.starts_with(status), "{provider}: {said}");
        case.world.allow("a.test");
        let rule = examine(&case, &[], &variables).of("rule");
        assert_eq!(rule.is_empty(), is_wired, "{provider} {goauth}: {rule}");
        home.write(".config/zitadel-credential/config.toml", &*usual);
    }
    // Both name a profile that does not exist.
    home.write(
        CARGOS,
        registry("'cargo-credential-zitadel', '--profile', 'prd'"),
    );
    case.world.allow("c.test");
    let variables = [
        ("PATH", path.to_str().unwrap()),
        ("GOAUTH", "zitadel-credential go --profile prd"),
    ];
    let found = examine(&case, &[], &variables);
    for tool in ["cargo", "go"] {
        let said = found.of(tool);
        assert!(said.starts_with("failed"), "{said}");
        assert!(said.contains("no profile named \"prd\""), "{said}");
    }
}
