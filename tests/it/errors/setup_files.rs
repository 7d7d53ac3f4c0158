//! `setup`: the files that it does not take, and why.

use std::fs;
use std::fs::File;
use std::os::unix::fs::symlink;

use rustix::fs::{FlockOperation, flock};
use snapbox::str;

use super::setup::{CONFIG, words};
use crate::support::Case;

#[test]
fn files_that_are_not_as_they_should_be() {
    let case = Case::new();
    let home = &case.world.home;
    home.write(".docker/config.json", "{");
    case.run(words("setup docker r.dev")).fails(
        2,
        str![[r#"
zitadel-credential: error: [HOME]/.docker/config.json: it is no JSON that docker would read
  hint: see what stands in it, or move it away; nothing was changed

"#]],
    );
    home.write(".docker/config.json", "{\"a\": 1, \"a\": 2}");
    case.run(words("setup docker r.dev")).fails(
        2,
        str![[r#"
zitadel-credential: error: [HOME]/.docker/config.json: a name stands twice in it
  hint: which of them counts is for nobody to guess: keep one

"#]],
    );
    case.run(words("setup docker r.dev --authfile .docker"))
        .fails(
            2,
            str![[r#"
zitadel-credential: error: .docker: it is no regular file
  hint: name the file itself

"#]],
        );
    symlink("nowhere", home.path().join("link")).unwrap();
    case.run(words("setup docker r.dev --authfile link")).fails(
        2,
        str![[r#"
zitadel-credential: error: link: it is a link to what is not there
  hint: make the file that it leads to, or remove the link

"#]],
    );
    case.run(["setup", "docker", "r.dev", "--authfile", CONFIG])
        .fails(
            2,
            str![[r#"
zitadel-credential: error: .config/zitadel-credential/config.toml: it is our config file
  hint: name the tool's own file

"#]],
        );
    case.run(words("setup docker r.dev --authfile key.json"))
        .fails(
            2,
            str![[r#"
zitadel-credential: error: key.json: it is a key file
  hint: name the tool's own file

"#]],
        );
    home.append_config("hosts = {}\n");
    case.run(words("setup docker r.dev")).fails(2, str![[r#"
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 7: unknown field `hosts`, expected one of `issuer`, `key-file`, `key-command`, `key-id`, `user-id`, `scopes`, `projects`, `zitadel-api`, `ca-file`, `allow-http`

"#]]);
}

#[test]
fn what_setup_remembers_in_another_form() {
    let case = Case::new();
    let journal = ".config/zitadel-credential/setup.json";
    let home = &case.world.home;
    home.write(journal, "{}");
    case.run(words("setup docker r.dev")).fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/setup.json: it is not as setup writes it: line 1 has another form
  hint: move it away to go on without it; what was set up before must then be taken out by hand

"#]]);
    fs::remove_file(home.path().join(journal)).unwrap();
    assert_eq!(case.run(words("setup docker r.dev")).code, Some(0));
    let text = home.read(journal);
    let damaged = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        home.write(journal, text.replace(from, to));
        case.run(words("setup docker r.dev --undo"))
    };
    damaged("\"files\": {\n    \"", "\"files\": {\n    \"..").fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/setup.json: it is not as setup writes it: ..[HOME]/.config/zitadel-credential/config.toml is no plain absolute path
  hint: move it away to go on without it; what was set up before must then be taken out by hand

"#]]);
    damaged("\"before\": null", "\"before\": \"x\"").fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/setup.json: it is not as setup writes it: what it says of [HOME]/.docker/config.json is no digest
  hint: move it away to go on without it; what was set up before must then be taken out by hand

"#]]);
    damaged("\"docker r.dev ", "\"docker\\n r.dev ").fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/setup.json: it is not as setup writes it: setup docker\n r.dev [HOME]/.docker/config.json has no plain name
  hint: move it away to go on without it; what was set up before must then be taken out by hand

"#]]);
    damaged("\"credHelpers\"", "\"auths\"").fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/setup.json: it is not as setup writes it: setup docker r.dev [HOME]/.docker/config.json would not have done what it says
  hint: move it away to go on without it; what was set up before must then be taken out by hand

"#]]);
    damaged("config.toml\",", "other.toml\",").fails(2, str![[r#"
zitadel-credential: error: hosts.r.dev was put into another config file: [HOME]/.config/zitadel-credential/other.toml
  hint: --config [HOME]/.config/zitadel-credential/other.toml names that one

"#]]);
}

#[test]
fn a_file_that_would_be_too_large() {
    let case = Case::new();
    let text = "x".repeat(4 * 1024 * 1024 - 20);
    let home = &case.world.home;
    home.write(".docker/config.json", format!("{{\"a\":\"{text}\"}}"));
    case.run(words("setup docker r.dev")).fails(
        2,
        str![[r#"
zitadel-credential: error: [HOME]/.docker/config.json: it would be larger than 4194304 bytes
  hint: it could not be read any more: take out of it what nobody needs

"#]],
    );
}

#[test]
fn a_setup_that_could_not_be_remembered() {
    let case = Case::new();
    case.run(words("setup docker r.dev --authfile a/../b.json"))
        .fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/setup.json: it cannot hold this setup: [HOME]/a/../b.json is no plain absolute path
  hint: an undo goes by it: paths and names have no control characters there, and paths no ..

"#]]);
}

#[test]
fn another_setup_under_way() {
    let case = Case::new();
    let dir = case.world.home.config_path();
    let dir = File::open(dir.parent().unwrap()).unwrap();
    flock(&dir, FlockOperation::LockExclusive).unwrap();
    case.run(words("setup docker r.dev --timeout 1")).fails(
        75,
        str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential: another setup is under way
  hint: wait for it, or see what it waits for; --timeout waits longer

"#]],
    );
}
