//! Values and tables as the config file spells them.

use std::fmt::Write;

/// A value as it is written.
pub(crate) type Value = String;

/// A string as a TOML value (a JSON string is one: TOML 1.0, Basic strings).
pub(crate) fn string(text: &str) -> Value {
    serde_json::Value::from(text).to_string()
}

/// Strings as a TOML value.
pub(crate) fn list(words: &[String]) -> Value {
    let words: Vec<_> = words.iter().map(|word| string(word)).collect();
    format!("[{}]", words.join(", "))
}

/// These values as the lines of a table.
pub(crate) fn body(values: &[(&str, Value)]) -> String {
    values
        .iter()
        .fold(String::new(), |mut lines, (key, value)| {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "{key} = {value}");
            lines
        })
}

/// A table of a group as it is written.
pub(crate) fn block(group: &str, name: &str, values: &[(&str, Value)]) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let name = if name.bytes().all(is_bare) {
        name.to_owned()
    } else {
        string(name)
    };
    format!("[{group}.{name}]\n{}", body(values))
}

/// What stands between a file's text and what is appended to it.
pub(crate) fn gap(file: &str) -> &'static str {
    match file {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    }
}

/// A text with the line ends that a file has.
pub(crate) fn eol(file: &str, text: &str) -> String {
    if is_crlf(file) {
        text.replace('\n', "\r\n")
    } else {
        text.to_owned()
    }
}

pub(crate) fn is_crlf(file: &str) -> bool {
    file.contains("\r\n")
}

/// Whether two tables hold the same lines, in whatever order.
pub(crate) fn same_lines(one: &str, other: &str) -> bool {
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(ToOwned::to_owned).collect();
        lines.sort();
        lines
    };
    sorted(one) == sorted(other)
}

/// Values in the order in which the parser keeps them.
pub(crate) fn sorted<'v>(values: &[(&'v str, Value)]) -> Vec<(&'v str, Value)> {
    let mut values = values.to_vec();
    values.sort();
    values
}
