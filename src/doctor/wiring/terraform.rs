//! Terraform's CLI configuration, and the link by which it finds us.

use std::path::{Path, PathBuf};

use crate::World;
use crate::clients::terraform::{self, HELPER};
use crate::clock::Deadline;
use crate::config::Directories;
use crate::doctor::check::{Checks, failed, ok, warning};
use crate::issuer::Environment;
use crate::quote::{self, word};

#[derive(Default)]
pub(in crate::doctor) struct Found {
    /// The file that names us.
    file: Option<PathBuf>,
    /// A file that may, and why that is not known.
    unread: Option<(PathBuf, String)>,
    plugin: Option<PathBuf>,
}

pub(super) fn read(
    environment: &Environment,
    directories: &Directories,
    deadline: &Deadline,
) -> Found {
    let mut found = Found {
        plugin: terraform::plugin(directories),
        ..Found::default()
    };
    let beside = terraform::beside(environment, directories);
    let files = terraform::file(environment, directories).into_iter();
    for file in files.chain(beside) {
        let text = super::text(&file, deadline).map(Option::unwrap_or_default);
        let names = match &text {
            Ok(text) => terraform::helpers(text).map_err(ToOwned::to_owned),
            Err(why) => Err(why.clone()),
        };
        match names {
            Ok(names) if names.iter().any(|name| name == HELPER) => found.file = Some(file),
            // Others' files are theirs.
            Err(why) if !text.is_ok_and(|text| !text.contains(HELPER)) => {
                found.unread = Some((file, why));
            }
            _ => {}
        }
    }
    found
}

impl Found {
    pub(super) fn names_us(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn check(&self, checks: &mut Checks, world: &World<'_>) {
        if let Some((file, why)) = &self.unread {
            checks.push(warning(
                "terraform",
                format!("{}: not looked into: {why}", quote::path(file)),
                "see by hand whether it names the credentials helper zitadel",
            ));
        }
        let (Some(file), Some(plugin)) = (&self.file, &self.plugin) else {
            return;
        };
        let file = quote::path(file);
        let link = quote::path(plugin);
        let own = (world.program)().and_then(|path| path.canonicalize()).ok();
        let found = plugin.canonicalize().ok();
        checks.push(match found {
            None => failed(
                "terraform",
                format!("{file}: names us, and Terraform looks for us at {link}: nothing is there"),
                "zitadel-credential setup terraform HOST",
            ),
            Some(_) if found != own => warning(
                "terraform",
                format!("{file}: names us, but {link} is another program than this"),
                format!(
                    "ln -sf {} {}",
                    word(own.as_deref().unwrap_or(Path::new("zitadel-credential"))),
                    word(plugin)
                ),
            ),
            Some(_) => ok(
                "terraform",
                format!("{file}: every host: those that a rule names are answered, by {link}"),
            ),
        });
    }
}
