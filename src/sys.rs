//! What differs by operating system, behind one face: the rest of the program
//! names `crate::sys` alone, and nothing of one system's own.
//!
//! Each system brings these modules, with the same names in them:
//!
//! | module | what it does |
//! |---|---|
//! | `exec` | becomes another program; no core dumps |
//! | `files` | creates, opens, links and fsyncs private files and directories |
//! | `group` | children that are ended with all that they started |
//! | `handle` | other processes: SIGHUP, and orphans that PID 1 reaps |
//! | `lock` | locks on files and directories |
//! | `notify` | the service manager |
//! | `parent` | the process that runs this one |
//! | `signals` | an end that is asked for; file size limits |
//! | `status` | owner, mode and identity of a file |
//! | `streams` | bounded waits on pipes; writes that leave no half text |
//!
//! `process`, `replace` and `temporary` stand on these, and are the same everywhere.

mod environment;
pub mod limit;
pub mod process;
pub mod replace;
pub mod temporary;
#[cfg(unix)]
mod unix;

pub use environment::Environment;
pub(crate) use environment::named;
#[cfg(unix)]
pub use unix::{exec, files, group, handle, lock, notify, parent, signals, status, streams};

#[cfg(not(unix))]
compile_error!("there is no port to this system yet: it needs the modules that sys.rs lists");

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    /// Setup's own files still name Unix.
    fn is_let_be(file: &Path) -> bool {
        file.components().any(|part| part.as_os_str() == "edit") || file.ends_with("setup.rs")
    }

    fn files(dir: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(dir).expect("a directory");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths
            .flat_map(|path| {
                if path.is_dir() {
                    files(&path)
                } else {
                    vec![path]
                }
            })
            .collect()
    }

    #[test]
    fn only_sys_names_what_is_one_systems_own() {
        const NAMES: [&str; 6] = [
            "std::os::",
            "rustix::",
            "fs2::",
            "signal_hook::",
            "\"/proc",
            "cfg(unix)",
        ];
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let all = files(&src);
        assert!(all.len() > 100, "{all:?}");
        let others = all.iter().filter(|file| {
            !file.starts_with(src.join("sys")) && **file != src.join("sys.rs") && !is_let_be(file)
        });
        for file in others.filter(|file| !file.ends_with("tests.rs")) {
            let text = fs::read_to_string(file).expect("text");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for name in NAMES {
                assert!(!code.contains(name), "{name} in {}", file.display());
            }
        }
    }
}
