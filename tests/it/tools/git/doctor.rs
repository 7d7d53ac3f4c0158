//! The findings of doctor in git's configuration.

use snapbox::str;

use crate::doctor::{case, examine, wire_git};
use crate::support::machine::program;
use crate::support::{Case, binary};

#[test]
fn each_helper_of_git_is_compared_with_the_rules() {
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
ok git: https://git.acme.test: host rule git.acme.test, profile test

"#]],
        ),
        (
            "https://evil.test",
            str![[r#"
failed git: https://evil.test: no host rule for https://evil.test
    zitadel-credential setup git evil.test

"#]],
        ),
        (
            "http://git.acme.test",
            str![[r#"
failed git: http://git.acme.test: host rule git.acme.test is for https, not for http://git.acme.test
    use https; or set allow-http = true in that rule if you trust the network

"#]],
        ),
        (
            "ssh://git.acme.test",
            str![[r#"
failed git: ssh://git.acme.test: invalid URL
    write https://HOST; git config --global --get-regexp credential shows the entry

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
failed git: https://git.acme.test: helper /nowhere/git-credential-zitadel not found
    run zitadel-credential setup git git.acme.test, or see the row "program"

"#]],
    );
}

/// git passes an approved login to every helper of the host.
#[test]
fn another_helper_that_gets_the_token_is_reported_with_its_file() {
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
ok git: https://git.acme.test: host rule git.acme.test, profile test
warning git: https://git.acme.test: git also passes the token to the helper store, which may store it; configured in [HOME]/.gitconfig
    remove it there, or move it before an empty helper of this host

"#]],
        ),
        (
            format!("{store}{ours}"),
            str![[r#"
ok git: https://git.acme.test: host rule git.acme.test, profile test

"#]],
        ),
        (
            format!("{ours}\thelper = cache --token {SECRET}\n"),
            str![[r#"
ok git: https://git.acme.test: host rule git.acme.test, profile test
warning git: https://git.acme.test: git also passes the token to the helper cache, which may store it; configured in [HOME]/.gitconfig
    remove it there, or move it before an empty helper of this host

"#]],
        ),
        (
            "[credential]\n\thelper = store\n\thelper = zitadel\n".to_owned(),
            str![[r#"
ok git: all hosts: those with a host rule get a token
warning git: all hosts: git also passes the token to the helper store, which may store it; configured in [HOME]/.gitconfig
    remove it there; or add a line helper = before this program's helper of this host

"#]],
        ),
        (
            format!("{ours}[credential \"https://github.com\"]\n\thelper = store\n"),
            str![[r#"
ok git: https://git.acme.test: host rule git.acme.test, profile test

"#]],
        ),
    ] {
        case.world.home.write(".gitconfig", config);
        case.matches(&examine(&case, &[], &path).of("git"), told);
    }
}

/// Setup writes these if none of our names is on PATH.
#[test]
fn a_helper_with_a_quoted_path_is_compared_with_the_rules_too() {
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
ok git: https://git.acme.test: host rule git.acme.test, profile test

"#]],
    );
    case.matches(
        &wire("/no where/zitadel-credential").of("git"),
        str![[r#"
failed git: https://git.acme.test: helper /no where/zitadel-credential not found
    run zitadel-credential setup git git.acme.test, or see the row "program"

"#]],
    );
}

/// Configures git for these URLs, with our name on PATH. Returns the findings of a name.
fn found(case: &Case, urls: &[&str], before: &str, arguments: &[&str], name: &str) -> String {
    case.world.home.link("git-credential-zitadel");
    let sections = urls
        .iter()
        .map(|url| format!("[credential \"{url}\"]\n\thelper = zitadel\n"));
    let sections: String = sections.collect();
    case.world
        .home
        .write(".gitconfig", format!("{before}{sections}"));
    let path = case.world.home.path_with_bin();
    examine(case, arguments, &[("PATH", path.to_str().unwrap())]).of(name)
}

#[test]
fn a_helper_that_gets_tokens_of_several_hosts_is_reported_with_all_of_them() {
    if program("git").is_none() {
        return;
    }
    let case = case();
    case.world.allow("a.acme.test");
    case.world.allow("b.acme.test");
    let urls = ["https://a.acme.test", "https://b.acme.test"];
    let store = "[credential]\n\thelper = store\n";
    case.matches(
        &found(&case, &urls, store, &[], "git"),
        str![[r#"
ok git: https://a.acme.test: host rule a.acme.test, profile test
ok git: https://b.acme.test: host rule b.acme.test, profile test
warning git: https://a.acme.test, https://b.acme.test: git also passes the token to the helper store, which may store it; configured in [HOME]/.gitconfig
    remove it there; or add a line helper = before this program's helper of this host

"#]],
    );
}

#[test]
fn a_host_beyond_gits_wildcard_is_reported() {
    if program("git").is_none() {
        return;
    }
    let case = case();
    case.world.allow("*.acme.test");
    let of_host = |urls: &[&str], host: &str| found(&case, urls, "", &[host], "host");
    let wildcard = ["https://*.acme.test"];
    case.matches(
        &of_host(&wildcard, "a.b.acme.test"),
        str![[r#"
ok host: host rule *.acme.test for https://a.b.acme.test: profile test, the user ID as username; git: basic, or Bearer if the server offers no basic
warning host: git does not ask this program for https://a.b.acme.test: the * of https://*.acme.test matches one label only
    zitadel-credential setup git a.b.acme.test

"#]],
    );
    let one = of_host(&wildcard, "a.acme.test");
    assert!(!one.contains("warning"), "{one}");
    let both = of_host(
        &["https://*.acme.test", "https://a.b.acme.test"],
        "a.b.acme.test",
    );
    assert!(!both.contains("warning"), "{both}");
}

#[test]
fn a_rule_that_allows_http_is_compared_with_gits_helpers() {
    if program("git").is_none() {
        return;
    }
    let case = case();
    case.world
        .home
        .append_config("[hosts.\"git.acme.test\"]\nprofile = \"test\"\nallow-http = true\n");
    let https = ["https://git.acme.test"];
    case.matches(
        &found(&case, &https, "", &[], "git"),
        str![[r#"
ok git: https://git.acme.test: host rule git.acme.test, profile test
warning git: host rule git.acme.test allows plain http, but git asks this program only for https://git.acme.test
    zitadel-credential setup git git.acme.test

"#]],
    );
    let both = ["https://git.acme.test", "http://git.acme.test"];
    let both = found(&case, &both, "", &[], "git");
    assert!(!both.contains("warning"), "{both}");
}

/// `setup git --config FILE` writes this.
#[test]
fn a_helper_is_judged_by_the_config_file_that_it_names() {
    if program("git").is_none() {
        return;
    }
    let case = case();
    let home = &case.world.home;
    let usual = home.read(".config/zitadel-credential/config.toml");
    home.write(
        "team/other.toml",
        format!("{usual}[hosts.\"git.team.test\"]\n[hosts.\"b.team.test\"]\n"),
    );
    for link in ["git-credential-zitadel", "zitadel-credential"] {
        home.link(link);
    }
    let path = home.path_with_bin();
    let path = [("PATH", path.to_str().unwrap())];
    let other = home.path().join("team/other.toml");
    let other = other.display();
    let by_path = format!(
        "!'{}' git",
        home.path().join("bin/zitadel-credential").display()
    );
    let wire = |url: &str, helper: &str| {
        let text = format!("[credential \"{url}\"]\n\thelper = {helper}\n");
        home.write(".gitconfig", text);
    };
    for helper in [
        format!("zitadel --config {other}"),
        format!("zitadel --config='{other}'"),
        "zitadel --config ~/team/other.toml".to_owned(),
        format!("{by_path} --config '{other}'"),
        format!(
            "!'{}' --config '{other}' git",
            home.path().join("bin/zitadel-credential").display()
        ),
    ] {
        wire("https://git.team.test", &helper);
        case.matches(
            &examine(&case, &[], &path).of("git"),
            str![[r#"
ok git: https://git.team.test: host rule git.team.test, profile test

"#]],
        );
        wire("https://evil.test", &helper);
        let said = examine(&case, &[], &path).of("git");
        let advice = "    zitadel-credential setup git evil.test --config ";
        assert!(
            said.contains("no host rule for https://evil.test\n"),
            "{said}"
        );
        assert!(
            said.contains(advice) && said.contains("team/other.toml"),
            "{said}"
        );
    }
    // A rule of the default file does not count for that helper, and no tool is set up
    // for it.
    case.world.allow("git.team.test");
    wire(
        "https://git.team.test",
        &format!("zitadel --config {other}"),
    );
    let said = examine(&case, &[], &path).of("rule");
    assert!(
        said.contains("no tool is set up for this host rule"),
        "{said}"
    );
    wire("https://git.team.test", "zitadel");
    assert_eq!(examine(&case, &[], &path).of("rule"), "");
    let usual = home.path().join(".config/zitadel-credential/config.toml");
    wire(
        "https://git.team.test",
        &format!("zitadel --config {}", usual.display()),
    );
    assert_eq!(examine(&case, &[], &path).of("rule"), "");
    wire("https://git.team.test", "zitadel --config /nowhere.toml");
    let said = examine(&case, &[], &path).of("git");
    assert!(
        said.starts_with("failed git: https://git.team.test: "),
        "{said}"
    );
    assert!(said.contains("/nowhere.toml"), "{said}");
}

#[test]
fn a_helper_with_a_wrong_profile_or_option_is_reported() {
    if program("git").is_none() {
        return;
    }
    let case = case();
    let home = &case.world.home;
    case.world.allow("git.acme.test");
    for link in ["git-credential-zitadel", "zitadel-credential"] {
        home.link(link);
    }
    let path = home.path_with_bin();
    let path = [("PATH", path.to_str().unwrap())];
    let mut said = String::new();
    for section in ["credential", "credential \"https://git.acme.test\""] {
        for helper in [
            "zitadel --profile test -v",
            "zitadel --profile prd",
            "zitadel --profle test",
        ] {
            home.write(".gitconfig", format!("[{section}]\n\thelper = {helper}\n"));
            said.push_str(&examine(&case, &[], &path).of("git"));
        }
    }
    case.matches(&said, str![[r#"
ok git: all hosts: those with a host rule get a token
failed git: all hosts: [HOME]/.config/zitadel-credential/config.toml: no profile named "prd"
    choose one of: test; or run zitadel-credential setup profile prd to create it
failed git: all hosts: this program refuses the options of its helper
    zitadel-credential git --help lists them; git config --get-regexp credential shows the line
ok git: https://git.acme.test: host rule git.acme.test, profile test
failed git: https://git.acme.test: [HOME]/.config/zitadel-credential/config.toml: no profile named "prd"
    choose one of: test; or run zitadel-credential setup profile prd to create it
failed git: https://git.acme.test: this program refuses the options of its helper
    zitadel-credential git --help lists them; git config --get-regexp credential shows the line

"#]]);
}
