//! Other processes: sending SIGHUP, and reaping orphans.

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process};
#[cfg(target_os = "linux")]
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

/// A handle of a process. On Linux it stays valid for only that process, even if another
/// one gets its ID.
pub enum ProcessHandle {
    /// A file descriptor of the process (`pidfd_open(2)`).
    #[cfg(target_os = "linux")]
    Descriptor(rustix::fd::OwnedFd),
    /// The process ID, on systems without such descriptors.
    Id(Pid),
}

impl ProcessHandle {
    /// Opens a handle of the process with this ID.
    ///
    /// # Errors
    /// There is no such process.
    pub fn open(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or(Errno::SRCH)?;
        #[cfg(target_os = "linux")]
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => return Ok(Self::Descriptor(fd)),
            // Returned by kernels before 5.3, and by sandboxes that do not know the call.
            Err(Errno::NOSYS | Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
        rustix::process::test_kill_process(pid).or_else(|error| {
            if error == Errno::PERM {
                Ok(())
            } else {
                Err(error)
            }
        })?;
        Ok(Self::Id(pid))
    }

    /// Sends SIGHUP.
    ///
    /// # Errors
    /// The process has exited, or belongs to another user.
    pub fn hang_up(&self) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Descriptor(fd) => pidfd_send_signal(fd, Signal::HUP)?,
            Self::Id(pid) => kill_process(*pid, Signal::HUP)?,
        }
        Ok(())
    }
}

/// Reaps orphans that have exited, if this process is PID 1: it inherits the processes
/// that a key-command leaves running.
pub fn reap_orphans() {
    if rustix::process::getpid() == Pid::INIT {
        while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn asleep() -> Child {
        // If the test runner ignores SIGHUP (nohup), it is ignored here too.
        let script = "import signal, time\nsignal.signal(signal.SIGHUP, signal.SIG_DFL)\n\
                      print(flush=True)\ntime.sleep(60)";
        let mut child = Command::new("python3")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut stdout = child.stdout.take().expect("a pipe");
        stdout.read_exact(&mut [0]).expect("a line");
        child
    }

    fn number_of(child: &Child) -> i32 {
        child.id().cast_signed()
    }

    #[test]
    fn a_process_gets_sighup_and_an_ended_one_is_an_error() {
        let mut child = asleep();
        let handle = ProcessHandle::open(number_of(&child)).expect("a process");
        handle.hang_up().expect("sent");
        assert_eq!(child.wait().expect("an end").signal(), Some(1));
        assert!(handle.hang_up().is_err(), "its number may be another's");
        assert!(ProcessHandle::open(number_of(&child)).is_err());
        let mut child = asleep();
        let pid = Pid::from_child(&child);
        ProcessHandle::Id(pid).hang_up().expect("sent");
        assert_eq!(child.wait().expect("an end").signal(), Some(1));
    }
}
