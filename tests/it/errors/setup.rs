//! `setup`: its refusals, with their reasons.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use snapbox::str;

use crate::support::Case;

pub const CONFIG: &str = ".config/zitadel-credential/config.toml";

pub fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

#[test]
fn an_incomplete_profile() {
    let case = Case::new();
    case.run(words("setup profile new")).fails(
        2,
        str![[r#"
zitadel-credential: error: a new profile needs --issuer
  hint: zitadel-credential setup profile NAME --issuer https://acme.zitadel.cloud --key-file FILE

"#]],
    );
    case.run(words("setup profile new --issuer https://a.dev"))
        .fails(
            2,
            str![[r#"
zitadel-credential: error: a new profile needs --key-file
  hint: zitadel-credential setup profile NAME --issuer https://acme.zitadel.cloud --key-file FILE

"#]],
        );
    case.run(words("setup profile new --host a.dev")).fails(
        2,
        str![[r#"
zitadel-credential: error: --host is not an option of setup profile
  hint: zitadel-credential setup TOOL HOST adds a host rule, for example setup git HOST

"#]],
    );
    case.run(words("setup profile new --profile test")).fails(
        2,
        str![[r#"
zitadel-credential: error: --profile is not an option of setup profile
  hint: give the name as an argument: setup profile NAME

"#]],
    );
    case.run(["setup", "profile", ""]).fails(
        2,
        str![[r#"
zitadel-credential: error: invalid profile name: empty, too long or not plain text
  hint: use a name like prod

"#]],
    );
}

#[test]
fn a_key_that_no_config_file_may_contain() {
    let case = Case::new();
    let mut call = case
        .world
        .zitadel(words("setup profile new --issuer https://a.dev"));
    call.env("ZITADEL_CREDENTIAL_KEY", case.world.user.key_json());
    case.end(call).fails(
        2,
        str![[r#"
zitadel-credential: error: a profile cannot contain the key of ZITADEL_CREDENTIAL_KEY
  hint: save it to a file for --key-file, or use the variable without a profile

"#]],
    );
}

#[test]
fn a_profile_that_rules_name_or_that_is_the_default() {
    let case = Case::with_profile("key-file = \"~/key.json\"");
    case.world.home.write_config("");
    let issuer = case.world.issuer.url();
    let put_in = [
        "setup",
        "profile",
        "new",
        "--key-file",
        "key.json",
        "--issuer",
        &issuer,
    ];
    assert_eq!(case.run(put_in).code, Some(0));
    assert_eq!(case.run(words("setup docker r.dev")).code, Some(0));
    case.run(words("setup profile new --undo")).fails(
        2,
        str![[r#"
zitadel-credential: error: host rules still use profile new: r.dev
  hint: undo their setups first (setup TOOL HOST --undo), or remove them by hand

"#]],
    );
    assert_eq!(case.run(words("setup docker r.dev --undo")).code, Some(0));
    let before = case.world.home.read(CONFIG);
    case.world
        .home
        .write_config(&format!("default-profile = \"new\"\n{before}"));
    case.run(words("setup profile new --undo")).fails(
        2,
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: default-profile is still new
  hint: set another default-profile, or remove the line

"#]],
    );
}

#[test]
fn invalid_options_and_hosts() {
    let case = Case::new();
    case.run(words("setup docker r.dev --issuer https://a.dev"))
        .fails(
            2,
            str![[r#"
zitadel-credential: error: --issuer is an option of setup profile
  hint: set it with zitadel-credential setup profile NAME, and choose that profile here with --profile

"#]],
        );
    case.run(words("setup docker *.r.dev")).fails(
        2,
        str![[r#"
zitadel-credential: error: *.r.dev is a wildcard
  hint: name each registry: credHelpers has no wildcards

"#]],
    );
    case.run(words("setup docker https://r.dev")).fails(
        2,
        str![[r#"
zitadel-credential: error: invalid host: "https://r.dev"
  hint: write r.dev

"#]],
    );
    case.run(words("setup docker r.dev --profile absent"))
        .fails(
            2,
            str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: no profile named "absent"
  hint: choose one of: test
  hint: run zitadel-credential setup profile absent to create it

"#]],
        );
    case.run(words("setup docker r.dev --username a:b"))
        .fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: host rule r.dev: username is empty, or contains a colon or a control character
  hint: remove username to use the user ID

"#]]);
}

#[test]
fn a_tool_without_a_profile() {
    let case = Case::new();
    case.world.home.write_config("");
    case.run(words("setup docker r.dev")).fails(
        2,
        str![[r#"
zitadel-credential: error: no profile
  hint: run zitadel-credential setup profile NAME
  hint: with several profiles, choose one with --profile

"#]],
    );
}

#[test]
fn a_conflicting_rule() {
    let case = Case::new();
    case.world
        .home
        .append_config("[hosts.\"r.dev\"]\nusername = \"eve\"\n");
    case.run(words("setup docker r.dev --username ci"))
        .fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/config.toml: host rule r.dev is there, with another profile or username
  hint: change that rule by hand, or undo the setup that added it: see zitadel-credential setup list

"#]]);
}

#[test]
fn a_host_with_a_password() {
    let case = Case::new();
    case.run(words("setup git https://ci:hunter2@git.a.dev"))
        .fails(
            2,
            str![[r#"
zitadel-credential: error: invalid host: "https://ci:[…]@git.a.dev"
  hint: write git.a.dev

"#]],
        );
    case.run(words("setup docker ci:hunter2@r.dev")).fails(
        2,
        str![[r#"
zitadel-credential: error: invalid host: "ci:[…]@r.dev"
  hint: write r.dev

"#]],
    );
}

#[test]
fn a_token_as_a_name() {
    let case = Case::new();
    case.run(words(
        "setup kubectl --user eyJhbGciOiJSUzI1NiIsImtpZCI6IjMyMCJ9.e30.c2ln",
    ))
    .fails(
        2,
        str![[r#"
zitadel-credential: error: the value of --user looks like a key or a token
  hint: use a plain name, as it is written to files; if this value is a valid secret, revoke it

"#]],
    );
}

#[test]
fn missing_tools() {
    let case = Case::new();
    let without_path = |line| {
        let mut call = case.world.zitadel(words(line));
        call.env("PATH", "/nowhere");
        case.end(call)
    };
    without_path("setup git g.dev").fails(
        2,
        str![[r#"
zitadel-credential: error: git is not on PATH
  hint: install git: setup runs it to change its files

"#]],
    );
    without_path("setup kubectl --user u").fails(
        2,
        str![[r#"
zitadel-credential: error: kubectl is not on PATH
  hint: install kubectl: setup runs it to change its files

"#]],
    );
    let git = case
        .world
        .home
        .write("bin/git", "#!/bin/sh\nexec sleep 60\n");
    fs::set_permissions(git, Permissions::from_mode(0o700)).unwrap();
    let bin = case.world.home.path().join("bin");
    let with_path = |line| {
        let mut call = case.world.zitadel(words(line));
        call.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        case.end(call)
    };
    with_path("setup git g.dev --timeout 1").fails(
        1,
        str![[r#"
zitadel-credential: error: [HOME]/bin/git: not complete within 1 s
  hint: run git by hand: it must exit

"#]],
    );
    case.world
        .home
        .write("bin/git", "#!/bin/sh\nkill -XFSZ $$\n");
    let git = bin.join("git");
    fs::set_permissions(git, Permissions::from_mode(0o700)).unwrap();
    with_path("setup git g.dev").fails(
        1,
        str![[r#"
zitadel-credential: error: git failed: no message, signal: 25 (SIGXFSZ)
  hint: run git by hand to see more

"#]],
    );
    let mut call = case.world.zitadel(words("setup kubectl --user u"));
    call.env("KUBECONFIG", "/a:/b");
    case.end(call).fails(
        2,
        str![[r#"
zitadel-credential: error: KUBECONFIG has several files
  hint: choose one with --kubeconfig

"#]],
    );
}
