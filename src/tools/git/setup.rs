//! git: a host rule, and our helper in git's global configuration.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::args::SetupGit;
use crate::cli::options::Options;
use crate::edit::desk::{After, Desk, edit_of};
use crate::edit::hosts::Host;
use crate::edit::journal::Edit;
use crate::edit::setup::{Mode, Setup, names};
use crate::edit::target::Target;
use crate::edit::tool::Tool;
use crate::error::{Error, Report};
use crate::host::HostPattern;
use crate::sys::limit;
use crate::text::quote::{self, quoted, shell_quoted};

impl Setup for SetupGit {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn names(&self) -> Vec<(&'static str, &OsStr)> {
        let username = self.username.as_deref().map(|name| ("--username", name));
        username
            .into_iter()
            .chain(names("HOST", &self.hosts))
            .collect()
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
    let [key, value] = edit.key()[..] else {
        return false;
    };
    if key == "hosts" {
        return edit.is_host_rule();
    }
    let host = key.strip_prefix("credential.https://");
    let host = host.and_then(|key| key.strip_suffix(".helper"));
    host.is_some_and(|host| HostPattern::parse(host).is_some())
        && edit.is_in_file_of(of)
        && edit.former.is_none()
        && value == edit.ours
        && is_helper(value)
}

/// True if git takes the value for a helper of ours, and not for an option.
fn is_helper(value: &str) -> bool {
    value.is_empty() || value.starts_with("zitadel") || value.starts_with('!')
}

/// Adds the rules and the helper.
///
/// # Errors
/// A host is none, a rule stands in the way, or git fails.
fn put_in<'d>(desk: &mut Desk<'d>, asked: &SetupGit) -> Result<Option<After<'d>>, Error> {
    let environment = desk.environment;
    let deadline = desk.deadline;
    let git = Tool::find("git", environment, &deadline)?;
    let mut file = desk.open_file(&global_file(desk)?)?;
    let helper = helper(desk);
    file.has_lock_file = true;
    file.words = vec![helper.clone()];
    let mut hosts = Vec::new();
    let username = asked.username.as_ref();
    for Host { pattern, setup } in desk.let_in("git", &asked.hosts, username, &file.name())? {
        let url = format!("https://{pattern}");
        let key = format!("credential.{url}.helper");
        let mut there = values(&git, &file, &key)?;
        // This program may have moved: what setup put there is of no use then. It
        // stays remembered, for an undo of a setup that is killed.
        for old in put_there(desk, &setup, &key) {
            if old == helper || there.iter().filter(|value| **value == old).count() != 1 {
                continue;
            }
            file.words.push(old.clone());
            if there.contains(&helper) {
                remove(&git, &mut file, &key, &old)?;
            } else {
                replace(&git, &mut file, &key, &old, &helper)?;
                let edit = edit_of(&file, &[&key, &helper], &helper, None);
                desk.journal.record(&setup, edit);
            }
            there = values(&git, &file, &key)?;
        }
        let in_force = || there.rsplit(String::is_empty).next().unwrap_or_default();
        if let Some(other) = in_force().iter().find(|value| !is_ours(value, &helper)) {
            let is_first = in_force().first() == Some(other) || !in_force().contains(&helper);
            desk.says(format!(
                "{key} names {} as well: git {}hands it the token to keep",
                program(other),
                if is_first { "asks it first, and " } else { "" }
            ));
        }
        // One with options of a person's own will do.
        if in_force().iter().any(|value| is_ours(value, &helper)) {
            hosts.push(pattern);
            continue;
        }
        let mut wanted = Vec::new();
        // An empty value takes out the helpers above it, which would be asked
        // first and handed the token to keep.
        if there.is_empty() && is_another_asked(&git, &url)? {
            wanted.push("");
        }
        wanted.push(&helper);
        for value in wanted {
            let added = format!("{key}\n{value}");
            edit(&git, &mut file, &["--add", &key, value], Some(&added), None)?;
            let edit = edit_of(&file, &[&key, value], value, None);
            desk.journal.record(&setup, edit);
        }
        hosts.push(pattern);
    }
    desk.add(file);
    Ok(Some(Box::new(move || {
        let git = Tool::find("git", environment, &deadline)?;
        let single = hosts.iter().filter_map(HostPattern::single_host);
        let mut said: Vec<_> = single
            .map(|host| try_out(&git, &host))
            .collect::<Result<_, _>>()?;
        let next = hosts.iter().map(|pattern| match pattern.single_host() {
            Some(host) => format!("next: git clone https://{host}/REPOSITORY"),
            None => format!("next: git clone https://HOST/REPOSITORY, from a HOST of {pattern}"),
        });
        for pattern in &hosts {
            said.extend(keepers(&git, pattern)?);
        }
        said.extend(next);
        Ok(said)
    })))
}

/// Whether a helper's line is ours, and goes by the config file of this setup.
fn is_ours(value: &str, ours: &str) -> bool {
    let program = |line: &str| line.split_whitespace().next().map(ToOwned::to_owned);
    let config = |line: &str| line.split_once("--config").map(|(_, file)| file.to_owned());
    value == ours || (program(value) == program(ours) && config(value) == config(ours))
}

/// The program of a helper's line: what follows may be a password that a shell's
/// line echoes.
fn program(line: &str) -> String {
    let program = line.split(|c: char| c.is_whitespace() || c == '=').next();
    quoted(program.unwrap_or_default())
}

/// Helpers of all hosts that git asks beside ours, and hands the token to keep:
/// `store` would write it down. An empty value takes out those above it alone.
fn keepers(git: &Tool<'_>, pattern: &HostPattern) -> Result<Vec<String>, Error> {
    const FOR_ALL: &str = "credential.helper";
    let own = format!("credential.https://{pattern}.helper");
    let call = ["--show-origin", "--get-regexp", r"^credential\..*helper$"];
    let listed = listed(git, git.call(["config", "--null"].iter().chain(&call)))?;
    let mut keepers = Vec::new();
    for pair in listed.chunks_exact(2) {
        let (key, value) = pair[1].split_once('\n').unwrap_or((&pair[1], ""));
        if value.is_empty() && (key == FOR_ALL || key == own) {
            keepers.clear();
        } else if key == FOR_ALL && value.split_whitespace().next() != Some("zitadel") {
            let file = pair[0].strip_prefix("file:").unwrap_or(&pair[0]);
            keepers.push(format!(
                "warning: git hands {} the token to keep as well: {key} in {}",
                program(value),
                quote::path(file)
            ));
        }
    }
    Ok(keepers)
}

/// Takes the rules and the helper out.
///
/// # Errors
/// A host is none, or git fails.
fn take_out<'d>(desk: &mut Desk<'d>, asked: &SetupGit) -> Result<Option<After<'d>>, Error> {
    let deadline = desk.deadline;
    let git = Tool::find("git", desk.environment, &deadline)?;
    let mut file = desk.open_file(&global_file(desk)?)?;
    file.has_lock_file = true;
    file.words = vec![helper(desk)];
    let name = file.name();
    desk.turn_out("git", &asked.hosts, &name, |desk, edit| {
        let key = edit.key();
        let [key, value] = key.as_slice() else {
            return Ok(());
        };
        let there = values(&git, &file, key)?;
        let same = there.iter().filter(|there| there == value).count();
        if same == 0 && stands(file.text(), key, value) {
            return Err(git.disbelieved(&file, "it does not see what stands there"));
        }
        let value = quoted(value);
        match same {
            0 => desk.says(format!("{key}: \"{value}\" was gone already")),
            1 => {
                remove(&git, &mut file, key, &edit.ours)?;
                desk.says(format!("takes out {key}: \"{value}\""));
            }
            // Which of them is ours cannot be told.
            _ => desk.says(format!("{key}: \"{value}\" stands there twice, and stays")),
        }
        Ok(())
    })?;
    desk.add(file);
    Ok(None)
}

/// The helpers that a setup has put at a key.
fn put_there(desk: &Desk<'_>, setup: &str, key: &str) -> Vec<String> {
    let edits = desk.journal.edits_of(setup).iter();
    let here =
        edits.filter(|edit| edit.at.first().is_some_and(|at| at == key) && !edit.ours.is_empty());
    here.map(|edit| edit.ours.clone()).collect()
}

/// Puts a value in another's place.
fn replace(
    git: &Tool<'_>,
    file: &mut Target,
    key: &str,
    old: &str,
    new: &str,
) -> Result<(), Error> {
    let words = ["--fixed-value", "--replace-all", key, new, old];
    let [added, taken] = [new, old].map(|value| format!("{key}\n{value}"));
    edit(git, file, &words, Some(&added), Some(&taken))
}

/// Takes one value out, and its section with the last of them.
fn remove(git: &Tool<'_>, file: &mut Target, key: &str, value: &str) -> Result<(), Error> {
    let words = ["--fixed-value", "--unset", key, value];
    edit(git, file, &words, None, Some(&format!("{key}\n{value}")))?;
    let header = header(key);
    let section = key.strip_suffix(".helper").unwrap_or(key);
    // git takes out all sections of that name: only one, and an empty one, may go.
    let is_of_it = |line: &&str| line.trim_start().starts_with(&header);
    let is_only = file.text().lines().filter(is_of_it).count() == 1;
    let mut lines = file.text().lines().skip_while(|line| *line != header);
    let is_empty = lines.next().is_some() && lines.next().is_none_or(|next| next.starts_with('['));
    if is_only && is_empty {
        edit(git, file, &["--remove-section", section], None, None)?;
    }
    Ok(())
}

/// The line that begins a key's section, as git writes it.
fn header(key: &str) -> String {
    let section = key.strip_suffix(".helper").unwrap_or(key);
    let url = section.strip_prefix("credential.").unwrap_or(section);
    format!("[credential \"{url}\"]")
}

/// Whether a helper stands in a file as git writes it, whatever git says.
fn stands(text: &str, key: &str, value: &str) -> bool {
    let ours = format!("helper = {value}");
    let header = header(key);
    let section = text.lines().skip_while(|line| *line != header).skip(1);
    let mut lines = section.take_while(|line| !line.starts_with('['));
    lines.any(|line| line.trim() == ours.trim())
}

/// Has git change its file, and looks whether it did that and nothing else: what
/// is added and what is taken out, as [`entries`] has them.
fn edit(
    git: &Tool<'_>,
    file: &mut Target,
    words: &[&str],
    added: Option<&str>,
    taken: Option<&str>,
) -> Result<(), Error> {
    let mut before = entries(git, file)?;
    let call = |copy: &Path| {
        let mut call = git.call(["config".as_ref(), "--file".as_ref(), copy.as_os_str()]);
        call.args(words);
        call
    };
    git.edit(file, call, |_| Ok(()))?;
    let mut after = entries(git, file)?;
    if take(&mut after, added) && take(&mut before, taken) && before == after {
        return Ok(());
    }
    Err(git.disbelieved(file, "it is not what was asked for, or not that alone"))
}

/// Takes an entry out, the last of several; whether there was one.
fn take(entries: &mut Vec<String>, entry: Option<&str>) -> bool {
    let Some(entry) = entry else { return true };
    let at = entries.iter().rposition(|there| there == entry);
    at.map(|at| entries.remove(at)).is_some()
}

/// All that a file says, each a key, a line's end and the value.
fn entries(git: &Tool<'_>, file: &Target) -> Result<Vec<String>, Error> {
    let mut call = git.call(["config", "--null", "--no-includes", "--file", "-", "--list"]);
    call.stdin(piped(file.text())?);
    listed(git, call)
}

/// What a key holds in a file, and not in those that it includes.
fn values(git: &Tool<'_>, file: &Target, key: &str) -> Result<Vec<String>, Error> {
    let mut call = git.call([
        "config",
        "--null",
        "--no-includes",
        "--file",
        "-",
        "--get-all",
        key,
    ]);
    call.stdin(piped(file.text())?);
    listed(git, call)
}

/// Whether git asks another helper than one of this URL's own.
fn is_another_asked(git: &Tool<'_>, url: &str) -> Result<bool, Error> {
    let all = listed(
        git,
        git.call(["config", "--null", "--get-all", "credential.helper"]),
    )?;
    let in_force = all.rsplit(String::is_empty).next().unwrap_or_default();
    if !in_force.is_empty() {
        return Ok(true);
    }
    // It looks for a whole host.
    let url = url.replace("://*.", "://any-label.");
    let closest = listed(
        git,
        git.call([
            "config",
            "--null",
            "--get-urlmatch",
            "credential.helper",
            &url,
        ]),
    )?;
    Ok(closest.iter().any(|value| !value.is_empty()))
}

/// The values that git prints, each ended by NUL; none where it knows none.
fn listed(git: &Tool<'_>, call: Command) -> Result<Vec<String>, Error> {
    // It ends with 1 where there is no such key, and with 128 where it cannot
    // read them.
    let Some(ended) = git.ask(call)? else {
        return Ok(Vec::new());
    };
    let text = String::from_utf8_lossy(&ended.stdout);
    let mut values: Vec<_> = text.split('\0').map(ToOwned::to_owned).collect();
    values.pop();
    Ok(values)
}

/// A short text as a program's stdin.
fn piped(text: &str) -> Result<std::fs::File, Error> {
    use std::io::Seek;
    let failed = |error: std::io::Error| {
        Error::Final(Report::new(format!(
            "a temporary file: {}",
            quote::system(&error)
        )))
    };
    limit::check(text.len() as u64).map_err(failed)?;
    let mut file = tempfile::tempfile().map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.rewind().map_err(failed)?;
    Ok(file)
}

/// Has git ask for a login as a fetch would, and tells who it would be.
fn try_out(git: &Tool<'_>, host: &str) -> Result<String, Error> {
    let mut call = git.call(["credential", "fill"]);
    call.stdin(piped(&format!("protocol=https\nhost={host}\n\n"))?)
        // Nobody is to be asked.
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "false")
        .env("SSH_ASKPASS", "false");
    let failed = |said: &[String]| {
        // Its first line is most likely ours.
        let ours = "zitadel-credential: error: ";
        let mut said = said.iter().map(|line| line.trim_start_matches(ours));
        let why = said.next().unwrap_or("it says nothing");
        let report = Report::new(format!(
            "{host} is set up, but git gets no login for it: {why}"
        ));
        Error::Final(said.fold(report, Report::found).hint(format!(
            "zitadel-credential doctor {host} says more; zitadel-credential setup git {host} --undo takes it back"
        )))
    };
    let ended = git
        .run_asking(call)
        .map_err(|error| failed(&[error.report().headline()]))?
        .map_err(|said| failed(&said))?;
    let text = String::from_utf8_lossy(&ended.stdout);
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    match (value("username="), value("password=")) {
        (Some(username), Some(password)) if !password.is_empty() => Ok(format!(
            "git credential fill answers for {host}, with the username {}",
            quoted(username)
        )),
        _ => Err(failed(&["it answers without a password".to_owned()])),
    }
}

/// How git calls us: by the name that it looks for on PATH, where that leads
/// here, else by our path.
fn helper(desk: &Desk<'_>) -> String {
    let mut helper = if desk.is_found_as("git-credential-zitadel") {
        "zitadel".to_owned()
    } else {
        format!("!{} git", shell_quoted(&desk.program.to_string_lossy()))
    };
    if desk.options.config.is_some() {
        helper = format!(
            "{helper} --config {}",
            shell_quoted(&desk.config.path().to_string_lossy())
        );
    }
    helper
}

/// The file that `git config --global` writes (git-config(1), FILES).
fn global_file(desk: &Desk<'_>) -> Result<PathBuf, Error> {
    let variable = |name| (desk.environment)(name).filter(|value| !value.is_empty());
    if let Some(file) = variable("GIT_CONFIG_GLOBAL") {
        return Ok(file.into());
    }
    let home = desk.directories.home.as_ref().ok_or_else(|| {
        Error::Usage(
            Report::new("git's configuration: no home directory is known")
                .hint("set HOME, or GIT_CONFIG_GLOBAL to a file"),
        )
    })?;
    let usual = home.join(".gitconfig");
    let xdg = variable("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
    let xdg = xdg.join("git/config");
    Ok(if !usual.exists() && xdg.exists() {
        xdg
    } else {
        usual
    })
}
