//! What the setups of all tools refuse alike.

use super::{Fixture, PROFILE};

fn fixture() -> Fixture {
    let fixture = Fixture::with_config(PROFILE);
    for name in ["zitadel-credential", "bazel-credential-zitadel"] {
        fixture.home.link(name);
    }
    fixture
}

#[test]
fn what_is_no_host_or_has_no_profile_is_refused() {
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

#[test]
fn a_wildcard_over_hosts_of_strangers_needs_force() {
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
fn a_service_that_takes_no_tokens_of_zitadel_is_named() {
    let fixture = fixture();
    fixture.home.link("docker-credential-zitadel");
    for host in ["docker.io", "index.docker.io", "registry-1.docker.io"] {
        let said = fixture.refused(2, &format!("docker {host}"));
        let reason = format!("{host} belongs to Docker Hub, which takes no tokens of ZITADEL");
        assert!(said.contains(&reason) && said.contains("--force"), "{said}");
    }
    for (words, service) in [
        ("go github.com", "GitHub"),
        ("docker ghcr.io", "GitHub"),
        ("bazel gitlab.com", "GitLab.com"),
        ("docker docker.io --force", "Docker Hub"),
    ] {
        let said = fixture.done(words);
        let warning = format!("belongs to {service}, which takes no tokens of ZITADEL\n");
        assert!(
            said.contains("warning: ") && said.contains(&warning),
            "{said}"
        );
    }
}

/// Whoever holds such a token can add a key to the user.
#[test]
fn a_token_of_zitadels_own_apis_goes_to_another_host_with_a_warning_alone() {
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
