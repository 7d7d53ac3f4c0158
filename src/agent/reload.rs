//! The process that is told to read its token anew.

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
#[cfg(target_os = "linux")]
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

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

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command};

    use super::*;

    fn asleep() -> Child {
        Command::new("sleep").arg("60").spawn().expect("a process")
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
