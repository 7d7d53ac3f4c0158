//! Refusals that the setups of all tools have in common.

use super::{CONFIG, Fixture, PROFILE};

fn fixture() -> Fixture {
    let fixture = Fixture::with_config(PROFILE);
    for name in ["zitadel-credential", "bazel-credential-zitadel"] {
        fixture.home.link(name);
    }
    fixture
}

#[test]
fn an_invalid_host_or_missing_profile_is_refused() {
    for tool in ["bazel", "go", "terraform", "cargo"] {
        for (fixture, words, reason) in [
            (fixture(), "https://b.dev", "invalid host"),
            (
                fixture(),
                "b.dev --key-id 1",
                "--key-id is an option of setup profile",
            ),
            (
                fixture(),
                "b.dev --profile absent",
                "no profile named \"absent\"",
            ),
            (Fixture::new(), "b.dev", "no profile"),
        ] {
            let said = fixture.refused(2, &format!("{tool} {words}"));
            assert!(said.contains(reason), "{said}");
        }
    }
}

/// Its issuer is optional.
#[test]
fn a_token_file_of_the_environment_needs_no_profile() {
    let fixture = Fixture::new();
    fixture.home.link("docker-credential-zitadel");
    fixture.home.write("token", "s3cret\n");
    let mut command = fixture.home.zitadel(["setup", "docker", "r.acme.dev"]);
    command
        .env("PATH", fixture.home.path_with_bin())
        .env("ZITADEL_CREDENTIAL_TOKEN_FILE", "~/token");
    let output = command.run();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), &*said), (Some(0), ""));
    let config = fixture.home.read(CONFIG);
    assert_eq!(config, "[hosts.\"r.acme.dev\"]\n");
}

#[test]
fn a_wildcard_over_a_public_suffix_needs_force() {
    let fixture = fixture();
    for host in ["*.com", "*.co.uk", "*.dev", "*.github.io"] {
        for tool in ["bazel", "go", "terraform", "git"] {
            let said = fixture.refused(2, &format!("{tool} {host}"));
            let reason = format!("{host} covers hosts of other people");
            assert!(said.contains(&reason) && said.contains("--force"), "{said}");
        }
        fixture.done(&format!("bazel {host} --force"));
        fixture.done(&format!("bazel {host} --undo"));
    }
}

#[test]
fn a_wildcard_over_addresses_is_refused() {
    let fixture = fixture();
    for words in ["git *.0.0.1", "go *.1", "bazel *.0.0.1:8443 --force"] {
        let said = fixture.refused(2, words);
        assert!(said.contains("matches no host"), "{said}");
    }
}

#[test]
fn a_service_that_rejects_zitadel_tokens_is_named() {
    let fixture = fixture();
    for name in [
        "docker-credential-zitadel",
        "git-credential-zitadel",
        "cargo-credential-zitadel",
    ] {
        fixture.home.link(name);
    }
    let index = "--registry x --index sparse+https://index.crates.io/";
    for (tool, host, service, options) in [
        ("git", "github.com", "GitHub", ""),
        ("git", "gitlab.com", "GitLab.com", ""),
        ("git", "bitbucket.org", "Bitbucket Cloud", ""),
        ("git", "dev.azure.com", "Azure DevOps", ""),
        ("git", "*.github.com", "GitHub", ""),
        ("docker", "docker.io", "Docker Hub", ""),
        ("docker", "index.docker.io", "Docker Hub", ""),
        ("docker", "registry-1.docker.io", "Docker Hub", ""),
        ("docker", "ghcr.io", "GitHub", ""),
        ("docker", "registry.gitlab.com:443", "GitLab.com", ""),
        ("go", "proxy.golang.org", "Go's module proxy", ""),
        ("bazel", "gitlab.com", "GitLab.com", ""),
        ("cargo", "index.crates.io", "crates.io", index),
        ("terraform", "registry.terraform.io", "HashiCorp", ""),
        ("keyring", "pypi.org", "PyPI", ""),
        ("kubelet", "ghcr.io", "GitHub", ""),
    ] {
        let words = format!("{tool} {host} {options}");
        let words = words.trim();
        let said = fixture.refused(2, words);
        let reason = format!("{host} belongs to {service}, which accepts no ZITADEL tokens");
        assert!(said.contains(&reason) && said.contains("--force"), "{said}");
        assert!(said.contains(&format!("an account of {service}")), "{said}");
        assert!(!said.contains("next: "), "{said}");
        // The user may know better, and is still warned.
        let said = fixture.done(&format!("{words} --no-try --force"));
        assert!(said.contains(&format!("warning: {reason}\n")), "{said}");
        for use_of_it in [
            "git clone",
            "docker pull",
            "cargo add",
            "terraform init",
            "pip install",
        ] {
            assert!(!said.contains(use_of_it), "{said}");
        }
        fixture.done(&format!("{tool} {host} --undo"));
    }
}

/// The owner of such a token can add a key to the user.
#[test]
fn a_zitadel_api_token_for_another_host_gives_only_a_warning() {
    for profile in [
        "zitadel-api = true\n",
        "scopes = [\"urn:zitadel:iam:org:project:id:zitadel:aud\"]\n",
    ] {
        let fixture = Fixture::with_config(&format!("{PROFILE}{profile}"));
        for words in ["go b.dev --dry-run", "go b.dev", "go b.dev"] {
            let said = fixture.done(words);
            let warning = "warning: b.dev: profile prod gives it a token for ZITADEL's own APIs";
            assert!(said.contains(warning), "{said}");
        }
        let issuer = fixture.issuer.url().replace("http://", "");
        let own = fixture.done(&format!("go {issuer}"));
        assert!(!own.contains("ZITADEL's own APIs"), "{own}");
    }
}

/// Only flags and environment get the token there: a rule in a file would have no effect.
#[test]
fn a_host_that_the_variable_allows_gets_no_rule() {
    let fixture = fixture();
    for name in ["docker-credential-zitadel", "git-credential-zitadel"] {
        fixture.home.link(name);
    }
    let url = fixture.issuer.url();
    let key = fixture.path().join("key.json");
    let setup = |words: &str, hosts: &str| {
        let mut command = fixture.home.zitadel(["setup"]);
        command
            .env("PATH", fixture.home.path_with_bin())
            .env("ZITADEL_CREDENTIAL_ISSUER", &url)
            .env("ZITADEL_CREDENTIAL_KEY_FILE", &key)
            .env("ZITADEL_CREDENTIAL_HOSTS", hosts);
        command.args(words.split(' ')).run().stdout
    };
    std::fs::remove_file(fixture.path().join(CONFIG)).unwrap();
    let told = "ZITADEL_CREDENTIAL_HOSTS allows r.dev already: no rule is added\n";
    for tool in [
        "docker",
        "git",
        "go",
        "bazel",
        "terraform",
        "keyring",
        "kubelet",
    ] {
        for hosts in ["r.dev", "a.dev *.dev"] {
            let said = String::from_utf8(setup(&format!("{tool} r.dev"), hosts)).unwrap();
            assert!(said.contains(told), "{tool}: {said}");
            assert!(!fixture.exists(CONFIG), "{tool}: {said}");
            setup(&format!("{tool} r.dev --undo"), hosts);
        }
        // Another host, another port or a username needs a rule.
        for (host, hosts) in [
            ("r.dev", "s.dev"),
            ("r.dev:5000", "r.dev"),
            ("*.r.dev", "r.dev"),
        ] {
            if tool == "docker" && host.starts_with('*') {
                continue;
            }
            setup(&format!("{tool} {host} --no-try"), hosts);
            assert!(fixture.exists(CONFIG), "{tool} {host}");
            setup(&format!("{tool} {host} --undo"), hosts);
        }
    }
    setup("git r.dev --username ci", "r.dev");
    assert!(fixture.home.read(CONFIG).contains("username = \"ci\""));
    setup("git r.dev --undo", "r.dev");
    fixture.home.write_config(&PROFILE.replace("ISSUER", &url));
    // Only a rule of the file can name a profile of the file.
    setup("docker r.dev --profile prod", "r.dev");
    assert!(
        fixture
            .home
            .read(CONFIG)
            .contains("[hosts.\"r.dev\"]\nprofile = \"prod\"")
    );
}
