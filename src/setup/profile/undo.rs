//! The undo of a profile, which host rules may still name.

use crate::edit::entry::Edit;
use crate::edit::plan::Plan;
use crate::edit::toml::string;
use crate::error::{Error, Report};
use crate::text::quote;

/// Undoes the setup of a profile, with the host rules that it wrote.
///
/// # Errors
/// Other host rules name the profile, or it is still the default one.
pub(super) fn undo(name: &str, plan: &mut Plan<'_>) -> Result<(), Error> {
    let Some(edits) = plan.journal.take(&format!("profile {name}")) else {
        plan.say(format!("profile {} was not set up", quote::path(name)));
        return Ok(());
    };
    let (rules, edits): (Vec<_>, Vec<_>) = edits.into_iter().partition(Edit::is_host_rule);
    for rule in rules {
        plan.undo_in_config(&rule)?;
    }
    let is_whole = |key: &[&str]| key == ["profiles", name];
    if !plan.only_looks && edits.iter().any(|edit| is_whole(&edit.key())) {
        let config = plan.config()?;
        let hosts: Vec<_> = config
            .hosts_of(name)
            .map(|rule| rule.pattern.to_string())
            .collect();
        if !hosts.is_empty() {
            let what = format!(
                "host rules still use profile {}: {}",
                quote::path(name),
                hosts.join(", ")
            );
            let mut report = Report::new(what)
                .hint("undo their setups first (setup TOOL HOST --undo), or remove them by hand");
            let file = quote::path(plan.config.path());
            for host in hosts.iter().filter(|host| !plan.journal.has_rule(host)) {
                report = report.hint(format!(
                    "the rule for {host} was written or changed by hand: remove [hosts.{}] from {file}",
                    string(host)
                ));
            }
            return Err(Error::Usage(report));
        }
    }
    for edit in edits {
        plan.undo_in_config(&edit)?;
    }
    if plan.only_looks {
        return Ok(());
    }
    let is_default = plan.document()?.at(&["default-profile"]) == Some(string(name));
    let is_gone = !plan.config()?.profile_names().any(|known| known == name);
    if is_default && is_gone {
        let what = format!(
            "{}: default-profile is still {}",
            quote::path(plan.config.path()),
            quote::path(name)
        );
        return Err(Error::Usage(
            Report::new(what).hint("set another default-profile, or remove the line"),
        ));
    }
    Ok(())
}
