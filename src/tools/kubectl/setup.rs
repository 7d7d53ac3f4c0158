//! kubectl: a user in a kubeconfig whose token we give, and a context that uses
//! it. The kubeconfig's entry is the rule: no host rule is needed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::args::SetupKubectl;
use super::kubeconfig::{named, same_but_for, same_but_for_user_of, same_user, user_of};
use crate::broker::Broker;
use crate::call::World;
use crate::cli::options::Options;
use crate::config::Asker;
use crate::edit::entry::{Edit, Standing};
use crate::edit::file::FileChange;
use crate::edit::plan::{After, Mode, Plan};
use crate::edit::setup::Setup;
use crate::edit::tool::Tool;
use crate::error::{Error, Report};
use crate::text::quote;
use crate::text::quote::{printable, quoted};

const GROUP: &str = "client.authentication.k8s.io";

impl Setup for SetupKubectl {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn names(&self) -> Vec<(&'static str, &OsStr)> {
        let context = self.context.as_deref().map(|name| ("--context", name));
        std::iter::once(("--user", &*self.user))
            .chain(context)
            .collect()
    }

    fn look_ahead(&self, world: &World<'_>, plan: &mut Plan<'_>) -> Result<Vec<String>, Error> {
        // A refusal costs no request.
        apply(plan, self)?;
        Ok(look_at_the_token(plan, world))
    }

    fn apply<'d>(&self, plan: &mut Plan<'d>) -> Result<Option<After<'d>>, Error> {
        apply(plan, self)
    }

    fn undo<'d>(&self, plan: &mut Plan<'d>) -> Result<Option<After<'d>>, Error> {
        undo(plan, self)
    }
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

fn find(plan: &Plan<'_>) -> Result<Tool, Error> {
    let mut kubectl = Tool::find("kubectl", "--kubeconfig", plan.environment, &plan.deadline)?;
    // It quotes the values of a kubeconfig that it cannot read.
    kubectl.is_quoted = false;
    Ok(kubectl)
}

/// Writes the user, and points the context at it.
///
/// # Errors
/// Another user has that name, there is no such context, or kubectl fails.
fn apply<'d>(plan: &mut Plan<'d>, asked: &SetupKubectl) -> Result<Option<After<'d>>, Error> {
    plan.refuse_profiles_options()?;
    let profile = plan.profile()?;
    let user = text("--user", &asked.user)?;
    let context = asked
        .context
        .as_ref()
        .map(|c| text("--context", c))
        .transpose()?;
    let kubectl = find(plan)?;
    let mut file = plan.open_file(&kubeconfig(plan, asked)?)?;
    let setup = format!("kubectl {user} {}", file.name());
    let mut view = self::view(&kubectl, file.real(), file.path())?;

    let knows_mode = knows_interactive_mode(&kubectl)?;
    let exec = exec(plan, profile.as_deref(), knows_mode)?;
    file.words = words(&exec, &user);
    // kubectl writes a program in the kubeconfig's directory as a bare name, and then
    // looks for that on PATH.
    file.by_link = file
        .path()
        .parent()
        .is_some_and(|dir| plan.program.starts_with(dir));
    let key = ["users", user.as_str()];
    let known = plan.journal.edit_at(&file.name(), &key).cloned();
    let is_ours = |there: &Value| {
        let known = known.as_ref();
        known.is_some_and(|known| known.standing(Some(there), is_user) == Standing::Ours)
    };
    match named(&view, "users", &user) {
        Some(there) if same_user(there, &exec) => {}
        Some(there) if !is_ours(there) => {
            let what = format!(
                "{}: user {} is there already",
                quote::path(file.path()),
                quoted(&user)
            );
            return Err(Error::Usage(
                Report::new(what).hint("give another name by --user: that one may be in use"),
            ));
        }
        _ => {
            edit(
                &kubectl,
                &mut file,
                &mut view,
                &set_credentials(&user, &exec),
                |before, after| {
                    let there = named(after, "users", &user);
                    there.is_some_and(|there| same_user(there, &exec))
                        && same_but_for(before, after, "users", &user)
                },
            )?;
            let edit = Edit::new(file.name(), &key, &exec.to_string(), None);
            plan.journal.record(&setup, edit);
        }
    }
    if let Some(context) = &context {
        let Some(there) = named(&view, "contexts", context) else {
            let what = format!(
                "{}: there is no context {}",
                quote::path(file.path()),
                quoted(context)
            );
            return Err(Error::Usage(Report::new(what).hint(
                "kubectl config get-contexts lists them; kubectl config set-context makes one",
            )));
        };
        // Whose context it is, a person should see.
        file.words.push(context.clone());
        let names = ["cluster", "user", "namespace"].map(|key| there["context"][key].as_str());
        file.words
            .extend(names.into_iter().flatten().map(ToOwned::to_owned));
        let former = there["context"]["user"]
            .as_str()
            .filter(|user| !user.is_empty());
        if former != Some(user.as_str()) {
            let former = former.map(ToOwned::to_owned);
            point(&kubectl, &mut file, &mut view, context, &user)?;
            let key = ["contexts", context.as_str(), "user"];
            let edit = Edit::new(file.name(), &key, &user, former);
            plan.journal.record(&setup, edit);
        }
    }
    tell(plan, &user, context.as_deref(), knows_mode);
    if file.is_changed() || plan.mode.dry_run {
        tell_of_kuberc(plan, &exec);
    }
    plan.add(file);
    Ok(None)
}

/// Removes the user, and points the context at its former one.
///
/// # Errors
/// kubectl fails.
fn undo<'d>(plan: &mut Plan<'d>, asked: &SetupKubectl) -> Result<Option<After<'d>>, Error> {
    let user = text("--user", &asked.user)?;
    let kubectl = find(plan)?;
    let mut file = plan.open_file(&kubeconfig(plan, asked)?)?;
    let setup = format!("kubectl {user} {}", file.name());
    let Some(edits) = plan.journal.take(&setup) else {
        plan.say(format!("kubectl was not set up for user {}", quoted(&user)));
        return Ok(None);
    };
    let mut view = self::view(&kubectl, file.real(), file.path())?;
    for done in edits {
        match done.key().as_slice() {
            ["users", user] => undo_user(plan, &kubectl, &mut file, &mut view, user, &done)?,
            ["contexts", context, _] => {
                undo_context(plan, &kubectl, &mut file, &mut view, context, &done)?;
            }
            _ => {}
        }
    }
    plan.add(file);
    Ok(None)
}

/// Removes the user that a setup wrote.
fn undo_user(
    plan: &mut Plan<'_>,
    kubectl: &Tool,
    file: &mut FileChange,
    view: &mut Value,
    user: &str,
    done: &Edit,
) -> Result<(), Error> {
    let exec: Value = serde_json::from_str(&done.ours).unwrap_or_default();
    file.words.extend(words(&exec, user));
    match done.standing(named(view, "users", user), is_user) {
        Standing::Gone => plan.say(format!("user {} was gone already", quoted(user))),
        Standing::Ours => {
            let words = to_words(&["delete-user", user]);
            edit(kubectl, file, view, &words, |before, after| {
                named(after, "users", user).is_none() && same_but_for(before, after, "users", user)
            })?;
            plan.say(format!("takes out user {}", quoted(user)));
        }
        Standing::Former | Standing::Changed => plan.say(format!(
            "user {} was changed since, and stays",
            quoted(user)
        )),
    }
    Ok(())
}

/// Points a context at the user that it had before the setup.
fn undo_context(
    plan: &mut Plan<'_>,
    kubectl: &Tool,
    file: &mut FileChange,
    view: &mut Value,
    context: &str,
    done: &Edit,
) -> Result<(), Error> {
    let name = quoted(context);
    let now = user_of(view, context).map(ToOwned::to_owned);
    let former = done.former.clone().unwrap_or_default();
    let is = |now: &str, other: &str| now == other;
    match done.standing(now.as_deref(), is) {
        Standing::Ours => {
            file.words.push(former.clone());
            point(kubectl, file, view, context, &former)?;
            plan.say(match &*former {
                "" => format!("context {name} names no user again"),
                former => format!("puts back user {} of context {name}", quoted(former)),
            });
        }
        // The setup was killed before kubectl wrote it, or a later one goes on.
        _ if now.as_ref() == Some(&former) => {
            plan.say(format!("context {name} has the user that it had before"));
        }
        _ if now
            .as_ref()
            .is_some_and(|now| plan.journal.is_anothers(done, |ours| ours == now)) =>
        {
            plan.say(format!("context {name} has the user of another setup"))
        }
        _ => plan.say(format!("context {name} was changed since, and stays")),
    }
    Ok(())
}

/// True if a user is what a setup wrote.
fn is_user(there: &Value, ours: &str) -> bool {
    serde_json::from_str(ours).is_ok_and(|ours| same_user(there, &ours))
}

/// Returns the user's `exec` entry.
fn exec(plan: &Plan<'_>, profile: Option<&str>, knows_mode: bool) -> Result<Value, Error> {
    let program = plan.program.to_str().ok_or_else(|| {
        let what = format!(
            "{} is no path that a kubeconfig can hold",
            quote::path(&plan.program)
        );
        Error::Usage(Report::new(what).hint("it must be UTF-8: install it elsewhere"))
    })?;
    let mut args = vec!["kubectl".to_owned()];
    if let Some(profile) = profile {
        args.extend(["--profile".to_owned(), profile.to_owned()]);
    }
    if plan.options.config.is_some() {
        let path = plan.config.path().to_string_lossy();
        args.extend(["--config".to_owned(), path.into_owned()]);
    }
    // Version v1 needs interactiveMode, which kubectl sets from 1.30 on.
    let version = if knows_mode { "v1" } else { "v1beta1" };
    Ok(json!({
        "apiVersion": format!("{GROUP}/{version}"),
        "command": program,
        "args": args,
        "interactiveMode": knows_mode.then_some("Never"),
    }))
}

fn knows_interactive_mode(kubectl: &Tool) -> Result<bool, Error> {
    let help = kubectl.run(kubectl.call(["config", "set-credentials", "--help"]))?;
    Ok(String::from_utf8_lossy(&help.stdout).contains("--exec-interactive-mode"))
}

fn to_words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn set_credentials(user: &str, exec: &Value) -> Vec<String> {
    let text = |key: &str| exec[key].as_str().unwrap_or_default();
    let mut words = to_words(&["set-credentials", user]);
    words.push(format!("--exec-command={}", text("command")));
    words.push(format!("--exec-api-version={}", text("apiVersion")));
    if !text("interactiveMode").is_empty() {
        words.push(format!(
            "--exec-interactive-mode={}",
            text("interactiveMode")
        ));
    }
    for arg in exec["args"].as_array().into_iter().flatten() {
        words.push(format!(
            "--exec-arg={}",
            csv(arg.as_str().unwrap_or_default())
        ));
    }
    words
}

/// kubectl reads a list's values as lines of CSV.
fn csv(value: &str) -> String {
    if value.contains([',', '"', '\n']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

/// Points a context at a user.
fn point(
    kubectl: &Tool,
    file: &mut FileChange,
    view: &mut Value,
    context: &str,
    user: &str,
) -> Result<(), Error> {
    let words = to_words(&["set-context", context, &format!("--user={user}")]);
    edit(kubectl, file, view, &words, |before, after| {
        user_of(after, context) == Some(user) && same_but_for_user_of(before, after, context)
    })
}

/// Has kubectl change the file, and looks by its views, that before and that
/// after, whether it did what it was asked.
fn edit(
    kubectl: &Tool,
    file: &mut FileChange,
    view: &mut Value,
    words: &[String],
    is_done: impl FnOnce(&Value, &Value) -> bool,
) -> Result<(), Error> {
    let path = file.path().to_owned();
    let after = file.edit_by(kubectl, words, |copy, _| self::view(kubectl, copy, &path))?;
    if !is_done(view, &after) {
        let reason = "it is not what was asked for, or not that alone";
        return Err(kubectl.disbelieved(&path, reason));
    }
    *view = after;
    Ok(())
}

/// Returns a kubeconfig as kubectl reads it; `name` is what errors call it.
fn view(kubectl: &Tool, file: &Path, name: &Path) -> Result<Value, Error> {
    let words = to_words(&["view", "--raw", "--output", "json"]);
    let ended = kubectl.run(kubectl.config(file, &words))?;
    serde_json::from_slice(&ended.stdout).map_err(|_| {
        let what = format!("{}: kubectl shows it as no JSON", quote::path(name));
        Error::Final(Report::new(what).hint("kubectl config view must work on it"))
    })
}

fn words(exec: &Value, user: &str) -> Vec<String> {
    let args = exec["args"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    args.chain([&exec["command"], &exec["apiVersion"]])
        .filter_map(text)
        .chain([user, "v1", "Config", "Never"].map(ToOwned::to_owned))
        .collect()
}

/// Says what to type next, and what else there is to know.
fn tell(plan: &mut Plan<'_>, user: &str, context: Option<&str>, knows_mode: bool) {
    if !knows_mode {
        plan.say("this kubectl is older than 1.30 and cannot set interactiveMode: the entry is of v1beta1");
    }
    plan.say(match context {
        Some(context) => format!("next: kubectl --context {} auth whoami", quoted(context)),
        None => format!(
            "next: kubectl --user {} auth whoami, or --context CONTEXT to have one use it",
            quoted(user)
        ),
    });
}

/// Says what kubectl 1.35 and later may need besides.
fn tell_of_kuberc(plan: &mut Plan<'_>, exec: &Value) {
    let command = exec["command"].as_str().unwrap_or_default();
    for line in [
        "kubectl 1.35 and later runs only listed plugins where ~/.kube/kuberc says so; there, this one's lines are",
        "  credentialPluginPolicy: Allowlist",
        "  credentialPluginAllowlist:",
    ] {
        plan.say(line);
    }
    plan.say(format!(
        "  - command: {}    # kubectl 1.35 spells this key name:",
        printable(command)
    ));
}

/// Warns of a token that an API server could not read, as far as it can be seen here.
fn look_at_the_token(plan: &Plan<'_>, world: &World<'_>) -> Vec<String> {
    let token = || {
        let config = plan.config()?;
        let request = config.request(Asker::default())?;
        Broker::new(&request, world.clock)?.token()
    };
    match token() {
        Ok(token) if token.is_jwt() => Vec::new(),
        Ok(_) => vec![
            "warning: the token is opaque, and an API server that checks tokens itself (OIDC) refuses it".to_owned(),
            "  in ZITADEL: the service user, Access Token Type, JWT; then zitadel-credential whoami --refresh".to_owned(),
        ],
        Err(error) => vec![format!("warning: there is no token yet: {}", error.report().headline())],
    }
}

fn kubeconfig(plan: &Plan<'_>, asked: &SetupKubectl) -> Result<PathBuf, Error> {
    if let Some(file) = &asked.kubeconfig {
        return Ok(file.clone());
    }
    let set = (plan.environment)("KUBECONFIG").unwrap_or_default();
    let mut files = std::env::split_paths(&set).filter(|path| !path.as_os_str().is_empty());
    match (files.next(), files.next(), &plan.directories.home) {
        (Some(file), None, _) => Ok(file),
        (None, None, Some(home)) => Ok(home.join(".kube/config")),
        (Some(_), ..) => Err(Error::Usage(
            Report::new("KUBECONFIG names several files")
                .hint("--kubeconfig names the one to change"),
        )),
        (None, ..) => Err(Error::Usage(
            Report::new("there is no kubeconfig: no home directory is known")
                .hint("--kubeconfig names the file to change"),
        )),
    }
}

fn text(option: &str, given: &std::ffi::OsStr) -> Result<String, Error> {
    let plain = given
        .to_str()
        .filter(|text| !text.is_empty() && !text.starts_with('-'));
    plain.map(ToOwned::to_owned).ok_or_else(|| {
        Error::Usage(
            Report::new(format!("{option} is no name"))
                .hint("a name is text, and does not start with -"),
        )
    })
}
