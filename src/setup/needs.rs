//! The settings that a new profile needs, and checks of its files if no token proves
//! them.

use std::io;

use crate::broker::Request;
use crate::config::{Layer, SourceSetting};
use crate::error::{Error, Report};
use crate::source::Source;
use crate::sys::status::Status;
use crate::text::clock::UnixTime;
use crate::text::quote;

const ISSUER: &str = "--issuer";
const KEY: &str = "--key-file";

/// The required options of a new profile that were not given.
pub(super) struct Needs {
    missing: Vec<&'static str>,
    is_client: bool,
}

impl Needs {
    /// Returns the options that are missing from these.
    pub(super) fn of(given: &Layer) -> Self {
        let source = given.source.as_ref();
        let is_supplied = matches!(source, Some(SourceSetting::Supplier(_)));
        let has_secret = matches!(source, Some(SourceSetting::ClientSecret(_)));
        let has_id = given.client_id.is_some();
        let needs = [
            (ISSUER, given.issuer.is_none() && !is_supplied),
            (KEY, source.is_none() && !has_id),
            ("--client-id", has_secret && !has_id),
            ("--client-secret-file", source.is_none() && has_id),
        ];
        let missing = needs.into_iter().filter(|(_, is_missing)| *is_missing);
        Self {
            missing: missing.map(|(option, _)| option).collect(),
            is_client: has_secret || has_id,
        }
    }

    /// True if the issuer is missing.
    pub(super) fn issuer(&self) -> bool {
        self.missing.contains(&ISSUER)
    }

    /// True if a key is missing.
    pub(super) fn key(&self) -> bool {
        self.missing.contains(&KEY)
    }

    /// Refuses a call with a missing option that is not asked for: the user is asked only
    /// for an issuer and a key.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the option.
    pub(super) fn refuse(&self, can_ask: bool) -> Result<(), Error> {
        let is_asked_for = |option: &str| can_ask && [ISSUER, KEY].contains(&option);
        let Some(option) = self.missing.iter().find(|option| !is_asked_for(option)) else {
            return Ok(());
        };
        let source = if self.is_client {
            "--client-id ID --client-secret-file FILE"
        } else {
            "--key-file FILE"
        };
        Err(Error::Usage(
            Report::new(format!("a new profile needs {option}")).hint(format!(
                "zitadel-credential setup profile NAME --issuer https://acme.zitadel.cloud {source}"
            )),
        ))
    }
}

/// Reads the file of a source that no token proves. If there is none yet, returns a warning.
///
/// # Errors
/// The file is unusable.
pub(super) fn check_file(request: &Request<'_>) -> Result<Option<String>, Error> {
    let Some(path) = request.source.file() else {
        return Ok(None);
    };
    match Status::of(path) {
        Ok(status) if status.is_file() => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Some(format!(
                "warning: {}: no such file",
                quote::path(path)
            )));
        }
        _ => return Ok(None),
    }
    let (environment, deadline) = (request.network.environment, &request.deadline);
    let read = match &request.source {
        Source::Key(key) | Source::SelfSigned(key) => key.load(environment, deadline).map(drop),
        Source::Client(client) => client.load(environment, deadline).map(drop),
        Source::Supplier(supplier) => supplier
            .token(environment, deadline, &UnixTime::now)
            .map(drop),
        Source::Signer(_) => Ok(()),
    };
    match read {
        // The program that writes the file may replace it in time.
        Err(Error::Passing(_)) => Ok(None),
        read => read.map(|()| None),
    }
}
