//! The source of a call's tokens, with the IDs that belong to it.

use super::setting::Setting;
use super::value::usage;
use super::{Config, Layer, SourceSetting};
use crate::error::{Error, Report};
use crate::grant::{KeyId, UserId};
use crate::source::Source;
use crate::source::client::Client;
use crate::source::key::Owner;
use crate::source::key::spec::{KeySource, KeySpec};
use crate::source::signer::Signer;
use crate::text::quote::{quoted, word};

impl Config<'_> {
    /// Returns the source of the settings' tokens.
    ///
    /// # Errors
    /// [`Error::Usage`]: there is none, or an ID is missing or invalid.
    pub(super) fn source_of(&self, settings: &Layer) -> Result<Source, Error> {
        let id = |setting: Setting, text: &Option<String>| {
            let text = text
                .as_deref()
                .ok_or_else(|| self.missing(setting, settings));
            text.map(ToOwned::to_owned)
        };
        let Some(source) = settings.source.clone() else {
            return Err(self.missing(
                match settings.client_id {
                    Some(_) => Setting::ClientSecret,
                    None => Setting::Key,
                },
                settings,
            ));
        };
        self.given.refuse_idle(&source, settings)?;
        Ok(match source {
            SourceSetting::Key(source) => {
                let options = self.options_of(&source, settings);
                let spec = KeySpec {
                    options,
                    ..key_spec(source, settings)?
                };
                if settings.self_signed {
                    // Only a key file contains the user's ID.
                    Source::SelfSigned(spec)
                } else {
                    Source::Key(spec)
                }
            }
            SourceSetting::Signer(command, public_key_file) => Source::Signer(Signer {
                command,
                public_key_file,
                id: read_key_id(&id(Setting::KeyId, &settings.key_id)?)?,
                user: read_user_id(&id(Setting::UserId, &settings.user_id)?)?,
            }),
            SourceSetting::ClientSecret(secret) => {
                let id = id(Setting::ClientId, &settings.client_id)?;
                let id = UserId::parse(&id).ok_or_else(|| {
                    usage(
                        format!("invalid client ID: \"{}\"", quoted(&id)),
                        "use the client ID that ZITADEL shows with the secret: the service user's name",
                    )
                })?;
                Source::Client(Client { id, secret })
            }
            SourceSetting::Supplier(supplier) => Source::Supplier(supplier),
        })
    }
}

impl Config<'_> {
    /// Returns the options by which another call uses the same key; empty if it needs
    /// none.
    fn options_of(&self, source: &KeySource, settings: &Layer) -> String {
        let mut options = self.option();
        let usual = self.default_profile();
        let profile = settings.profile.as_deref();
        if let Some(name) = profile.filter(|name| usual.as_deref() != Some(name)) {
            options.extend([" --profile ", &word(name)]);
        }
        if let (Some("--key-file"), KeySource::File(path)) = (self.given.source.as_deref(), source)
        {
            options.extend([" --key-file ", &word(path)]);
        }
        options
    }
}

/// Returns a key with its IDs.
///
/// # Errors
/// [`Error::Usage`]: an ID is invalid.
fn key_spec(source: KeySource, settings: &Layer) -> Result<KeySpec, Error> {
    Ok(KeySpec {
        source,
        id: settings.key_id.as_deref().map(read_key_id).transpose()?,
        user: settings.user_id.as_deref().map(read_user_id).transpose()?,
        derives_id: settings.self_signed,
        owner: Owner::User,
        options: String::new(),
        is_exposure_shown: false,
        is_end_shown: false,
    })
}

fn read_key_id(text: &str) -> Result<KeyId, Error> {
    KeyId::parse(text).ok_or_else(|| not_an_id("key ID", text))
}

fn read_user_id(text: &str) -> Result<UserId, Error> {
    UserId::parse(text).ok_or_else(|| not_an_id("user ID", text))
}

fn not_an_id(name: &str, text: &str) -> Error {
    let report = Report::new(format!("invalid {name}: \"{}\"", quoted(text)));
    Error::Usage(
        report.hint("use the ID that ZITADEL shows beside the key or the user: a long number"),
    )
}
