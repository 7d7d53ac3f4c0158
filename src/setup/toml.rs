//! The config file's text, changed in place: comments, order and all that is
//! not ours stay as they are.

use toml_edit::{DocumentMut, Item, Table, Value};

use crate::error::Report;

/// The config file as a document.
pub(super) struct Document {
    inner: DocumentMut,
    is_crlf: bool,
}

impl Document {
    /// Reads a text that the config's own parser has read already.
    ///
    /// # Errors
    /// It is no TOML.
    pub(super) fn parse(text: &str) -> Result<Self, Report> {
        let inner = text
            .parse()
            // Its own words would quote the line.
            .map_err(|_| Report::new("it is no TOML"))?;
        Ok(Self {
            inner,
            is_crlf: text.contains("\r\n"),
        })
    }

    /// The text that it has come to.
    pub(super) fn text(&self) -> String {
        let text = self.inner.to_string();
        if self.is_crlf {
            text.replace("\r\n", "\n").replace('\n', "\r\n")
        } else {
            text
        }
    }

    /// What stands at a key, in one form whatever its layout: of a table its
    /// lines, of a value the value.
    pub(super) fn at(&self, key: &[&str]) -> Option<String> {
        let mut item = self.inner.as_item();
        for part in key {
            item = item.as_table_like()?.get(part)?;
        }
        match item {
            Item::Value(value) => Some(plain(value)),
            Item::Table(table) => Some(lines(table)),
            Item::None | Item::ArrayOfTables(_) => None,
        }
    }

    /// Adds `[group.name]` with these lines, after the others of its group.
    ///
    /// # Errors
    /// The group is not written as tables.
    pub(super) fn add_table(
        &mut self,
        group: &str,
        name: &str,
        values: &[(&str, Value)],
    ) -> Result<(), Report> {
        let is_first = self.inner.is_empty();
        let groups = self.inner.entry(group).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let Some(groups) = groups.as_table_mut().filter(|table| !table.is_dotted()) else {
            let what = format!("{group} is not written as [{group}.NAME]");
            return Err(Report::new(what).hint("write it so, or make the change by hand"));
        };
        let mut table = Table::new();
        if !is_first {
            table.decor_mut().set_prefix("\n");
        }
        for (key, value) in values {
            table.insert(key, Item::Value(value.clone()));
        }
        groups.insert(name, Item::Table(table));
        Ok(())
    }

    /// Sets a value where it stands, or adds it to its table.
    ///
    /// # Errors
    /// There is no such table.
    pub(super) fn set(&mut self, key: &[&str], mut value: Value) -> Result<(), Report> {
        let missing = || Report::new("it has not the form that it had");
        let (last, tables) = key.split_last().ok_or_else(missing)?;
        let mut table = self.inner.as_item_mut();
        for part in tables {
            let inside = table.as_table_like_mut().and_then(|t| t.get_mut(part));
            table = inside.ok_or_else(missing)?;
        }
        let table = table.as_table_like_mut().ok_or_else(missing)?;
        if let Some(old) = table.get_mut(last).and_then(Item::as_value_mut) {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        } else {
            table.insert(last, Item::Value(value));
        }
        Ok(())
    }

    /// Takes out what stands at a key.
    pub(super) fn remove(&mut self, key: &[&str]) {
        let Some((last, tables)) = key.split_last() else {
            return;
        };
        let mut table = Some(self.inner.as_item_mut());
        for part in tables {
            table = table
                .and_then(Item::as_table_like_mut)
                .and_then(|t| t.get_mut(part));
        }
        if let Some(table) = table.and_then(Item::as_table_like_mut) {
            table.remove(last);
        }
    }
}

/// These values as the lines of a table.
pub(super) fn body(values: &[(&str, Value)]) -> String {
    let lines = values.iter().map(|(key, value)| line(key, &plain(value)));
    lines.collect()
}

fn lines(table: &Table) -> String {
    let lines = table.iter().map(|(key, item)| match item {
        Item::Value(value) => line(key, &plain(value)),
        other => line(key, other.type_name()),
    });
    lines.collect()
}

fn line(key: &str, value: &str) -> String {
    format!("{key} = {value}\n")
}

/// A value without the blanks and comments around it.
pub(super) fn plain(value: &Value) -> String {
    value.clone().decorated("", "").to_string()
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
            let values = [("profile", Value::from("prod"))];
            document
                .add_table("hosts", "git.acme.dev", &values)
                .expect("added");
            let after = document.text();
            let line = "[hosts.\"git.acme.dev\"]\nprofile = \"prod\"\n";
            assert!(after.replace("\r\n", "\n").contains(line), "{after}");
            let mut again = Document::parse(&after).expect("TOML");
            let key = ["hosts", "git.acme.dev"];
            assert_eq!(again.at(&key), Some(body(&values)));
            again.remove(&key);
            assert_eq!(again.text(), before);
        }
    }

    #[test]
    fn a_value_is_set_where_it_stands_and_put_back() {
        let mut document = document(FILE);
        let key = ["profiles", "prod", "issuer"];
        let former = document.at(&key).expect("a value");
        assert_eq!(former, "\"https://a.dev\"");
        document.set(&key, "https://b.dev".into()).expect("set");
        assert_eq!(document.text(), FILE.replace("a.dev", "b.dev"));
        document
            .set(&key, former.parse().expect("a value"))
            .expect("set");
        assert_eq!(document.text(), FILE);
        assert!(document.set(&["profiles", "none", "x"], 1.into()).is_err());
    }

    #[test]
    fn a_group_in_another_form_is_left_alone() {
        for other in [
            "hosts = {}\n",
            "hosts.\"a.dev\".profile = \"x\"\n",
            "hosts = 1\n",
        ] {
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
                prop_assume!(document.text() == text);
                if document.add_table(key[0], key[1], &[("profile", "p".into())]).is_ok() {
                    let after = document.text();
                    prop_assert!(after.parse::<DocumentMut>().is_ok(), "{}", after);
                    document.remove(&key);
                    prop_assert_eq!(document.text(), text);
                }
            }
        }
    }
}
