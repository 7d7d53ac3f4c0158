//! Checks this program and the names by which tools find it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::wiring::Wirings;
use crate::call::World;
use crate::findings::wiring::NAME;
use crate::findings::{Checks, failed, ok, warning};
use crate::source::command::without_secrets;
use crate::sys::paths::{
    FIND_PROGRAM, canonicalize, file_of, is_same_program, link_command, relink_command,
};
use crate::sys::{exec, process};
use crate::text::clock::Deadline;
use crate::text::quote;
use crate::text::quote::{quoted, word};
use crate::text::version::FULL;
use crate::tools::links;
use crate::tools::row::Place;

pub(super) fn check(checks: &mut Checks, world: &World<'_>, wiring: &Wirings, deadline: &Deadline) {
    let Ok(own) = (world.program)().and_then(|path| canonicalize(&path)) else {
        checks.push(warning(
            "program",
            "cannot find the path of this program",
            FIND_PROGRAM,
        ));
        return;
    };
    let found = process::find(NAME, world.environment);
    let dir = found
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(Path::new("/usr/local/bin"));
    // Usually all names are in one directory.
    let mut good: Vec<(PathBuf, Vec<&str>)> = Vec::new();
    let names = links().map(|(link, _)| (link.name, link.place));
    for (name, place) in std::iter::once((NAME, Place::Package)).chain(names) {
        let link = dir.join(&*file_of(name));
        match process::find(name, world.environment) {
            Some(path) if is_same_program(&path, &own) => {
                let dir = path.parent().unwrap_or(Path::new("/")).to_owned();
                match good.iter_mut().find(|(known, _)| *known == dir) {
                    Some((_, names)) => names.push(name),
                    None => good.push((dir, vec![name])),
                }
            }
            // Usually the other program of that name is meant; and a tool finds its
            // plugin elsewhere.
            Some(_) if place != Place::Package => {}
            None if place == Place::Plugin => {}
            Some(path) => checks.push(other(&path, &own, deadline)),
            None if wiring.needs(name) => checks.push(failed(
                "program",
                format!("{name} is not on PATH, and a tool is set up to run it"),
                link_command(&word(&own), &word(&link)),
            )),
            None => {}
        }
    }
    let own = quote::path(&own);
    let on_path = if good.is_empty() { "; not on PATH" } else { "" };
    checks.push(ok("program", format!("{own} {FULL}{on_path}")));
    for (dir, names) in good {
        let (dir, names) = (quote::path(&dir), names.join(", "));
        checks.push(ok("program", format!("on PATH in {dir}: {names}")));
    }
}

/// Reports another file with our name.
fn other(path: &Path, own: &Path, deadline: &Deadline) -> crate::findings::Check {
    let shown = quote::path(path);
    let what = match version(path, deadline) {
        Some(theirs) if theirs == FULL => {
            format!("{shown} is another file with the same version as this program")
        }
        Some(theirs) => format!(
            "{shown} is version {}, this program is {FULL}",
            quoted(&theirs)
        ),
        None => format!("{shown} is another program, or does not print its version"),
    };
    warning("program", what, relink_command(&word(own), &word(path)))
}

/// Returns the version that a program prints; `None` if it is not this program.
fn version(path: &Path, deadline: &Deadline) -> Option<String> {
    let mut command = Command::new(path);
    exec::set_name(&mut command, NAME);
    without_secrets(&mut command)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let ended = process::run(&mut command, deadline).ok()?;
    let text = std::str::from_utf8(&ended.stdout).ok()?;
    let version = text.trim().strip_prefix(NAME)?.trim();
    (ended.status.success() && !version.is_empty()).then(|| version.to_owned())
}
