//! TOML files, edited in place: our config file and cargo's.

use std::fmt::Write;

use toml_edit::{DocumentMut, Item, Key, Table, Value};

use crate::error::Report;

/// A TOML file as a document.
pub(crate) struct Document {
    text: String,
    tree: DocumentMut,
}

impl Document {
    /// Parses a text.
    ///
    /// # Errors
    /// It is not TOML.
    pub(crate) fn parse(text: &str) -> Result<Self, Report> {
        // The parser's own error quotes the line, which may hold a secret.
        let tree = text
            .parse()
            .map_err(|_| Report::new("invalid TOML").hint("correct it by hand"))?;
        Ok(Self {
            text: text.to_owned(),
            tree,
        })
    }

    /// Returns the text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns what stands at a key: of a value the value as it is written, of a
    /// table the lines of its values. `None` if nothing does.
    pub(crate) fn at(&self, key: &[&str]) -> Option<String> {
        let mut item = self.tree.as_item();
        for part in key {
            item = item.get(part)?;
        }
        let Some(table) = item.as_table_like() else {
            return item.as_value().map(written);
        };
        let values = table.iter().filter(|(_, item)| !item.is_table_like());
        let lines = values.filter_map(|(key, item)| Some((key, written(item.as_value()?))));
        Some(body(&lines.collect::<Vec<_>>()))
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
        // Text behind the end changes nothing before it, or does not parse.
        let changed = Self::parse(&format!("{}{gap}{block}", self.text)).map_err(|_| {
            Report::new(format!("{group} is not written as [{group}.NAME]"))
                .hint("write it so, or make the change by hand")
        })?;
        *self = changed;
        Ok(())
    }

    /// Sets a value where it stands, or adds it after the other values of its table.
    ///
    /// # Errors
    /// The table is missing or inline, or the file cannot be edited.
    pub(crate) fn set(&mut self, key: &[&str], value: &str) -> Result<(), Report> {
        let (last, tables) = key.split_last().ok_or_else(unfit)?;
        self.check_editable(&format!("{last} = {value}\n"))?;
        let mut new: Value = value.parse().map_err(|_| unfit())?;
        let table = table_at(&mut self.tree, tables)?;
        match table.get_mut(last).map(Item::as_value_mut) {
            Some(Some(there)) => {
                // The comment behind it stays.
                *new.decor_mut() = there.decor().clone();
                *there = new;
            }
            Some(None) => return Err(unfit()),
            None => {
                table.insert(last, Item::Value(new));
            }
        }
        self.render();
        Ok(())
    }

    /// Removes a value.
    ///
    /// # Errors
    /// Its table is missing or inline, or the file cannot be edited.
    pub(crate) fn remove(&mut self, key: &[&str]) -> Result<(), Report> {
        let (last, tables) = key.split_last().ok_or_else(unfit)?;
        self.check_editable("")?;
        let table = table_at(&mut self.tree, tables)?;
        // Comments above it are not ours; they go to what follows.
        let above = table.key(last).map(comments_above).unwrap_or_default();
        let at = table.iter().position(|(key, _)| key == *last);
        table.remove(last).ok_or_else(unfit)?;
        let next = table.iter().nth(at.unwrap_or_default());
        let next = next.map(|(key, _)| key.to_owned());
        if let Some(mut next) = next.and_then(|next| table.key_mut(&next)) {
            let own = next.leaf_decor().prefix().and_then(|own| own.as_str());
            let own = format!("{above}{}", own.unwrap_or_default());
            next.leaf_decor_mut().set_prefix(own);
        } else {
            let position = table.position();
            self.put_before_what_follows(position, &above);
        }
        self.render();
        Ok(())
    }

    /// Removes `[group.name]` if it holds these lines, in whatever layout.
    ///
    /// # Errors
    /// It holds something else, is inline, or the file cannot be edited.
    pub(crate) fn remove_table(
        &mut self,
        group: &str,
        name: &str,
        lines: &str,
    ) -> Result<(), Report> {
        let now = self.at(&[group, name]).ok_or_else(unfit)?;
        if !same_lines(&now, lines) {
            return Err(unfit());
        }
        self.check_editable("")?;
        let groups = table_at(&mut self.tree, &[group])?;
        let Some(Item::Table(table)) = groups.get(name) else {
            return Err(unfit());
        };
        if table.iter().any(|(_, item)| item.is_table_like()) {
            return Err(unfit());
        }
        let position = table.position();
        let prefix = table.decor().prefix().and_then(|text| text.as_str());
        let prefix = prefix.unwrap_or_default();
        // The empty line right above a table was added with it.
        let above = prefix.strip_suffix('\n').unwrap_or(prefix);
        let has_gap = above.is_empty() || above.ends_with('\n');
        let mut kept = if has_gap { above } else { prefix }.to_owned();
        let keys = table.iter().filter_map(|(key, _)| table.key(key));
        kept.extend(keys.map(comments_above));
        groups.remove(name);
        let is_empty = groups.is_empty() && groups.is_implicit();
        if is_empty {
            self.tree.remove(group);
        }
        self.put_before_what_follows(position, &kept);
        self.render();
        Ok(())
    }

    /// Puts comments before the table that follows a position, or at the end.
    fn put_before_what_follows(&mut self, position: Option<isize>, comments: &str) {
        if comments.is_empty() {
            return;
        }
        let next = next_table(self.tree.as_table_mut(), position.unwrap_or(-1));
        let own = |text: Option<&toml_edit::RawString>| {
            let text = text.and_then(|text| text.as_str()).unwrap_or_default();
            format!("{comments}{text}")
        };
        if let Some(table) = next {
            let prefix = own(table.decor().prefix());
            table.decor_mut().set_prefix(prefix);
        } else {
            let trailing = own(Some(self.tree.trailing()));
            self.tree.set_trailing(trailing);
        }
    }

    /// Refuses a file that would come back with other bytes than ours changed.
    fn check_editable(&self, lines: &str) -> Result<(), Report> {
        let back = self.tree.to_string();
        // A line break at the end is all that may be added.
        if back == self.text || back.strip_suffix('\n') == Some(&*self.text) {
            return Ok(());
        }
        let what = "an edit would change its layout: it has line ends other than \\n, a byte order mark, or blanks in the name of a table";
        let report = Report::new(what);
        Err(if lines.is_empty() {
            report.hint("remove the lines by hand")
        } else {
            report.hint("add these lines by hand:").lines(lines)
        })
    }

    fn render(&mut self) {
        self.text = self.tree.to_string();
    }
}

/// Returns the table at a key, for tables that stand on lines of their own.
fn table_at<'d>(tree: &'d mut DocumentMut, key: &[&str]) -> Result<&'d mut Table, Report> {
    let mut table = tree.as_table_mut();
    for part in key {
        table = table
            .get_mut(part)
            .and_then(Item::as_table_mut)
            .ok_or_else(unfit)?;
    }
    Ok(table)
}

/// Returns the first table after a position, in the order of the file.
fn next_table(table: &mut Table, after: isize) -> Option<&mut Table> {
    fn positions(table: &Table, after: isize, found: &mut Vec<isize>) {
        found.extend(table.position().filter(|position| *position > after));
        let inner = table.iter().filter_map(|(_, item)| item.as_table());
        inner.for_each(|table| positions(table, after, found));
    }
    fn at(table: &mut Table, position: isize) -> Option<&mut Table> {
        if table.position() == Some(position) && !table.is_implicit() && !table.is_dotted() {
            return Some(table);
        }
        let mut inner = table.iter_mut();
        inner.find_map(|(_, item)| at(item.as_table_mut()?, position))
    }
    let mut found = Vec::new();
    positions(table, after, &mut found);
    let next = found.into_iter().min()?;
    at(table, next)
}

/// Returns the comments that stand on lines of their own above a key.
fn comments_above(key: &Key) -> String {
    let prefix = key.leaf_decor().prefix().and_then(|text| text.as_str());
    let prefix = prefix.unwrap_or_default();
    prefix
        .rfind('\n')
        .map_or_else(String::new, |end| prefix[..=end].to_owned())
}

/// Returns a value as it is written, without what stands around it.
fn written(value: &Value) -> String {
    value.clone().decorated("", "").to_string()
}

/// Returns a string as a TOML value.
pub(crate) fn string(text: &str) -> String {
    // A JSON string is one (TOML 1.0, Basic strings), and always on one line.
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

/// True if two tables hold the same lines, in whatever order.
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
