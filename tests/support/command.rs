//! Programs that run to completion, with a time limit.

use std::borrow::BorrowMut;
use std::ffi::OsStr;
use std::ops::Deref;
use std::path::Path;
use std::process::{self, Output};
use std::time::Duration;

use assert_cmd::assert::Assert;

use super::running::{PATIENCE, Running};

/// A command with its stdin, which is empty by default.
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

    /// Returns the output after the exit. A program that hangs is killed with its child
    /// processes, and fails the test.
    pub fn run(&mut self) -> Output {
        self.run_within(PATIENCE)
    }

    /// As [`Command::run`], with this time limit.
    pub fn run_within(&mut self, patience: Duration) -> Output {
        Running::start_with(&mut self.command, &self.input).output_within(patience)
    }

    /// As [`Command::run`], for assertions.
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

/// Read access to the program and its arguments.
impl Deref for Command {
    type Target = process::Command;

    fn deref(&self) -> &process::Command {
        &self.command
    }
}

/// Runs any command to its exit: one that hangs is killed with its child processes, and
/// fails the test.
pub trait Run {
    /// Runs the command with an empty stdin; returns the output.
    fn run(self) -> Output;

    /// Runs the command with this stdin.
    fn run_with(self, input: impl AsRef<[u8]>) -> Output;

    /// As [`Run::run`], for assertions.
    fn assert(self) -> Assert;

    /// Runs the command with its own streams, or else the test's. Returns the output of
    /// pipes that no other process has.
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
