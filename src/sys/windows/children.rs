//! A program that we run, with all that it starts: ended together, also when this
//! process ends.
//!
//! They are in a job, whose only handle this process has. The system ends a job with its
//! last handle, however this process ends. What the program starts in the moment before
//! it is in the job is not.

use std::ffi::OsString;
use std::os::windows::io::AsRawHandle;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};

use win32job::{ExtendedLimitInfo, Job};

use crate::text::clock::Deadline;

/// Returns false: no process of ours watches another.
pub const fn is_watcher(_: Option<&OsString>) -> bool {
    false
}

/// A job that ends with its handle; `None` once it was ended.
type Ending = Arc<Mutex<Option<Job>>>;

/// One program and what it starts.
pub struct Children(Ending);

impl Children {
    /// Prepares a job for a command that is about to be started. Without one, where the
    /// system refuses it, the program is ended alone.
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

    /// Kills the child and all that it started.
    pub fn kill(&self, _: &Child) {
        end(&self.0);
    }
}

/// What ends a program with all that it started.
pub struct Leader(Ending);

impl Leader {
    /// Kills the program and what it started.
    pub fn end(&self, _: &Deadline) {
        end(&self.0);
    }
}

fn end(ending: &Ending) {
    ending.lock().unwrap_or_else(PoisonError::into_inner).take();
}

impl Drop for Children {
    fn drop(&mut self) {
        // The program has ended, and what it leaves running goes on, as on Unix.
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

/// Puts a process into a job. What it starts from then on is in it too.
pub(super) fn put(job: &Job, child: &Child) {
    if let Err(error) = job.assign_process(child.as_raw_handle() as isize) {
        log::debug!("not in a job: {error}");
    }
}

/// Lets the processes of a job go on without it.
pub(super) fn let_go(job: &Job) {
    if let Err(error) = job.set_extended_limit_info(&ExtendedLimitInfo::new()) {
        log::debug!("still in a job: {error}");
    }
}
