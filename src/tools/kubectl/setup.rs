//! kubectl: a user in a kubeconfig that gets our token, and a context that uses it. The
//! kubeconfig's entry is the rule: no host rule is needed.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::args::SetupKubectl;
use super::edit::{Kubeconfig, is_user, words};
use super::kubeconfig::{lost, named, same_user, user_of};
use super::protocol::Version;
use super::trial::{NO_TOKEN, look_at_the_token, trial};
use crate::call::World;
use crate::edit::diff::Format;
use crate::edit::entry::{Edit, Standing};
use crate::edit::file::FileChange;
use crate::edit::hosts::as_it_is;
use crate::edit::plan::Plan;
use crate::edit::setup;
use crate::edit::setup::{Name, Setup};
use crate::edit::tool::Tool;
use crate::edit::trial::file_words;
use crate::error::{Error, Report};
use crate::text::quote;
use crate::text::quote::printable;

/// The names that a diff of a kubeconfig shows.
const FORMAT: Format = Format {
    keys: &[
        "apiVersion",
        "args",
        "certificate-authority",
        "certificate-authority-data",
        "client-certificate",
        "client-certificate-data",
        "client-key",
        "client-key-data",
        "cluster",
        "clusters",
        "command",
        "context",
        "contexts",
        "current-context",
        "env",
        "exec",
        "extensions",
        "interactiveMode",
        "kind",
        "name",
        "preferences",
        "provideClusterInfo",
        "server",
        "user",
        "username",
        "users",
    ],
    headers: &[],
};

impl Setup for SetupKubectl {
    fn of_name(name: &str) -> Self {
        Self {
            user: name.into(),
            context: None,
            kubeconfig: None,
        }
    }

    fn names(&self) -> Vec<Name<'_>> {
        let user = setup::named("--user", [&self.user]);
        [user, setup::named("--context", &self.context)].concat()
    }

    /// Writes the user, and points the context at it.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        plan.refuse_profiles_options()?;
        let profile = plan.profile()?;
        let user = text("--user", &self.user)?;
        let context = self.context.as_ref().map(|name| text("--context", name));
        let context = context.transpose()?;
        let file = open(plan, self)?;
        let kubectl = find(plan)?;
        let knows_mode = knows_interactive_mode(&kubectl)?;
        let lost = lost(file.text());
        let mut config = Kubeconfig::open(kubectl, file)?;
        let setup = format!("kubectl {user} {}", config.file.name());
        let exec = exec(plan, profile.as_deref(), knows_mode)?;
        config.file.words = words(&exec, &user);
        // kubectl writes a program in the kubeconfig's directory as a bare name, and then
        // looks for that on PATH.
        let dir = config.file.path().parent();
        config.file.by_link = dir.is_some_and(|dir| plan.program.starts_with(dir));
        set_user(plan, &mut config, &setup, &user, &exec)?;
        if let Some(context) = &context {
            set_context(plan, &mut config, &setup, context, &user)?;
        }
        if config.file.is_changed() && !lost.is_empty() {
            plan.say(format!(
                "warning: kubectl drops {} from the file; --undo restores it unless others change the file",
                lost.join(", ")
            ));
        }
        tell(plan, &user, context.as_deref(), knows_mode);
        let name = config.file.name();
        let file_words = file_words("--kubeconfig", self.kubeconfig.as_ref(), name);
        plan.try_out(trial(&exec, &user, file_words));
        if config.file.is_changed() || plan.mode.dry_run {
            tell_of_kuberc(plan, &exec);
        }
        plan.add(config.file);
        Ok(())
    }

    /// Checks the token. The trial call reports why there is none.
    fn prove(&self, world: &World<'_>, plan: &Plan<'_>) -> Result<Vec<String>, Error> {
        let mut lines = look_at_the_token(plan, world);
        lines.retain(|line| !line.starts_with(NO_TOKEN));
        Ok(lines)
    }

    fn preview(&self, world: &World<'_>, plan: &Plan<'_>) -> Vec<String> {
        look_at_the_token(plan, world)
    }

    /// Removes the user, and points the context at its former one.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let user = text("--user", &self.user)?;
        let file = open(plan, self)?;
        let setup = format!("kubectl {user} {}", file.name());
        let Some(edits) = plan.journal.take(&setup) else {
            plan.say(format!(
                "kubectl was not set up for user {}",
                quote::path(&user)
            ));
            plan.add(file);
            return Ok(());
        };
        let mut config = Kubeconfig::open(find(plan)?, file)?;
        for done in edits {
            match done.key().as_slice() {
                ["users", user] => config.undo_user(plan, user, &done)?,
                ["contexts", context, _] => config.undo_context(plan, context, &done)?,
                _ => {}
            }
        }
        plan.add(config.file);
        Ok(())
    }
}

/// Writes the user, unless the kubeconfig has it already.
///
/// # Errors
/// Another user has that name, or kubectl fails.
fn set_user(
    plan: &mut Plan<'_>,
    config: &mut Kubeconfig,
    setup: &str,
    user: &str,
    exec: &Value,
) -> Result<(), Error> {
    let key = ["users", user];
    if let Some(there) = named(&config.view, key[0], user) {
        if same_user(there, exec) {
            return Ok(());
        }
        let mut known = plan.journal.edits_of(setup).iter();
        let known = known.find(|edit| edit.at == key);
        let standing = known.map(|known| known.standing(Some(there), is_user));
        if standing != Some(Standing::Ours) {
            let path = quote::path(config.file.path());
            let what = format!("{path}: user {} exists already", quote::path(user));
            return Err(Error::Usage(
                Report::new(what).hint("choose another name with --user: this one may be in use"),
            ));
        }
    }
    config.set_user(user, exec)?;
    let edit = Edit::new(config.file.name(), &key, &exec.to_string(), None);
    plan.journal.record(setup, edit);
    Ok(())
}

/// Points the context at the user.
///
/// # Errors
/// There is no such context, or kubectl fails.
fn set_context(
    plan: &mut Plan<'_>,
    config: &mut Kubeconfig,
    setup: &str,
    context: &str,
    user: &str,
) -> Result<(), Error> {
    let Some(there) = named(&config.view, "contexts", context) else {
        let path = quote::path(config.file.path());
        let what = format!("{path}: no context {}", quote::path(context));
        return Err(Error::Usage(Report::new(what).hint(
            "kubectl config get-contexts lists them; kubectl config set-context makes one",
        )));
    };
    // The diff shows whose context it is.
    let names = ["cluster", "user", "namespace"].map(|key| there["context"][key].as_str());
    let names = names.into_iter().flatten().chain([context]);
    config.file.words.extend(names.map(ToOwned::to_owned));
    let former = user_of(&config.view, context).filter(|user| !user.is_empty());
    if former != Some(user) {
        let former = former.map(ToOwned::to_owned);
        config.point(context, user)?;
        let key = ["contexts", context, "user"];
        let edit = Edit::new(config.file.name(), &key, user, former);
        plan.journal.record(setup, edit);
    }
    Ok(())
}

/// True if this setup makes such an edit.
pub(super) fn owns(of: &str, edit: &Edit) -> bool {
    let is_name = |text: &str| !text.is_empty() && !text.starts_with('-');
    let is_known = match edit.key().as_slice() {
        ["users", user] => is_name(user) && serde_json::from_str::<Value>(&edit.ours).is_ok(),
        ["contexts", context, "user"] => is_name(context) && is_name(&edit.ours),
        _ => false,
    };
    is_known && edit.is_in_file_of(of)
}

fn open(plan: &mut Plan<'_>, asked: &SetupKubectl) -> Result<FileChange, Error> {
    let mut file = plan.open_file(&kubeconfig(plan, asked)?)?;
    file.format = FORMAT;
    Ok(file)
}

fn find(plan: &Plan<'_>) -> Result<Tool, Error> {
    Tool::find("kubectl", "--kubeconfig", plan.environment, &plan.deadline)
}

/// Returns the user's `exec` entry.
fn exec(plan: &Plan<'_>, profile: Option<&str>, knows_mode: bool) -> Result<Value, Error> {
    let program = plan.program.to_str().ok_or_else(|| {
        let what = format!(
            "{} is not UTF-8, which a kubeconfig requires",
            quote::path(&plan.program)
        );
        Error::Usage(Report::new(what).hint("install it below a UTF-8 path"))
    })?;
    // Version v1 needs interactiveMode, which kubectl sets from 1.30 on.
    let version = if knows_mode {
        Version::V1
    } else {
        Version::V1beta1
    };
    // Some clients compare versions and do not pass theirs.
    let mut args = ["kubectl", "--api-version", version.short()]
        .map(ToOwned::to_owned)
        .to_vec();
    if let Some(profile) = profile {
        args.extend(["--profile".to_owned(), profile.to_owned()]);
    }
    args.extend(plan.config_words());
    Ok(json!({
        "apiVersion": version,
        "command": program,
        "args": args,
        "interactiveMode": knows_mode.then_some("Never"),
    }))
}

fn knows_interactive_mode(kubectl: &Tool) -> Result<bool, Error> {
    let help = kubectl.run(kubectl.call(["config", "set-credentials", "--help"]))?;
    Ok(String::from_utf8_lossy(&help.stdout).contains("--exec-interactive-mode"))
}

/// Prints the next command, and a note about an old kubectl.
fn tell(plan: &mut Plan<'_>, user: &str, context: Option<&str>, knows_mode: bool) {
    if !knows_mode {
        plan.say("this kubectl is older than 1.30 and cannot set interactiveMode: the entry uses v1beta1");
    }
    plan.say_next(match context {
        Some(context) => format!(
            "next: kubectl --context {} auth whoami",
            quote::word(context)
        ),
        None => format!(
            "next: kubectl --user {} auth whoami, or --context CONTEXT to have one use it",
            quote::word(user)
        ),
    });
}

/// Prints the lines that kubectl 1.35 and later may need.
fn tell_of_kuberc(plan: &mut Plan<'_>, exec: &Value) {
    let command = exec["command"].as_str().unwrap_or_default();
    for line in [
        "if ~/.kube/kuberc of kubectl 1.35 or later has an allow-list, add these lines to it",
        "  credentialPluginPolicy: Allowlist",
        "  credentialPluginAllowlist:",
    ] {
        plan.say(line);
    }
    plan.say(format!(
        "  - command: {}    # kubectl 1.35: name instead of command",
        printable(command)
    ));
}

fn kubeconfig(plan: &Plan<'_>, asked: &SetupKubectl) -> Result<PathBuf, Error> {
    if let Some(file) = &plan.tool_file {
        return Ok(file.clone());
    }
    if let Some(file) = &asked.kubeconfig {
        return plan.directories.located("--kubeconfig", file);
    }
    let set = (plan.environment)("KUBECONFIG").unwrap_or_default();
    let mut files = std::env::split_paths(&set).filter(|path| !path.as_os_str().is_empty());
    match (files.next(), files.next(), &plan.directories.home) {
        (Some(file), None, _) => as_it_is(file, "kubectl", "KUBECONFIG"),
        (None, None, Some(home)) => Ok(home.join(".kube/config")),
        (Some(_), ..) => Err(Error::Usage(
            Report::new("KUBECONFIG has several files").hint("choose one with --kubeconfig"),
        )),
        (None, ..) => Err(Error::Usage(
            Report::new("no kubeconfig: unknown home directory")
                .hint("choose one with --kubeconfig"),
        )),
    }
}

fn text(option: &str, given: &std::ffi::OsStr) -> Result<String, Error> {
    let plain = given
        .to_str()
        .filter(|text| !text.is_empty() && !text.starts_with('-'));
    plain.map(ToOwned::to_owned).ok_or_else(|| {
        Error::Usage(
            Report::new(format!("{option} is not a valid name"))
                .hint("use UTF-8 text that does not start with -"),
        )
    })
}
