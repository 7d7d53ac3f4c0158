//! Terraform: a host rule, our block in its CLI configuration, and the link by
//! which it finds us.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::files;
use super::files::{BLOCK, HELPER};
use crate::cli::options::Options;
use crate::edit::desk::{After, Desk, edit_of};
use crate::edit::hosts::known;
use crate::edit::journal::{Edit, is_path};
use crate::edit::link::Link;
use crate::edit::setup::{HostsArgs, Mode, Setup, names};
use crate::edit::target::{Target, read};
use crate::edit::toml::{eol, gap, list};
use crate::error::{Error, Report};
use crate::text::quote;
use crate::text::quote::quoted;

/// Where `setup.json` says that our block stands, and our link.
const AT_BLOCK: [&str; 2] = [BLOCK, HELPER];
const AT_LINK: [&str; 1] = ["link"];

// The arguments of `setup terraform`.
#[derive(clap::Args, Debug)]
pub(super) struct SetupTerraform {
    #[command(flatten)]
    asked: HostsArgs,
}

impl Setup for SetupTerraform {
    fn options(&mut self) -> &mut Options {
        &mut self.asked.options
    }

    fn mode(&self) -> Mode {
        self.asked.mode
    }

    fn names(&self) -> Vec<(&'static str, &std::ffi::OsStr)> {
        names("HOST", &self.asked.hosts).collect()
    }

    fn apply<'d>(&self, desk: &mut Desk<'d>) -> Result<Option<After<'d>>, Error> {
        put_in(desk, &self.asked)
    }

    fn undo<'d>(&self, desk: &mut Desk<'d>) -> Result<Option<After<'d>>, Error> {
        take_out(desk, &self.asked)
    }
}

/// True if this setup makes such an edit.
pub(super) fn owns(of: &str, edit: &Edit) -> bool {
    let former = edit.former.as_deref();
    match edit.key().as_slice() {
        ["link"] => {
            edit.file.ends_with("/terraform-credentials-zitadel")
                && is_path(&edit.ours)
                && former.is_none()
        }
        ["credentials_helper", "zitadel"] => edit.is_in_file_of(of) && former.is_none(),
        _ => edit.is_host_rule(),
    }
}

/// Adds the rules, the block and the link.
///
/// # Errors
/// A host is none, a rule or another helper stands in the way, or the file is not
/// plainly to be read.
pub(crate) fn put_in<'d>(
    desk: &mut Desk<'d>,
    asked: &HostsArgs,
) -> Result<Option<After<'d>>, Error> {
    let mut file = open(desk)?;
    let hosts = desk.let_in("terraform", &asked.hosts, None, &file.name())?;
    let block = put_block(desk, &mut file)?;
    let mut link = open_link(desk)?;
    let link_edit = put_link(desk, &mut link)?;
    if let Some(edit) = &link_edit {
        desk.journal.renew(edit);
    }
    for host in &hosts {
        for edit in block.iter().chain(&link_edit) {
            desk.journal.record(&host.setup, edit.clone());
        }
        desk.says(match host.pattern.single_host() {
            Some(host) => format!("next: terraform init, where a source is {host}/…"),
            None => format!(
                "next: terraform init, where a source is at a host of {}",
                host.pattern
            ),
        });
    }
    desk.add(file);
    desk.add_link(link);
    Ok(None)
}

/// Takes the rules, the block and the link out.
///
/// # Errors
/// A host is none.
pub(crate) fn take_out<'d>(
    desk: &mut Desk<'d>,
    asked: &HostsArgs,
) -> Result<Option<After<'d>>, Error> {
    let mut file = open(desk)?;
    let name = file.name();
    let mut links = Vec::new();
    let mut stays = false;
    desk.turn_out("terraform", &asked.hosts, &name, |desk, edit| {
        if edit.key() == AT_LINK {
            links.push(edit.clone());
            return Ok(());
        }
        file.words.extend(edit.ours.lines().map(ToOwned::to_owned));
        let is_named = |text: &str| {
            let names = files::helpers(text);
            names.map(|names| names.iter().any(|name| name == HELPER))
        };
        let is_there = is_named(file.text()) != Ok(false);
        let what = format!("{BLOCK} \"{HELPER}\"");
        // One in a remark is not the one.
        let block = eol(file.text(), &edit.ours);
        let mut without = without(file.text(), &block);
        let text = without.find(|text| is_named(text) == Ok(false));
        drop(without);
        let said = match text {
            _ if !is_there => format!("{what} was gone already"),
            Some(text) => {
                file.set(text);
                format!("takes out {what}")
            }
            _ => {
                stays = true;
                match is_named(file.text()) {
                    Err(why) => format!("{what} stays: {why}"),
                    Ok(_) => format!("{what} was changed since, and stays"),
                }
            }
        };
        desk.says(said);
        Ok(())
    })?;
    desk.add(file);
    for edit in links {
        take_out_link(desk, &edit, stays);
    }
    Ok(None)
}

/// Takes the link out where it is still ours, and no block that stays needs it:
/// Terraform would only log that it finds no helper.
fn take_out_link(desk: &mut Desk<'_>, edit: &Edit, is_needed: bool) {
    let path = quote::path(&edit.file);
    match Link::open(Path::new(&edit.file)) {
        Ok(link) if link.before.is_none() => desk.says(format!("the link {path} was gone already")),
        Ok(mut link)
            if link.before.as_deref().map(Path::as_os_str) == Some(OsStr::new(&edit.ours)) =>
        {
            if is_needed {
                desk.says(format!("the link {path} stays with it"));
            } else {
                link.after = None;
                desk.add_link(link);
            }
        }
        _ => desk.says(format!("the link {path} was changed since, and stays")),
    }
}

/// Appends our block where there is none; what `setup.json` is to say of it.
fn put_block(desk: &Desk<'_>, file: &mut Target) -> Result<Option<Edit>, Error> {
    let helpers = files::helpers(file.text()).map_err(|why| unread(file.path(), why))?;
    if is_ours(file.path(), &helpers)? {
        desk.check_config(&quote::path(file.path()), &args(file.text()))?;
        return Ok(desk.journal.edit_at(&file.name(), &AT_BLOCK).cloned());
    }
    for beside in files::beside(desk.environment, &desk.directories) {
        let text = read(&beside).map_err(|why| unread(&beside, &why))?;
        match files::helpers(&text) {
            Ok(helpers) if is_ours(&beside, &helpers)? => {
                desk.check_config(&quote::path(&beside), &args(&text))?;
                return Ok(None);
            }
            Err(why) if text.contains(BLOCK) => return Err(unread(&beside, why)),
            _ => {}
        }
    }
    let mut args = Vec::new();
    if desk.options.config.is_some() {
        let config = desk.config.path().to_string_lossy();
        args.extend(["--config".to_owned(), config.into_owned()]);
    }
    let block = format!("{BLOCK} \"{HELPER}\" {{\n  args = {}\n}}\n", list(&args));
    file.words
        .extend(block.lines().map(|line| line.trim().to_owned()));
    let added = eol(file.text(), &format!("{}{block}", gap(file.text())));
    let text = format!("{}{added}", file.text());
    // A path may hold what the language reads otherwise.
    if files::helpers(&text).ok().as_deref() != Some(&[HELPER.to_owned()]) {
        let what = "with our block, it would not be plainly to be read";
        return Err(unread(file.path(), what));
    }
    file.set(text);
    Ok(Some(edit_of(file, &AT_BLOCK, &block, None)))
}

/// Whether the helpers of a file are ours alone; not so where there is none.
///
/// # Errors
/// There is another.
fn is_ours(file: &Path, helpers: &[String]) -> Result<bool, Error> {
    match helpers {
        [] => Ok(false),
        [name] if name == HELPER => Ok(true),
        [other, ..] => {
            let what = format!("it has the credentials helper {} already", quoted(other));
            let report = Report::new(what)
                .hint("Terraform takes one alone: take that block out first")
                .about(&quote::path(file));
            Err(Error::Usage(report))
        }
    }
}

/// The texts in our block: its arguments.
fn args(text: &str) -> Vec<String> {
    let name = format!("\"{HELPER}\"");
    let block = text.rsplit_once(&name).map_or("", |(_, block)| block);
    let block = block.split('}').next().unwrap_or_default();
    let texts = block.split('"').skip(1).step_by(2);
    texts.map(ToOwned::to_owned).collect()
}

/// Has the link lead here; what `setup.json` is to say of it.
fn put_link(desk: &Desk<'_>, link: &mut Link) -> Result<Option<Edit>, Error> {
    let known = desk.journal.edit_at(&link.name(), &AT_LINK);
    // Ours leads nowhere, or to what it was, where this program has moved.
    let is_ours = |leads: &PathBuf| {
        known.is_some_and(|known| leads.as_os_str() == known.ours.as_str() || !link.path().exists())
    };
    match &link.before {
        Some(_) if desk.is_this_program(link.path()) => return Ok(known.cloned()),
        Some(leads) if !is_ours(leads) => {
            let what = format!("{}: it leads to another program", quote::path(link.path()));
            return Err(Error::Usage(Report::new(what).hint("move it away first")));
        }
        _ => link.after = Some(desk.program.clone()),
    }
    Ok(Some(Edit {
        file: link.name(),
        at: AT_LINK.map(ToOwned::to_owned).to_vec(),
        ours: desk.program.to_string_lossy().into_owned(),
        former: None,
    }))
}

/// A file that holds more than what is understood of it.
fn unread(file: &Path, why: &str) -> Error {
    let report = Report::new(why.to_owned())
        .hint("make the change by hand: zitadel-credential terraform --help shows the block");
    Error::Usage(report.about(&quote::path(file)))
}

/// A text without a block, and without the empty line before it: for each of the
/// last places where it stands.
fn without<'t>(text: &'t str, block: &'t str) -> impl Iterator<Item = String> + 't {
    text.rmatch_indices(block).take(9).map(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + block.len()..]);
        let shorter = ["\r\n", "\n"].iter().find_map(|eol| {
            let rest = before.strip_suffix(eol)?;
            rest.ends_with('\n').then_some(rest)
        });
        [shorter.unwrap_or(before), after].concat()
    })
}

fn open(desk: &mut Desk<'_>) -> Result<Target, Error> {
    let file = files::file(desk.environment, &desk.directories);
    desk.open_file(&known(file, "Terraform", "TF_CLI_CONFIG_FILE")?)
}

fn open_link(desk: &Desk<'_>) -> Result<Link, Error> {
    let path = files::plugin(&desk.directories);
    Link::open(&known(path, "Terraform", "HOME")?)
}
