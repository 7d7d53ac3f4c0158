//! Wiring of Go: whether GOAUTH runs this program.

use super::files::Goauth;
use crate::config::Directories;
use crate::error::{Error, Report};
use crate::findings::wiring::{Context, Machine, Wiring};
use crate::findings::{Checks, failed, failed_with, ok};
use crate::sys::Environment;
use crate::text::clock::Deadline;

#[derive(Default)]
struct GoWiring {
    /// GOAUTH, if it names this program.
    goauth: Option<Goauth>,
    error: Option<Error>,
}

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(read_files(
        machine.environment,
        machine.directories,
        &machine.deadline,
    ))
}

fn read_files(
    environment: &Environment,
    directories: &Directories,
    deadline: &Deadline,
) -> GoWiring {
    match Goauth::read(environment, directories, deadline) {
        Ok(goauth) => GoWiring {
            goauth: goauth.filter(|goauth| goauth.ours().is_some()),
            error: None,
        },
        Err(what) => GoWiring {
            goauth: None,
            error: Some(Error::Final(
                Report::new(what).hint("fix the file: Go cannot read it either"),
            )),
        },
    }
}

impl Wiring for GoWiring {
    fn is_for_all(&self) -> bool {
        self.goauth.is_some()
    }

    fn check(&self, checks: &mut Checks, context: &Context<'_>) {
        if let Some(error) = &self.error {
            checks.push(failed_with("go", error));
        }
        let Some(goauth) = &self.goauth else {
            return;
        };
        let place = goauth.place();
        checks.push(match goauth.fault(context.environment) {
            None => ok(
                "go",
                format!("{place}: all hosts: those with a host rule get a token"),
            ),
            Some(fault) => failed(
                "go",
                format!("{place}: {fault}"),
                "run zitadel-credential setup go HOST to see the right value",
            ),
        });
    }
}
