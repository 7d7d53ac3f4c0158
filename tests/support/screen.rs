//! A terminal for one program, with a simulated user.

use std::io::{Read, Write};
use std::process::{ChildStdin, Command};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::{Home, Running, binary};

/// Time limit for a text, or for the exit.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program on a terminal.
pub struct Screen {
    running: Running,
    keyboard: ChildStdin,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Screen {
    /// Runs our program with these words of a shell.
    pub fn of(home: &Home, words: &str) -> Self {
        Self::with(home, words, &[("TERM", "xterm")])
    }

    /// As [`Screen::of`], with these variables.
    pub fn with(home: &Home, words: &str, variables: &[(&str, &str)]) -> Self {
        let line = format!("'{}' {words}", binary().display());
        Self::of_shell(home, &line, variables)
    }

    /// Runs a shell's line.
    pub fn of_shell(home: &Home, line: &str, variables: &[(&str, &str)]) -> Self {
        let mut command: Command = home.command("script");
        command
            .args(["-qefc", line, "/dev/null"])
            .envs(variables.iter().copied());
        let (running, keyboard, mut stdout) = Running::start_talking(command);
        let shown = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&shown);
        thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut part) {
                written.lock().unwrap().extend_from_slice(&part[..length]);
            }
        });
        Self {
            running,
            keyboard,
            shown,
        }
    }

    /// Returns the whole output so far, unchanged.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap()).replace("\r\n", "\n")
    }

    /// Waits until a text is shown.
    #[track_caller]
    pub fn see(&self, text: &str) {
        self.see_times(text, 1);
    }

    /// Waits until a text is shown so many times.
    #[track_caller]
    pub fn see_times(&self, text: &str, times: usize) {
        let start = Instant::now();
        while self.shown().matches(text).count() < times {
            let shown = self.shown();
            assert!(start.elapsed() < PATIENCE, "no {text:?} in {shown:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types a text; `\n` is Enter, `\x03` Ctrl-C, `\x04` Ctrl-D.
    pub fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits for a question, and answers it.
    #[track_caller]
    pub fn answers(&mut self, question: &str, answer: &str) {
        self.see(question);
        self.types(&format!("{answer}\n"));
    }

    /// Waits for the exit; returns the exit code and the whole output.
    pub fn end(self) -> (Option<i32>, String) {
        let Self {
            running,
            keyboard,
            shown,
        } = self;
        let output = running.output_within(PATIENCE);
        drop(keyboard);
        // The reader sees the end of the stream at once.
        thread::sleep(Duration::from_millis(50));
        let shown = String::from_utf8_lossy(&shown.lock().unwrap()).replace("\r\n", "\n");
        (output.status.code(), shown)
    }
}
