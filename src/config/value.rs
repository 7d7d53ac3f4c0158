//! The values of settings: texts, paths and commands from flags, variables and profiles.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::error::{Error, Report};
use crate::sys::Environment;
use crate::sys::paths;
use crate::text::quote::quoted;

/// Returns a command's words. A program with a `/` is resolved like other paths: below
/// the home directory, or relative to `dir`.
pub(super) fn command(
    setting: &str,
    words: &[String],
    dir: &Path,
    home: Option<&Path>,
) -> Result<Vec<String>, Error> {
    let mut words = words.to_vec();
    if let Some(program) = words.first_mut().filter(|word| paths::is_path(word)) {
        let path = located(setting, program.as_ref(), dir, home)?;
        let path = path.to_str().map(ToOwned::to_owned);
        *program = path.ok_or_else(|| {
            usage(
                format!("{setting} is below a directory whose name is not UTF-8"),
                "name the program only, and add its directory to PATH",
            )
        })?;
    }
    Ok(words)
}

/// Returns the path that the flag names, or else the variable.
///
/// # Errors
/// [`Error::Usage`]: the value is a secret.
pub(super) fn path_of_caller(
    flag: &str,
    given: Option<&OsString>,
    env: &Environment,
    variable: &str,
    home: Option<&Path>,
) -> Result<Option<PathBuf>, Error> {
    let (setting, path) = match given {
        Some(path) => (flag, Some(path.clone())),
        None => (variable, set(env, variable)),
    };
    if let Some(path) = &path {
        check_path(setting, path)?;
    }
    // No shell expands ~ in a kubeconfig's args or a CI system's variables.
    path.map(|path| located(setting, path.as_ref(), Path::new(""), home))
        .transpose()
}

/// Refuses a secret in place of a path: CI systems make that mistake easy, and any later
/// error would show the path.
pub(super) fn check_path(setting: &str, path: &OsStr) -> Result<(), Error> {
    // A key in base64 and a JWT are longer than any file's path.
    const LONGEST: usize = 1000;
    let text = path.to_string_lossy();
    let is_pem = text.contains("-----BEGIN");
    let is_secret = is_pem || text.contains(['\n', '"']) || text.len() > LONGEST;
    if is_pem && text.contains(" CERTIFICATE-----") {
        return Err(usage(
            format!("{setting} must be a path, but is a certificate itself"),
            "write the certificate into a file, and give the path of that file",
        ));
    }
    if is_secret {
        let (content, hint) = content_of(setting);
        let content = match (is_pem, text.contains(" PUBLIC KEY-----")) {
            (true, true) => "a public key",
            (true, false) => "a private key",
            (false, _) => content,
        };
        return Err(usage(
            format!("{setting} must be a path, but looks like {content}"),
            hint,
        ));
    }
    Ok(())
}

/// Returns the content that users give in place of this setting's path, and the remedy.
fn content_of(setting: &str) -> (&'static str, &'static str) {
    let name = setting.trim_start_matches("--").to_ascii_lowercase();
    let name = name.replace('_', "-");
    match name.strip_prefix("zitadel-credential-").unwrap_or(&name) {
        "key-file" => (
            "a private key",
            "give the path of the key file, or set ZITADEL_CREDENTIAL_KEY to the key, from a secret of your CI system",
        ),
        "client-secret-file" => (
            "a client secret",
            "give the path of the secret's file, or set ZITADEL_CREDENTIAL_CLIENT_SECRET to the secret, from a secret of your CI system",
        ),
        "token-file" => (
            "a token",
            "write the token into a file that only you can read, and give the path of that file",
        ),
        _ => (
            "the content of a file",
            "give the path: the content is neither read nor shown here",
        ),
    }
}

/// Returns a variable's value; `None` if it is unset or empty.
pub(super) fn set(env: &Environment, variable: &str) -> Option<OsString> {
    env(variable).filter(|value| !value.is_empty())
}

/// Returns the value of a flag or a variable as text.
pub(super) fn text(name: &str, value: &OsString) -> Result<String, Error> {
    value.to_str().map(ToOwned::to_owned).ok_or_else(|| {
        usage(
            format!("{name} is not UTF-8"),
            "write it in UTF-8: names, URLs and IDs are ASCII",
        )
    })
}

pub(super) fn usage(what: String, hint: &str) -> Error {
    Error::Usage(Report::new(what).hint(hint))
}

/// Returns the time limit for all waiting in seconds, from the flag or else the
/// environment.
pub(super) fn timeout_of_caller(
    given: Option<&OsString>,
    env: &Environment,
) -> Result<Option<u64>, Error> {
    const VARIABLE: &str = "ZITADEL_CREDENTIAL_TIMEOUT";
    let given = match given {
        Some(given) => Some(text("--timeout", given)?),
        None => set(env, VARIABLE)
            .map(|value| text(VARIABLE, &value))
            .transpose()?,
    };
    given.map(|text| seconds(&text)).transpose()
}

fn seconds(text: &str) -> Result<u64, Error> {
    match text.parse() {
        Ok(secs @ 1..=86_400) => Ok(secs),
        _ => Err(usage(
            format!("invalid timeout: \"{}\"", quoted(text)),
            "set --timeout or ZITADEL_CREDENTIAL_TIMEOUT to whole seconds from 1 to 86400",
        )),
    }
}

/// Returns the path with `~/` replaced by the home directory, and a relative path
/// joined to `dir`.
///
/// # Errors
/// [`Error::Usage`] naming the setting: there is no home directory. A directory named
/// `~` is never used.
pub(super) fn located(
    setting: &str,
    path: &Path,
    dir: &Path,
    home: Option<&Path>,
) -> Result<PathBuf, Error> {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => Ok(home.join(rest)),
        (Ok(_), None) => Err(usage(
            format!("{setting} begins with ~, but the home directory is unknown"),
            "write the whole path, or set HOME",
        )),
        (Err(_), _) => Ok(dir.join(path)),
    }
}
