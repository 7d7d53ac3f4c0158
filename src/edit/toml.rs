//! Edits TOML files in place: our config file and cargo's.

use std::fmt::Write;
use std::ops::Range;

use toml_edit::{DocumentMut, Item, Table};

use crate::error::Report;

/// A TOML file as a document. Edits cut and insert whole lines: all others stay the same
/// to the byte.
pub(crate) struct Document {
    /// The text, with `\n` at the end of each line.
    text: String,
    tree: Item,
    /// True if each line of the file ends in CRLF.
    is_crlf: bool,
}

impl Document {
    /// Parses a text.
    ///
    /// # Errors
    /// The text is not TOML.
    pub(crate) fn parse(text: &str) -> Result<Self, Report> {
        let breaks = text.matches('\n').count();
        let is_crlf = breaks > 0 && breaks == text.matches("\r\n").count();
        if is_crlf {
            Self::parsed(&text.replace("\r\n", "\n"), true)
        } else {
            Self::parsed(text, false)
        }
    }

    fn parsed(text: &str, is_crlf: bool) -> Result<Self, Report> {
        // The parser's error quotes the line, which may contain a secret.
        let tree = toml_edit::Document::parse(text)
            .map_err(|_| Report::new("invalid TOML").hint("correct it by hand"))?;
        Ok(Self {
            text: text.to_owned(),
            tree: tree.into_item(),
            is_crlf,
        })
    }

    /// Returns the text, with the file's own line ends.
    pub(crate) fn text(&self) -> String {
        if self.is_crlf {
            self.text.replace('\n', "\r\n")
        } else {
            self.text.clone()
        }
    }

    /// Returns the text at a key: a value as it is written, or the lines of a table's
    /// values. `None` if the key is missing.
    pub(crate) fn at(&self, key: &[&str]) -> Option<String> {
        let item = key
            .iter()
            .try_fold(&self.tree, |item, part| item.get(part))?;
        let Some(table) = item.as_table_like() else {
            return self.written(item);
        };
        let values = table.iter().filter(|(_, item)| !item.is_table_like());
        let lines = values.filter_map(|(key, item)| Some((key, self.written(item)?)));
        Some(body(&lines.collect::<Vec<_>>()))
    }

    /// Returns a value as it is written, without the text around it.
    fn written(&self, item: &Item) -> Option<String> {
        Some(self.text[item.as_value()?.span()?].to_owned())
    }

    /// Adds `[group.name]` with these values at the end.
    ///
    /// # Errors
    /// The group is not written as tables, or the file cannot be edited.
    pub(crate) fn add_table(
        &mut self,
        group: &str,
        name: &str,
        values: &[(&str, String)],
    ) -> Result<(), Report> {
        let block = block(group, name, values);
        self.check_editable(&block)?;
        let gap = match &*self.text {
            "" => "",
            text if text.ends_with('\n') => "\n",
            _ => "\n\n",
        };
        // Text after the end changes no earlier key, or does not parse.
        let changed = format!("{}{gap}{block}", self.text);
        let changed = Self::parsed(&changed, self.is_crlf).map_err(|_| {
            Report::new(format!("{group} is not written as [{group}.NAME]"))
                .hint("write it so, or make the change by hand")
        })?;
        *self = changed;
        Ok(())
    }

    /// Sets a value in place, or adds it after the other values of its table.
    ///
    /// # Errors
    /// The table is missing or inline, or the file cannot be edited.
    pub(crate) fn set(&mut self, key: &[&str], value: &str) -> Result<(), Report> {
        let (last, tables) = key.split_last().ok_or_else(unfit)?;
        let line = format!("{last} = {value}\n");
        self.check_editable(&line)?;
        let table = self.table(tables)?;
        match table.get(last) {
            Some(there) if there.is_value() => {
                let place = there.span().ok_or_else(unfit)?;
                self.replace(place, value)
            }
            Some(_) => Err(unfit()),
            None => {
                let (at, before) = self.end_of(table)?;
                self.replace(at..at, &(before + &line))
            }
        }
    }

    /// Returns the place for a table's next value, and the text before it.
    fn end_of(&self, table: &Table) -> Result<(usize, String), Report> {
        let values = table.iter().filter(|(_, item)| item.is_value());
        let places = values.map(|(key, _)| place_of(table, key));
        let places = places.collect::<Result<Vec<_>, _>>()?;
        let last = places.into_iter().max_by_key(|place| place.end);
        let (end, indent) = match (last, header_of(table)) {
            (Some(last), _) => {
                let lines = self.lines_of(&last);
                // The first parts of a dotted key are included.
                (lines.end, &self.text[lines.start..last.start])
            }
            (None, Some(header)) => (self.lines_of(&header).end, ""),
            (None, None) if std::ptr::eq(table, self.table(&[])?) => (0, ""),
            (None, None) => return Err(unfit()),
        };
        let is_whole = end == 0 || self.text[..end].ends_with('\n');
        let before = if is_whole { "" } else { "\n" };
        Ok((end, format!("{before}{indent}")))
    }

    /// Removes a value. Returns true if a comment on its lines is removed too.
    ///
    /// # Errors
    /// Its table is missing or inline, or the file cannot be edited.
    pub(crate) fn remove(&mut self, key: &[&str]) -> Result<bool, Report> {
        let (last, tables) = key.split_last().ok_or_else(unfit)?;
        self.check_editable("")?;
        let place = place_of(self.table(tables)?, last)?;
        self.cut(vec![place])
    }

    /// Removes `[group.name]` if it has these lines, in any layout. Returns true if a
    /// comment on its lines is removed too.
    ///
    /// # Errors
    /// The table has other lines, is inline, or the file cannot be edited.
    pub(crate) fn remove_table(
        &mut self,
        group: &str,
        name: &str,
        lines: &str,
    ) -> Result<bool, Report> {
        let now = self.at(&[group, name]).ok_or_else(unfit)?;
        let table = self.table(&[group, name])?;
        if !same_lines(&now, lines) || table.iter().any(|(_, item)| item.is_table_like()) {
            return Err(unfit());
        }
        self.check_editable("")?;
        let places = table.iter().map(|(key, _)| place_of(table, key));
        let mut places = places.collect::<Result<Vec<_>, _>>()?;
        if let Some(mut header) = header_of(table) {
            // The empty line right above a table was added with it.
            let above = &self.text[..self.lines_of(&header).start];
            if above == "\n" || above.ends_with("\n\n") {
                header.start = above.len() - 1;
            }
            places.push(header);
        }
        self.cut(places)
    }

    /// Returns a table that has its own lines.
    fn table(&self, key: &[&str]) -> Result<&Table, Report> {
        let mut parts = key.iter();
        let table = parts.try_fold(self.tree.as_table(), |table, part| {
            Some(table?.get(part)?.as_table())
        });
        table.flatten().ok_or_else(unfit)
    }

    /// Returns the whole lines of a place.
    fn lines_of(&self, place: &Range<usize>) -> Range<usize> {
        let start = self.text[..place.start].rfind('\n');
        let end = self.text[place.end..].find('\n');
        start.map_or(0, |at| at + 1)..end.map_or(self.text.len(), |at| place.end + at + 1)
    }

    /// Removes the lines of these places, which do not overlap. Returns true if a comment
    /// is removed too.
    fn cut(&mut self, mut places: Vec<Range<usize>>) -> Result<bool, Report> {
        places.sort_by_key(|place| std::cmp::Reverse(place.start));
        let mut has_comment = false;
        let mut text = self.text.clone();
        for place in places {
            let lines = self.lines_of(&place);
            has_comment |= text[place.end..lines.end].contains('#');
            text.replace_range(lines, "");
        }
        *self = Self::parsed(&text, self.is_crlf).map_err(|_| unfit())?;
        Ok(has_comment)
    }

    /// Replaces the text of a place.
    fn replace(&mut self, place: Range<usize>, new: &str) -> Result<(), Report> {
        let mut text = self.text.clone();
        text.replace_range(place, new);
        *self = Self::parsed(&text, self.is_crlf).map_err(|_| unfit())?;
        Ok(())
    }

    /// Refuses a file that `toml_edit` would not write back unchanged.
    fn check_editable(&self, lines: &str) -> Result<(), Report> {
        let back = self.text.parse().map(|tree: DocumentMut| tree.to_string());
        let back = back.unwrap_or_default();
        // Only a line break at the end may be added.
        if back == self.text || back.strip_suffix('\n') == Some(&*self.text) {
            return Ok(());
        }
        let what = "an edit would change its layout: it has mixed line ends, a byte order mark, or spaces in the name of a table";
        let report = Report::new(what);
        Err(if lines.is_empty() {
            report.hint("remove the lines by hand")
        } else {
            report.hint("add these lines by hand:").lines(lines)
        })
    }
}

/// Returns the place of a table's key and its value.
fn place_of(table: &Table, key: &str) -> Result<Range<usize>, Report> {
    let (key, item) = table.get_key_value(key).ok_or_else(unfit)?;
    let (key, value) = key.span().zip(item.span()).ok_or_else(unfit)?;
    Ok(key.start..value.end)
}

/// Returns the place of a table's header; `None` for the whole file and for dotted keys.
fn header_of(table: &Table) -> Option<Range<usize>> {
    let is_header = !table.is_implicit() && !table.is_dotted();
    table.span().filter(|span| is_header && !span.is_empty())
}

/// Returns a string as a TOML value.
pub(crate) fn string(text: &str) -> String {
    // A JSON string is a TOML string (TOML 1.0, Basic strings), and always on one line.
    serde_json::Value::from(text).to_string()
}

/// Returns strings as a TOML value.
pub(crate) fn list(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| string(word)).collect();
    format!("[{}]", words.join(", "))
}

/// Returns values as the lines of a table.
pub(crate) fn body(values: &[(&str, String)]) -> String {
    values
        .iter()
        .fold(String::new(), |mut lines, (key, value)| {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "{key} = {value}");
            lines
        })
}

/// Returns a table of a group as it is written.
fn block(group: &str, name: &str, values: &[(&str, String)]) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let name = if name.bytes().all(is_bare) {
        name.to_owned()
    } else {
        string(name)
    };
    format!("[{group}.{name}]\n{}", body(values))
}

/// True if two tables have the same lines, in any order.
pub(crate) fn same_lines(one: &str, other: &str) -> bool {
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(ToOwned::to_owned).collect();
        lines.sort();
        lines
    };
    sorted(one) == sorted(other)
}

fn unfit() -> Report {
    Report::new("unsupported layout for this change").hint("make the change by hand")
}

#[cfg(test)]
mod tests;
