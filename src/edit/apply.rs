//! The changes of a setup, applied all or none.

use super::backup::Backup;
use super::file::FileChange;
use super::link::LinkChange;
use super::moved::Moved;
use crate::error::{Error, Report};

/// One change of a setup.
pub(crate) enum Change<'p> {
    /// `setup.json`, which an undo needs.
    Journal(&'p FileChange),
    File(&'p FileChange),
    Link(&'p LinkChange),
    /// The last change.
    Key(&'p Moved),
}

impl Change<'_> {
    fn apply(&self) -> Result<(), Error> {
        match self {
            Self::Journal(file) | Self::File(file) => file.apply(),
            Self::Link(link) => link.apply().map_err(Error::Final),
            Self::Key(key) => key.name(),
        }
    }

    fn revert(&self) -> Result<(), Report> {
        match self {
            Self::Journal(file) | Self::File(file) => file.revert(),
            Self::Link(link) => link.revert(),
            Self::Key(_) => Ok(()),
        }
    }
}

/// Writes the backups, then applies the changes in their order.
///
/// # Errors
/// A change failed. Those before it are reverted; the report names those that could not
/// be, and the journal then stays.
pub(crate) fn apply(changes: &[Change<'_>], backups: &[Backup]) -> Result<(), Error> {
    for change in changes {
        if let Change::Journal(file) | Change::File(file) = change {
            file.look_again()?;
        }
    }
    for (at, backup) in backups.iter().enumerate() {
        if let Err(report) = backup.write() {
            backups[..at].iter().for_each(Backup::revert);
            return Err(Error::Final(report));
        }
    }
    for (at, change) in changes.iter().enumerate() {
        let Err(mut error) = change.apply() else {
            continue;
        };
        let mut is_reverted = true;
        // The failed change may be half done.
        for change in changes[..=at].iter().rev() {
            if matches!(change, Change::Journal(_)) && !is_reverted {
                continue;
            }
            if let Err(report) = change.revert() {
                is_reverted = false;
                let left = format!("not restored: {}", report.headline());
                error = error.map(|error| error.found(left));
            }
        }
        if is_reverted {
            backups.iter().for_each(Backup::revert);
            return Err(error);
        }
        return Err(error.map(|error| {
            error.hint("then repeat the command, or revert the partial change with --undo")
        }));
    }
    Ok(())
}
