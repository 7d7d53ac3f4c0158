//! A link by which a tool finds this program, shared by the setups of all its hosts.

use std::path::{Path, PathBuf};

use super::entry::Edit;
use super::hosts::Host;
use super::link::LinkChange;
use super::plan::Plan;
use crate::error::{Error, Report};
use crate::text::quote;

/// Place of a link in `setup.json`.
pub(crate) const AT_LINK: [&str; 1] = ["link"];

impl Plan<'_> {
    /// Points a link to this program, for the setups of these hosts.
    ///
    /// # Errors
    /// The link points to another program, or the path is not a link.
    pub(crate) fn link_here(&mut self, path: &Path, hosts: &[Host]) -> Result<(), Error> {
        let mut link = LinkChange::open(path)?;
        if let Some(edit) = self.lead_here(&mut link)? {
            self.journal.renew(&edit);
            for host in hosts {
                self.journal.record(&host.setup, edit.clone());
            }
        }
        self.add_link(link);
        Ok(())
    }

    /// Returns the edit of the link for `setup.json`; `None` if the user made the link.
    fn lead_here(&self, link: &mut LinkChange) -> Result<Option<Edit>, Error> {
        let known = self.journal.edit_at(&link.name(), &AT_LINK);
        // Our own link is broken, or points to this program's former path.
        let may_change = |leads: &PathBuf| {
            known.is_some_and(|known| is_ours(known, Some(leads)) || !link.path().exists())
        };
        match &link.before {
            Some(_) if self.is_this_program(link.path()) => return Ok(known.cloned()),
            Some(leads) if !may_change(leads) => {
                let what = format!(
                    "{}: symbolic link to another program",
                    quote::path(link.path())
                );
                return Err(Error::Usage(Report::new(what).hint("move it away first")));
            }
            _ => link.after = Some(self.program.clone()),
        }
        let program = self.program.to_string_lossy();
        Ok(Some(Edit::new(link.name(), &AT_LINK, &program, None)))
    }

    /// Removes a link if its target is still the setup's.
    pub(crate) fn undo_link(&mut self, edit: &Edit) {
        let path = quote::path(&edit.file);
        match LinkChange::open(Path::new(&edit.file)) {
            Ok(link) if link.before.is_none() => {
                self.say_drift(format!("the link {path} was removed already"));
            }
            Ok(mut link) if is_ours(edit, link.before.as_deref()) => {
                link.after = None;
                self.add_link(link);
            }
            _ => self.say_drift(format!("kept the link {path}, which was changed since")),
        }
    }
}

fn is_ours(edit: &Edit, leads: Option<&Path>) -> bool {
    let put_there = [Some(&edit.ours), edit.earlier.as_ref()];
    let is = |put: &String| leads.is_some_and(|leads| leads.as_os_str() == put.as_str());
    put_there.into_iter().flatten().any(is)
}
