//! A separate home directory, in which the real binary runs.

use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

use tempfile::TempDir;

use super::program::on_path;

const BINARY: &str = "zitadel-credential";
const CONFIG: &str = ".config/zitadel-credential/config.toml";

/// Variables that a program keeps from our environment; `LLVM_PROFILE_FILE` so that its
/// coverage is counted.
const KEPT: [&str; 3] = ["PATH", "TMPDIR", "LLVM_PROFILE_FILE"];

/// A temporary directory as `HOME`, removed on drop.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("home-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .unwrap();
        Self(directory)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file that only its owner can read, and creates its parent directories.
    pub fn write(&self, relative: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(relative);
        make_directory(path.parent().unwrap());
        let _ = fs::remove_file(&path);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(contents.as_ref()))
            .unwrap();
        path
    }

    pub fn read(&self, relative: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path().join(relative)).unwrap()
    }

    pub fn config_path(&self) -> PathBuf {
        self.path().join(CONFIG)
    }

    /// Replaces the configuration.
    pub fn write_config(&self, toml: &str) -> PathBuf {
        self.write(CONFIG, toml)
    }

    pub fn append_config(&self, toml: &str) -> PathBuf {
        let before = self.read(CONFIG);
        self.write_config(&format!("{before}\n{toml}"))
    }

    /// Returns a program with this home, `PATH` and few other variables.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let program = Path::new(&program);
        // std forks to start a program that it must find on PATH, which copies the tables
        // of a large test's memory
        let found = match program.components().count() {
            1 => on_path(program).next(),
            _ => None,
        };
        let mut command = Command::new(found.as_deref().unwrap_or(program));
        command
            .env_clear()
            .env("HOME", self.path())
            // kubectl exits before it needs to free memory, and takes a third less time.
            .env("GOGC", "400")
            .envs(
                KEPT.iter()
                    .filter_map(|name| Some((name, env::var_os(name)?))),
            )
            .current_dir(self.path());
        command
    }

    /// Returns the binary under test.
    pub fn zitadel<I>(&self, arguments: I) -> super::command::Command
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let mut command = self.command(binary());
        command.args(arguments);
        command.into()
    }

    /// Returns the binary under one of its other names, in `bin`.
    pub fn link(&self, name: &str) -> PathBuf {
        let link = self.path().join("bin").join(name);
        make_directory(link.parent().unwrap());
        let _ = fs::remove_file(&link);
        symlink(binary(), &link).unwrap();
        link
    }

    /// Returns `PATH` with the links first.
    pub fn path_with_bin(&self) -> OsString {
        let inherited = env::var_os("PATH").unwrap_or_default();
        let links = std::iter::once(self.path().join("bin"));
        env::join_paths(links.chain(env::split_paths(&inherited))).unwrap()
    }
}

fn make_directory(path: &Path) {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .unwrap();
}

/// Returns the binary under test: this build's, or another one, optimised or for another
/// processor. For integration tests, Cargo builds the binary and names its path; for an
/// example it does neither.
pub fn binary() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    if let Some(other) = env::var_os("ZITADEL_CREDENTIAL_TEST_PROGRAM") {
        return other.into();
    }
    match option_env!("CARGO_BIN_EXE_zitadel-credential") {
        Some(path) => path.into(),
        None => BUILT.get_or_init(build).clone(),
    }
}

/// Builds the binary beside the running example, in the same profile. Without cargo, uses
/// the existing one.
fn build() -> PathBuf {
    let example = env::current_exe().unwrap();
    let directory = example
        .ancestors()
        .skip(1)
        .find(|path| !path.ends_with("examples") && !path.ends_with("deps"))
        .unwrap();
    if let Some(cargo) = env::var_os("CARGO") {
        let profile = match directory.file_name().and_then(OsStr::to_str) {
            Some("debug") | None => "dev",
            Some(profile) => profile,
        };
        let status = cargo_build(&cargo, profile).status().unwrap();
        assert!(status.success(), "{BINARY} does not build");
    }
    let binary = directory.join(BINARY);
    assert!(
        binary.exists(),
        "{} is missing: run `cargo build` first",
        binary.display()
    );
    binary
}

/// Returns the build that finds all dependencies as `cargo run --example` left them.
fn cargo_build(cargo: &OsStr, profile: &str) -> Command {
    let mut build = Command::new(cargo);
    build
        // without the examples, dependencies would have fewer features
        .args(["build", "--quiet", "--examples", "--bin", BINARY])
        .args(["--profile", profile])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    // cargo sets these for the programs of `cargo run`; ring's build script reads them
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&name);
        }
    }
    build
}
