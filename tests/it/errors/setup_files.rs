//! `setup`: files that it refuses, with the reasons.

use std::fs;
use std::fs::File;
use std::os::unix::fs::symlink;

use rustix::fs::{FlockOperation, flock};
use snapbox::str;

use super::setup::{CONFIG, words};
use crate::support::Case;

#[test]
fn invalid_tool_files() {
    let case = Case::new();
    let home = &case.world.home;
    home.write(".docker/config.json", "{");
    case.run(words("setup docker r.dev")).fails(
        2,
        str![[r#"
zitadel-credential: error: [HOME]/.docker/config.json: invalid docker configuration: not JSON
  hint: correct it, or move it away; nothing was changed

"#]],
    );
    home.write(".docker/config.json", "{\"a\": 1, \"a\": 2}");
    case.run(words("setup docker r.dev")).fails(
        2,
        str![[r#"
zitadel-credential: error: [HOME]/.docker/config.json: duplicate key
  hint: keep one of the two

"#]],
    );
    case.run(words("setup docker r.dev --authfile .docker"))
        .fails(
            2,
            str![[r#"
zitadel-credential: error: .docker: not a regular file
  hint: name the file itself

"#]],
        );
    symlink("nowhere", home.path().join("link")).unwrap();
    case.run(words("setup docker r.dev --authfile link")).fails(
        2,
        str![[r#"
zitadel-credential: error: link: dangling symbolic link
  hint: create its target, or remove the link

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
zitadel-credential: error: config file [HOME]/.config/zitadel-credential/config.toml: line 7: unknown field `hosts`
  hint: write each host as a table of its own: [hosts."HOST"], and below it profile = "NAME"

"#]]);
}

#[test]
fn an_invalid_setup_journal() {
    let case = Case::new();
    let journal = ".config/zitadel-credential/setup.json";
    let home = &case.world.home;
    home.write(journal, "{}");
    case.run(words("setup docker r.dev")).fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/setup.json: invalid setup journal: invalid line 1
  hint: move it away to continue without it; then undo earlier setups by hand

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
zitadel-credential: error: [HOME]/.config/zitadel-credential/setup.json: invalid setup journal: ..[HOME]/.config/zitadel-credential/config.toml is not a plain absolute path
  hint: move it away to continue without it; then undo earlier setups by hand

"#]]);
    damaged("\"before\": null", "\"before\": \"x\"").fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/setup.json: invalid setup journal: invalid digest of [HOME]/.docker/config.json
  hint: move it away to continue without it; then undo earlier setups by hand

"#]]);
    damaged("\"docker r.dev ", "\"docker\\n r.dev ").fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/setup.json: invalid setup journal: invalid setup name docker\n r.dev [HOME]/.docker/config.json
  hint: move it away to continue without it; then undo earlier setups by hand

"#]]);
    damaged("\"credHelpers\"", "\"auths\"").fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/setup.json: invalid setup journal: setup docker r.dev [HOME]/.docker/config.json never makes such a change
  hint: move it away to continue without it; then undo earlier setups by hand

"#]]);
    damaged("config.toml\",", "other.toml\",").fails(2, str![[r#"
zitadel-credential: error: hosts.r.dev is in another config file: [HOME]/.config/zitadel-credential/other.toml
  hint: run the undo with --config [HOME]/.config/zitadel-credential/other.toml

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
zitadel-credential: error: [HOME]/.docker/config.json: larger than 4194304 bytes after the change
  hint: remove unused entries: a larger file could not be read again

"#]],
    );
}

#[test]
fn a_setup_that_cannot_be_recorded() {
    let case = Case::new();
    case.run(words("setup docker r.dev --authfile a/../b.json"))
        .fails(2, str![[r#"
zitadel-credential: error: [HOME]/.config/zitadel-credential/setup.json: this setup cannot be recorded: [HOME]/a/../b.json is not a plain absolute path
  hint: use paths and names without control characters, and paths without ..

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
zitadel-credential: error: [HOME]/.config/zitadel-credential: another setup or key rotation is under way
  hint: try again later; --timeout extends the wait

"#]],
    );
}
