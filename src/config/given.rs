//! The flags and variables of this call that name a source of tokens, and those that
//! belong only to some sources.

use super::from;
use super::layer::Layer;
use super::source::SourceSetting;
use super::value::usage;
use crate::cli::options::Options;
use crate::error::Error;
use crate::text::quote;

/// The flags about a source, and the caller's source itself.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// The flag or the variable of the caller's source.
    pub(super) source: Option<String>,
    /// Flags that do not apply to every source.
    flags: Vec<Flag>,
}

/// A flag that belongs to some sources.
#[derive(Debug)]
struct Flag {
    name: &'static str,
    /// The sources that the flag belongs to, as the user sets them.
    of: &'static str,
    belongs: fn(&SourceSetting, bool) -> bool,
}

const KEYS: &str = "a key or a sign-command";
const ISSUERS: &str = "a source that asks the issuer for a token";

const fn has_ids(source: &SourceSetting, _: bool) -> bool {
    matches!(source, SourceSetting::Key(_) | SourceSetting::Signer(..))
}

const fn is_client(source: &SourceSetting, _: bool) -> bool {
    matches!(source, SourceSetting::ClientSecret(_))
}

const fn has_scopes(source: &SourceSetting, self_signed: bool) -> bool {
    !self_signed && !matches!(source, SourceSetting::Supplier(_))
}

impl Given {
    /// Reads the flags, and names the source of the caller's layer.
    pub(super) fn of(options: &Options, caller: &Layer) -> Self {
        let source = caller.source.as_ref();
        let source = source.map(|source| from::Source::of_caller(options, source.name()));
        let flag = |name, of, belongs| Flag { name, of, belongs };
        let all = [
            (
                options.client_id.is_some(),
                flag("--client-id", "a client secret", is_client),
            ),
            (options.key_id.is_some(), flag("--key-id", KEYS, has_ids)),
            (options.user_id.is_some(), flag("--user-id", KEYS, has_ids)),
            (
                !options.scope.is_empty(),
                flag("--scope", ISSUERS, has_scopes),
            ),
            (
                !options.project.is_empty(),
                flag("--project", ISSUERS, has_scopes),
            ),
            (options.roles, flag("--roles", ISSUERS, has_scopes)),
            (
                options.zitadel_api,
                flag("--zitadel-api", ISSUERS, has_scopes),
            ),
        ];
        let flags = all.into_iter().filter(|(is_given, _)| *is_given);
        Self {
            source: source.map(|source| source.to_string()),
            flags: flags.map(|(_, flag)| flag).collect(),
        }
    }

    /// Refuses a flag that has no effect on this source.
    ///
    /// # Errors
    /// [`Error::Usage`] naming both.
    pub(super) fn refuse_idle(
        &self,
        source: &SourceSetting,
        settings: &Layer,
    ) -> Result<(), Error> {
        let belongs = |flag: &&Flag| (flag.belongs)(source, settings.self_signed);
        let Some(flag) = self.flags.iter().find(|flag| !belongs(flag)) else {
            return Ok(());
        };
        let Flag { name, of, .. } = flag;
        let beside = match (&self.source, &settings.profile) {
            (Some(given), _) => given.clone(),
            (None, Some(profile)) => {
                format!("{} of profile {}", source.name(), quote::path(profile))
            }
            (None, None) => source.name().to_owned(),
        };
        Err(usage(
            format!("{name} has no effect with {beside}"),
            &format!("remove {name}: it belongs to {of}"),
        ))
    }
}
