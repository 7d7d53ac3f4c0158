//! The config file's text, changed in place: only the bytes of what is ours
//! change. Where things stand is told by the parser that every call reads it
//! with, and each change is read back by it.

mod lines;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

pub(crate) use lines::{Value, body, eol, gap, list, same_lines, string};
use lines::{block, is_crlf, sorted};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::Report;

/// The config file as a document.
pub(crate) struct Document {
    text: String,
}

/// What stands at a key, and where.
struct Found {
    /// Of a value the value, of a table its values' lines in order.
    text: String,
    /// Of a value where it stands, of a table where its values end.
    span: Range<usize>,
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// It is no TOML.
    pub(crate) fn parse(text: &str) -> Result<Self, Report> {
        read(text)?;
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// The text that it has come to.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What stands at a key, in one form whatever its layout: of a value the
    /// value, of a table its lines in order.
    pub(crate) fn at(&self, key: &[&str]) -> Option<String> {
        self.find(key).map(|found| found.text)
    }

    /// Adds `[group.name]` with these lines at the end.
    ///
    /// # Errors
    /// The group is not written as tables.
    pub(crate) fn add_table(
        &mut self,
        group: &str,
        name: &str,
        values: &[(&str, Value)],
    ) -> Result<(), Report> {
        let block = block(group, name, values);
        let gap = gap(&self.text);
        let end = self.text.len();
        let changed = self.spliced(end..end, &format!("{gap}{block}"));
        let expected = body(&sorted(values));
        self.accept(&changed, &[group, name], Some(&expected))
            .map_err(|_| {
                Report::new(format!("{group} is not written as [{group}.NAME]"))
                    .hint("write it so, or make the change by hand")
            })
    }

    /// Sets a value where it stands, or adds its line after its table's others.
    ///
    /// # Errors
    /// The table is not there, or in another form.
    pub(crate) fn set(&mut self, key: &[&str], value: &str) -> Result<(), Report> {
        let changed = if let Some(found) = self.find(key) {
            self.spliced(found.span, value)
        } else {
            let (last, table) = key.split_last().ok_or_else(unknown)?;
            let line = format!("{last} = {value}\n");
            let end = self.find(table).ok_or_else(unknown)?.span.end;
            let start = match self.text[end..].find('\n') {
                _ if end == 0 => 0,
                Some(at) => end + at + 1,
                None => self.text.len(),
            };
            let is_broken = start > 0 && !self.text[..start].ends_with('\n');
            let line = format!("{}{line}", if is_broken { "\n" } else { "" });
            self.spliced(start..start, &line)
        };
        self.accept(&changed, key, Some(value))
    }

    /// Takes a value's line out.
    ///
    /// # Errors
    /// It stands in a form that is not a line.
    pub(crate) fn remove(&mut self, key: &[&str]) -> Result<(), Report> {
        let found = self.find(key).ok_or_else(unknown)?;
        let start = self.text[..found.span.start]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let end = self.text[found.span.end..].find('\n');
        let end = end.map_or(self.text.len(), |at| found.span.end + at + 1);
        let changed = self.spliced(start..end, "");
        self.accept(&changed, key, None)
    }

    /// Takes out a table that [`Document::add_table`] added with these lines,
    /// however they are laid out since.
    ///
    /// # Errors
    /// It holds something else, or shares a line with another.
    pub(crate) fn remove_table(
        &mut self,
        group: &str,
        name: &str,
        lines: &str,
    ) -> Result<(), Report> {
        let now = self.at(&[group, name]).ok_or_else(unknown)?;
        if !same_lines(&now, lines) {
            return Err(unknown());
        }
        let header = block(group, name, &[]);
        let block = eol(&self.text, &[&header, lines].concat());
        let Some(start) = self.text.find(&block) else {
            let changed = self.without_lines_of(&[group, name]).ok_or_else(unknown)?;
            return self.accept(&changed, &[group, name], None);
        };
        let gap = self.text[..start].ends_with("\n\n") || self.text[..start].ends_with("\r\n\r\n");
        let eol = if is_crlf(&self.text) { 2 } else { 1 };
        let from = if gap { start - eol } else { start };
        let changed = self.spliced(from..start + block.len(), "");
        self.accept(&changed, &[group, name], None)
    }

    /// The text without the lines on which a table's header and values stand:
    /// remarks between them are others'.
    fn without_lines_of(&self, key: &[&str]) -> Option<String> {
        let root = read(&self.text).ok()?;
        let mut found = None;
        let mut table = root.get_ref();
        for part in key {
            let inside = table.get(*part)?;
            table = inside.get_ref().as_table()?;
            found = Some(inside.span());
        }
        let values = table.values().map(Spanned::span);
        let spans: Vec<_> = found.into_iter().chain(values).collect();
        let mut at = 0;
        let mut kept = String::new();
        for line in self.text.split_inclusive('\n') {
            let end = at + line.len();
            if !spans.iter().any(|span| span.start < end && at < span.end) {
                kept.push_str(line);
            }
            at = end;
        }
        Some(kept)
    }

    fn find(&self, key: &[&str]) -> Option<Found> {
        let root = read(&self.text).ok()?;
        let mut table = root.get_ref();
        let Some((last, tables)) = key.split_last() else {
            return Some(self.table(table, 0));
        };
        for part in tables {
            let inside = table.get(*part)?;
            table = inside.get_ref().as_table()?;
        }
        let found = table.get(*last)?;
        Some(match found.get_ref() {
            DeValue::Table(table) => self.table(table, found.span().end),
            _ => Found {
                text: self.text[found.span()].to_owned(),
                span: found.span(),
            },
        })
    }

    /// A table's own values; `head` is where its header ends.
    fn table(&self, table: &DeTable<'_>, head: usize) -> Found {
        let own = || {
            let values = table.iter();
            values.filter(|(_, value)| !value.get_ref().is_table())
        };
        let end = own().map(|(_, value)| value.span().end).max();
        let text = own().fold(String::new(), |mut lines, (key, value)| {
            let _ = writeln!(lines, "{} = {}", key.get_ref(), &self.text[value.span()]);
            lines
        });
        Found {
            text,
            span: 0..end.unwrap_or(head),
        }
    }

    /// Takes a change if it reads as what it is to be.
    fn accept(&mut self, text: &str, key: &[&str], expected: Option<&str>) -> Result<(), Report> {
        let changed = Self::parse(text)?;
        let is_so = changed.at(key).as_deref() == expected;
        if !is_so || changed.all_but(key) != self.all_but(key) {
            return Err(unknown());
        }
        *self = changed;
        Ok(())
    }

    /// Every value of the file but those at and below a key.
    fn all_but(&self, key: &[&str]) -> BTreeMap<Vec<String>, String> {
        fn walk(
            text: &str,
            table: &DeTable<'_>,
            above: &[String],
            all: &mut BTreeMap<Vec<String>, String>,
        ) {
            for (name, value) in table {
                let mut path = above.to_vec();
                path.push(name.get_ref().to_string());
                match value.get_ref() {
                    DeValue::Table(table) => walk(text, table, &path, all),
                    _ => {
                        all.insert(path, text[value.span()].to_owned());
                    }
                }
            }
        }
        let mut all = BTreeMap::new();
        if let Ok(root) = read(&self.text) {
            walk(&self.text, root.get_ref(), &[], &mut all);
        }
        all.retain(|path, _| !key.iter().eq(path.iter().take(key.len())));
        all
    }

    fn spliced(&self, range: Range<usize>, with: &str) -> String {
        [
            &self.text[..range.start],
            &eol(&self.text, with),
            &self.text[range.end..],
        ]
        .concat()
    }
}

fn read(text: &str) -> Result<Spanned<DeTable<'_>>, Report> {
    // Its own words would quote the line.
    DeTable::parse(text).map_err(|_| Report::new("it is no TOML"))
}

fn unknown() -> Report {
    Report::new("it has not the form for this change").hint("make the change by hand")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "# mine\ndefault-profile='prod' # why\n\n[ profiles . prod ]  # x\n\
                        issuer   =   \"https://a.dev\"\n\n# the end\n";

    fn document(text: &str) -> Document {
        Document::parse(text).expect("TOML")
    }

    #[test]
    fn a_table_is_added_and_taken_out_and_the_rest_stays_to_the_byte() {
        for before in ["", FILE, &FILE.replace('\n', "\r\n")] {
            let mut document = document(before);
            let values = [("profile", string("prod"))];
            document
                .add_table("hosts", "git.acme.dev", &values)
                .expect("added");
            let after = document.text();
            let line = "[hosts.\"git.acme.dev\"]\nprofile = \"prod\"\n";
            assert!(after.replace("\r\n", "\n").contains(line), "{after}");
            let mut again = Document::parse(after).expect("TOML");
            let key = ["hosts", "git.acme.dev"];
            assert_eq!(again.at(&key), Some(body(&values)));
            again
                .remove_table(key[0], key[1], &body(&values))
                .expect("removed");
            assert_eq!(again.text(), before);
        }
    }

    #[test]
    fn a_value_is_set_where_it_stands_and_put_back() {
        let mut document = document(FILE);
        let key = ["profiles", "prod", "issuer"];
        let former = document.at(&key).expect("a value");
        assert_eq!(former, "\"https://a.dev\"");
        document.set(&key, "\"https://b.dev\"").expect("set");
        assert_eq!(document.text(), FILE.replace("a.dev", "b.dev"));
        document.set(&key, &former).expect("set");
        assert_eq!(document.text(), FILE);
        assert!(document.set(&["profiles", "none", "x"], "1").is_err());
    }

    #[test]
    fn a_value_is_added_after_its_tables_others_and_taken_out_again() {
        for (key, line) in [
            (["default-profile"].as_slice(), "default-profile = \"x\"\n"),
            (&["profiles", "a", "key-file"], "key-file = \"x\"\n"),
        ] {
            for text in [
                "",
                "# c\n[profiles.a]\nissuer = 'b' # d\n\n[hosts.b]\n",
                "other = 1\n[profiles.a] # d\n[hosts.b]\n",
                "[profiles.a]\nscopes = [\n\"b\",\n]\r\n",
                "[profiles.a]",
            ] {
                let mut document = document(text);
                if document.at(&key[..key.len() - 1]).is_none() {
                    continue;
                }
                document.set(key, "\"x\"").expect("set");
                let after = document.text().replace('\r', "");
                assert!(after.contains(line), "{after:?}");
                document.remove(key).expect("removed");
                assert_eq!(document.text().trim_end(), text.trim_end());
            }
        }
    }

    #[test]
    fn a_table_that_others_wrote_into_is_no_longer_ours_to_remove() {
        let mut document = document("");
        let values = [("profile", string("prod"))];
        document
            .add_table("hosts", "a.dev", &values)
            .expect("added");
        let more = format!("{}auth = \"basic\"\n", document.text());
        let mut changed = self::document(&more);
        assert_ne!(changed.at(&["hosts", "a.dev"]), Some(body(&values)));
        assert!(
            changed
                .remove_table("hosts", "a.dev", &body(&values))
                .is_err()
        );
        assert_eq!(changed.text(), more);
    }

    #[test]
    fn a_value_that_shares_its_line_is_not_taken_out_with_it() {
        let text = "[profiles]\nprod = { issuer = \"a\", key-id = \"X\" }\n";
        let mut document = document(text);
        let key = ["profiles", "prod", "key-id"];
        assert!(document.remove(&key).is_err());
        assert_eq!(document.text(), text);
    }

    #[test]
    fn a_group_in_another_form_is_left_alone() {
        for other in ["hosts = {}\n", "hosts = 1\n"] {
            let mut document = document(other);
            assert!(
                document.add_table("hosts", "b.dev", &[]).is_err(),
                "{other}"
            );
            assert_eq!(document.text(), other);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_added_can_be_taken_out_again(
            lines in prop::collection::vec(
                prop::sample::select(&["# c", "", "[profiles.a]", "[hosts.\"x.dev\"]", "issuer = 'b'", "  y=1 # d", "z = [\n1,\n]"]),
                0..8,
            ),
        ) {
            let text = lines.join("\n") + "\n";
            if let Ok(mut document) = Document::parse(&text) {
                let key = ["hosts", "new.dev"];
                if document.add_table(key[0], key[1], &[("profile", string("p"))]).is_ok() {
                    document.remove_table(key[0], key[1], "profile = \"p\"\n").unwrap();
                    prop_assert_eq!(document.text(), text);
                }
            }
        }
    }
}
