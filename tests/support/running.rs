//! Programs that are under way: signalled, waited for within bounds, and never
//! left behind.

use std::io::Write;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longer than the binary's own bound, so that its error is seen first.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process, which ends with this at the latest.
pub struct Running(Option<Child>);

impl Running {
    pub fn start(command: Command) -> Self {
        Self::start_with(command, "")
    }

    /// With this, which a pipe must have room for, on its stdin.
    pub fn start_with(command: Command, input: &str) -> Self {
        Self::start_open(command, input).0
    }

    /// As [`Running::start_with`]; its stdin stays open as long as what is
    /// handed back.
    pub fn start_open(mut command: Command, input: &str) -> (Self, ChildStdin) {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // One that does not want it closes its end.
        let _ = stdin.write_all(input.as_bytes());
        (Self(Some(child)), stdin)
    }

    pub fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    pub fn signal(&self, signal: Signal) {
        let child = self.0.as_ref().unwrap();
        kill_process(Pid::from_child(child), signal).unwrap();
    }

    pub fn is_over(&mut self) -> bool {
        let child = self.0.as_mut().unwrap();
        child.try_wait().unwrap().is_some()
    }

    /// What it wrote, which a pipe must have room for, once it has ended.
    pub fn output(self) -> Output {
        self.output_within(PATIENCE)
    }

    pub fn output_within(mut self, patience: Duration) -> Output {
        until_within("the process ends", patience, || self.is_over());
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // SIGKILL ends a stopped one too.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits until something that must come has come.
pub fn until(what: &str, has_come: impl FnMut() -> bool) {
    until_within(what, PATIENCE, has_come);
}

fn until_within(what: &str, patience: Duration, mut has_come: impl FnMut() -> bool) {
    let start = Instant::now();
    while !has_come() {
        assert!(start.elapsed() < patience, "in {patience:?}: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}
