//! Bazel, with the binary as its credential helper, fetches a file that needs a login.
//!
//! Only Debian unstable has a package of Bazel with credential helpers.
//! `tests/clients/bazel-tree.sh` installs it in a directory. That is large, and unstable
//! changes from day to day: without it, the test is skipped, even in CI.
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::gateway::{Gateway, Scheme, Shown};
use crate::program::{stderr_of_failure, stdout_of_success};
use crate::support::{Ca, Response, World, binary};

/// Returns the root directory in which Bazel runs, apart from the system's files.
fn tree() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let tree = target.join("clients/bazel");
    if tree.join("usr/bin/bazel").is_file() {
        return Some(tree);
    }
    eprintln!("skipped: no Bazel");
    None
}

/// Returns the command of a program of the tree, with the world's home directory.
fn within(tree: &Path, world: &World, program: &str) -> Command {
    const ENTER: &str = r#"
        tree=$1 home=$2 target=$3
        shift 3
        for shared in /proc /dev "$home" "$target"; do
          mkdir -p "$tree$shared" && mount --rbind "$shared" "$tree$shared" || exit
        done
        exec chroot "$tree" sh -c 'cd && exec "$@"' sh "$@""#;
    let mut command = world.home.command("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c", ENTER, "sh"])
        .arg(tree)
        .arg(world.home.path().parent().unwrap())
        .arg(binary().parent().unwrap())
        .arg(program)
        .env("PATH", "/usr/sbin:/usr/bin")
        .env("USER", "ci");
    command
}

#[test]
fn bazel_fetches_with_the_header_and_only_from_the_host_that_has_a_rule() {
    let Some(tree) = tree() else { return };
    let world = World::new();
    let ca = Ca::new();
    let servers = ["good", "other"].map(|said| {
        Gateway::start(&ca, &world.issuer, &[Scheme::Bearer], move |_| {
            Response::text(200, said)
        })
    });
    let [good, other] = &servers;
    world.allow(&good.host());
    world.home.write("ca.pem", ca.pem());
    world.home.link("bazel-credential-zitadel");
    let mut keytool = within(&tree, &world, "keytool");
    keytool.args(["-importcert", "-noprompt", "-file", "ca.pem"]);
    keytool.args(["-keystore", "trust", "-storepass", "trusted"]);
    stdout_of_success(keytool);

    let helper = world.home.path().join("bin/bazel-credential-zitadel");
    let fetch = |gateway: &Gateway| {
        world.home.write("BUILD", "");
        world.home.write(
            "WORKSPACE",
            format!(
                "load(\"@bazel_tools//tools/build_defs/repo:http.bzl\", \"http_file\")\n\
                 http_file(name = \"file\", urls = [\"https://{}/file\"])\n",
                gateway.host()
            ),
        );
        let mut bazel = within(&tree, &world, "bazel");
        bazel.args(["--batch", "--output_user_root=out"]);
        bazel.arg(format!(
            "--host_jvm_args=-Djavax.net.ssl.trustStore={}",
            world.home.path().join("trust").display()
        ));
        bazel.arg("--host_jvm_args=-Djavax.net.ssl.trustStorePassword=trusted");
        bazel.args(["fetch", "--noenable_bzlmod", "--http_timeout_scaling=0.1"]);
        bazel.arg(format!("--credential_helper={}", helper.display()));
        bazel.arg("@file//file");
        bazel
    };
    stdout_of_success(fetch(good));
    assert_eq!(good.take_shown(), [Shown::Bearer]);
    let said = stderr_of_failure(fetch(other));
    assert!(said.contains("401 Unauthorized"), "{said}");
    assert_eq!(other.take_shown(), [Shown::Nothing]);
    assert_eq!(world.issuer.token_requests(), 1);
}
