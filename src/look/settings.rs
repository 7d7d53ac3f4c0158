//! `config show`: the merged settings, each with its source.

use serde_json::{Value, json};

use crate::call::Answer;
use crate::cli::options::{ListOutput, Options};
use crate::config::Config;
use crate::config::shown::Shown;
use crate::error::Error;

/// The terminal width that every table fits into, if its values are short enough.
const WIDTH: usize = 80;

/// The least width of the first column.
const NAME: usize = 13;

/// The width of the second column.
const VALUE: usize = 30;

/// Shows the settings of a call with these options.
///
/// # Errors
/// The profile does not exist or is invalid.
pub(crate) fn settings(
    config: &Config<'_>,
    options: &Options,
    output: ListOutput,
) -> Result<Answer, Error> {
    let all = config.shown(options)?;
    Ok(Answer::new(match output {
        ListOutput::Text => table(&all),
        ListOutput::Json => document(&all),
    }))
}

fn document(all: &[Shown]) -> String {
    let objects = all.iter().map(|shown| {
        json!({
            "setting": shown.name,
            "value": shown.value,
            "source": shown.source.kind(),
            "from": shown.source.to_string(),
        })
    });
    format!("{:#}\n", objects.collect::<Value>())
}

/// Returns one line per setting. If it would be too long, the source and each text of a
/// list are on separate lines.
fn table(all: &[Shown]) -> String {
    let longest = all.iter().map(|shown| shown.name.len()).max();
    let width = NAME.max(longest.unwrap_or(0) + 2);
    let mut table = row(width, ["SETTING", "VALUE", "FROM"]);
    for Shown {
        name,
        value,
        source,
    } in all
    {
        let source = source.in_short();
        let in_a_line = row(width, [name, &text(value), &source]);
        if in_a_line.chars().count() <= WIDTH && text(value).chars().count() <= VALUE {
            table += &in_a_line;
            continue;
        }
        let values = match value {
            Value::Array(all) if text(value).chars().count() > WIDTH - width => {
                all.iter().map(text).collect()
            }
            one => vec![text(one)],
        };
        for (at, value) in values.iter().enumerate() {
            table += &row(width, [if at == 0 { name } else { "" }, value, ""]);
        }
        table += &row(width, ["", "", &source]);
    }
    table
}

fn row(width: usize, [name, value, source]: [&str; 3]) -> String {
    let line = format!("{name:<width$}{value:<VALUE$}  {source}");
    format!("{}\n", line.trim_end())
}

/// Returns a value as text.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
