//! The clients, and their differences.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::kubectl::{Kubectl, kubectls};
use crate::program::{installed, output, output_of};
use crate::support::Home;

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

/// The result of a call whose token was refused.
pub const REFUSED: &str = "401";
/// The result of a call without a token.
pub const FAILED: &str = "failed";

pub enum Client {
    Kubectl(Kubectl),
    /// Python's `kubernetes`, as its interpreter.
    Python(PathBuf),
    /// The crate `kube`, as a program made with it.
    Kube(PathBuf),
}

/// The results of calls.
#[derive(Default)]
pub struct Calls {
    /// The server's minor version or [`REFUSED`] or [`FAILED`], for each call.
    pub answers: Vec<String>,
    /// All output on stderr.
    pub said: String,
}

impl Calls {
    fn add(&mut self, answers: impl IntoIterator<Item = String>, stderr: Vec<u8>) {
        self.answers.extend(answers);
        self.said.push_str(&String::from_utf8(stderr).unwrap());
    }
}

impl Client {
    /// Returns the installed clients.
    pub fn all() -> Vec<Self> {
        let kubectls = kubectls().into_iter().map(Self::Kubectl);
        kubectls.chain(Self::libraries()).collect()
    }

    /// Returns the clients that are a library, whose objects live on.
    pub fn libraries() -> Vec<Self> {
        let python = installed("Python's kubernetes", "python/bin/python");
        let kube = installed("program with kube", "kube/debug/kube-calls");
        let python = python.into_iter().map(Self::Python);
        python.chain(kube.into_iter().map(Self::Kube)).collect()
    }

    /// Returns the supported versions of the API; v1 came with 1.22.
    pub fn versions(&self) -> &'static [&'static str] {
        match self {
            Self::Kubectl(kubectl) if kubectl.minor < 22 => &[V1BETA1],
            _ => &[V1, V1BETA1],
        }
    }

    /// True if one process asks for a token more than once before its first call. The
    /// crate asks three times, as it looks for a certificate before and after it looks
    /// for a token; Google's switch becomes another kubectl, which asks again.
    pub fn asks_more_than_once(&self) -> bool {
        match self {
            Self::Kubectl(kubectl) => kubectl.is_switch,
            Self::Python(_) => false,
            Self::Kube(_) => true,
        }
    }

    /// Calls the API this many times, each with a newly read kubeconfig: in a process for
    /// each, or, if possible, in one for all.
    pub fn calls(&self, home: &Home, times: usize, in_one: bool) -> Calls {
        let mut calls = Calls::default();
        match self {
            Self::Kubectl(kubectl) => {
                for _ in 0..times {
                    let output = output(kubectl.get_version(home));
                    calls.add([Kubectl::answer(&output)], output.stderr);
                }
            }
            Self::Python(_) | Self::Kube(_) => {
                let (processes, each) = if in_one { (1, times) } else { (times, 1) };
                for _ in 0..processes {
                    let input = "load\ncall\n".repeat(each);
                    let output = output_of(self.living(home), input.as_bytes());
                    let answers = String::from_utf8(output.stdout).unwrap();
                    let of_calls = answers.lines().skip(1).step_by(2).map(str::to_owned);
                    calls.add(of_calls, output.stderr);
                }
            }
        }
        calls
    }

    /// Returns a library's program, which runs the commands on stdin.
    pub fn living(&self, home: &Home) -> Command {
        match self {
            Self::Kubectl(kubectl) => home.command(&kubectl.program),
            Self::Python(interpreter) => {
                let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/python");
                let mut command = home.command(interpreter);
                command.arg(here.join("kubernetes_client.py"));
                command
            }
            Self::Kube(program) => home.command(program),
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kubectl(kubectl) => write!(f, "kubectl {}", kubectl.version),
            Self::Python(_) => f.write_str("Python's kubernetes"),
            Self::Kube(_) => f.write_str("kube"),
        }
    }
}
