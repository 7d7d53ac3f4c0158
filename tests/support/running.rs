//! Running programs: signalled, waited for with a time limit, and never left behind.
//! Every program that a test starts is one of these.

use std::borrow::BorrowMut;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::signals;

/// Longer than the binary's own limit, so that its error is seen first.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long a stream may stay open after all its writers were killed.
const REST: Duration = Duration::from_secs(1);

/// A process that is killed on drop, with all its child processes that are still in its
/// process group.
pub struct Running {
    name: String,
    child: Child,
    /// The whole output on stdout and stderr, after they are closed.
    written: [Option<Receiver<Vec<u8>>>; 2],
    is_reaped: bool,
}

impl Running {
    /// Starts the command with an empty stdin.
    pub fn start(command: impl BorrowMut<Command>) -> Self {
        Self::start_with(command, "")
    }

    /// Starts the command with this stdin.
    pub fn start_with(command: impl BorrowMut<Command>, input: impl AsRef<[u8]>) -> Self {
        let (running, stdin) = Self::start_piped(command);
        write(stdin, input.as_ref().to_vec());
        running
    }

    /// Starts the command with this input on stdin, which stays open until the returned
    /// handle is dropped. The input must fit into a pipe.
    pub fn start_open(command: impl BorrowMut<Command>, input: &str) -> (Self, ChildStdin) {
        let (running, mut stdin) = Self::start_piped(command);
        // A program that does not want the input closes its end.
        let _ = stdin.write_all(input.as_bytes());
        (running, stdin)
    }

    /// Starts a program for a conversation: returns its stdin, and its stdout for the
    /// caller to read.
    pub fn start_talking(mut command: impl BorrowMut<Command>) -> (Self, ChildStdin, ChildStdout) {
        let mut running = Self::spawn(piped(command.borrow_mut()));
        let stdin = running.child.stdin.take().unwrap();
        let stdout = running.child.stdout.take().unwrap();
        (running.listening(), stdin, stdout)
    }

    /// Starts the command with its own streams, or else the test's.
    pub fn start_as_given(mut command: impl BorrowMut<Command>) -> Self {
        Self::spawn(command.borrow_mut()).listening()
    }

    fn start_piped(mut command: impl BorrowMut<Command>) -> (Self, ChildStdin) {
        let mut running = Self::spawn(piped(command.borrow_mut()));
        let stdin = running.child.stdin.take().unwrap();
        (running.listening(), stdin)
    }

    fn spawn(command: &mut Command) -> Self {
        signals::let_children_have_the_default();
        let words = [command.get_program()].into_iter();
        let words: Vec<_> = words.chain(command.get_args()).collect();
        Self {
            name: format!("{words:?}"),
            child: command.process_group(0).spawn().unwrap(),
            written: [None, None],
            is_reaped: false,
        }
    }

    fn listening(mut self) -> Self {
        self.written = [
            self.child.stdout.take().map(read),
            self.child.stderr.take().map(read),
        ];
        self
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub fn is_over(&mut self) -> bool {
        self.is_reaped = self.child.try_wait().unwrap().is_some();
        self.is_reaped
    }

    /// Returns the output after the exit.
    pub fn output(self) -> Output {
        self.output_within(PATIENCE)
    }

    /// As [`Running::output`]. A program that takes longer is killed with its child
    /// processes, and fails the test.
    pub fn output_within(mut self, patience: Duration) -> Output {
        let start = Instant::now();
        while !self.is_over() {
            if start.elapsed() > patience {
                self.fail("has not ended", patience);
            }
            thread::sleep(Duration::from_millis(1));
        }
        let status = self.child.try_wait().unwrap().unwrap();
        let mut text = Vec::new();
        for written in &self.written {
            let left = patience.saturating_sub(start.elapsed()).max(REST);
            match written.as_ref().map(|written| written.recv_timeout(left)) {
                None => text.push(Vec::new()),
                Some(Ok(bytes)) => text.push(bytes),
                Some(Err(_)) => self.fail("has left its output open", left),
            }
        }
        let [stdout, stderr] = text.try_into().unwrap();
        Output {
            status,
            stdout,
            stderr,
        }
    }

    fn fail(&self, how: &str, patience: Duration) -> ! {
        self.kill_group();
        let text = self.written.each_ref().map(|written| {
            let bytes = written.as_ref().and_then(|w| w.recv_timeout(REST).ok());
            String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
        });
        let [stdout, stderr] = text;
        panic!(
            "{} {how} within {patience:?}\nstdout: {stdout}\nstderr: {stderr}",
            self.name
        )
    }

    /// SIGKILL ends a stopped process too.
    fn kill_group(&self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.kill_group();
            let _ = self.child.wait();
        }
    }
}

fn piped(command: &mut Command) -> &mut Command {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
}

fn write(mut stdin: ChildStdin, input: Vec<u8>) {
    if input.is_empty() {
        return;
    }
    // A program that does not want all of the input closes its end.
    thread::spawn(move || drop(stdin.write_all(&input)));
}

fn read(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, written) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    written
}

/// Waits until a condition is true, which it must become.
pub fn until(what: &str, mut has_come: impl FnMut() -> bool) {
    let start = Instant::now();
    while !has_come() {
        assert!(start.elapsed() < PATIENCE, "in {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Runs a test for each case, side by side: such a case mostly waits.
pub fn side_by_side<T: Send>(cases: impl IntoIterator<Item = T>, test: impl Fn(T) + Sync) {
    thread::scope(|scope| {
        for case in cases {
            let test = &test;
            scope.spawn(move || test(case));
        }
    });
}
