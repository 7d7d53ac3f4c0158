//! `setup list` and `setup undo --all`: every setup in `setup.json`.

mod journals;

use clap::Args;
use journals::{Known, known};
use serde_json::{Value, json};

use super::row::owns;
use crate::call::{Answer, World, report};
use crate::cli::options::{EVERY, ListOutput, Options};
use crate::edit::plan::{Mode, Plan};
use crate::error::Error;
use crate::text::quote;

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Output format
    #[arg(long, value_enum, default_value_t = ListOutput::Text, hide_possible_values = true,
          value_name = "text|json")]
    pub(crate) output: ListOutput,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

#[derive(Args, Debug)]
pub(crate) struct UndoArgs {
    /// Undo every setup that setup list shows
    #[arg(long, required = true)]
    pub(crate) all: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

const NONE: &str = "no setup is in place\n";

/// Lists the setups, each with its files and with its edits that were changed or removed
/// since.
///
/// # Errors
/// A journal cannot be read.
pub(crate) fn list(
    world: &World<'_>,
    options: &Options,
    output: ListOutput,
) -> Result<Answer, Error> {
    let all = known(world, options)?;
    let rows = all
        .iter()
        .map(|setup| (setup, drift(world, options, setup)));
    Ok(Answer::new(match output {
        ListOutput::Json => {
            let objects = rows.map(|(setup, drift)| object(setup, &drift));
            format!("{:#}\n", objects.collect::<Value>())
        }
        ListOutput::Text if all.is_empty() => NONE.to_owned(),
        ListOutput::Text => {
            let blocks = rows.map(|(setup, drift)| block(setup, &drift));
            blocks.collect::<Vec<_>>().join("\n")
        }
    }))
}

/// Returns the edits of a setup that were changed or removed since.
fn drift(world: &World<'_>, options: &Options, setup: &Known) -> Vec<String> {
    let mode = Mode {
        dry_run: true,
        undo: true,
        ..Mode::default()
    };
    let looked = setup.open(world, options, mode).and_then(|mut plan| {
        plan.only_looks = true;
        plan.journal.keep_only(&setup.name());
        setup.asked.undo(&mut plan)?;
        Ok(plan.drift)
    });
    looked.unwrap_or_else(|error| {
        let why = error.report().headline();
        vec![format!("cannot check its edits: {why}")]
    })
}

fn object(setup: &Known, drift: &[String]) -> Value {
    json!({
        "tool": setup.tool,
        "name": quote::path(&setup.of),
        "config": setup.config.as_deref().map(quote::path),
        "files": setup.files.iter().map(quote::path).collect::<Vec<_>>(),
        "when": setup.when.map(|when| when.to_string()),
        "changed": drift,
    })
}

fn block(setup: &Known, drift: &[String]) -> String {
    let line = |(word, text): (&str, String)| format!("  {word:<9}{text}\n");
    let when = setup.when.map(|when| ("when", when.to_string()));
    let files = setup.files.iter().map(|file| ("file", quote::path(file)));
    let drift = drift.iter().map(|text| ("changed", text.clone()));
    let lines = when.into_iter().chain(files).chain(drift).map(line);
    let head = format!("{} {}\n", setup.tool, quote::path(&setup.of));
    std::iter::once(head).chain(lines).collect()
}

/// Undoes all setups. If a setup cannot be undone, it is reported, and tried again after
/// the others: a profile can be removed when no host rule names it.
///
/// # Errors
/// A journal cannot be read.
pub(crate) fn undo(world: &mut World<'_>, options: &Options, mode: Mode) -> Result<Answer, Error> {
    let mut left = known(world, options)?;
    if left.is_empty() {
        if !mode.dry_run {
            // Removes the files of a setup that was killed before its journal was written.
            let _ = Plan::open(world, options, mode, owns);
        }
        return Ok(Answer::new(NONE));
    }
    let mut text = String::new();
    let failures = loop {
        let count = left.len();
        let failures = if mode.dry_run {
            preview(world, options, left, &mut text)
        } else {
            attempt(world, options, left, &mut text)
        };
        if failures.is_empty() || failures.len() == count || mode.dry_run {
            break failures;
        }
        left = failures.into_iter().map(|(setup, _)| setup).collect();
    };
    let mut code = 0;
    if !failures.is_empty() && !text.is_empty() {
        let titles: Vec<_> = failures.iter().map(|(setup, _)| setup.title()).collect();
        let mark = if mode.dry_run { "# " } else { "" };
        let titles = titles.join(", ");
        text.extend([mark, "not undone, as the errors above say: ", &titles, "\n"]);
    }
    for (setup, error) in failures {
        if code == 0 {
            code = error.exit_code();
        }
        let error = error.map(|report| report.about(&setup.title()));
        report(world, &error);
    }
    Ok(Answer::new(text).with_code(code))
}

/// A setup that could not be undone, and the reason.
type Failure = (Known, Error);

/// Undoes each setup separately.
fn attempt(
    world: &World<'_>,
    options: &Options,
    all: Vec<Known>,
    text: &mut String,
) -> Vec<Failure> {
    let mode = Mode {
        undo: true,
        ..Mode::default()
    };
    let mut failures = Vec::new();
    for setup in all {
        let undone = setup.open(world, options, mode).and_then(|mut plan| {
            plan.all_go = true;
            setup.asked.undo(&mut plan)?;
            plan.finish()
        });
        match undone {
            Ok(answer) => {
                text.push_str(&setup.title());
                text.push_str(":\n");
                text.extend(answer.text.lines().flat_map(|line| ["  ", line, "\n"]));
            }
            Err(error) => failures.push((setup, error)),
        }
    }
    failures
}

/// Shows the combined changes of the undo of all setups of each config file.
fn preview(
    world: &World<'_>,
    options: &Options,
    mut all: Vec<Known>,
    text: &mut String,
) -> Vec<Failure> {
    let mode = Mode {
        dry_run: true,
        undo: true,
        ..Mode::default()
    };
    let mut failures = Vec::new();
    while let Some(first) = all.first() {
        let config = first.config.clone();
        let plan = first.open(world, options, mode);
        let (mut together, rest): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|setup| setup.config == config);
        all = rest;
        let mut plan = match plan {
            Ok(plan) => plan,
            Err(error) => {
                // The others fail in the same way.
                failures.push((together.remove(0), error));
                continue;
            }
        };
        plan.all_go = true;
        together = undo_in(&mut plan, together, &mut failures);
        match plan.finish() {
            Ok(answer) => text.push_str(&answer.text),
            Err(error) => failures.extend(together.into_iter().next().map(|setup| (setup, error))),
        }
    }
    failures
}

/// Plans the undo of setups, and tries the failed ones again until none succeeds. Returns
/// those that did.
fn undo_in(plan: &mut Plan<'_>, mut all: Vec<Known>, failures: &mut Vec<Failure>) -> Vec<Known> {
    let mut undone = Vec::new();
    loop {
        let count = all.len();
        let mut failed = Vec::new();
        for setup in all {
            plan.tool_file.clone_from(&setup.tool_file);
            match plan.attempt(|plan| setup.asked.undo(plan)) {
                Ok(()) => undone.push(setup),
                Err(error) => failed.push((setup, error)),
            }
        }
        if failed.is_empty() || failed.len() == count {
            failures.extend(failed);
            return undone;
        }
        all = failed.into_iter().map(|(setup, _)| setup).collect();
    }
}
