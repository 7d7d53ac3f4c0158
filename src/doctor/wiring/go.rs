//! GOAUTH: whether Go runs us.

use super::unread;
use crate::clients::go::Goauth;
use crate::clock::Deadline;
use crate::config::Directories;
use crate::doctor::check::{Checks, failed, ok};
use crate::error::{Error, Report};
use crate::issuer::Environment;

#[derive(Default)]
pub(in crate::doctor) struct Found {
    /// Where we are named.
    goauth: Option<Goauth>,
    error: Option<Error>,
}

pub(super) fn read(
    environment: &Environment,
    directories: &Directories,
    deadline: &Deadline,
) -> Found {
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

impl Found {
    pub(super) fn names_us(&self) -> bool {
        self.goauth.is_some()
    }

    pub(super) fn check(&self, checks: &mut Checks, environment: &Environment) {
        if let Some(error) = &self.error {
            checks.push(unread("go", error));
        }
        let Some(goauth) = &self.goauth else {
            return;
        };
        let place = goauth.place();
        checks.push(match goauth.fault(environment) {
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
