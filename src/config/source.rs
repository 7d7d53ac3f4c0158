//! The source of a layer's tokens: the caller's or a profile's. Each layer has at most
//! one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::file::Profile;
use super::value::{check_path, command, located, path_of_caller, set, text, usage};
use crate::cli::options::Options;
use crate::error::Error;
use crate::secret::Secret;
use crate::source::client::SecretSource;
use crate::source::command::{Prints, ProfileCommand};
use crate::source::key::spec::KeySource;
use crate::source::supplier::Supplier;
use crate::sys::Environment;
use crate::text::quote;

/// A source of tokens, without the IDs that belong to it.
#[derive(Clone, Debug)]
pub enum SourceSetting {
    /// A key.
    Key(KeySource),
    /// A program that signs, and the file of its public key.
    Signer(ProfileCommand, Option<PathBuf>),
    /// A client secret.
    ClientSecret(SecretSource),
    /// A file or a program that supplies tokens.
    Supplier(Supplier),
}

impl SourceSetting {
    /// Returns the profile's key for the source.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Key(KeySource::File(_)) => "key-file",
            Self::Key(KeySource::Environment(_)) => "key",
            Self::ClientSecret(SecretSource::File(_)) => "client-secret-file",
            Self::ClientSecret(SecretSource::Environment(_)) => "client-secret",
            Self::Supplier(Supplier::File(_)) => "token-file",
            Self::Key(KeySource::Command(command))
            | Self::Signer(command, _)
            | Self::ClientSecret(SecretSource::Command(command))
            | Self::Supplier(Supplier::Command(command)) => command.prints.setting(),
        }
    }

    /// Returns the file or the program. The arguments of a command may be secrets.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Key(KeySource::Environment(_)) => "the key itself, which is not shown".to_owned(),
            Self::ClientSecret(SecretSource::Environment(_)) => {
                "the secret itself, which is not shown".to_owned()
            }
            Self::Key(KeySource::File(path))
            | Self::ClientSecret(SecretSource::File(path))
            | Self::Supplier(Supplier::File(path)) => quote::path(path),
            Self::Key(KeySource::Command(command))
            | Self::Signer(command, _)
            | Self::ClientSecret(SecretSource::Command(command))
            | Self::Supplier(Supplier::Command(command)) => command.shown_program(),
        }
    }

    /// Returns the kind of the source's file.
    pub const fn kind_of_file(&self) -> &'static str {
        match self {
            Self::Key(_) | Self::Signer(..) => "a key file",
            Self::ClientSecret(_) => "the file of a client secret",
            Self::Supplier(_) => "the token file of a profile",
        }
    }

    /// Returns the file of the key, the secret or the token.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Key(KeySource::File(path))
            | Self::ClientSecret(SecretSource::File(path))
            | Self::Supplier(Supplier::File(path)) => Some(path),
            _ => None,
        }
    }
}

/// Returns the source that the flags name, or else the environment.
pub(super) fn of_caller(
    options: &Options,
    env: &Environment,
    home: Option<&Path>,
) -> Result<Option<SourceSetting>, Error> {
    let path = |flag: &'static str, given: Option<&OsString>, variable: &'static str| {
        path_of_caller(flag, given, env, variable, home)
    };
    let flags = [
        ("--key-file", options.key_file.as_ref()),
        ("--token-file", options.token_file.as_ref()),
        ("--client-secret-file", options.client_secret_file.as_ref()),
    ];
    let variables = [
        "ZITADEL_CREDENTIAL_KEY_FILE",
        "ZITADEL_CREDENTIAL_TOKEN_FILE",
        "ZITADEL_CREDENTIAL_CLIENT_SECRET_FILE",
        "ZITADEL_CREDENTIAL_KEY",
        "ZITADEL_CREDENTIAL_CLIENT_SECRET",
    ];
    let given = flags.iter().filter(|(_, given)| given.is_some());
    let is_set = |name: &&str| set(env, name).is_some();
    let name = match one_of(&given.map(|(flag, _)| *flag).collect::<Vec<_>>())? {
        Some(flag) => Some(flag),
        None => one_of(
            &variables
                .into_iter()
                .filter(|name| is_set(name))
                .collect::<Vec<_>>(),
        )?,
    };
    let inline = |variable: &'static str| {
        let value = set(env, variable).unwrap_or_default();
        text(variable, &value).map(Secret::new)
    };
    Ok(match name {
        None => None,
        Some(name @ "ZITADEL_CREDENTIAL_KEY") => {
            Some(SourceSetting::Key(KeySource::Environment(inline(name)?)))
        }
        Some(name @ "ZITADEL_CREDENTIAL_CLIENT_SECRET") => Some(SourceSetting::ClientSecret(
            SecretSource::Environment(inline(name)?),
        )),
        Some("--token-file" | "ZITADEL_CREDENTIAL_TOKEN_FILE") => {
            let [_, (flag, given), _] = flags;
            path(flag, given, variables[1])?
                .map(|path| SourceSetting::Supplier(Supplier::File(path)))
        }
        Some("--client-secret-file" | "ZITADEL_CREDENTIAL_CLIENT_SECRET_FILE") => {
            let [_, _, (flag, given)] = flags;
            path(flag, given, variables[2])?
                .map(|path| SourceSetting::ClientSecret(SecretSource::File(path)))
        }
        Some(_) => {
            let [(flag, given), _, _] = flags;
            path(flag, given, variables[0])?.map(|path| SourceSetting::Key(KeySource::File(path)))
        }
    })
}

/// Returns the only name; `None` if there is none.
///
/// # Errors
/// [`Error::Usage`] naming two.
fn one_of(names: &[&'static str]) -> Result<Option<&'static str>, Error> {
    match names {
        [first, second, ..] => Err(usage(
            format!("{first} and {second} are both set"),
            "leave one of them out: a call has one key, or one other source of tokens",
        )),
        names => Ok(names.first().copied()),
    }
}

/// Returns a profile's source; relative paths start at the config file's directory.
pub(super) fn of_profile(
    profile: &Profile,
    dir: &Path,
    home: Option<&Path>,
) -> Result<Option<SourceSetting>, Error> {
    let path = |setting: &str, text: &String| {
        check_path(setting, text.as_ref())?;
        located(setting, text.as_ref(), dir, home)
    };
    let run = |prints: Prints, words: &[String]| {
        let words = command(prints.setting(), words, dir, home)?;
        Ok::<_, Error>(ProfileCommand::new(prints, words))
    };
    let mut all = Vec::new();
    if let Some(file) = &profile.key_file {
        all.push(SourceSetting::Key(KeySource::File(path("key-file", file)?)));
    }
    if let Some(words) = &profile.key_command {
        let command = run(Prints::Key, words)?;
        all.push(SourceSetting::Key(KeySource::Command(command)));
    }
    if let Some(words) = &profile.sign_command {
        let public_key = profile.public_key_file.as_ref();
        let public_key = public_key.map(|file| path("public-key-file", file));
        let command = run(Prints::Signature, words)?;
        all.push(SourceSetting::Signer(command, public_key.transpose()?));
    }
    if let Some(file) = &profile.token_file {
        let file = path("token-file", file)?;
        all.push(SourceSetting::Supplier(Supplier::File(file)));
    }
    if let Some(words) = &profile.token_command {
        let command = run(Prints::Token, words)?;
        all.push(SourceSetting::Supplier(Supplier::Command(command)));
    }
    if let Some(file) = &profile.client_secret_file {
        let file = path("client-secret-file", file)?;
        all.push(SourceSetting::ClientSecret(SecretSource::File(file)));
    }
    if let Some(words) = &profile.client_secret_command {
        let command = run(Prints::ClientSecret, words)?;
        all.push(SourceSetting::ClientSecret(SecretSource::Command(command)));
    }
    check(profile, &all)?;
    Ok(all.into_iter().next())
}

/// Checks that a profile has one source, and no key that belongs to another.
fn check(profile: &Profile, all: &[SourceSetting]) -> Result<(), Error> {
    let both = |first: &str, second: &str| {
        usage(
            format!("{first} and {second} are both set"),
            "remove one of them: a profile has one key, or one other source of tokens",
        )
    };
    let alone = |name: &str, of: &str| {
        usage(
            format!("{name} is set without {of}"),
            &format!("remove {name}, or set {of}"),
        )
    };
    match all {
        [first, second, ..] => return Err(both(first.name(), second.name())),
        [one] if profile.client_id.is_some() && !matches!(one, SourceSetting::ClientSecret(_)) => {
            return Err(both("client-id", one.name()));
        }
        [one @ (SourceSetting::ClientSecret(_) | SourceSetting::Supplier(_))] => {
            let ids = [
                ("key-id", profile.key_id.is_some()),
                ("user-id", profile.user_id.is_some()),
            ];
            if let Some((id, _)) = ids.iter().find(|(_, is_set)| *is_set) {
                return Err(both(id, one.name()));
            }
        }
        _ => {}
    }
    let one = all.first();
    if profile.public_key_file.is_some() && !matches!(one, Some(SourceSetting::Signer(..))) {
        return Err(alone("public-key-file", "sign-command"));
    }
    if profile.self_signed && !matches!(one, Some(SourceSetting::Key(_))) {
        return Err(alone("self-signed", "key-file or key-command"));
    }
    Ok(())
}
