//! From a key file to working tools, only by `setup`, and back.

mod all;
mod git;
mod keepers;
mod kills;
mod kubectl;
mod mounts;
mod tools;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::docker::write_image;
use crate::gateway::{Gateway, Scheme, Shown};
use crate::git::{backend, gits};
use crate::kubernetes::cluster::Cluster;
use crate::program::{client, output_of, stdout_of_success};
use crate::registry::Registry;
use crate::support::tree::Node;
use crate::support::{Home, World, tree};

const KUBECONFIG: &str = ".kube/config";
const CONFIG: &str = ".config/zitadel-credential/config.toml";

/// Returns a home with a key file, the binary and its names on PATH, and no config.
fn fresh() -> Cluster {
    let cluster = Cluster::new();
    let home = &cluster.world.home;
    fs::remove_dir_all(home.path().join(".config")).unwrap();
    for name in [
        "zitadel-credential",
        "git-credential-zitadel",
        "docker-credential-zitadel",
    ] {
        home.link(name);
    }
    cluster
}

/// Returns the home of [`fresh`], with a profile.
fn with_profile() -> Cluster {
    let cluster = fresh();
    let World { home, issuer, .. } = &cluster.world;
    setup(
        home,
        &format!("profile prod --issuer {} --key-file key.json", issuer.url()),
    );
    cluster
}

/// Writes an administrator's kubeconfig: its context is of another user.
fn kubeconfig(cluster: &Cluster) {
    cluster.configure("client.authentication.k8s.io/v1", None);
    let home = &cluster.world.home;
    let mut config: Value = serde_json::from_str(&home.read(KUBECONFIG)).unwrap();
    config["users"] = json!([{ "name": "admin", "user": { "token": "hunter2hunter2" } }]);
    config["contexts"][0]["context"]["user"] = "admin".into();
    home.write(KUBECONFIG, config.to_string());
}

fn command(home: &Home, program: impl AsRef<Path>) -> Command {
    let mut command = home.command(program.as_ref());
    command.env("PATH", home.path_with_bin());
    command
}

/// Calls `setup` with these words, separated by spaces; it must succeed.
fn setup(home: &Home, words: &str) -> String {
    let mut setup = command(home, "zitadel-credential");
    setup.arg("setup").args(words.split(' '));
    stdout_of_success(setup)
}

/// Returns the user's own files: not the key, the caches or the files of servers.
fn files(home: &Home) -> BTreeMap<String, Node> {
    let left_out = [
        ".cache",
        ".kube/cache",
        ".local",
        "bin",
        "key.json",
        "registry",
        "srv",
        "image",
    ];
    let mut files = tree(home.path(), &left_out);
    files.retain(|_, node| *node != Node::Directory);
    files
}

#[test]
fn four_commands_lead_from_a_key_file_to_tools_that_work_and_back() {
    let (Some(kubectl), Some(skopeo), Some(registry)) = (
        client("kubectl"),
        client("skopeo"),
        client("docker-registry"),
    ) else {
        return;
    };
    for git in gits() {
        let cluster = fresh();
        kubeconfig(&cluster);
        let World { home, issuer, .. } = &cluster.world;
        let srv = home.path().join("srv");
        let forge = Gateway::start(
            cluster.ca(),
            issuer,
            &[Scheme::Basic],
            backend(git.clone(), srv),
        );
        let registry = Registry::start(&registry, home);
        let upstream = registry.upstream;
        let store = Gateway::start(cluster.ca(), issuer, &[Scheme::Basic], move |request| {
            upstream.answer(request)
        });
        let ca_file = home.write("ca.pem", cluster.ca().pem());
        // git would pass the token to `store`, which saves it.
        home.write(
            ".gitconfig",
            format!(
                "[http]\n\tsslCAInfo = {}\n[credential]\n\thelper = store\n",
                ca_file.display()
            ),
        );
        home.write(".docker/config.json", "{\n  \"auths\": {}\n}\n");
        symlink(&git, home.path().join("bin/git")).unwrap();
        symlink(&kubectl, home.path().join("bin/kubectl")).unwrap();
        let before = files(home);

        let four = [
            format!("profile prod --issuer {} --key-file key.json", issuer.url()),
            "kubectl --user zitadel --context test".to_owned(),
            format!("git {}", forge.host()),
            format!("docker {} --username ci", store.host()),
        ];
        for words in &four {
            let dry = setup(home, &format!("{words} --dry-run"));
            assert!(dry.contains("\n@@ "), "{dry}");
            assert!(!dry.contains("hunter2"), "{dry}");
            setup(home, words);
        }
        assert_eq!(issuer.token_requests(), 1);
        let once = files(home);
        for words in &four {
            let said = setup(home, words);
            assert!(said.starts_with("nothing to change\n"), "{said}");
        }
        assert_eq!(files(home), once);

        let mut get = command(home, &kubectl);
        get.args(["--context", "test", "get", "--raw", "/version"]);
        assert!(stdout_of_success(get).contains("v1.33.0"));
        let mut init = command(home, &git);
        init.args(["init", "--quiet", "--bare", "srv/app.git"]);
        stdout_of_success(init);
        let mut fetch = command(home, &git);
        fetch.args(["ls-remote", &format!("https://{}/app.git", forge.host())]);
        fetch.env("GIT_TERMINAL_PROMPT", "0");
        stdout_of_success(fetch);
        write_image(home, "image");
        let image = format!("docker://{}/team/app:1.0", store.host());
        for words in [
            ["copy", "oci:image:1.0", &image].as_slice(),
            &["inspect", &image],
        ] {
            let mut call = command(home, &skopeo);
            call.arg("--insecure-policy").args(words);
            call.env("SSL_CERT_FILE", &ca_file)
                .env(
                    "REGISTRY_AUTH_FILE",
                    home.path().join(".docker/config.json"),
                )
                .env("_CONTAINERS_ROOTLESS_UID", "1000");
            stdout_of_success(call);
        }
        let user_id = cluster.world.user.user_id.clone();
        assert_eq!(cluster.gateway.take_shown(), [Shown::Bearer]);
        assert_eq!(forge.take_shown(), [Shown::Nothing, Shown::Basic(user_id)]);
        assert_eq!(
            store.take_shown(),
            [Shown::Nothing, Shown::Basic("ci".to_owned())]
        );
        // A second test of the key was requested; the tools needed only one token.
        assert_eq!(issuer.token_requests(), 2);
        assert!(!home.path().join(".git-credentials").exists());

        let host = store.host();
        for words in [
            format!("git {} --undo", forge.host()),
            format!("docker {host} --undo"),
            "kubectl --user zitadel --undo".to_owned(),
            "profile prod --undo".to_owned(),
        ] {
            setup(home, &words);
        }
        assert_eq!(files(home), before);
    }
}

#[test]
fn a_user_at_a_terminal_is_asked_for_missing_values() {
    let Some(script) = client("script") else {
        return;
    };
    let cluster = fresh();
    let World { home, issuer, .. } = &cluster.world;
    let mut terminal = command(home, script);
    let call = "zitadel-credential setup profile prod";
    terminal.args(["--quiet", "--return", "--command", call, "/dev/null"]);
    let answers = format!("{}\nkey.json\n", issuer.url());
    let output = output_of(terminal, answers.as_bytes());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Issuer, the instance's URL"), "{said}");
    assert!(said.contains("Key file, the JSON"), "{said}");
    let path = home.path().join("key.json");
    assert!(
        home.read(CONFIG)
            .contains(&format!("key-file = \"{}\"", path.display()))
    );
}

/// Only the group in the foreground may read from a terminal: `op`, `sudo` and similar
/// programs ask there.
#[test]
fn a_key_command_may_ask_the_user_at_the_terminal() {
    let Some(script) = client("script") else {
        return;
    };
    let cluster = fresh();
    let World { home, issuer, .. } = &cluster.world;
    let url = issuer.url();
    home.write(
        CONFIG,
        format!(
            "[profiles.prod]\nissuer = \"{url}\"\n\
             key-command = [\"sh\", \"-c\", \"read file < /dev/tty; cat $file\"]\n"
        ),
    );
    let mut terminal = command(home, script);
    let call = "zitadel-credential token --timeout 10";
    terminal.args(["--quiet", "--return", "--command", call, "/dev/null"]);
    let output = output_of(terminal, b"key.json\n");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(issuer.token_requests(), 1);
}
