//! The kubelet: host rules, and its configuration of credential providers, which belongs to
//! the node's administrator. It is printed, or written to a new file.
//!
//! Source: Kubernetes, "Configure a kubelet image credential provider".

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use clap::ValueHint;
use serde_json::{Value, json};

use crate::edit::entry::Edit;
use crate::edit::hosts::LoginArgs;
use crate::edit::plan::Plan;
use crate::edit::setup::{Name, Setup};
use crate::edit::trial::Trial;
use crate::edit::whole::AT_FILE;
use crate::error::Error;
use crate::host::HostPattern;
use crate::sys;
use crate::text::quote;

/// What the file begins with.
const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n";

/// Where root keeps the tokens, unless --cache-dir says otherwise.
const CACHE: &str = "/var/cache/zitadel-credential";

// The arguments of `setup kubelet`.
#[derive(clap::Args, Debug)]
pub(super) struct SetupKubelet {
    #[command(flatten)]
    args: LoginArgs,
    /// New file for the kubelet's configuration, instead of printing it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

impl Setup for SetupKubelet {
    fn of_name(name: &str) -> Self {
        Self {
            args: LoginArgs::of(name),
            output: None,
        }
    }

    fn names(&self) -> Vec<Name<'_>> {
        self.args.names()
    }

    /// Adds the rules, and writes or prints the configuration.
    fn apply(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let output = self.output(plan)?;
        let file = file_of(plan, output.as_ref())?;
        let username = self.args.username.as_ref();
        let hosts = plan.add_rules("kubelet", &self.args.hosts, username, &file)?;
        let mut images = images(plan, &file);
        images.extend(hosts.iter().map(|host| host.pattern.to_string()));
        let text = configuration(plan, &images);
        let option = "--image-credential-provider-config";
        if let Some(path) = &output {
            if let Some(edit) = plan.write_whole(path, &text)? {
                plan.journal.renew(&edit);
                for host in &hosts {
                    plan.journal.record(&host.setup, edit.clone());
                }
            }
            let path = quote::word(&file);
            plan.say_next(format!("next, for the kubelet: {option}={path}"));
        } else {
            plan.say_next(format!("next, in the file of the kubelet's {option}:"));
            for line in text.lines() {
                plan.say_next(line);
            }
        }
        for host in hosts
            .iter()
            .filter(|host| host.pattern.single_host().is_none())
        {
            let pattern = &host.pattern;
            plan.say(format!(
                "in {pattern}, the kubelet's * is one label, and a host with more needs its own setup"
            ));
        }
        let dir = plan.program.parent().map(quote::word).unwrap_or_default();
        plan.say_next(format!(
            "and for the kubelet: --image-credential-provider-bin-dir={dir}"
        ));
        for host in hosts.iter().filter_map(|host| host.pattern.single_host()) {
            plan.try_out(trial(plan, host));
        }
        Ok(())
    }

    /// Undoes the rules, and takes the hosts out of the file.
    fn undo(&self, plan: &mut Plan<'_>) -> Result<(), Error> {
        let output = self.output(plan)?;
        let file = file_of(plan, output.as_ref())?;
        let was_there = plan.journal.has("kubelet");
        let mut written: Vec<Edit> = Vec::new();
        for host in &self.args.hosts.hosts {
            let known = plan.journal.edit_at(&file, &AT_FILE).cloned();
            let one = std::slice::from_ref(host);
            plan.undo_hosts("kubelet", one, &file, |_, _| Ok(()))?;
            written.extend(known);
        }
        let left = images(plan, &file);
        if let Some(edit) = written.pop() {
            let text = (!left.is_empty()).then(|| configuration(plan, &left));
            plan.undo_whole(&edit, text.clone())?;
            if let Some(text) = text {
                let edit = Edit::new(file, &AT_FILE, &text, None);
                plan.journal.renew(&edit);
            }
        } else if left.is_empty() && was_there {
            plan.say("what names this program in the kubelet's configuration stays");
        }
        Ok(())
    }
}

impl SetupKubelet {
    fn output(&self, plan: &Plan<'_>) -> Result<Option<PathBuf>, Error> {
        let of_journal = plan.tool_file.clone();
        if let Some(file) = of_journal.filter(|file| !plan.config.is_at(file)) {
            return Ok(Some(file));
        }
        let given = self.output.as_ref();
        given
            .map(|file| plan.directories.located("--output", file))
            .transpose()
    }
}

/// True if this setup makes such an edit.
pub(super) fn owns(of: &str, edit: &Edit) -> bool {
    if edit.key() != AT_FILE {
        return edit.is_host_rule();
    }
    edit.is_in_file_of(of) && edit.former.is_none() && edit.ours.starts_with(HEAD)
}

/// Returns the file in a setup's name.
fn file_of(plan: &mut Plan<'_>, output: Option<&PathBuf>) -> Result<String, Error> {
    match output {
        Some(path) => Ok(plan.open_file(path)?.name()),
        None => Ok(plan.config.name()),
    }
}

/// Returns the hosts that are set up in a file.
fn images(plan: &Plan<'_>, file: &str) -> BTreeSet<String> {
    let names = plan.journal.setups().filter_map(|(_, name, _)| {
        let host = name
            .strip_prefix("kubelet ")?
            .strip_suffix(file)?
            .trim_end();
        HostPattern::parse(host)?;
        Some(host.to_owned())
    });
    names.collect()
}

/// Returns the kubelet's configuration. Its texts are JSON's, which YAML reads too.
fn configuration(plan: &Plan<'_>, images: &BTreeSet<String>) -> String {
    let name = plan.program.file_name().unwrap_or_default();
    let args = words(plan).into_iter().map(|word| json!(word).to_string());
    let args = args.collect::<Vec<_>>().join(", ");
    let images = images.iter().map(|image| format!("  - {}\n", json!(image)));
    format!(
        "{HEAD}providers:\n- name: {}\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  args: [{}]\n  matchImages:\n{}  defaultCacheDuration: 0s\n",
        json!(name.to_string_lossy()),
        args,
        images.collect::<String>(),
    )
}

/// Returns the arguments. The kubelet has no HOME, usually: they name the files.
fn words(plan: &Plan<'_>) -> Vec<String> {
    let config = plan.config.path().to_string_lossy().into_owned();
    let given = plan.options.cache_dir.as_ref().map(PathBuf::from);
    // It runs in another directory.
    let given = given.and_then(|dir| {
        let dir = plan.directories.located("--cache-dir", &dir).ok()?;
        sys::absolute::absolute(&dir).ok()
    });
    let cache = given.map_or(CACHE.into(), |dir| dir.to_string_lossy().into_owned());
    ["kubelet", "--config", &config, "--cache-dir", &cache]
        .map(ToOwned::to_owned)
        .into()
}

/// Returns the call that the kubelet makes for an image, without its cache: that is root's.
fn trial(plan: &Plan<'_>, host: String) -> Trial {
    let mut command = Command::new(&plan.program);
    command
        .args(words(plan))
        .arg("--no-cache")
        .env_remove("HOME");
    let request = json!({
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "kind": "CredentialProviderRequest",
        "image": format!("{host}/image"),
    });
    Trial {
        tool: "kubelet",
        undo: format!("kubelet {host}"),
        host,
        call: "zitadel-credential kubelet",
        command,
        input: request.to_string(),
        only_warns: false,
        read: |answer| {
            let answer: Value = serde_json::from_str(answer).unwrap_or_default();
            let login = answer["auth"]
                .as_object()
                .and_then(|auth| auth.values().next());
            let username = login.and_then(|login| login["username"].as_str());
            username.map(ToOwned::to_owned).ok_or(None)
        },
    }
}
