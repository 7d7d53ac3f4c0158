//! podman's order of logins: `credential-helpers` of `registries.conf`.
//!
//! Source: containers-registries.conf(5), containers-registries.conf.d(5).

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::config::Directories;
use crate::findings::wiring::text;
use crate::sys::{Environment, named};
use crate::text::clock::Deadline;

/// The entry for the files with logins and `credHelpers`.
pub(super) const FILES: &str = "containers-auth.json";

/// The system's file.
const SYSTEM: &str = "/etc/containers/registries.conf";

/// The helpers of all registries, with the file that names them.
#[derive(Default)]
pub(super) struct Podman {
    file: PathBuf,
    /// `None` if no file sets them: only the files with logins count.
    helpers: Option<Vec<String>>,
}

impl Podman {
    /// Reads podman's files, and ignores unreadable ones.
    pub(super) fn read(
        environment: &Environment,
        directories: &Directories,
        deadline: &Deadline,
    ) -> Self {
        let mut found = Self::default();
        for file in files(environment, directories) {
            let text = text(&file, deadline).ok().flatten();
            if let Some(helpers) = helpers(&text.unwrap_or_default()) {
                // A later file replaces the whole list.
                found = Self {
                    file,
                    helpers: Some(helpers),
                };
            }
        }
        found
    }

    /// Returns the file that names a helper for all registries.
    pub(super) fn file_with(&self, helper: &str) -> Option<&Path> {
        let helpers = self.helpers.as_ref()?;
        let is_named = helpers.iter().any(|known| known == helper);
        is_named.then_some(&*self.file)
    }

    /// Returns the helpers that podman asks before `helper`.
    pub(super) fn before(&self, helper: &str) -> &[String] {
        let helpers = self.helpers.as_deref().unwrap_or_default();
        let end = helpers.iter().position(|known| known == helper);
        &helpers[..end.unwrap_or(0)]
    }

    /// Returns the file that makes podman ignore the files with logins.
    pub(super) fn ignores_files(&self) -> Option<&Path> {
        let helpers = self.helpers.as_ref()?;
        let reads = helpers.iter().any(|helper| helper == FILES);
        (!reads && !helpers.is_empty()).then_some(&*self.file)
    }
}

/// Returns podman's files, the least important first.
fn files(environment: &Environment, directories: &Directories) -> Vec<PathBuf> {
    if let Some(file) = named(environment, "CONTAINERS_REGISTRIES_CONF") {
        return vec![file];
    }
    let own = directories.config.as_ref();
    let own = own.map(|dir| dir.join("containers/registries.conf"));
    let main = own.clone().filter(|file| file.is_file());
    let parts = |file: PathBuf| {
        let mut name = file.into_os_string();
        name.push(".d");
        let entries = Path::new(&name).read_dir().into_iter().flatten();
        let mut parts: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        parts.retain(|part| part.extension().is_some_and(|end| end == "conf"));
        parts.sort();
        parts
    };
    let mut files = vec![main.unwrap_or_else(|| SYSTEM.into())];
    files.extend(parts(SYSTEM.into()));
    files.extend(own.into_iter().flat_map(parts));
    files
}

/// Returns the helpers that a file sets.
fn helpers(text: &str) -> Option<Vec<String>> {
    let file = DeTable::parse(text).ok()?;
    let list = file.get_ref().get("credential-helpers")?.get_ref();
    let words = list.as_array()?.iter();
    let words = words.filter_map(|word| word.get_ref().as_str());
    Some(words.map(ToOwned::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(list: &str) -> Podman {
        Podman {
            file: "/f".into(),
            helpers: helpers(&format!("credential-helpers = {list}\n[[registry]]\n")),
        }
    }

    #[test]
    fn a_helper_is_found_with_those_before_it() {
        let podman = of("['containers-auth.json', \"secretservice\", 'zitadel', 'x']");
        assert_eq!(podman.file_with("zitadel"), Some(Path::new("/f")));
        assert_eq!(podman.before("zitadel"), [FILES, "secretservice"]);
        assert_eq!(podman.file_with("y"), None);
        assert_eq!(podman.before("y"), [] as [&str; 0]);
        assert_eq!(podman.ignores_files(), None);
        assert_eq!(of("['zitadel']").ignores_files(), Some(Path::new("/f")));
        assert_eq!(of("[]").ignores_files(), None);
        assert_eq!(of("1").file_with("zitadel"), None);
        assert!(helpers("[").is_none());
    }
}
