//! Keys and tokens in a name's place: names are written into files that others
//! may read, and shown.

use std::ffi::{OsStr, OsString};

use crate::cli::{Options, SetupAction};
use crate::error::{Error, Report};
use crate::quote;

/// As long as a part of a token is, and as no name is as mixed.
const SECRET: usize = 24;

/// Refuses them.
///
/// # Errors
/// [`Error::Usage`], which does not show it.
pub(super) fn check(options: &Options, action: &SetupAction) -> Result<(), Error> {
    let mut names = vec![
        ("--profile", options.profile.as_deref()),
        ("--issuer", options.issuer.as_deref()),
        ("--key-id", options.key_id.as_deref()),
        ("--user-id", options.user_id.as_deref()),
    ];
    names.extend(all("--host", &options.host));
    match action {
        SetupAction::Profile(asked) => names.push(("NAME", Some(&asked.name))),
        SetupAction::Kubectl(asked) => names.extend([
            ("--user", Some(&*asked.user)),
            ("--context", asked.context.as_deref()),
        ]),
        SetupAction::Git(asked) => {
            names.push(("--username", asked.username.as_deref()));
            names.extend(all("HOST", &asked.hosts));
        }
        SetupAction::Docker(asked) => {
            names.push(("--username", asked.username.as_deref()));
            names.extend(all("HOST", &asked.hosts));
        }
        SetupAction::Cargo(asked) => {
            names.push(("--registry", asked.registry.as_deref().map(OsStr::new)));
            names.push(("--index", asked.index.as_deref().map(OsStr::new)));
            names.extend(all("HOST", &asked.hosts));
        }
        SetupAction::Bazel(asked) | SetupAction::Go(asked) | SetupAction::Terraform(asked) => {
            names.extend(all("HOST", &asked.hosts));
        }
    }
    let is_secret = |name: &OsStr| quote::holds_key(&name.to_string_lossy(), SECRET);
    match names.iter().find(|(_, name)| name.is_some_and(is_secret)) {
        Some((what, _)) => Err(Error::Usage(
            Report::new(format!("what stands as {what} reads like a key or a token")).hint(
                "it would be written into files and shown: give a plain name; one that is good is best revoked",
            ),
        )),
        None => Ok(()),
    }
}

fn all<'n>(
    what: &'static str,
    names: &'n [OsString],
) -> impl Iterator<Item = (&'static str, Option<&'n OsStr>)> {
    names.iter().map(move |name| (what, Some(name.as_os_str())))
}
