//! A setup carried out: all that changes, or nothing where one thing fails.

use super::copy::Copy;
use super::link::Link;
use super::target::Target;
use crate::error::{Error, Report};

/// One of what changes.
pub(crate) enum Change<'d> {
    File(&'d Target),
    Link(&'d Link),
}

impl<'d> Change<'d> {
    const fn file(&self) -> Option<&'d Target> {
        match self {
            Self::File(file) => Some(file),
            Self::Link(_) => None,
        }
    }

    fn write(&self) -> Result<(), Report> {
        match self {
            Self::File(file) => file.write(),
            Self::Link(link) => link.write(),
        }
    }

    fn write_back(&self) -> Result<(), Report> {
        match self {
            Self::File(file) => file.write_back(),
            Self::Link(link) => link.write_back(),
        }
    }
}

/// Makes the copies, then the changes in their order.
///
/// # Errors
/// One of them could not be made: those before it are taken back, and the report
/// names what could not be.
pub(crate) fn carry_out(changes: &[Change<'_>], copies: &[Copy]) -> Result<(), Error> {
    let files = || changes.iter().filter_map(Change::file);
    let guards: Result<Vec<_>, _> = files().map(Target::guards).collect();
    let _guards = guards?;
    for file in files() {
        file.look_again()?;
    }
    for (at, copy) in copies.iter().enumerate() {
        if let Err(report) = copy.make() {
            copies[..at].iter().for_each(Copy::unmake);
            return Err(Error::Final(report));
        }
    }
    for (at, change) in changes.iter().enumerate() {
        let Err(mut report) = change.write() else {
            continue;
        };
        for change in changes[..at].iter().rev() {
            if let Err(error) = change.write_back() {
                report = report.found(error.headline());
            }
        }
        copies.iter().for_each(Copy::unmake);
        return Err(Error::Final(report));
    }
    Ok(())
}
