//! HOST.

use snapbox::str;

use crate::doctor::{case, examine, kubeconfig, wire_git};
use crate::support::machine::program;

#[test]
fn a_host_is_ok_or_its_finding_says_why() {
    let case = case();
    case.world
        .home
        .append_config("[hosts.\"git.acme.test\"]\nprofile = \"test\"\nusername = \"ci\"\n");
    for (host, told) in [
        (
            "git.acme.test",
            str![[r#"
ok host: host rule git.acme.test for https://git.acme.test: profile test, username ci; git: basic, or Bearer if the server offers no basic

"#]],
        ),
        (
            "https://ci@git.acme.test/a/b.git",
            str![[r#"
ok host: host rule git.acme.test for https://git.acme.test: profile test, username ci; git: basic, or Bearer if the server offers no basic

"#]],
        ),
        (
            "evil.test",
            str![[r#"
failed host: no host rule for https://evil.test
    add [hosts."evil.test"] to the config file; or run zitadel-credential setup TOOL evil.test, for example setup git evil.test; or for one call, give --host evil.test

"#]],
        ),
        (
            "github.com",
            str![[r#"
failed host: no host rule for https://github.com
    github.com belongs to GitHub, which accepts no ZITADEL tokens

"#]],
        ),
        (
            "git.acme.test:444",
            str![[r#"
failed host: no host rule for https://git.acme.test:444: git.acme.test is for another port
    add [hosts."git.acme.test:444"] to the config file; or run zitadel-credential setup TOOL git.acme.test:444, for example setup git git.acme.test:444; or for one call, give --host git.acme.test:444

"#]],
        ),
        (
            "http://git.acme.test",
            str![[r#"
failed host: host rule git.acme.test is for https, not for http://git.acme.test
    use https; or set allow-http = true in that rule if you trust the network

"#]],
        ),
        (
            "me@git.acme.test",
            str![[r#"
failed host: host rule git.acme.test has the username ci, but another one was requested
    request that username, or none

"#]],
        ),
        (
            "a b\u{1b}",
            str![[r#"
failed host: invalid host "a b\u{1b}"
    give host, host:port or a URL

"#]],
        ),
    ] {
        case.matches(&examine(&case, &[host], &[]).of("host"), told);
    }
    for (typed, meant) in [
        ("git@git.acme.test:team/app.git", "git.acme.test"),
        ("ssh://git@git.acme.test:22/app.git", "git.acme.test"),
        ("GIT.acme.test.", "git.acme.test"),
        ("b\u{fc}cher.acme.test", "xn--bcher-kva.acme.test"),
    ] {
        let found = examine(&case, &[typed], &[]).of("host");
        let advice = format!("    run zitadel-credential doctor {meant}\n");
        assert!(
            found.contains("invalid host") && found.ends_with(&advice),
            "{found}"
        );
    }
    case.world.issuer.remove_key(&case.world.user.key_id);
    let found = examine(&case, &["git.acme.test"], &[]);
    case.matches(&found.of("host"), str![[r#"
failed host: host rule git.acme.test for https://git.acme.test: profile test, username ci; git: basic, or Bearer if the server offers no basic; no token available
    fix the first failed check

"#]]);
}

#[test]
fn a_kubectl_cluster_needs_no_rule() {
    if program("kubectl").is_none() {
        return;
    }
    let case = case();
    kubeconfig(&case, |_| {});
    for host in ["kube.acme.test", "https://kube.acme.test:6443"] {
        let found = examine(&case, &[host], &[]);
        assert_eq!(found.status("host"), "ok", "{host}");
    }
    let found = examine(&case, &["kube.acme.test"], &[]);
    case.matches(&found.of("host"), str![[r#"
ok host: https://kube.acme.test is a cluster's server: kubectl needs no host rule; other tools get no token, because there is no host rule

"#]]);
    let found = examine(&case, &["kube.other.test"], &[]);
    assert_eq!(found.status("host"), "failed");
}

#[test]
fn without_a_profile_none_is_named() {
    if program("git").is_none() {
        return;
    }
    let case = case();
    wire_git(&case, "https://git.acme.test");
    case.world.home.link("git-credential-zitadel");
    let path = case.world.home.path_with_bin();
    case.world.home.write_config("");
    let options = ["--host", "git.acme.test"];
    let found = examine(&case, &options, &[("PATH", path.to_str().unwrap())]);
    case.matches(
        &found.of("git"),
        str![[r#"
ok git: https://git.acme.test: host rule git.acme.test, no profile

"#]],
    );
}
