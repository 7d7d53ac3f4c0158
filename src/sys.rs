//! The interface to the operating system. The rest of the program has no code for a
//! single system.
//!
//! Each system provides these modules, with the same names in them:
//!
//! | module | what it does |
//! |---|---|
//! | `access` | mode and group of a file that other users may read |
//! | `children` | a program that we run, killed with its descendants |
//! | `dir` | open directories, in which files are opened by descriptor |
//! | `exec` | becomes another program; no core dumps |
//! | `files` | creates, opens, links and fsyncs private files and directories |
//! | `handle` | other processes: SIGHUP, and orphans that PID 1 reaps |
//! | `lock` | locks on files and directories |
//! | `notify` | the service manager |
//! | `parent` | the process that runs this one |
//! | `paths` | paths and program names, as users and other programs write them |
//! | `signals` | termination requests; file size limits |
//! | `sockets` | TCP connections in parallel |
//! | `stack` | separate stacks, if `ulimit -s` is small |
//! | `status` | owner, mode and identity of a file |
//! | `streams` | bounded waits on pipes; writes without partial output |
//!
//! `absolute`, `directories`, `process`, `replace` and `temporary` use these modules, on
//! every system.

pub mod absolute;
pub mod directories;
mod environment;
pub mod process;
pub mod replace;
pub mod temporary;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

/// The most symbolic links in a path, as in Linux (`path_resolution(7)`).
pub(crate) const MOST_LINKS: usize = 40;

pub use environment::Environment;
pub(crate) use environment::named;
#[cfg(unix)]
pub use unix::{
    access, children, dir, exec, files, handle, lock, notify, parent, paths, signals, sockets,
    stack, status, streams,
};
#[cfg(windows)]
pub use windows::{
    access, children, dir, exec, files, handle, lock, notify, parent, paths, signals, sockets,
    stack, status, streams,
};

#[cfg(not(any(unix, windows)))]
compile_error!("there is no port to this system yet: it needs the modules that sys.rs lists");
