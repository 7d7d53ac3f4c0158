//! What doctor finds in git's configuration.

use snapbox::str;

use crate::doctor::{case, examine, wire_git};
use crate::support::binary;
use crate::support::machine::program;

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
    run zitadel-credential setup git git.acme.test, or see the check program

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
    remove it there, or move it before an empty helper of this host

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
ok git: https://git.acme.test: host rule git.acme.test, profile test

"#]],
    );
    case.matches(
        &wire("/no where/zitadel-credential").of("git"),
        str![[r#"
failed git: https://git.acme.test: helper /no where/zitadel-credential not found
    run zitadel-credential setup git git.acme.test, or see the check program

"#]],
    );
}
