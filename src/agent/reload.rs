//! Other processes: the one that is told to read its token anew, and orphans.

use std::io;

use rustix::io::Errno;
#[cfg(target_os = "linux")]
use rustix::process::PidfdFlags;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, pidfd_open, pidfd_send_signal};

/// A process as it was when the agent began: its number may come to be another's.
pub enum Reader {
    /// Held fast (`pidfd_open(2)`).
    #[cfg(target_os = "linux")]
    Held(rustix::fd::OwnedFd),
    /// By its number, where the system has no better.
    Numbered(Pid),
}

impl Reader {
    /// The process of that number.
    ///
    /// # Errors
    /// There is none.
    pub fn new(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or(Errno::SRCH)?;
        #[cfg(target_os = "linux")]
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => return Ok(Self::Held(fd)),
            // Kernels before 5.3, and sandboxes that do not know the call.
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
        Ok(Self::Numbered(pid))
    }

    /// Sends SIGHUP.
    ///
    /// # Errors
    /// It has ended, or is another user's.
    pub fn hang_up(&self) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Held(fd) => pidfd_send_signal(fd, Signal::HUP)?,
            Self::Numbered(pid) => kill_process(*pid, Signal::HUP)?,
        }
        Ok(())
    }
}

/// Takes note of processes that ended and that nobody else waits for: those that a
/// key-command leaves behind come to PID 1.
pub fn reap() {
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
        // A SIGHUP that whoever runs the tests ignores (nohup) is ignored here too.
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
    fn a_process_gets_sighup_and_one_that_has_ended_is_nobody() {
        let mut child = asleep();
        let reader = Reader::new(number_of(&child)).expect("a process");
        reader.hang_up().expect("sent");
        assert_eq!(child.wait().expect("an end").signal(), Some(1));
        assert!(reader.hang_up().is_err(), "its number may be another's");
        assert!(Reader::new(number_of(&child)).is_err());
        let mut child = asleep();
        let pid = Pid::from_child(&child);
        Reader::Numbered(pid).hang_up().expect("sent");
        assert_eq!(child.wait().expect("an end").signal(), Some(1));
    }
}
