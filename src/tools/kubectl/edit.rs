//! The kubeconfig, which kubectl reads and writes itself.

use std::path::Path;

use serde_json::Value;

use super::kubeconfig::{named, same_but_for, same_but_for_user_of, same_user, user_of};
use crate::edit::entry::{Edit, Standing};
use crate::edit::file::FileChange;
use crate::edit::plan::Plan;
use crate::edit::tool::Tool;
use crate::error::{Error, Report};
use crate::text::quote;

/// A kubeconfig that a setup changes.
pub(super) struct Kubeconfig {
    kubectl: Tool,
    pub(super) file: FileChange,
    /// kubectl's view of the new file.
    pub(super) view: Value,
}

impl Kubeconfig {
    /// Reads a file through kubectl.
    ///
    /// # Errors
    /// kubectl cannot read it.
    pub(super) fn open(kubectl: Tool, file: FileChange) -> Result<Self, Error> {
        let view = if file.is_changed() {
            let words = to_words(&["view"]);
            let (copy, _own) =
                kubectl.try_on_copy(file.path(), file.real(), file.text(), &words)?;
            view(&kubectl, &copy, file.path())?
        } else {
            view(&kubectl, file.real(), file.path())?
        };
        Ok(Self {
            kubectl,
            file,
            view,
        })
    }

    /// Writes a user that has only this `exec` entry.
    ///
    /// # Errors
    /// kubectl fails, or makes another change.
    pub(super) fn set_user(&mut self, user: &str, exec: &Value) -> Result<(), Error> {
        self.edit(&set_credentials(user, exec), |before, after| {
            let there = named(after, "users", user);
            there.is_some_and(|there| same_user(there, exec))
                && same_but_for(before, after, "users", user)
        })
    }

    /// Points a context at a user.
    ///
    /// # Errors
    /// Same as [`Kubeconfig::set_user`].
    pub(super) fn point(&mut self, context: &str, user: &str) -> Result<(), Error> {
        let words = to_words(&["set-context", context, &format!("--user={user}")]);
        self.edit(&words, |before, after| {
            user_of(after, context) == Some(user) && same_but_for_user_of(before, after, context)
        })
    }

    /// Lets kubectl edit the file, and compares its views before and after to check that
    /// it made the requested change.
    fn edit(
        &mut self,
        words: &[String],
        is_done: impl FnOnce(&Value, &Value) -> bool,
    ) -> Result<(), Error> {
        let path = self.file.path().to_owned();
        let kubectl = &self.kubectl;
        let shown = |copy: &Path, _: &str| view(kubectl, copy, &path);
        let after = self.file.edit_by(kubectl, words, shown)?;
        if !is_done(&self.view, &after) {
            let reason = "it is not exactly the requested change";
            return Err(kubectl.disbelieved(&path, reason));
        }
        self.view = after;
        Ok(())
    }

    /// Removes the user that a setup wrote.
    ///
    /// # Errors
    /// Same as [`Kubeconfig::set_user`].
    pub(super) fn undo_user(
        &mut self,
        plan: &mut Plan<'_>,
        user: &str,
        done: &Edit,
    ) -> Result<(), Error> {
        let exec: Value = serde_json::from_str(&done.ours).unwrap_or_default();
        self.file.words.extend(words(&exec, user));
        let name = format!("user {}", quote::path(user));
        let standing = done.standing(named(&self.view, "users", user), is_user);
        if let Some(line) = standing.left(&name) {
            plan.say_drift(line);
            return Ok(());
        }
        self.edit(&to_words(&["delete-user", user]), |before, after| {
            named(after, "users", user).is_none() && same_but_for(before, after, "users", user)
        })?;
        plan.say(format!("{} {name}", plan.verbs().removes));
        Ok(())
    }

    /// Points a context at the user that it had before the setup.
    ///
    /// # Errors
    /// Same as [`Kubeconfig::set_user`].
    pub(super) fn undo_context(
        &mut self,
        plan: &mut Plan<'_>,
        context: &str,
        done: &Edit,
    ) -> Result<(), Error> {
        let name = quote::path(context);
        let now = user_of(&self.view, context).map(ToOwned::to_owned);
        let former = done.former.clone().unwrap_or_default();
        let is_anothers = |now: &String| plan.journal.is_anothers(done, |ours| ours == now);
        match done.standing(now.as_deref(), |now: &str, other| now == other) {
            Standing::Ours => {
                self.file.words.push(former.clone());
                self.point(context, &former)?;
                plan.say(match &*former {
                    "" => format!("context {name} has no user, as before the setup"),
                    former => format!(
                        "{} user {} of context {name}",
                        plan.verbs().restores,
                        quote::path(former)
                    ),
                });
            }
            // The setup was killed before kubectl's edit, or a later setup goes on.
            _ if now.as_ref() == Some(&former) => {
                plan.say_drift(format!("context {name} has the user that it had before"));
            }
            _ if now.as_ref().is_some_and(is_anothers) => {
                plan.say_drift(format!("context {name} has the user of another setup"));
            }
            standing => {
                if let Some(line) = standing.left(&format!("context {name}")) {
                    plan.say_drift(line);
                }
            }
        }
        Ok(())
    }
}

/// True if a user is as a setup wrote it.
pub(super) fn is_user(there: &Value, ours: &str) -> bool {
    serde_json::from_str(ours).is_ok_and(|ours| same_user(there, &ours))
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

/// Returns a value as CSV, as kubectl reads the values of a list.
fn csv(value: &str) -> String {
    if value.contains([',', '"', '\n']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.to_owned()
    }
}

/// Returns a kubeconfig as kubectl reads it; errors contain `name`.
fn view(kubectl: &Tool, file: &Path, name: &Path) -> Result<Value, Error> {
    let words = to_words(&["view", "--raw", "--output", "json"]);
    let ended = kubectl.run(kubectl.config(file, &words))?;
    serde_json::from_slice(&ended.stdout).map_err(|_| {
        let what = format!("{}: kubectl config view printed no JSON", quote::path(name));
        Error::Final(Report::new(what).hint("run kubectl config view to see the error"))
    })
}

/// Returns the words of an entry that a diff may show.
pub(super) fn words(exec: &Value, user: &str) -> Vec<String> {
    let args = exec["args"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    args.chain([&exec["command"], &exec["apiVersion"]])
        .filter_map(text)
        .chain([user, "v1", "Config", "Never"].map(ToOwned::to_owned))
        .collect()
}
