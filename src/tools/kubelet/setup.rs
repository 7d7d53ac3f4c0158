//! The kubelet: host rules, and its configuration of credential providers, which belongs
//! to the node's administrator. The setup prints it, or writes it to a new file.
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
use crate::edit::trial::{Trial, file_words};
use crate::edit::whole::AT_FILE;
use crate::error::Error;
use crate::host::HostPattern;
use crate::sys;
use crate::text::quote;

/// The beginning of the file.
const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\n";

/// Root's cache directory, unless --cache-dir sets another one.
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
            let file_words = file_words("--output", output.as_ref(), file.clone());
            plan.try_out(trial(plan, host, file_words));
        }
        Ok(())
    }

    /// Undoes the rules, and removes the hosts from the file.
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
            plan.say("if you added this program to the kubelet's configuration, remove its entry");
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

/// Returns the kubelet's configuration. Its strings are JSON, which is valid YAML too.
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

/// Returns the arguments. The kubelet usually has no HOME, so they name the files.
fn words(plan: &Plan<'_>) -> Vec<String> {
    let config = plan.config.path().to_string_lossy().into_owned();
    let given = plan.options.cache_dir.as_ref().map(PathBuf::from);
    // The kubelet runs in another directory.
    let given = given.and_then(|dir| {
        let dir = plan.directories.located("--cache-dir", &dir).ok()?;
        sys::absolute::absolute(&dir).ok()
    });
    let cache = given.map_or(CACHE.into(), |dir| dir.to_string_lossy().into_owned());
    ["kubelet", "--config", &config, "--cache-dir", &cache]
        .map(ToOwned::to_owned)
        .into()
}

/// Returns the kubelet's call for an image, without the cache, which is root's.
fn trial(plan: &Plan<'_>, host: String, file_words: Vec<String>) -> Trial {
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
        undo: [vec![host.clone()], file_words].concat(),
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
