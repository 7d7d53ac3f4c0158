//! git: a host rule, and our helper in git's global configuration.

use std::path::PathBuf;

use super::args::SetupGit;
use super::config::{GitFile, stands};
use super::helpers;
use super::helpers::{HELPER, LINK, Listed, helpers_for, shown};
use super::logins;
use super::logins::{Login, NETRC};
use super::scope::Scope;
use crate::edit::diff::Format;
use crate::edit::entry::Edit;
use crate::edit::hosts::{Host, LoginArgs, as_it_is};
use crate::edit::plan::Plan;
use crate::edit::setup::{Name, Setup};
use crate::edit::tool::Tool;
use crate::edit::trial::Trial;
use crate::error::{Error, Report};
use crate::host::HostPattern;
use crate::sys::paths;
use crate::text::quote::{self, shell_quoted};
use crate::url::{Origin, Scheme};

/// The names that a diff of git's file shows.
const FORMAT: Format = Format {
    keys: &["helper", "name", "username"],
    headers: &["[credential \"https://", "[credential \"http://"],
};

impl Setup for SetupGit {
    fn of_name(name: &str) -> Self {
        Self {
            args: LoginArgs::of(name),
        }
    }

    fn names(&self) -> Vec<Name<'_>> {
        self.args.names()
    }

    /// Adds the rules and the helper.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let mut config = open(plan)?;
        let helper = helper(plan);
        let mut hosts = Vec::new();
        let username = self.args.username.as_ref();
        let file = config.file.name();
        for Host { pattern, setup } in plan.add_rules("git", &self.args.hosts, username, &file)? {
            for scheme in schemes(plan, &pattern)? {
                let key = format!("credential.{scheme}://{pattern}.helper");
                config.check_values(&key)?;
                follow_program(plan, &mut config, &setup, &key, &helper)?;
                add_helper(plan, &mut config, &setup, &key, &helper)?;
            }
            plan.warn_of_netrc(&NETRC, &pattern);
            hosts.push(pattern);
        }
        let GitFile { git, file, .. } = config;
        plan.say_all(other_logins(&git, &hosts)?);
        plan.add(file);
        for pattern in &hosts {
            let next = if let Some(host) = pattern.single_host() {
                let next = format!("next: git clone https://{host}/REPOSITORY");
                plan.try_out(trial(&git, host));
                next
            } else {
                format!("next: git clone https://HOST/REPOSITORY, from a HOST of {pattern}")
            };
            plan.say_next_at(pattern, next);
        }
        plan.then(move || {
            let mut lines = Vec::new();
            for pattern in &hosts {
                lines.extend(keepers(&git, pattern)?);
            }
            let wide = hosts
                .iter()
                .filter(|pattern| pattern.single_host().is_none());
            lines.extend(wide.map(|pattern| {
                format!(
                    "in {pattern}, git's * is one label, and a host with more needs its own setup"
                )
            }));
            Ok(lines)
        });
        Ok(())
    }

    /// Undoes the rules and the helper.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let mut config = open(plan)?;
        let name = config.file.name();
        let mut ended = Vec::new();
        let removed = plan.verbs().removes;
        plan.undo_hosts("git", &self.args.hosts.hosts, &name, |plan, edit| {
            let key = edit.key();
            let [key, value] = key.as_slice() else {
                return Ok(());
            };
            if value.is_empty() && ended.iter().any(|ended| ended == key) {
                return Ok(());
            }
            let there = config.values(key)?;
            let same = there.iter().filter(|there| there == value).count();
            let ends = there.iter().filter(|there| there.is_empty()).count();
            if same == 0 && stands(config.file.text(), key, value) {
                let GitFile { git, file, .. } = &config;
                return Err(git.disbelieved(file.path(), "it does not see an entry of the file"));
            }
            let value = quote::path(value);
            match same {
                // The setup was killed before git wrote the value, or it was removed. If one
                // is left, the file had it before the setup.
                0 | 1 if same == 0 || edit.former.is_some() => {
                    plan.say_drift(format!("{key}: \"{value}\" was removed already"));
                }
                // Another setup, by another config file, has an empty helper too.
                1 if ends > 1 && config.remove_lines(key, &["", &edit.ours])? => {
                    plan.say(format!("{removed} {key}: \"{value}\""));
                    plan.say(format!("{removed} {key}: \"\""));
                    ended.push((*key).to_owned());
                }
                1 => {
                    config.remove(key, &edit.ours)?;
                    plan.say(format!("{removed} {key}: \"{value}\""));
                }
                // The setup was killed before it added its helper behind the empty one.
                _ if edit.former.is_some() && config.remove_lines(key, &[""])? => {
                    plan.say(format!("{removed} {key}: \"\""));
                }
                // It is unknown which of them is ours.
                _ => plan.say(format!("kept {key}: \"{value}\": it is set twice")),
            }
            Ok(())
        })?;
        plan.add(config.file);
        Ok(())
    }
}

/// True if this setup makes such an edit.
pub(super) fn owns(of: &str, edit: &Edit) -> bool {
    let [key, value] = edit.key()[..] else {
        return false;
    };
    if key == "hosts" {
        return edit.is_host_rule();
    }
    let prefixes = ["credential.https://", "credential.http://"];
    let host = prefixes.iter().find_map(|prefix| key.strip_prefix(prefix));
    let host = host.and_then(|key| key.strip_suffix(".helper"));
    host.is_some_and(|host| HostPattern::parse(host).is_some())
        && edit.is_in_file_of(of)
        && edit
            .former
            .as_ref()
            .is_none_or(|former| former.is_empty() && value.is_empty())
        && value == edit.ours
        && is_helper(value)
}

/// True if git reads the value as our helper, and not as an option.
fn is_helper(value: &str) -> bool {
    value.is_empty() || value.starts_with(HELPER) || value.starts_with('!')
}

/// Opens the file that git writes. The file's diff may show our helper.
fn open(plan: &mut Plan<'_>) -> Result<GitFile, Error> {
    let git = Tool::find("git", "--file", plan.environment, &plan.deadline)?;
    let mut file = plan.open_file(&global_file(plan)?)?;
    file.format = FORMAT;
    file.words.push(helper(plan));
    Ok(GitFile::new(git, file))
}

/// Writes the current helper over one that a setup wrote before this program moved.
fn follow_program(
    plan: &mut Plan<'_>,
    config: &mut GitFile,
    setup: &str,
    key: &str,
    helper: &str,
) -> Result<(), Error> {
    for old in put_there(plan, setup, key) {
        let there = config.values(key)?;
        if old == helper || there.iter().filter(|value| **value == old).count() != 1 {
            continue;
        }
        config.file.words.push(old.clone());
        if there.iter().any(|value| value == helper) {
            config.remove(key, &old)?;
        } else {
            config.replace(key, &old, helper)?;
            // The journal keeps the old helper: a killed setup can be undone.
            let edit = Edit::new(config.file.name(), &[key, helper], helper, None);
            plan.journal.record(setup, edit);
        }
    }
    Ok(())
}

/// Adds an empty value and the helper: the empty value disables the helpers above it,
/// which git would ask first and pass the token to. Our helper with the user's own
/// options stays, and moves below the empty value.
fn add_helper(
    plan: &mut Plan<'_>,
    config: &mut GitFile,
    setup: &str,
    key: &str,
    helper: &str,
) -> Result<(), Error> {
    let there = config.values(key)?;
    let has_end = there.iter().any(String::is_empty);
    let in_force = there.rsplit(String::is_empty).next().unwrap_or_default();
    let (ours, others): (Vec<_>, Vec<_>) =
        in_force.iter().partition(|value| is_ours(value, helper));
    for other in &others {
        let what = shown(other);
        plan.say(format!("{key} names {what} as well: git no longer asks it"));
    }
    if has_end && others.is_empty() && !ours.is_empty() {
        return Ok(());
    }
    let value = ours.last().map_or(helper, |value| value.as_str());
    let is_persons = !ours.is_empty() && !is_put_there(plan, setup, key, value);
    let is_alone = there.iter().filter(|there| *there == value).count() == 1;
    let is_last = there.last().is_some_and(|last| last == value);
    if is_alone && is_last {
        config.replace(key, value, "")?;
    } else {
        if is_alone {
            config.remove(key, value)?;
        }
        // A killed setup may have written its empty value already.
        if !(there.last().is_some_and(String::is_empty) && has_noted_end(plan, setup, key)) {
            config.add(key, "")?;
        }
    }
    config.add(key, value)?;
    for put in ["", value] {
        if put.is_empty() || !is_persons {
            let former = (put.is_empty() && has_own_end(&there)).then(String::new);
            let edit = Edit::new(config.file.name(), &[key, put], put, former);
            plan.journal.record(setup, edit);
        }
    }
    Ok(())
}

/// True if an empty value is the file's own, which an undo must keep: a setup adds our
/// helper right behind each of its own.
fn has_own_end(there: &[String]) -> bool {
    let mut values = there.iter().enumerate();
    values.any(|(at, value)| {
        let next = there.get(at + 1);
        value.is_empty() && next.is_none_or(|next| !helpers::is_helper(next))
    })
}

/// True if a setup has put this value at a key.
fn is_put_there(plan: &Plan<'_>, setup: &str, key: &str, value: &str) -> bool {
    put_there(plan, setup, key).iter().any(|put| put == value)
}

/// True if a setup recorded its empty helper at a key.
fn has_noted_end(plan: &Plan<'_>, setup: &str, key: &str) -> bool {
    let edits = plan.journal.edits_of(setup).iter();
    edits.map(Edit::key).any(|at| at == [key, ""])
}

/// True if a helper's line is ours, with the `--config` of this setup.
fn is_ours(value: &str, ours: &str) -> bool {
    // The `!` of a shell's line belongs to it.
    let program = |line: &str| helpers::program(line);
    let config = |line: &str| line.split_once("--config").map(|(_, file)| file.to_owned());
    value == ours || (program(value) == program(ours) && config(value) == config(ours))
}

/// Returns warnings about helpers of other sections, to which git also passes the token:
/// `store` would write it to a file. An empty value disables only the helpers above it.
fn keepers(git: &Tool, pattern: &HostPattern) -> Result<Vec<String>, Error> {
    let Some(ended) = git.ask(git.call(helpers::LIST))? else {
        return Ok(Vec::new());
    };
    let listed = helpers::listed(&String::from_utf8_lossy(&ended.stdout));
    let own = format!("https://{pattern}");
    let helpers = helpers_for(&listed, &Scope::of(Some(&own)));
    let others = helpers.iter().filter(|one| {
        one.helper.url.as_deref() != Some(&own) && !helpers::is_helper(&one.helper.value)
    });
    let line = |one: &&Listed| {
        format!(
            "warning: git also passes the token to {}, which may store it: {} in {}",
            shown(&one.helper.value),
            one.helper.key(),
            quote::path(&one.place)
        )
    };
    Ok(others.map(line).collect())
}

/// Returns the schemes over which a host's rule gives tokens.
fn schemes(plan: &Plan<'_>, pattern: &HostPattern) -> Result<Vec<&'static str>, Error> {
    let config = plan.config()?;
    let any = pattern.to_string().replace("*.", "any-label.");
    let origin = Origin::new(Scheme::Http, &any);
    let has_http = origin.is_some_and(|origin| config.rules().find(&origin, None).is_ok());
    Ok(if has_http {
        vec!["https", "http"]
    } else {
        vec!["https"]
    })
}

/// Returns warnings about logins that git sends without asking a helper.
fn other_logins(git: &Tool, hosts: &[HostPattern]) -> Result<Vec<String>, Error> {
    let mut call = git.call([] as [&str; 0]);
    logins::list(&mut call);
    let Some(ended) = git.ask(call)? else {
        return Ok(Vec::new());
    };
    let logins = logins::parse(&String::from_utf8_lossy(&ended.stdout));
    let is_relevant = |login: &&Login| hosts.iter().any(|host| login.is_for(&Scope::of_rule(host)));
    let line = |login: &Login| format!("warning: {}: {}", login.line(), login.remedy());
    Ok(logins.iter().filter(is_relevant).map(line).collect())
}

/// Returns the helpers that a setup wrote at a key.
fn put_there(plan: &Plan<'_>, setup: &str, key: &str) -> Vec<String> {
    let edits = plan.journal.edits_of(setup).iter();
    let here =
        edits.filter(|edit| edit.at.first().is_some_and(|at| at == key) && !edit.ours.is_empty());
    here.map(|edit| edit.ours.clone()).collect()
}

/// Returns the call by which git asks for a login as a fetch would.
fn trial(git: &Tool, host: String) -> Trial {
    let mut command = git.call(["credential", "fill"]);
    // git must not prompt the user.
    command
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "false")
        .env("SSH_ASKPASS", "false");
    Trial {
        tool: "git",
        undo: vec![host.clone()],
        call: "git credential fill",
        command,
        input: format!("protocol=https\nhost={host}\n\n"),
        host,
        only_warns: false,
        read: |answer| {
            let value = |key: &str| answer.lines().find_map(|line| line.strip_prefix(key));
            let password = value("password=").filter(|password| !password.is_empty());
            let username = password.and(value("username="));
            username.map(ToOwned::to_owned).ok_or(None)
        },
    }
}

/// Returns git's value for our helper: the name that git looks for on PATH if it resolves
/// to this program, else our path.
fn helper(plan: &Plan<'_>) -> String {
    let mut helper = if plan.is_found_as(LINK) {
        HELPER.to_owned()
    } else {
        format!("!{} git", shell_quoted(&paths::in_shell(&plan.program)))
    };
    if plan.options.config.is_some() {
        helper = format!(
            "{helper} --config {}",
            shell_quoted(&paths::in_shell(plan.config.path()))
        );
    }
    helper
}

/// Returns the file that `git config --global` writes (git-config(1), FILES).
fn global_file(plan: &Plan<'_>) -> Result<PathBuf, Error> {
    if let Some(file) = &plan.tool_file {
        return Ok(file.clone());
    }
    let variable = |name| (plan.environment)(name).filter(|value| !value.is_empty());
    if let Some(file) = variable("GIT_CONFIG_GLOBAL") {
        return as_it_is(file.into(), "git", "GIT_CONFIG_GLOBAL");
    }
    let home = plan.directories.home.as_ref().ok_or_else(|| {
        Error::Usage(
            Report::new("git's configuration: unknown home directory")
                .hint("set HOME, or GIT_CONFIG_GLOBAL to a file"),
        )
    })?;
    let usual = home.join(".gitconfig");
    let xdg = match variable("XDG_CONFIG_HOME") {
        Some(dir) => as_it_is(dir.into(), "git", "XDG_CONFIG_HOME")?,
        None => home.join(".config"),
    };
    let xdg = xdg.join("git/config");
    Ok(if !usual.exists() && xdg.exists() {
        xdg
    } else {
        usual
    })
}
