//! `setup go`: what it tells to copy, whatever the paths and GOAUTH hold.

use super::support::{Running, binary};
use super::{CONFIG, Desk, PROFILE};

fn call(desk: &Desk, arguments: &[&str], goauth: &str) -> (i32, String, String) {
    let mut command = desk.home.command(binary());
    command.args(["setup", "go"]).args(arguments);
    command.env("PATH", desk.home.path_with_bin());
    command.env("GOAUTH", goauth);
    let output = Running::start(command).output();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

#[test]
fn a_path_that_go_would_part_is_refused() {
    let desk = Desk::with_config(PROFILE);
    let config = desk.home.write("a;b.toml", desk.home.read(CONFIG));
    let path = config.to_str().unwrap();
    let before = desk.files();
    let (code, stdout, said) = call(&desk, &["a.dev", "--config", path], "");
    assert_eq!((code, &*stdout), (2, ""), "{said}");
    let what = "a;b.toml: GOAUTH cannot hold this path\n";
    assert!(said.contains(what), "{said}");
    assert!(said.contains("ZITADEL_CREDENTIAL_CONFIG"), "{said}");
    assert_eq!(desk.files(), before);
    let config = desk.home.write("a 'b.toml", desk.home.read(CONFIG));
    let path = config.to_str().unwrap();
    let (_, stdout, _) = call(&desk, &["a.dev", "--config", path], "");
    let path = path.replace('\'', r"'\''");
    let line = format!(" go --config \"{path}\"; netrc'\n");
    assert!(stdout.ends_with(&line), "{stdout}");
}

#[test]
fn nothing_that_goauth_holds_steers_a_terminal() {
    let desk = Desk::with_config(PROFILE);
    for goauth in ["git\u{1b}[31m", "git\ndir"] {
        let (code, stdout, said) = call(&desk, &["a.dev"], goauth);
        assert_eq!((code, &*stdout), (2, ""));
        assert!(
            said.contains("GOAUTH holds what a terminal would act on\n"),
            "{said}"
        );
        assert!(!said.contains('\u{1b}'), "{said}");
    }
    desk.done("go a.dev");
    let ours = "zitadel-credential go; git\u{1b}[31m";
    let (code, stdout, _) = call(&desk, &["a.dev", "--undo"], ours);
    assert_eq!(code, 0);
    assert!(stdout.ends_with("next: take it out there\n"), "{stdout}");
    assert!(!stdout.contains('\u{1b}') && !desk.home.read(CONFIG).contains("a.dev"));
}

#[test]
fn a_command_that_goes_by_another_config_file_is_refused() {
    let desk = Desk::with_config(PROFILE);
    let other = desk.home.write("other.toml", desk.home.read(CONFIG));
    let other = other.to_str().unwrap();
    let program = binary().display().to_string();
    let what = "the variable GOAUTH calls this program with another config file\n";
    let ours = format!("{program} go; netrc");
    let (code, _, said) = call(&desk, &["a.dev", "--config", other], &ours);
    assert!(code == 2 && said.contains(what), "{said}");
    let ours = format!("{program} go --config={other}; netrc");
    let (code, _, said) = call(&desk, &["a.dev"], &ours);
    assert!(code == 2 && said.contains(what), "{said}");
    let (code, stdout, _) = call(&desk, &["a.dev", "--config", other], &ours);
    assert!(
        code == 0 && stdout.contains("names this program already"),
        "{stdout}"
    );
}
