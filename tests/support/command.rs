//! Programs that run to their end, within bounds.

use std::borrow::BorrowMut;
use std::ffi::OsStr;
use std::ops::Deref;
use std::path::Path;
use std::process::{self, Output};
use std::time::Duration;

use assert_cmd::assert::Assert;

use super::running::{PATIENCE, Running};

/// A command with what stands on its stdin: nothing, unless it is given.
pub struct Command {
    command: process::Command,
    input: Vec<u8>,
}

impl Command {
    pub fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        self.command.arg(argument);
        self
    }

    pub fn args(&mut self, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> &mut Self {
        self.command.args(arguments);
        self
    }

    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.command.env(name, value);
        self
    }

    pub fn envs<N, V>(&mut self, variables: impl IntoIterator<Item = (N, V)>) -> &mut Self
    where
        N: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.command.envs(variables);
        self
    }

    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.command.env_remove(name);
        self
    }

    pub fn current_dir(&mut self, directory: impl AsRef<Path>) -> &mut Self {
        self.command.current_dir(directory);
        self
    }

    pub fn write_stdin(&mut self, input: impl AsRef<[u8]>) -> &mut Self {
        self.input = input.as_ref().to_vec();
        self
    }

    /// What it wrote, once it has ended. One that hangs is killed, with all that
    /// it started, and fails the test.
    pub fn run(&mut self) -> Output {
        self.run_within(PATIENCE)
    }

    /// As [`Command::run`], within bounds of its own.
    pub fn run_within(&mut self, patience: Duration) -> Output {
        Running::start_with(&mut self.command, &self.input).output_within(patience)
    }

    /// As [`Command::run`], to be held to what is expected.
    pub fn assert(&mut self) -> Assert {
        let command = format!("{:?}", self.command);
        Assert::new(self.run()).append_context("command", command)
    }
}

impl From<process::Command> for Command {
    fn from(command: process::Command) -> Self {
        Self {
            command,
            input: Vec::new(),
        }
    }
}

/// The program and its arguments, to be read.
impl Deref for Command {
    type Target = process::Command;

    fn deref(&self) -> &process::Command {
        &self.command
    }
}

/// Any command, run to its end: one that hangs is killed, with all that it started,
/// and fails the test.
pub trait Run {
    /// With nothing on its stdin; what it wrote.
    fn run(self) -> Output;

    /// With this on its stdin.
    fn run_with(self, input: impl AsRef<[u8]>) -> Output;

    /// As [`Run::run`], to be held to what is expected.
    fn assert(self) -> Assert;

    /// With the streams that it has been given, and the test's own where it was
    /// given none; what came by pipes that are nobody else's.
    fn run_as_given(self) -> Output;
}

impl<C: BorrowMut<process::Command>> Run for C {
    fn run(self) -> Output {
        Running::start(self).output()
    }

    fn run_with(self, input: impl AsRef<[u8]>) -> Output {
        Running::start_with(self, input).output()
    }

    fn assert(self) -> Assert {
        Assert::new(self.run())
    }

    fn run_as_given(self) -> Output {
        Running::start_as_given(self).output()
    }
}
