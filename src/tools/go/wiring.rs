//! Wiring of Go: whether GOAUTH runs this program.

use super::files::{Goauth, NETRC};
use crate::config::Directories;
use crate::error::{Error, Report};
use crate::findings::wiring::{Context, Machine, NetrcReader, Wiring};
use crate::findings::{Checks, failed, failed_with, ok};
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::url::Origin;

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
    fn by_hand(&self) -> Option<&'static str> {
        Some("GOAUTH does not name this program")
    }

    fn is_for_all(&self, context: &Context<'_>) -> bool {
        let goauth = self.goauth.as_ref();
        let options = goauth.and_then(Goauth::options);
        options.is_some_and(|options| context.is_by_this(&options))
    }

    fn netrc(
        &self,
        origin: Option<&Origin>,
        context: &Context<'_>,
    ) -> Option<&'static NetrcReader> {
        let goauth = self.goauth.as_ref()?;
        let rules = context.config.rules();
        // Asked for all hosts, this program names only hosts without a wildcard.
        let rule = origin.and_then(|origin| rules.find(origin, None).ok());
        let is_named = rule.is_some_and(|rule| rule.pattern.single_host().is_some());
        goauth.reads_netrc_first(is_named).then_some(&NETRC)
    }

    fn check(&self, checks: &mut Checks, context: &Context<'_>) {
        if let Some(error) = &self.error {
            checks.push(failed_with("go", error));
        }
        let Some(goauth) = &self.goauth else {
            return;
        };
        let place = goauth.place();
        checks.push(
            match goauth.fault(context.environment, context.directories) {
                None => context
                    .fault_of("go", &place, &goauth.options().unwrap_or_default())
                    .unwrap_or_else(|| {
                        let what =
                            format!("{place}: all hosts: those with a host rule get a token");
                        ok("go", what)
                    }),
                Some(fault) => failed(
                    "go",
                    format!("{place}: {fault}"),
                    "run zitadel-credential setup go HOST to see the right value",
                ),
            },
        );
    }
}
