//! GOAUTH: whether Go runs us.

use super::{is_missing, unread};
use crate::clients::go::Goauth;
use crate::clock::Deadline;
use crate::config::Directories;
use crate::doctor::check::{Checks, failed, ok};
use crate::error::{Error, Report};
use crate::issuer::Environment;
use crate::quote::quoted;

#[derive(Default)]
pub(in crate::doctor) struct Found {
    /// Where we are named, and by which words.
    command: Option<(String, Vec<String>)>,
    error: Option<Error>,
}

pub(super) fn read(
    environment: &Environment,
    directories: &Directories,
    deadline: &Deadline,
) -> Found {
    match Goauth::read(environment, directories, deadline) {
        Ok(goauth) => Found {
            command: goauth.and_then(|goauth| Some((goauth.place(), goauth.ours()?))),
            error: None,
        },
        Err(what) => Found {
            command: None,
            error: Some(Error::Final(
                Report::new(what).hint("Go cannot read it either: mend it by hand"),
            )),
        },
    }
}

impl Found {
    pub(super) fn names_us(&self) -> bool {
        self.command.is_some()
    }

    pub(super) fn check(&self, checks: &mut Checks, environment: &Environment) {
        if let Some(error) = &self.error {
            checks.push(unread("go", error));
        }
        let Some((place, words)) = &self.command else {
            return;
        };
        let program = words.first().map(String::as_str).unwrap_or_default();
        let remedy = "zitadel-credential setup go HOST tells the right value";
        checks.push(if is_missing(program, environment) {
            let what = format!("{place}: its command {} is not there", quoted(program));
            failed("go", what, remedy)
        } else if words.iter().any(|word| word == "go") {
            ok(
                "go",
                format!("{place}: every host: those that a rule names are answered"),
            )
        } else {
            failed(
                "go",
                format!("{place}: it does not run our command go"),
                remedy,
            )
        });
    }
}
