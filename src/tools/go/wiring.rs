//! GOAUTH: whether Go runs us.

use super::files::Goauth;
use crate::config::Directories;
use crate::error::{Error, Report};
use crate::findings::wiring::{Look, Machine, Wiring, unread};
use crate::findings::{Checks, failed, ok};
use crate::sys::Environment;
use crate::text::clock::Deadline;

#[derive(Default)]
struct Found {
    /// Where we are named.
    goauth: Option<Goauth>,
    error: Option<Error>,
}

/// Reads the tool's own files.
pub(super) fn read(machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(look(
        machine.environment,
        machine.directories,
        &machine.deadline,
    ))
}

fn look(environment: &Environment, directories: &Directories, deadline: &Deadline) -> Found {
    match Goauth::read(environment, directories, deadline) {
        Ok(goauth) => Found {
            goauth: goauth.filter(|goauth| goauth.ours().is_some()),
            error: None,
        },
        Err(what) => Found {
            goauth: None,
            error: Some(Error::Final(
                Report::new(what).hint("Go cannot read it either: mend it by hand"),
            )),
        },
    }
}

impl Wiring for Found {
    fn is_for_all(&self) -> bool {
        self.goauth.is_some()
    }

    fn check(&self, checks: &mut Checks, look: &Look<'_>) {
        if let Some(error) = &self.error {
            checks.push(unread("go", error));
        }
        let Some(goauth) = &self.goauth else {
            return;
        };
        let place = goauth.place();
        checks.push(match goauth.fault(look.environment) {
            None => ok(
                "go",
                format!("{place}: every host: those that a rule names are answered"),
            ),
            Some(fault) => failed(
                "go",
                format!("{place}: {fault}"),
                "zitadel-credential setup go HOST tells the right value",
            ),
        });
    }
}
