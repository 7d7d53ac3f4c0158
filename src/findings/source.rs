//! The findings of doctor and `config check` about a source of tokens that is not a key.

use std::path::Path;

use crate::broker::Request;
use crate::error::Error;
use crate::findings::{Checks, failed_with, ok, skipped, warning};
use crate::source::client::{Client, SecretSource};
use crate::source::exposure;
use crate::source::signer::Signer;
use crate::source::supplier::Supplier;
use crate::sys::Environment;
use crate::sys::status::Status;
use crate::text::clock::{Clock, Deadline};
use crate::text::quote;
use crate::text::quote::word;
use crate::url::IssuerUrl;

/// Returns a profile's issuer and scopes in words.
pub(crate) fn settings(request: &Request<'_>) -> String {
    let issuer = request.issuer.as_ref();
    match issuer.map(IssuerUrl::as_str) {
        Some(issuer) if request.source.is_exchanged() => {
            format!("issuer {issuer}, scopes {}", request.scopes)
        }
        Some(issuer) => format!("issuer {issuer}"),
        None => "no issuer".to_owned(),
    }
}

/// Checks the public key of a program that signs, and reports if the caller will not run
/// the program. Returns true unless the key is unusable.
pub(crate) fn signer(
    checks: &mut Checks,
    signer: &Signer,
    deadline: &Deadline,
    will_run: bool,
) -> bool {
    let command = &signer.command;
    let remark = if will_run { "" } else { "; is not run here" };
    let (id, user) = (signer.id.as_str(), signer.user.as_str());
    match signer.public_key(deadline) {
        Ok(Some(key)) => {
            let bits = key.size() * 8;
            let what = format!(
                "{command}: signs for key {id} of service user {user}, RSA {bits} bits{remark}"
            );
            checks.push(if will_run {
                ok("key", what)
            } else {
                skipped("key", what)
            });
            true
        }
        Ok(None) => {
            let what =
                format!("{command}: signs for key {id} of service user {user}, unchecked{remark}");
            let advice = "set public-key-file: a wrong signature is then reported here, and not by the issuer";
            checks.push(warning("key", what, advice));
            true
        }
        Err(error) => {
            checks.push(failed_with("key", &error));
            false
        }
    }
}

/// Checks a loaded client secret.
pub(crate) fn client(checks: &mut Checks, client: &Client) {
    let what = format!("{}: secret of client {}", client.secret, client.id.as_str());
    let is_open = match &client.secret {
        SecretSource::File(path) => open(checks, "secret", path, &client.secret.to_string()),
        SecretSource::Environment(_) | SecretSource::Command(_) => false,
    };
    if !is_open {
        checks.push(ok("secret", what));
    }
}

/// Checks the token of a file. Does not run a command.
pub(crate) fn supplier(
    checks: &mut Checks,
    supplier: &Supplier,
    environment: &Environment,
    deadline: &Deadline,
    clock: &Clock,
) -> Result<(), Error> {
    let Supplier::File(path) = supplier else {
        checks.push(ok("source", format!("{supplier}: prints the token")));
        return Ok(());
    };
    if Status::of(path).is_ok_and(|status| status.is_pipe()) {
        checks.push(ok(
            "source",
            format!("{supplier}: a pipe, which is read once"),
        ));
        return Ok(());
    }
    let token = supplier
        .token(environment, deadline, clock)
        .inspect_err(|error| {
            checks.push(failed_with("source", error));
        })?;
    let end = token.lifespan().map_or_else(
        || "its expiry is not known".to_owned(),
        |lifespan| format!("valid until {}", lifespan.expires_at),
    );
    if !open(checks, "source", path, &supplier.to_string()) {
        checks.push(ok("source", format!("{supplier}: has a token, {end}")));
    }
    Ok(())
}

/// Warns, under the name of its check, if others can read or replace a file with a secret.
/// Returns true if they can.
fn open(checks: &mut Checks, name: &'static str, path: &Path, source: &str) -> bool {
    let mut is_open = false;
    if let Ok(status) = Status::of(path)
        && status.is_file()
        && status.is_open_to_others()
    {
        is_open = true;
        let finding = format!(
            "{source}: accessible to other users ({})",
            status.shown_mode()
        );
        checks.push(warning(name, finding, format!("chmod 600 {}", word(path))));
    }
    for dir in exposure::open_directories(path) {
        is_open = true;
        let finding = format!(
            "{source}: every user can replace it in {}",
            quote::path(&dir)
        );
        checks.push(warning(name, finding, format!("chmod o-w {}", word(&dir))));
    }
    is_open
}
