//! `setup go`: the line to copy, for all paths and values of GOAUTH.

use crate::setup::{CONFIG, Fixture, PROFILE};
use crate::support::{Running, binary};

fn fixture() -> Fixture {
    let fixture = Fixture::with_config(PROFILE);
    fixture.home.link("zitadel-credential");
    fixture
}

fn call(fixture: &Fixture, arguments: &[&str], goauth: &str) -> (i32, String, String) {
    let mut command = fixture.home.command(binary());
    command.args(["setup", "go"]).args(arguments);
    command.env("PATH", fixture.home.path_with_bin());
    command.env("GOAUTH", goauth);
    let output = Running::start(command).output();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

#[test]
fn a_path_that_go_would_split_is_refused() {
    let fixture = Fixture::with_config(PROFILE);
    let config = fixture.home.write("a;b.toml", fixture.home.read(CONFIG));
    let path = config.to_str().unwrap();
    let before = fixture.files();
    let (code, stdout, said) = call(&fixture, &["a.dev", "--config", path], "");
    assert_eq!((code, &*stdout), (2, ""), "{said}");
    let what = "a;b.toml: GOAUTH cannot contain this path\n";
    assert!(said.contains(what), "{said}");
    assert!(said.contains("ZITADEL_CREDENTIAL_CONFIG"), "{said}");
    assert_eq!(fixture.files(), before);
    let config = fixture.home.write("a 'b.toml", fixture.home.read(CONFIG));
    let path = config.to_str().unwrap();
    let (_, stdout, _) = call(&fixture, &["a.dev", "--config", path], "");
    let path = path.replace('\'', r"'\''");
    let line = format!(" go --config \"{path}\"; netrc'\n");
    assert!(stdout.ends_with(&line), "{stdout}");
}

#[test]
fn no_value_of_goauth_controls_a_terminal() {
    let fixture = Fixture::with_config(PROFILE);
    for goauth in ["git\u{1b}[31m", "git\ndir"] {
        let (code, stdout, said) = call(&fixture, &["a.dev"], goauth);
        assert_eq!((code, &*stdout), (2, ""));
        assert!(
            said.contains("GOAUTH contains control characters\n"),
            "{said}"
        );
        assert!(!said.contains('\u{1b}'), "{said}");
    }
    fixture.done("go a.dev");
    let ours = "zitadel-credential go; git\u{1b}[31m";
    let (code, stdout, _) = call(&fixture, &["a.dev", "--undo"], ours);
    assert_eq!(code, 0);
    assert!(stdout.ends_with("next: remove it there\n"), "{stdout}");
    assert!(!stdout.contains('\u{1b}') && !fixture.home.read(CONFIG).contains("a.dev"));
}

#[test]
fn a_command_with_another_config_file_is_refused() {
    let fixture = Fixture::with_config(PROFILE);
    let other = fixture.home.write("other.toml", fixture.home.read(CONFIG));
    let other = other.to_str().unwrap();
    let program = binary().display().to_string();
    let what = "the variable GOAUTH runs this program with another config file\n";
    let ours = format!("{program} go; netrc");
    let (code, _, said) = call(&fixture, &["a.dev", "--config", other], &ours);
    assert!(code == 2 && said.contains(what), "{said}");
    let ours = format!("{program} go --config={other}; netrc");
    let (code, _, said) = call(&fixture, &["a.dev"], &ours);
    assert!(code == 2 && said.contains(what), "{said}");
    let (code, stdout, _) = call(&fixture, &["a.dev", "--config", other], &ours);
    assert!(
        code == 0 && stdout.contains("names this program already"),
        "{stdout}"
    );
}

const GO_ENV: &str = ".config/go/env";

#[test]
fn go_gets_one_value_that_keeps_existing_commands() {
    let fixture = fixture();
    let before = fixture.files();
    let next = "zitadel-credential go answers for g.dev\n\
                next: go env -w GOAUTH='zitadel-credential go; netrc'\n";
    assert_eq!(
        fixture.done("go g.dev"),
        format!("changed ~/{CONFIG}\n{next}")
    );
    assert_eq!(
        fixture.done("go g.dev"),
        format!("nothing to change\n{next}")
    );
    fixture.home.write(GO_ENV, "GOAUTH=git /src; netrc\n");
    let said = fixture.done("go g.dev");
    let next = "next: go env -w GOAUTH='zitadel-credential go; git /src; netrc'\n";
    assert!(said.ends_with(next), "{said}");
    fixture
        .home
        .write(GO_ENV, "GOAUTH=zitadel-credential go; netrc\n");
    let names_us = format!("GOAUTH in ~/{GO_ENV} names this program already\n");
    assert!(fixture.done("go g.dev").ends_with(&names_us));
    // Go exits when it reads this.
    fixture
        .home
        .write(GO_ENV, "GOAUTH=zitadel-credential go; off\n");
    let next = "next: go env -w GOAUTH='zitadel-credential go'\n";
    let said = fixture.done("go g.dev");
    assert!(said.ends_with(next), "{said}");
    fixture
        .home
        .write(GO_ENV, "GOAUTH=zitadel-credential go; netrc\n");
    fixture.done("go h.dev");
    let said = fixture.done("go h.dev --undo");
    assert!(said.ends_with("removed hosts.h.dev\n"), "{said}");
    fixture.done("go g.dev --undo");
    std::fs::remove_dir_all(fixture.path().join(".config/go")).unwrap();
    assert_eq!(fixture.files(), before);
}

/// This is the state after the binary was moved; doctor sends users here.
#[test]
fn a_goauth_value_that_does_not_run_us_is_replaced() {
    let fixture = fixture();
    for (was, value) in [
        (
            "/nowhere/zitadel-credential go; netrc",
            "zitadel-credential go; netrc",
        ),
        ("zitadel-credential", "zitadel-credential go"),
    ] {
        fixture.home.write(GO_ENV, format!("GOAUTH={was}\n"));
        let next = format!("next: go env -w GOAUTH='{value}'\n");
        assert!(fixture.done("go g.dev").ends_with(&next), "{was}");
    }
}

#[test]
fn undo_prints_the_goauth_value_without_us() {
    let fixture = fixture();
    for (value, next) in [
        ("zitadel-credential go; netrc", "go env -u GOAUTH"),
        ("/opt/zitadel-credential go", "go env -u GOAUTH"),
        (
            "git /src;'/a b/zitadel-credential' go ; netrc",
            "go env -w GOAUTH='git /src; netrc'",
        ),
    ] {
        fixture.done("go g.dev");
        fixture.home.write(GO_ENV, format!("GOAUTH={value}\n"));
        let said = fixture.done("go g.dev --undo");
        let told = format!("GOAUTH in ~/{GO_ENV} still names this program\nnext: {next}\n");
        assert!(said.ends_with(&told), "{said}");
    }
    for (value, next) in [
        ("zitadel-credential go", "unset GOAUTH"),
        ("zitadel-credential go; off", "export GOAUTH='off'"),
    ] {
        let mut undo = fixture.home.zitadel(["setup", "go", "g.dev", "--undo"]);
        let output = undo.env("GOAUTH", value).run();
        let said = String::from_utf8(output.stdout).unwrap();
        let told = format!("the variable GOAUTH still names this program\nnext: {next}\n");
        assert!(said.ends_with(&told), "{said}");
    }
}

#[test]
fn go_is_given_the_programs_path_and_config_where_it_would_find_neither() {
    let fixture = Fixture::with_config(PROFILE);
    let config = fixture.home.write("a b/c.toml", fixture.home.read(CONFIG));
    let mut setup = fixture.home.zitadel(["setup", "go", "g.dev", "--config"]);
    let output = setup.arg(&config).env("GOAUTH", "off").run();
    let said = String::from_utf8(output.stdout).unwrap();
    let next = format!(
        "next: export GOAUTH='{} go --config \"{}\"'\n",
        crate::support::binary().display(),
        config.display()
    );
    assert!(said.ends_with(&next), "{said}");
}

/// Go expands no `~`, but this program does.
#[test]
fn a_config_file_below_the_home_directory_is_this_setups_own() {
    let fixture = Fixture::with_config(PROFILE);
    fixture.home.write("other.toml", fixture.home.read(CONFIG));
    let goauth = format!("{} go --config ~/other.toml", binary().display());
    let words = ["a.dev", "--config", "other.toml", "--no-try"];
    let (code, stdout, said) = call(&fixture, &words, &goauth);
    assert_eq!((code, &*said), (0, ""));
    let already = "the variable GOAUTH names this program already\n";
    assert!(stdout.ends_with(already), "{stdout}");
}
