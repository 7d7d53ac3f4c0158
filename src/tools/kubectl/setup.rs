//! kubectl: a user in a kubeconfig whose token we give, and a context that uses
//! it. The kubeconfig's entry is the rule: no host rule is needed.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::args::SetupKubectl;
use super::kubeconfig::{named, same_but_for, same_but_for_user_of, same_user, user_of};
use crate::broker::Broker;
use crate::call::World;
use crate::cli::options::Options;
use crate::config::Asker;
use crate::edit::desk::{After, Desk, edit_of};
use crate::edit::journal::Edit;
use crate::edit::setup::{Mode, Setup};
use crate::edit::target::Target;
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

    fn look_ahead(&self, world: &World<'_>, desk: &mut Desk<'_>) -> Result<Vec<String>, Error> {
        // A refusal costs no request.
        put_in(desk, self)?;
        Ok(look_at_the_token(desk, world))
    }

    fn apply<'d>(&self, desk: &mut Desk<'d>) -> Result<Option<After<'d>>, Error> {
        put_in(desk, self)
    }

    fn undo<'d>(&self, desk: &mut Desk<'d>) -> Result<Option<After<'d>>, Error> {
        take_out(desk, self)
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

/// Writes the user, and points the context at it.
///
/// # Errors
/// Another user has that name, there is no such context, or kubectl fails.
fn put_in<'d>(desk: &mut Desk<'d>, asked: &SetupKubectl) -> Result<Option<After<'d>>, Error> {
    desk.refuse_profiles_options()?;
    let profile = desk.profile()?;
    let user = text("--user", &asked.user)?;
    let context = asked
        .context
        .as_ref()
        .map(|c| text("--context", c))
        .transpose()?;
    let deadline = desk.deadline;
    let kubectl = Tool::find("kubectl", desk.environment, &deadline)?;
    let mut file = desk.open_file(&kubeconfig(desk, asked)?)?;
    file.has_lock_file = true;
    let setup = format!("kubectl {user} {}", file.name());
    let mut view = self::view(&kubectl, file.real(), file.path())?;

    let knows_mode = knows_interactive_mode(&kubectl)?;
    let exec = exec(desk, profile.as_deref(), knows_mode)?;
    file.words = words(&exec, &user);
    let key = ["users", user.as_str()];
    let left = desk.journal.edit_at(&file.name(), &key);
    let left: Option<Value> = left.and_then(|edit| serde_json::from_str(&edit.ours).ok());
    let is_ours = |there: &Value| left.as_ref().is_some_and(|left| same_user(there, left));
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
            let call = |copy: &Path| set_credentials(copy, &user, &exec);
            edit(&kubectl, &mut file, &mut view, call, |before, after| {
                let there = named(after, "users", &user);
                there.is_some_and(|there| same_user(there, &exec))
                    && same_but_for(before, after, "users", &user)
            })?;
            let edit = edit_of(&file, &key, &exec.to_string(), None);
            desk.journal.record(&setup, edit);
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
            let edit = edit_of(&file, &key, &user, former);
            desk.journal.record(&setup, edit);
        }
    }
    tell(desk, &user, context.as_deref(), knows_mode);
    if file.is_changed() || desk.mode.dry_run {
        tell_of_kuberc(desk, &exec);
    }
    desk.add(file);
    Ok(None)
}

/// Takes the user out, and points the context at its former one.
///
/// # Errors
/// kubectl fails.
fn take_out<'d>(desk: &mut Desk<'d>, asked: &SetupKubectl) -> Result<Option<After<'d>>, Error> {
    let user = text("--user", &asked.user)?;
    let deadline = desk.deadline;
    let kubectl = Tool::find("kubectl", desk.environment, &deadline)?;
    let mut file = desk.open_file(&kubeconfig(desk, asked)?)?;
    file.has_lock_file = true;
    let setup = format!("kubectl {user} {}", file.name());
    let Some(edits) = desk.journal.take(&setup) else {
        desk.says(format!("kubectl was not set up for user {}", quoted(&user)));
        return Ok(None);
    };
    let mut view = self::view(&kubectl, file.real(), file.path())?;
    for done in edits {
        match done.key().as_slice() {
            ["users", user] => {
                let exec: Value = serde_json::from_str(&done.ours).unwrap_or_default();
                file.words.extend(words(&exec, user));
                match named(&view, "users", user) {
                    None => desk.says(format!("user {} was gone already", quoted(user))),
                    Some(there) if !same_user(there, &exec) => {
                        desk.says(format!(
                            "user {} was changed since, and stays",
                            quoted(user)
                        ));
                    }
                    Some(_) => {
                        let call = |copy: &Path| config(copy, &["delete-user", user]);
                        edit(&kubectl, &mut file, &mut view, call, |before, after| {
                            named(after, "users", user).is_none()
                                && same_but_for(before, after, "users", user)
                        })?;
                        desk.says(format!("takes out user {}", quoted(user)));
                    }
                }
            }
            ["contexts", context, _] => {
                let now = named(&view, "contexts", context).map(|there| &there["context"]["user"]);
                if now.and_then(Value::as_str) != Some(&done.ours) {
                    desk.says(format!(
                        "context {} was changed since, and stays",
                        quoted(context)
                    ));
                    continue;
                }
                let former = done.former.as_deref().unwrap_or_default();
                file.words.push(former.to_owned());
                point(&kubectl, &mut file, &mut view, context, former)?;
                let context = quoted(context);
                desk.says(match former {
                    "" => format!("context {context} names no user again"),
                    former => format!("puts back user {} of context {context}", quoted(former)),
                });
            }
            _ => {}
        }
    }
    desk.add(file);
    Ok(None)
}

/// The user's `exec` entry.
fn exec(desk: &Desk<'_>, profile: Option<&str>, knows_mode: bool) -> Result<Value, Error> {
    let program = desk.program.to_str().ok_or_else(|| {
        let what = format!(
            "{} is no path that a kubeconfig can hold",
            quote::path(&desk.program)
        );
        Error::Usage(Report::new(what).hint("it must be UTF-8: install it elsewhere"))
    })?;
    let mut args = vec!["kubectl".to_owned()];
    if let Some(profile) = profile {
        args.extend(["--profile".to_owned(), profile.to_owned()]);
    }
    if desk.options.config.is_some() {
        let path = desk.config.path().to_string_lossy();
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

fn knows_interactive_mode(kubectl: &Tool<'_>) -> Result<bool, Error> {
    let help = kubectl.run_well(kubectl.call(["config", "set-credentials", "--help"]))?;
    Ok(String::from_utf8_lossy(&help.stdout).contains("--exec-interactive-mode"))
}

fn config(copy: &Path, words: &[&str]) -> Vec<OsString> {
    let mut call = vec!["config".into(), "--kubeconfig".into(), copy.into()];
    call.extend(words.iter().map(Into::into));
    call
}

fn set_credentials(copy: &Path, user: &str, exec: &Value) -> Vec<OsString> {
    let text = |key: &str| exec[key].as_str().unwrap_or_default();
    let mut call = config(copy, &["set-credentials", user]);
    call.push(format!("--exec-command={}", text("command")).into());
    call.push(format!("--exec-api-version={}", text("apiVersion")).into());
    if !text("interactiveMode").is_empty() {
        call.push(format!("--exec-interactive-mode={}", text("interactiveMode")).into());
    }
    for arg in exec["args"].as_array().into_iter().flatten() {
        call.push(format!("--exec-arg={}", csv(arg.as_str().unwrap_or_default())).into());
    }
    call
}

/// kubectl reads a list's values as lines of CSV.
fn csv(value: &str) -> String {
    if value.contains([',', '"', '\n']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

fn set_context(copy: &Path, context: &str, user: &str) -> Vec<OsString> {
    let user = format!("--user={user}");
    config(copy, &["set-context", context, &user])
}

/// Points a context at a user.
fn point(
    kubectl: &Tool<'_>,
    file: &mut Target,
    view: &mut Value,
    context: &str,
    user: &str,
) -> Result<(), Error> {
    let call = |copy: &Path| set_context(copy, context, user);
    edit(kubectl, file, view, call, |before, after| {
        user_of(after, context) == Some(user) && same_but_for_user_of(before, after, context)
    })
}

/// Has kubectl change the file, and looks by its views, that before and that
/// after, whether it did what it was asked.
fn edit(
    kubectl: &Tool<'_>,
    file: &mut Target,
    view: &mut Value,
    call: impl FnOnce(&Path) -> Vec<OsString>,
    is_done: impl FnOnce(&Value, &Value) -> bool,
) -> Result<(), Error> {
    let name = file.path().to_owned();
    let call = |copy: &Path| kubectl.call(call(copy));
    let after = kubectl.edit(file, call, |copy| self::view(kubectl, copy, &name))?;
    if !is_done(view, &after) {
        return Err(kubectl.disbelieved(file, "it is not what was asked for, or not that alone"));
    }
    *view = after;
    Ok(())
}

/// A kubeconfig as kubectl reads it, and the name that it goes by.
fn view(kubectl: &Tool<'_>, file: &Path, name: &Path) -> Result<Value, Error> {
    let call = config(file, &["view", "--raw", "--output", "json"]);
    let ended = kubectl.run_well(kubectl.call(call))?;
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

/// What to type next, and what else there is to know.
fn tell(desk: &mut Desk<'_>, user: &str, context: Option<&str>, knows_mode: bool) {
    if !knows_mode {
        desk.says("this kubectl is older than 1.30 and cannot set interactiveMode: the entry is of v1beta1");
    }
    desk.says(match context {
        Some(context) => format!("next: kubectl --context {} auth whoami", quoted(context)),
        None => format!(
            "next: kubectl --user {} auth whoami, or --context CONTEXT to have one use it",
            quoted(user)
        ),
    });
}

/// What kubectl 1.35 and later may need besides.
fn tell_of_kuberc(desk: &mut Desk<'_>, exec: &Value) {
    let command = exec["command"].as_str().unwrap_or_default();
    for line in [
        "kubectl 1.35 and later runs only listed plugins where ~/.kube/kuberc says so; there, this one's lines are",
        "  credentialPluginPolicy: Allowlist",
        "  credentialPluginAllowlist:",
    ] {
        desk.says(line);
    }
    desk.says(format!(
        "  - command: {}    # kubectl 1.35 spells this key name:",
        printable(command)
    ));
}

/// Whether an API server could read the token, as far as it can be seen here.
fn look_at_the_token(desk: &Desk<'_>, world: &World<'_>) -> Vec<String> {
    let token = || {
        let config = desk.config()?;
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

fn kubeconfig(desk: &Desk<'_>, asked: &SetupKubectl) -> Result<PathBuf, Error> {
    if let Some(file) = &asked.kubeconfig {
        return Ok(file.clone());
    }
    let set = (desk.environment)("KUBECONFIG").unwrap_or_default();
    let mut files = std::env::split_paths(&set).filter(|path| !path.as_os_str().is_empty());
    match (files.next(), files.next(), &desk.directories.home) {
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
