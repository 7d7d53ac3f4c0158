//! Terraform's CLI configuration, and the link by which it finds us.

use std::path::{Path, PathBuf};

use super::files;
use super::files::{BLOCK, HELPER};
use crate::config::Directories;
use crate::findings::wiring::{Look, Machine, Wiring, text};
use crate::findings::{Checks, failed, ok, warning};
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::word;

#[derive(Default)]
struct Found {
    /// The file that names us.
    file: Option<PathBuf>,
    /// The helpers of other names, and where each stands.
    others: Vec<(String, PathBuf)>,
    /// Files that are not plainly to be read, and why.
    unread: Vec<Unread>,
    plugin: Option<PathBuf>,
}

struct Unread {
    file: PathBuf,
    why: String,
    /// Whether it may name us.
    is_near: bool,
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
    let mut found = Found {
        plugin: files::plugin(directories),
        ..Found::default()
    };
    let beside = files::beside(environment, directories);
    let files = files::file(environment, directories).into_iter();
    for file in files.chain(beside) {
        let text = text(&file, deadline).map(Option::unwrap_or_default);
        let names = match &text {
            Ok(text) => files::helpers(text).map_err(ToOwned::to_owned),
            Err(why) => Err(why.clone()),
        };
        match names {
            Ok(names) => {
                for name in names {
                    if name == HELPER {
                        found.file.get_or_insert(file.clone());
                    } else {
                        found.others.push((name, file.clone()));
                    }
                }
            }
            Err(why) => {
                let holds = |word| text.as_ref().is_ok_and(|text| text.contains(word));
                // Where `terraform login` keeps what it got.
                let is_json = file.extension().is_some_and(|end| end == "json");
                if !is_json || text.is_err() || holds(BLOCK) {
                    found.unread.push(Unread {
                        is_near: text.is_err() || holds(HELPER),
                        file,
                        why,
                    });
                }
            }
        }
    }
    found
}

impl Wiring for Found {
    fn is_for_all(&self) -> bool {
        self.file.is_some()
    }

    fn check(&self, checks: &mut Checks, look: &Look<'_>) {
        // Others' files are theirs, unless one could keep Terraform from asking us.
        let is_told = |unread: &&Unread| unread.is_near || self.file.is_some();
        for Unread { file, why, .. } in self.unread.iter().filter(is_told) {
            checks.push(warning(
                "terraform",
                format!("{}: not looked into: {why}", quote::path(file)),
                "see by hand which credentials helper it names: Terraform takes one alone",
            ));
        }
        let (Some(file), Some(plugin)) = (&self.file, &self.plugin) else {
            return;
        };
        for (name, theirs) in &self.others {
            checks.push(failed(
                "terraform",
                format!(
                    "{}: it names the credentials helper {}, and {} names us: Terraform takes one alone",
                    quote::path(theirs),
                    quote::quoted(name),
                    quote::path(file)
                ),
                "take one of the two blocks out",
            ));
        }
        if !self.others.is_empty() {
            return;
        }
        let file = quote::path(file);
        let link = quote::path(plugin);
        let own = (look.program)().and_then(|path| path.canonicalize()).ok();
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
