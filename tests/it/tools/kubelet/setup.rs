//! `setup kubelet`: host rules, and the node's file, which is printed or created.

use crate::setup::{CONFIG, Fixture, JOURNAL, PROFILE};
use crate::support::binary;

/// The kubelet has no HOME, so a profile needs the whole path of its key.
fn fixture() -> Fixture {
    let fixture = Fixture::with_config(PROFILE);
    let key = fixture.path().join("key.json").display().to_string();
    let config = fixture.home.read(CONFIG).replace("~/key.json", &key);
    fixture.home.write_config(&config);
    fixture
}

/// Returns the written configuration for these images.
fn configuration(fixture: &Fixture, images: &[&str]) -> String {
    let config = fixture.home.config_path();
    let images: Vec<_> = images.iter().map(|it| format!("  - \"{it}\"")).collect();
    format!(
        "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n\
         - name: \"zitadel-credential\"\n  \
         apiVersion: credentialprovider.kubelet.k8s.io/v1\n  \
         args: [\"kubelet\", \"--config\", \"{}\", \"--cache-dir\", \"/var/cache/zitadel-credential\"]\n  \
         matchImages:\n{}\n  defaultCacheDuration: 0s\n",
        config.display(),
        images.join("\n")
    )
}

#[test]
fn root_owned_settings_are_printed() {
    let fixture = fixture();
    let said = fixture.done("kubelet r.dev:5000 *.acme.dev");
    let home = fixture.path().display().to_string();
    let lines = configuration(&fixture, &["*.acme.dev", "r.dev:5000"]).replace(&home, "~");
    let next = format!(
        "next, in the file of the kubelet's --image-credential-provider-config:\n{lines}\
         and for the kubelet: --image-credential-provider-bin-dir={}\n",
        binary().parent().unwrap().display()
    );
    assert!(said.ends_with(&next), "{said}");
    let user_id = &fixture.user.user_id;
    let tried =
        format!("zitadel-credential kubelet answers for r.dev:5000, with the username {user_id}\n");
    assert!(said.contains(&tried), "{said}");
    assert!(fixture.home.read(CONFIG).contains("[hosts.\"r.dev:5000\"]"));
    let said = fixture.done("kubelet r.dev:5000 *.acme.dev --undo");
    assert!(
        said.ends_with(
            "if you added this program to the kubelet's configuration, remove its entry\n"
        ),
        "{said}"
    );
    assert!(!fixture.exists(JOURNAL));
    let said = fixture.done("kubelet r.dev:5000 --undo");
    assert_eq!(
        said,
        "nothing to change\nkubelet was not set up for r.dev:5000\n"
    );
}

#[test]
fn a_new_file_has_the_hosts_of_all_setups_and_is_removed_with_the_last() {
    let fixture = fixture();
    let before = fixture.home.read(CONFIG);
    let file = fixture.path().join("kubelet/providers.yaml");
    let to = format!("--output {}", file.display());
    let look = fixture.done(&format!("kubelet a.dev {to} --dry-run"));
    assert!(look.contains("+  - \"a.dev\"\n"), "{look}");
    assert!(!file.exists());
    fixture.done(&format!("kubelet a.dev {to}"));
    let read = || std::fs::read_to_string(&file).unwrap();
    assert_eq!(read(), configuration(&fixture, &["a.dev"]));
    fixture.done(&format!("kubelet b.dev {to}"));
    assert_eq!(read(), configuration(&fixture, &["a.dev", "b.dev"]));
    let once = fixture.files();
    fixture.done(&format!("kubelet b.dev {to}"));
    assert_eq!(fixture.files(), once);
    fixture.done(&format!("kubelet a.dev --undo {to}"));
    assert_eq!(read(), configuration(&fixture, &["b.dev"]));
    fixture.done(&format!("kubelet b.dev --undo {to}"));
    assert!(!file.exists() && !fixture.exists(JOURNAL));
    assert_eq!(fixture.home.read(CONFIG), before);
}

#[test]
fn an_administrators_file_is_left_alone_and_the_lines_are_shown() {
    let fixture = fixture();
    fixture.home.write("providers.yaml", "providers: []\n");
    let file = fixture.path().join("providers.yaml");
    let words = format!("kubelet a.dev --output {}", file.display());
    let said = fixture.refused(2, &words);
    assert!(said.contains("the file exists already"), "{said}");
    assert!(said.contains("    - \"a.dev\""), "{said}");
    std::fs::remove_file(&file).unwrap();
    fixture.done(&words);
    fixture.home.write("providers.yaml", "providers: []\n");
    let said = fixture.done(&format!("{words} --undo"));
    assert!(
        said.contains("was changed since the setup, so it stays"),
        "{said}"
    );
    assert_eq!(fixture.home.read("providers.yaml"), "providers: []\n");
    assert!(!fixture.exists(JOURNAL));
}

/// The kubelet runs in another directory.
#[test]
fn a_cache_directory_is_written_absolute() {
    let fixture = fixture();
    let home = fixture.path().display().to_string();
    for typed in ["cache", "./x/../cache", "~/cache"] {
        let said = fixture.done(&format!("kubelet a.dev --no-try --cache-dir {typed}"));
        let written = "\"--cache-dir\", \"~/cache\"]";
        assert!(said.contains(written), "{home}: {said}");
        fixture.done("kubelet a.dev --undo");
    }
}

/// The kubelet would not find the key.
#[test]
fn a_key_below_a_home_unknown_to_the_kubelet_is_reported() {
    let fixture = Fixture::with_config(PROFILE);
    let outcome = fixture.setup("kubelet a.dev");
    assert_eq!(outcome.code, 1);
    let said = "a.dev is set up, but kubelet gets no login for it: key file ";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("next, "), "{}", outcome.stdout);
}
