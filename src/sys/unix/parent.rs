//! The parent process of this one.

use std::fs;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;

/// A parent process of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its process ID.
    pub pid: u32,
    /// Its start time, in the system's unit: in a container the same ID comes back at
    /// every run. Zero if unknown.
    pub started: u64,
    /// The identity of its program: Google's kubectl runs its plugin and then becomes
    /// another kubectl, in the same process. Zero if unknown.
    pub program: u64,
}

impl Parent {
    /// Returns the current parent process.
    pub fn current() -> Self {
        let pid = std::os::unix::process::parent_id();
        Self {
            pid,
            started: started(pid).unwrap_or_default(),
            program: program(pid).unwrap_or_default(),
        }
    }
}

/// Returns the start time of a process, in clock ticks since boot: the 22nd field of
/// `/proc/PID/stat`.
fn started(pid: u32) -> Option<u64> {
    field(pid, 22)?.parse().ok()
}

/// Returns the file that a process runs, by device and inode.
fn program(pid: u32) -> Option<u64> {
    let file = fs::metadata(format!("/proc/{pid}/exe")).ok()?;
    Some(file.ino() ^ file.dev().rotate_left(32))
}

/// Returns all processes, each with its parent; an empty list if they are unknown.
pub(super) fn parents() -> Vec<(i32, i32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes
        .filter_map(|pid: u32| Some((pid.cast_signed(), field(pid, 4)?.parse().ok()?)))
        .collect()
}

/// Returns a field of `/proc/PID/stat`, counted from 1, after the name, which may contain
/// any characters (proc(5)).
fn field(pid: u32, number: usize) -> Option<String> {
    // The kernel returns the line as a whole, and these fields are at its start.
    let mut stat = [0; 512];
    let mut file = File::open(format!("/proc/{pid}/stat")).ok()?;
    let length = file.read(&mut stat).ok()?;
    let stat = &stat[..length];
    let after_name = stat.iter().rposition(|b| *b == b')')? + 1;
    let fields = std::str::from_utf8(&stat[after_name..]).ok()?;
    let field = fields
        .split_ascii_whitespace()
        .nth(number.checked_sub(3)?)?;
    Some(field.to_owned())
}
