//! Questions at a terminal. Each answer is checked at once, and asked for again in place
//! if it is invalid.

use std::io;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{answers, key_place};
use crate::call::World;
use crate::cli::options::Options;
use crate::config;
use crate::config::{Config, instance};
use crate::edit::hosts::pattern_for_rule;
use crate::error::{Error, Report};
use crate::host::HostPattern;
use crate::net::http::Network;
use crate::source::issuer::Issuer;
use crate::sys::status::Status;
use crate::sys::streams::discard_typed;
use crate::text::quote;
use crate::text::quote::{holds_secret, quoted, system, word};
use crate::text::stderr::Stderr;
use crate::text::wrap::wrapped;

/// The text before the first question.
pub(super) const INTRODUCTION: &str = "\
Sets up a profile for a ZITADEL service user, and writes it once the key got a
token. Until then, Ctrl-C stops and changes nothing.
";

/// Writes a line for the user.
pub(super) fn say(line: &str) {
    // A closed stderr cannot be reported anywhere.
    let _ = Stderr.write_all(format!("{line}\n").as_bytes());
}

/// Shows the error in an answer. The rest of a paste answers no question.
pub(super) fn object(error: &Error) {
    say(&error.report().for_terminal("error: "));
    discard_typed(&io::stdin());
}

/// Asks until the answer passes its check.
fn ask<T>(
    world: &World<'_>,
    question: &str,
    mut check: impl FnMut(&str) -> Result<T, Error>,
) -> Result<T, Error> {
    loop {
        let answer = match (world.ask)(question) {
            Ok(line) if line.is_empty() => {
                say("");
                let report = Report::new("stopped before the last question: nothing was written");
                return Err(Error::Usage(report.hint(
                    "run it again, or give all of it: zitadel-credential setup profile NAME --issuer URL --key-file FILE",
                )));
            }
            Ok(line) => check(line.trim()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(usage("the answer is not UTF-8", "type it again"))
            }
            Err(error) => {
                let what = format!("cannot read the answer: {}", system(&error));
                return Err(Error::Usage(Report::new(what)));
            }
        };
        match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => object(&error),
        }
    }
}

fn usage(what: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::Usage(Report::new(what).hint(hint))
}

/// Refuses a key or a token in place of a name.
fn refuse_secret(answer: &str) -> Result<(), Error> {
    if holds_secret(answer) || answer.contains("-----END") {
        let what = "the answer looks like a key or a token";
        return Err(usage(
            what,
            "revoke it if it is valid: it was shown on this terminal",
        ));
    }
    Ok(())
}

/// Asks for the issuer, and reads its discovery document.
pub(super) fn ask_issuer(
    world: &World<'_>,
    config: &Config<'_>,
    options: &mut Options,
) -> Result<(), Error> {
    let question = "Issuer, the instance's URL, such as https://acme.zitadel.cloud: ";
    let network = Network {
        ca_file: config.caller().ca_file.clone(),
        allow_http: false,
        environment: world.environment,
    };
    let issuer = ask(world, question, |answer| {
        refuse_secret(answer)?;
        let issuer = instance::within(answer).ok_or_else(|| {
            let what = format!("invalid issuer URL: \"{}\"", quoted(answer));
            usage(what, instance::hint(answer))
        })?;
        if issuer.as_str() != answer.trim_end_matches('/') {
            say(&format!("  used: {}", issuer.as_str()));
        }
        let deadline = config::deadline(options, world.environment);
        let found = Issuer::new(&issuer, &network, deadline).discover();
        found.map_err(|error| error.map(with_ca_file))?;
        Ok(issuer)
    })?;
    options.issuer = Some(issuer.as_str().into());
    Ok(())
}

/// Adds how to name a certificate authority, for which there is no question.
fn with_ca_file(report: Report) -> Report {
    let is_needed = report
        .advice()
        .is_some_and(|hints| hints.contains("--ca-file"));
    if is_needed {
        report.hint("for --ca-file, press Ctrl-C, and run zitadel-credential setup --ca-file FILE")
    } else {
        report
    }
}

/// Asks for the key file, and reads the key. `former` is the answer of Enter.
pub(super) fn ask_key(
    world: &World<'_>,
    options: &mut Options,
    former: Option<&Path>,
) -> Result<(), Error> {
    let question = match former {
        Some(path) => format!("Key file (Enter for {} again): ", quote::path(path)),
        None => "Key file, the JSON as ZITADEL lets you download it: ".to_owned(),
    };
    let home = world.directories.home.as_deref();
    let path = ask(world, &question, |answer| {
        let path = match former {
            Some(former) if answer.is_empty() => former.to_owned(),
            _ => meant_path(answer, home)?,
        };
        let options = Options {
            key_file: Some(path.clone().into()),
            ..options.clone()
        };
        let config = Config::without_file(&options, world.environment, &world.directories)?;
        if let Some(key) = config.source()?.key() {
            key.load(world.environment, config.deadline())?;
        }
        Ok(path)
    })?;
    let status = Status::of(&path);
    if status.is_ok_and(|status| status.is_file() && status.is_open_to_others()) {
        let line = format!("other users can read the key: chmod 600 {}", word(&path));
        say(&wrapped(&format!("warning: {line}"), 0, 4));
    }
    options.key_file = Some(path.into());
    Ok(())
}

fn meant_path(answer: &str, home: Option<&Path>) -> Result<PathBuf, Error> {
    if answer.is_empty() {
        return Err(usage(
            "a key file is needed",
            "in ZITADEL open the service user, choose Keys, New, JSON, and download the file",
        ));
    }
    let is_pasted = answer.trim_start_matches(['"', '\'']).starts_with('{');
    if is_pasted
        || ["-----BEGIN", "-----END"]
            .iter()
            .any(|part| answer.contains(part))
    {
        return Err(usage(
            "the answer is a key, and not the name of its file",
            "save the key in a file that only you can read, and name that file",
        ));
    }
    let typed = PathBuf::from(answer);
    let is_there = typed.symlink_metadata().is_ok();
    let meant = if is_there {
        typed
    } else {
        answers::path(answer, home)
    };
    let there = meant.metadata();
    if there.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        refuse_secret(answer)?;
        let what = format!("{}: no such file", quote::path(&meant));
        return Err(usage(
            what,
            "type the file's path, or drop the file on this window",
        ));
    }
    if meant.is_dir() {
        let what = format!("{}: a directory", quote::path(&meant));
        return Err(usage(what, "name the key file in it"));
    }
    Ok(meant)
}

/// Asks for the profile's name; Enter takes a free one made from the instance's. A name
/// that is not free must be given twice, and then its profile is changed.
pub(super) fn ask_name(
    world: &World<'_>,
    config: &Config<'_>,
    issuer: &str,
) -> Result<String, Error> {
    let of_instance = answers::name(issuer);
    let numbered = (2..).map(|number| format!("{of_instance}-{number}"));
    let mut free = std::iter::once(of_instance.clone()).chain(numbered);
    let usual = free
        .find(|name| !is_known(config, name))
        .unwrap_or(of_instance);
    let known: Vec<_> = config.profile_names().map(quote::path).collect();
    if !known.is_empty() {
        say(&wrapped(
            &format!("  there already: profile {}", known.join(", ")),
            0,
            4,
        ));
    }
    let question = format!("Name of the profile (Enter for {}): ", quote::path(&usual));
    let mut refused = None;
    ask(world, &question, |answer| {
        let name = if answer.is_empty() { &usual } else { answer };
        refuse_secret(name)?;
        let is_plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
        if name.len() > 100 || name.starts_with('-') || !name.chars().all(is_plain) {
            return Err(usage(
                format!("invalid profile name: \"{}\"", quoted(name)),
                "use letters, digits, dots, - and _, as in prod or acme-ci",
            ));
        }
        if refused.replace(name.to_owned()).as_deref() != Some(name) {
            refuse_known_name(
                config,
                name,
                "choose another name, or type it again to replace its issuer and key",
            )?;
        }
        Ok(name.to_owned())
    })
}

/// True if a profile of this name exists.
pub(super) fn is_known(config: &Config<'_>, name: &str) -> bool {
    config.profile_names().any(|known| known == name)
}

/// Refuses the name of an existing profile.
pub(super) fn refuse_known_name(config: &Config<'_>, name: &str, hint: &str) -> Result<(), Error> {
    if !is_known(config, name) {
        return Ok(());
    }
    let what = format!("profile {} exists already", quote::path(name));
    Err(usage(what, hint))
}

/// Refuses a host that already has a rule.
pub(super) fn refuse_known_host(
    config: &Config<'_>,
    pattern: &HostPattern,
    hint: &str,
) -> Result<(), Error> {
    let Some(rule) = config.rules().named(pattern) else {
        return Ok(());
    };
    let profile = match &rule.profile {
        Some(profile) => format!("profile {}", quote::path(profile)),
        None => "the default profile".to_owned(),
    };
    let what = format!("host rule {pattern} exists already, for {profile}");
    Err(usage(what, hint))
}

/// Asks for the hosts that get the token.
pub(super) fn ask_hosts(world: &World<'_>, config: &Config<'_>) -> Result<Vec<HostPattern>, Error> {
    let question = "Hosts that get its tokens, such as git.acme.dev (Enter to skip): ";
    ask(world, question, |answer| {
        refuse_secret(answer)?;
        let mut patterns = Vec::new();
        for host in answers::hosts(answer) {
            // A command would take it for an option.
            if host.starts_with('-') {
                return Err(usage(
                    format!("invalid host: \"{}\"", quoted(host)),
                    "name hosts like git.acme.dev",
                ));
            }
            let pattern = match pattern_for_rule(host) {
                Err(error) => match Config::host_within(host) {
                    Some(within) => {
                        let pattern = pattern_for_rule(&within)?;
                        say(&format!("  used: {pattern}, the host of {}", quoted(host)));
                        pattern
                    }
                    None => return Err(error),
                },
                Ok(pattern) => pattern,
            };
            refuse_known_host(config, &pattern, "name other hosts, or none")?;
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
        Ok(patterns)
    })
}

/// Asks whether to request the user's roles in the token, which servers of a project
/// read.
pub(super) fn ask_roles(world: &World<'_>, options: &mut Options) -> Result<(), Error> {
    let question = "Ask for the user's roles, which servers check (Enter for yes): ";
    options.roles = ask(world, question, yes)?;
    Ok(())
}

/// Asks whether to move a downloaded key to its proper place, and returns that place if
/// so.
pub(super) fn ask_place(
    world: &World<'_>,
    key: &Path,
    config: &Path,
    name: &str,
) -> Result<Option<PathBuf>, Error> {
    let home = world.directories.home.as_deref();
    let Some(to) = key_place::of_download(key, config, name, home) else {
        return Ok(None);
    };
    let question = format!(
        "Move the key to {}, with mode 0600 (Enter for yes): ",
        quote::path(&to)
    );
    let is_wanted = ask(world, &question, yes)?;
    Ok(is_wanted.then_some(to))
}

/// Parses a yes, also for Enter, or a no.
fn yes(answer: &str) -> Result<bool, Error> {
    match answer.to_ascii_lowercase().as_str() {
        "" | "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err(usage("neither yes nor no", "type y or n")),
    }
}
