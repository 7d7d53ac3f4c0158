//! The last words of the questions: what works, and what comes next.

use crate::cli::options::Options;
use crate::config::{Config, SourceSetting};
use crate::edit::plan::Plan;
use crate::error::Error;
use crate::host::HostPattern;
use crate::text::quote::word;

/// Returns what works now, and what to type next.
///
/// # Errors
/// The config file is invalid.
pub(super) fn lines(
    plan: &Plan<'_>,
    name: &str,
    hosts: &[HostPattern],
) -> Result<Vec<String>, Error> {
    let program = "zitadel-credential";
    let file = match &plan.options.config {
        Some(_) => format!(" --config {}", word(plan.config.path())),
        None => String::new(),
    };
    let bare = Options {
        profile: None,
        ..plan.options.clone()
    };
    let config = plan.config_with(&bare)?;
    let usual = config.profile_name().ok().flatten();
    let options = if usual.as_deref() == Some(name) {
        file.clone()
    } else {
        format!("{file} --profile {}", word(name))
    };
    let listed: Vec<_> = hosts.iter().map(ToString::to_string).collect();
    let listed = match listed.as_slice() {
        [] => "HOST".to_owned(),
        hosts => hosts.join(" "),
    };
    let mut lines = vec![
        "works now:".to_owned(),
        format!("  {program} whoami{options}"),
        format!("  {program} token{options}"),
        "next, for the tools that are to use it:".to_owned(),
        format!("  {program} setup git {listed}{options}"),
        format!("  {program} setup docker {listed}{options}"),
        format!("  {program} setup kubectl{options}"),
    ];
    if let [host, ..] = hosts {
        lines.push(format!("  {program} doctor {host}{options}"));
    }
    lines.extend(roles(&config, name, &file));
    Ok(lines)
}

/// Returns how the profile gets tokens for a server that checks roles, unless it has a
/// project, is for ZITADEL's own API, or gets its tokens as they are.
pub(super) fn roles(config: &Config<'_>, name: &str, file: &str) -> Vec<String> {
    let given = config.caller();
    let is_supplied = matches!(given.source, Some(SourceSetting::Supplier(_)));
    if !given.projects.is_empty() || given.zitadel_api || is_supplied {
        return Vec::new();
    }
    let name = word(name);
    vec![
        "if a server checks roles of a project:".to_owned(),
        format!("  zitadel-credential setup profile {name} --project ID --roles{file}"),
    ]
}
