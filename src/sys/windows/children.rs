//! A program that we run, and its descendants: all are killed together, even when this
//! process ends.
//!
//! The processes are in a job, whose only handle this process has. The system ends a job
//! with its last handle, however this process ends. Processes that the program starts
//! before it is in the job are not included.

use std::ffi::OsString;
use std::os::windows::io::AsRawHandle;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};

use win32job::{ExtendedLimitInfo, Job};

use crate::text::clock::Deadline;

/// Returns false: there are no watcher processes here.
pub const fn is_watcher(_: Option<&OsString>) -> bool {
    false
}

/// A job that ends with its handle; `None` once it was ended.
type Ending = Arc<Mutex<Option<Job>>>;

/// One program and its descendants.
pub struct Children(Ending);

impl Children {
    /// Prepares a job for a command before its start. If the system refuses a job, only
    /// the program is killed, not its descendants.
    pub fn of(_: &mut Command, _may_ask: bool) -> Self {
        Self(Arc::new(Mutex::new(job())))
    }

    /// Puts the command's process into the job.
    pub fn follow(&mut self, child: &Child) -> Option<Leader> {
        if let Some(job) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            put(job, child);
        }
        Some(Leader(Arc::clone(&self.0)))
    }

    /// Kills the child and its descendants.
    pub fn kill(&self, _: &Child) {
        end(&self.0);
    }
}

/// A handle to kill a program with its descendants.
pub struct Leader(Ending);

impl Leader {
    /// Kills the program and its descendants.
    pub fn end(&self, _: &Deadline) {
        end(&self.0);
    }
}

fn end(ending: &Ending) {
    ending.lock().unwrap_or_else(PoisonError::into_inner).take();
}

impl Drop for Children {
    fn drop(&mut self) {
        // The program has exited; processes that it leaves running continue, as on Unix.
        if let Some(job) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let_go(job);
        }
    }
}

/// Returns a new job whose processes end with it.
pub(super) fn job() -> Option<Job> {
    let mut limits = ExtendedLimitInfo::new();
    limits.limit_kill_on_job_close();
    let job = Job::create_with_limit_info(&limits);
    job.inspect_err(|error| log::debug!("no job: {error}")).ok()
}

/// Puts a process into a job. Its children from then on are in it too.
pub(super) fn put(job: &Job, child: &Child) {
    if let Err(error) = job.assign_process(child.as_raw_handle() as isize) {
        log::debug!("not in a job: {error}");
    }
}

/// Lets the processes of a job outlive it.
pub(super) fn let_go(job: &Job) {
    if let Err(error) = job.set_extended_limit_info(&ExtendedLimitInfo::new()) {
        log::debug!("still in a job: {error}");
    }
}
