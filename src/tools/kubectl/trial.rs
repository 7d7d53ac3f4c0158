//! The warnings of `setup kubectl` about the token, and kubectl's call for it.

use std::process::Command;

use serde_json::Value;

use super::protocol::VARIABLE;
use crate::broker::Broker;
use crate::call::World;
use crate::config::Asker;
use crate::edit::plan::Plan;
use crate::edit::trial::Trial;
use crate::error::Error;
use crate::findings::apiserver::{Flaw, OPENS_ZITADEL, flaws, without_roles};
use crate::scope::open_zitadel;

pub(super) const NO_TOKEN: &str = "warning: there is no token yet";

/// Returns the call that kubectl makes for the user.
pub(super) fn trial(exec: &Value, user: &str, file_words: Vec<String>) -> Trial {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut command = Command::new(text(&exec["command"]));
    let args = exec["args"].as_array().into_iter().flatten();
    command.args(args.map(text)).env_remove(VARIABLE);
    Trial {
        tool: "kubectl",
        undo: [vec!["--user".to_owned(), user.to_owned()], file_words].concat(),
        host: format!("user {user}"),
        call: "the exec plugin",
        command,
        input: String::new(),
        // An administrator may write a kubeconfig for others.
        only_warns: true,
        read: |answer| {
            let answer: Value = serde_json::from_str(answer).unwrap_or_default();
            let token = answer["status"]["token"].as_str();
            token.map(|_| String::new()).ok_or(None)
        },
    }
}

/// Returns warnings about a token that an API server could not use, as far as is visible
/// here, or should not get.
pub(super) fn look_at_the_token(plan: &Plan<'_>, world: &World<'_>) -> Vec<String> {
    let get = |broker: &Broker<'_>| match broker.cached() {
        // A dry run leaves no token in the cache.
        Some(entry) if plan.mode.dry_run => Ok(entry.token),
        None if plan.mode.dry_run => Ok(broker.trial(None)?.0),
        _ => broker.token(),
    };
    let no_token = |error: &Error| {
        let headline = error.report().headline();
        format!("{NO_TOKEN}: {headline}")
    };
    let requested = || {
        let config = plan.config()?;
        let asker = Asker::default();
        let profile = config.profile_for(&asker);
        Ok::<_, Error>((config.request(asker)?, profile))
    };
    let (request, profile) = match requested() {
        Ok(requested) => requested,
        Err(error) => return vec![no_token(&error)],
    };
    let (scopes, profile) = (&request.scopes, profile.as_deref());
    let mut lines = Vec::new();
    let token = Broker::new(&request, world.clock).and_then(|broker| get(&broker));
    let flaws = match &token {
        Ok(token) => flaws(scopes, token.expose(), profile),
        Err(error) => {
            lines.push(no_token(error));
            without_roles(scopes, None, profile).into_iter().collect()
        }
    };
    let is_opaque = token.is_ok_and(|token| !token.is_jwt());
    for Flaw {
        why,
        remedy,
        is_partial,
    } in flaws
    {
        lines.push(if is_opaque && !is_partial {
            "warning: the token is opaque, and an API server that checks tokens itself (OIDC) refuses it".to_owned()
        } else {
            let verb = if is_partial { "may refuse" } else { "refuses" };
            format!("warning: an API server that checks tokens itself (OIDC) {verb} this token: {why}")
        });
        lines.push(format!("  {remedy}"));
    }
    if open_zitadel(scopes) {
        let [what, remedy] = OPENS_ZITADEL;
        lines.push(format!("warning: {what}"));
        lines.push(format!("  {remedy}"));
    }
    lines
}
