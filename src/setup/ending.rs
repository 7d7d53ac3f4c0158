//! The messages after the questions: the result, and the next steps.

use crate::cli::options::Options;
use crate::config::{Config, SourceSetting};
use crate::edit::plan::Plan;
use crate::error::Error;
use crate::host::HostPattern;
use crate::text::quote::word;

/// Returns the result, and the commands to type next. Without an issuer, nobody can be
/// asked whose token it is.
///
/// # Errors
/// The config file is invalid.
pub(super) fn lines(
    plan: &Plan<'_>,
    name: &str,
    hosts: &[HostPattern],
    has_issuer: bool,
) -> Result<Vec<String>, Error> {
    let program = "zitadel-credential";
    let file = plan.config_option();
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
    let listed = |hosts: Vec<String>| match hosts.as_slice() {
        [] => "HOST".to_owned(),
        hosts => hosts.iter().map(word).collect::<Vec<_>>().join(" "),
    };
    let all = listed(hosts.iter().map(ToString::to_string).collect());
    // docker and doctor accept no wildcard.
    let single: Vec<_> = hosts.iter().filter_map(HostPattern::single_host).collect();
    let first = single.first().map(word);
    let single = listed(single);
    let mut lines = vec!["works now:".to_owned()];
    lines.extend(has_issuer.then(|| format!("  {program} whoami{options}")));
    lines.extend([
        format!("  {program} token{options}"),
        "next, for the tools that are to use it:".to_owned(),
        format!("  {program} setup git {all}{options}"),
        format!("  {program} setup docker {single}{options}"),
        format!("  {program} setup kubectl{options}"),
    ]);
    lines.extend(first.map(|host| format!("  {program} doctor {host}{options}")));
    lines.extend(roles(&config, name, &file));
    Ok(lines)
}

/// Returns how the profile gets tokens for a server that checks roles. Empty if it has a
/// project, is for ZITADEL's own API, or gets its tokens ready-made.
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
