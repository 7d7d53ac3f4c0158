//! A profile in the config file, tested by getting a token.

mod undo;

use std::cell::{OnceCell, RefCell};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::needs::{Needs, check_file};
use super::values::values;
use super::{ending, proof, wizard};
use crate::broker::Broker;
use crate::call::World;
use crate::cli::options::Options;
use crate::config::{Asker, Config, SourceSetting};
use crate::edit::entry::Edit;
use crate::edit::moved::Moved;
use crate::edit::plan::Plan;
use crate::edit::setup::{Name, Setup, named};
use crate::edit::toml::{body, string};
use crate::error::{Error, Report};
use crate::host::HostPattern;
use crate::sys::status::Status;
use crate::text::quote;
use crate::text::quote::{is_unprintable, word};
use crate::text::wrap::wrapped;
use crate::tools::row::{Reader, SetupRow};

/// The word after `setup`.
pub(super) const NAME: &str = "profile";

/// `setup profile`.
pub(super) const ROW: SetupRow = SetupRow {
    about: "Write a profile to the config file, and test it by getting a token",
    example: "\
Examples (at a terminal, it asks for missing values):
  zitadel-credential setup profile prod --key-file key.json \\
    --issuer https://acme.zitadel.cloud
  zitadel-credential setup profile prod --project 317240000000000001
  zitadel-credential setup profile prod --undo",
    // Not a tool: cli/spelling.rs has its words with those of the other commands.
    words: &[],
    call: "profile NAME",
    reader: Reader::<dyn Setup>::of::<SetupProfile>(),
    owns,
};

#[derive(Args, Debug, Default)]
pub(super) struct SetupProfile {
    /// Name of the profile; without it, setup asks for it at a terminal
    #[arg(value_hint = ValueHint::Username)]
    name: Option<OsString>,
    /// What a person answered; unset if nobody was asked.
    #[arg(skip)]
    answers: OnceCell<Answers>,
}

/// Answers of the user that are not options.
#[derive(Debug)]
struct Answers {
    /// `None` if the name was given.
    name: Option<String>,
    hosts: Vec<HostPattern>,
    /// True if an existing profile of that name will be replaced.
    replaces: bool,
    /// True if the key was asked for, and its warning shown.
    has_key: bool,
    /// The place that the key will be moved to.
    place: RefCell<Option<PathBuf>>,
}

impl SetupProfile {
    /// Returns the options of a call with this profile.
    fn options(&self, plan: &Plan<'_>) -> Result<Options, Error> {
        Ok(Options {
            profile: Some(name(self)?.into()),
            ..plan.options.clone()
        })
    }

    /// Returns the current and the new path of the key.
    fn moved(&self, plan: &Plan<'_>) -> Option<(PathBuf, PathBuf)> {
        let to = self.answers.get()?.place.borrow().clone()?;
        Some((plan.options.key_file.clone()?.into(), to))
    }

    /// Copies the key, which gets its new place when the profile names it there.
    fn copy_key(&self, plan: &Plan<'_>) -> Result<(), Error> {
        if let Some((from, to)) = self.moved(plan).filter(|_| !plan.mode.dry_run) {
            // The key is copied once: each plan is applied once.
            let _ = plan.moved.set(Moved::copy(from, to, &plan.deadline)?);
        }
        Ok(())
    }
}

impl Setup for SetupProfile {
    fn of_name(name: &str) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }

    fn names(&self) -> Vec<Name<'_>> {
        named("NAME", &self.name)
    }

    /// Asks the user for the missing settings of a new profile.
    fn complete(
        &self,
        world: &World<'_>,
        config: &Config<'_>,
        options: &mut Options,
    ) -> Result<(), Error> {
        refuse_strangers(options)?;
        let can_ask = world.can_ask();
        let is_whole = self.name.is_none() && can_ask;
        if !is_whole {
            let name = name(self)?;
            if config.profile_names().any(|known| known == name) {
                return Ok(());
            }
        }
        let given = config.caller();
        let needs = Needs::of(given);
        needs.refuse(can_ask)?;
        if is_whole {
            wizard::say(wizard::INTRODUCTION);
        }
        if needs.issuer() {
            wizard::ask_issuer(world, config, options)?;
        }
        if needs.key() {
            wizard::ask_key(world, options, None)?;
        }
        let mut answers = Answers {
            name: None,
            hosts: Vec::new(),
            replaces: false,
            has_key: needs.key(),
            place: RefCell::default(),
        };
        if is_whole {
            let issuer = options
                .issuer
                .as_ref()
                .map(|issuer| issuer.to_string_lossy().into_owned());
            let issuer = issuer.or_else(|| given.issuer.clone()).unwrap_or_default();
            let name = wizard::ask_name(world, config, &issuer)?;
            answers.replaces = wizard::is_known(config, &name);
            answers.name = Some(name);
        }
        if let (true, Some(key)) = (needs.key(), &options.key_file) {
            let name = match &answers.name {
                Some(name) => name.clone(),
                None => name(self)?,
            };
            *answers.place.borrow_mut() = ask_place(world, config, key, &name)?;
        }
        if is_whole {
            answers.hosts = wizard::ask_hosts(world, config)?;
            if !given.projects.is_empty() && !given.roles {
                wizard::ask_roles(world, options)?;
            }
        }
        if is_whole || needs.key() {
            // The answers are set once: each call asks once.
            let _ = self.answers.set(answers);
        }
        Ok(())
    }

    /// Writes the profile.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let name = name(self)?;
        refuse_strangers(&plan.options)?;
        let setup = format!("profile {name}");
        let config = plan.config()?;
        let known: Vec<_> = config.profile_names().map(ToOwned::to_owned).collect();
        let is_new = !known.contains(&name);
        let answers = self.answers.get();
        if answers.is_some_and(|answers| answers.name.is_some() && !answers.replaces) {
            // Checked again since the question: the user may have taken long.
            let hint = "another setup wrote it just now: run this one again, with another name";
            wizard::refuse_known_name(&config, &name, hint)?;
        }
        let had_default = config.has_default_profile();
        let mut values = values(config.caller())?;
        let moved = self.moved(plan);
        if let Some((_, to)) = &moved {
            let to = to.to_string_lossy();
            for (_, value) in values.iter_mut().filter(|(key, _)| *key == "key-file") {
                *value = string(&to);
            }
        }
        if is_new {
            if let ([only], false) = (known.as_slice(), had_default) {
                // The other profile applied as the only one, which it no longer is.
                let value = string(only);
                plan.set_in_config(&setup, &["default-profile"], &value)?;
            }
            plan.edit_config(|document| document.add_table("profiles", &name, &values))?;
            let edit = plan.config_edit(&["profiles", &name], &body(&values), None);
            plan.journal.record(&setup, edit);
        } else {
            for (key, value) in &values {
                plan.set_in_config(&setup, &["profiles", &name, key], value)?;
            }
        }
        if let Some((_, to)) = moved.filter(|_| plan.mode.dry_run) {
            plan.say(format!("the key would move to {}", quote::path(&to)));
        }
        // A value that the next call would refuse is not written, tested or not.
        let options = self.options(plan)?;
        let config = plan.config_with(&options)?;
        let request = config.request(Asker::default())?;
        let has_issuer = request.issuer.is_some();
        if (plan.mode.dry_run || plan.mode.no_try)
            && let Some(warning) = check_file(&request)?
        {
            plan.say(warning);
        }
        if plan.mode.no_try {
            self.copy_key(plan)?;
        }
        if !self.answers.get().is_some_and(|answers| answers.has_key) {
            warn_of_mode(plan)?;
        }
        if let Some(Answers {
            name: Some(_),
            hosts,
            ..
        }) = answers
        {
            for host in hosts {
                let pattern = host.to_string();
                let hint = "another setup wrote it just now: run this one again, without this host";
                wizard::refuse_known_host(&plan.config()?, host, hint)?;
                let values = rule_of(&name);
                plan.edit_config(|document| document.add_table("hosts", &pattern, &values))?;
                let edit = plan.config_edit(&["hosts", &pattern], &body(&values), None);
                plan.journal.record(&setup, edit);
                plan.warn_of_rule(host)?;
            }
            let lines = ending::lines(plan, &name, hosts, has_issuer)?;
            plan.say_all(lines);
        } else if known.is_empty() {
            let file = plan.config_option();
            let each = if file.is_empty() { "" } else { ", each with" };
            plan.say(format!("next: zitadel-credential setup git HOST, setup docker HOST, or setup kubectl --context CONTEXT{each}{file}"));
            let options = self.options(plan)?;
            plan.say_all(ending::roles(&plan.config_with(&options)?, &name, &file));
        }
        Ok(())
    }

    /// Gets a token with the new profile, and asks for its user.
    fn prove(&self, world: &World<'_>, plan: &Plan<'_>) -> Result<Vec<String>, Error> {
        let name = name(self)?;
        let options = self.options(plan)?;
        let config = plan.config_with(&options)?;
        let mut request = config.request(Asker::default())?;
        // `warn_of_mode` reports the exposure.
        request.source.leave_exposure_to_caller();
        // Another machine's token does not test the source.
        request.shared = None;
        let broker = Broker::new(&request, world.clock)?;
        let line = proof::line(&name, &request, &broker)?;
        self.copy_key(plan)?;
        Ok(vec![if (world.terminal)().stdout {
            wrapped(&line, 0, 4)
        } else {
            line
        }])
    }

    /// Asks for another key, if the user typed this one.
    fn ask_again(
        &self,
        world: &World<'_>,
        error: Error,
        options: &mut Options,
    ) -> Result<(), Error> {
        let Some(former) = options
            .key_file
            .clone()
            .filter(|_| self.answers.get().is_some())
        else {
            return Err(error);
        };
        wizard::object(&error);
        wizard::ask_key(world, options, Some(former.as_ref()))?;
        let given = options.key_file.as_ref().filter(|given| **given != former);
        if let (Some(answers), Some(key)) = (self.answers.get(), given) {
            let config = Config::load(options, world.environment, &world.directories)?;
            *answers.place.borrow_mut() = ask_place(world, &config, key, &name(self)?)?;
        }
        Ok(())
    }

    /// Undoes the profile.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        undo::undo(&name(self)?, plan)
    }
}

/// The keys of a profile that a setup writes.
const KEYS: [&str; 12] = [
    "issuer",
    "key-file",
    "token-file",
    "client-id",
    "client-secret-file",
    "key-id",
    "user-id",
    "scopes",
    "projects",
    "roles",
    "zitadel-api",
    "ca-file",
];

/// Returns the lines of a host rule that the user asked for.
fn rule_of(profile: &str) -> [(&'static str, String); 1] {
    [("profile", string(profile))]
}

/// True if this setup makes such an edit.
fn owns(of: &str, edit: &Edit) -> bool {
    match edit.key().as_slice() {
        ["default-profile"] => true,
        ["profiles", name] => *name == of,
        ["profiles", name, key] => *name == of && KEYS.contains(key),
        _ => edit.is_host_rule() && edit.ours == body(&rule_of(of)),
    }
}

/// Warns of a key that others may use.
fn warn_of_mode(plan: &mut Plan<'_>) -> Result<(), Error> {
    let given = plan.config()?.caller().source.clone();
    let Some(source) = given.filter(|source| !matches!(source, SourceSetting::Supplier(_))) else {
        return Ok(());
    };
    let Some(path) = source.file() else {
        return Ok(());
    };
    if Status::of(path).is_ok_and(|status| status.is_file() && status.is_open_to_others()) {
        let path = word(path);
        plan.say(format!(
            "warning: other users can read the key: chmod 600 {path}"
        ));
    }
    Ok(())
}

fn name(asked: &SetupProfile) -> Result<String, Error> {
    if let Some(name) = asked.answers.get().and_then(|answers| answers.name.clone()) {
        return Ok(name);
    }
    let Some(name) = &asked.name else {
        let report = Report::new("missing argument <NAME>")
            .hint("usage: zitadel-credential setup profile [OPTIONS] <NAME>");
        return Err(Error::Usage(
            report.hint("run zitadel-credential setup profile -h for the options"),
        ));
    };
    let name = name
        .to_str()
        .filter(|name| !name.is_empty() && name.len() <= 100 && !name.contains(is_unprintable));
    name.map(ToOwned::to_owned).ok_or_else(|| {
        Error::Usage(
            Report::new("invalid profile name: empty, too long or not plain text")
                .hint("use a name like prod"),
        )
    })
}

/// Asks for the key's new place.
fn ask_place(
    world: &World<'_>,
    config: &Config<'_>,
    key: &OsStr,
    name: &str,
) -> Result<Option<PathBuf>, Error> {
    match config.path() {
        Some(path) => wizard::ask_place(world, Path::new(key), path, name),
        None => Ok(None),
    }
}

/// Refuses options that a profile does not store.
fn refuse_strangers(options: &Options) -> Result<(), Error> {
    let (option, hint) = if !options.host.is_empty() {
        (
            "--host",
            "zitadel-credential setup TOOL HOST adds a host rule, for example setup git HOST",
        )
    } else if options.profile.is_some() {
        (
            "--profile",
            "give the name as an argument: setup profile NAME",
        )
    } else {
        return Ok(());
    };
    Err(Error::Usage(
        Report::new(format!("{option} is not an option of setup profile")).hint(hint),
    ))
}
