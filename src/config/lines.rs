//! Lines of the config file: where a key is set, and the part of the file around a
//! fault.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike};

use crate::error::Report;

/// One error in the file's text.
pub(super) struct Fault {
    /// Line number, from 1.
    pub(super) line: usize,
    pub(super) report: Report,
}

/// The config file's text, with the places of its keys.
pub(super) struct Lines<'t> {
    text: &'t str,
    /// `None` if the text is not TOML.
    tree: Option<Item>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let tree = Document::parse(text).ok().map(Document::into_item);
        Self { text, tree }
    }

    /// Returns the line that sets a key, counted from 1; `None` if no line does.
    pub(super) fn of_key(&self, key: &[&str]) -> Option<usize> {
        let (last, tables) = key.split_last()?;
        let mut tables = tables.iter();
        let table = tables.try_fold(self.tree.as_ref()?, |item, part| item.get(part))?;
        let (key, _) = table.as_table_like()?.get_key_value(last)?;
        Some(number(self.text, key.span()?.start))
    }

    /// Returns the line of the header above a line.
    pub(super) fn header_of(&self, line: usize) -> Option<usize> {
        let above = self.text.lines().take(line).enumerate();
        let headers = above.filter(|(_, text)| is_header(text));
        headers.last().map(|(at, _)| at + 1)
    }

    /// Returns the text with spaces in place of the faulty part, so that the rest can be
    /// read and keeps its line numbers: a table if the fault is in its header, else a key
    /// with its value, else a line.
    pub(super) fn without(&self, fault: usize) -> String {
        let (at, start) = self.start_of(fault);
        let mut lines = self.text[start..].split_inclusive('\n');
        let line = lines.next().unwrap_or_default();
        let part = if is_header(line) {
            let body = lines.take_while(|line| !is_header(line));
            start..start + line.len() + body.map(str::len).sum::<usize>()
        } else {
            let root = self.tree.as_ref().and_then(Item::as_table_like);
            let around = root.and_then(|root| around(root, at));
            around.unwrap_or(start..start + line.len())
        };
        self.with_spaces(part)
    }

    /// Returns the text with spaces in place of a fault's line and of all lines after it
    /// that look like lines of a pasted key, and the number of these lines.
    pub(super) fn without_all_from(&self, fault: usize) -> (String, usize) {
        let (_, start) = self.start_of(fault);
        if self.tree.is_some() {
            return (self.without(fault), 1);
        }
        let mut lines = self.text[start..].split_inclusive('\n');
        let first = lines.next().into_iter();
        let all: Vec<_> = first
            .chain(lines.take_while(|line| is_bare(line)))
            .map(str::len)
            .collect();
        let part = start..start + all.iter().sum::<usize>();
        (self.with_spaces(part), all.len())
    }

    /// Returns the place of a fault within the text, and the start of its line.
    fn start_of(&self, fault: usize) -> (usize, usize) {
        let at = fault.min(self.text.len());
        let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        (at, start)
    }

    fn with_spaces(&self, part: Range<usize>) -> String {
        let space = |c: char| if c == '\n' { '\n' } else { ' ' };
        let spaces: String = self.text[part.clone()].chars().map(space).collect();
        [&self.text[..part.start], &spaces, &self.text[part.end..]].concat()
    }
}

/// True for a line that begins like a key and has no value. It is not the end of an array
/// or of a string either.
fn is_bare(line: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
    line.trim_start().starts_with(is_word) && !line.contains('=')
}

fn is_header(line: &str) -> bool {
    line.trim_start().starts_with('[')
}

/// Returns the number of the line at a place, counted from 1.
pub(super) fn number(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or(text);
    before.matches('\n').count() + 1
}

/// Returns the place of the key and its value around a place.
fn around(table: &dyn TableLike, at: usize) -> Option<Range<usize>> {
    table.iter().find_map(|(name, item)| {
        if let Some(inner) = item.as_table() {
            return around(inner, at);
        }
        let (key, _) = table.get_key_value(name)?;
        let part = key.span()?.start..item.span()?.end;
        part.contains(&at).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "a = 1\n[profiles.x]\nissuer = \"i\"\nscopes = [\n  \"one\",\n]\n\n[hosts.\"a.dev\"]\nprofile = \"x\"\n";

    #[test]
    fn a_key_has_its_line() {
        let lines = Lines::of(TEXT);
        for (key, line) in [
            (&["a"][..], Some(1)),
            (&["profiles", "x"], Some(2)),
            (&["profiles", "x", "scopes"], Some(4)),
            (&["hosts", "a.dev"], Some(8)),
            (&["hosts", "a.dev", "profile"], Some(9)),
            (&["hosts", "b.dev"], None),
        ] {
            assert_eq!(lines.of_key(key), line, "{key:?}");
        }
        let dotted = Lines::of("\nprofiles.x.issuer = \"i\"\n");
        assert_eq!(dotted.of_key(&["profiles", "x", "issuer"]), Some(2));
    }

    #[test]
    fn removing_a_fault_keeps_the_other_lines_in_place() {
        let without = |text: &str, word: &str| Lines::of(text).without(text.find(word).unwrap());
        let trimmed = |text: String| {
            let lines = text.lines().map(|line| line.trim_end().to_owned());
            lines.collect::<Vec<_>>()
        };
        let value = trimmed(without(TEXT, "one"));
        assert_eq!(value[2..7], ["issuer = \"i\"", "", "", "", ""]);
        let table = trimmed(without(TEXT, "profiles.x"));
        assert_eq!(
            table[..8],
            ["a = 1", "", "", "", "", "", "", "[hosts.\"a.dev\"]"]
        );
        let not_toml = trimmed(without("a = = 1\nb = 2\n", "= 1"));
        assert_eq!(not_toml, ["", "b = 2"]);
    }

    #[test]
    fn the_lines_of_a_pasted_key_go_together() {
        let text = "a = [\n1\nMII\n+b/\n-----END\n] \nb = 2\n";
        let (rest, count) = Lines::of(text).without_all_from(text.find("MII").unwrap());
        assert_eq!(count, 3);
        let rest: Vec<_> = rest.lines().map(str::trim_end).collect();
        assert_eq!(rest, ["a = [", "1", "", "", "", "]", "b = 2"]);
    }

    proptest! {
        #[test]
        fn any_text_keeps_its_lines(text: String, at: usize) {
            let lines = Lines::of(&text);
            let at = (0..=text.len()).rev().filter(|at| text.is_char_boundary(*at)).nth(at % (text.len() + 1)).unwrap_or(0);
            prop_assert_eq!(lines.without(at).matches('\n').count(), text.matches('\n').count());
        }
    }
}
