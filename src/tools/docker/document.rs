//! Edits docker's file, which is JSON, in place. Order, indentation and line ends stay.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstObjectProp, CstRootNode};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::error::Report;
use crate::text::quote::quoted;

/// A JSON file whose value is an object.
pub(super) struct Document {
    root: CstRootNode,
    object: CstObject,
    /// True if the file is empty.
    is_new: bool,
    /// True if the value follows a byte order mark.
    has_mark: bool,
}

/// The byte order mark that some editors write, which JSON does not know.
const MARK: char = '\u{feff}';

impl Document {
    /// Parses a text; one without a value is an empty object.
    ///
    /// # Errors
    /// The text is not JSON, not an object, or has a duplicate key.
    pub(super) fn parse(text: &str) -> Result<Self, Report> {
        let unmarked = text.strip_prefix(MARK);
        let (has_mark, text) = (unmarked.is_some(), unmarked.unwrap_or(text));
        let is_new = text.trim().is_empty();
        let text = if is_new { "{}" } else { text };
        // The tree's parser accepts more than docker's JSON does.
        serde_json::from_str::<IgnoredAny>(text).map_err(|_| invalid("not JSON"))?;
        let root =
            CstRootNode::parse(text, &ParseOptions::default()).map_err(|_| invalid("not JSON"))?;
        let object = root
            .object_value()
            .ok_or_else(|| invalid("not an object"))?;
        check_names(&object)?;
        Ok(Self {
            root,
            object,
            is_new,
            has_mark,
        })
    }

    /// Returns the text.
    pub(super) fn text(&self) -> String {
        if self.is_new {
            return String::new();
        }
        let text = self.root.to_string();
        if self.has_mark {
            format!("{MARK}{text}")
        } else {
            text
        }
    }

    /// Returns the value of a member of the file's object; `None` if there is no such
    /// member.
    ///
    /// # Errors
    /// The name is in the object twice.
    pub(super) fn at(&self, name: &str) -> Result<Option<Value>, Report> {
        Ok(self.find(name)?.as_ref().and_then(value_of))
    }

    /// Returns the text of a member of an object in the file's object.
    ///
    /// # Errors
    /// The outer member is neither an object nor null, a key is duplicate, or
    /// the member is not text.
    pub(super) fn inside(&self, outer: &str, name: &str) -> Result<Option<String>, Report> {
        let Some(inner) = self.inner(outer)? else {
            return Ok(None);
        };
        let member = inner.get(name);
        let text = |member| match value_of(&member) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(invalid(&format!("{outer}.{} is not text", quoted(name)))),
        };
        member.map(text).transpose()
    }

    /// Sets a member of an object in the file's object; creates the object if it is
    /// missing or null.
    ///
    /// # Errors
    /// As [`Document::inside`].
    pub(super) fn set(&mut self, outer: &str, name: &str, value: &str) -> Result<(), Report> {
        if self.is_new {
            let [outer, name, value] = [outer, name, value].map(Value::from);
            // The layout that docker writes.
            let text = format!("{{\n\t{outer}: {{\n\t\t{name}: {value}\n\t}}\n}}\n");
            *self = Self::parse(&text)?;
            return Ok(());
        }
        let inner = match (self.inner(outer)?, self.find(outer)?) {
            (Some(inner), _) => inner,
            (None, Some(null)) => null.object_value_or_set(),
            (None, None) => {
                let empty = CstInputValue::Object(Vec::new());
                self.object.append(outer, empty).object_value_or_set()
            }
        };
        match inner.get(name) {
            Some(member) => member.set_value(value.into()),
            None => drop(inner.append(name, value.into())),
        }
        Ok(())
    }

    /// Removes a member of an object in the file's object.
    ///
    /// # Errors
    /// As [`Document::inside`].
    pub(super) fn remove(&self, outer: &str, name: &str) -> Result<(), Report> {
        if let Some(member) = self.inner(outer)?.and_then(|inner| inner.get(name)) {
            member.remove();
        }
        Ok(())
    }

    /// Removes an object in the file's object if it is empty, or puts null in its
    /// place.
    ///
    /// # Errors
    /// As [`Document::inside`].
    pub(super) fn remove_empty(&self, outer: &str, was_null: bool) -> Result<(), Report> {
        let is_empty = |inner: &CstObject| inner.properties().is_empty();
        let inner = self.inner(outer)?;
        let is_empty = inner.as_ref().is_some_and(is_empty);
        match self.find(outer)?.filter(|_| is_empty) {
            Some(member) if was_null => member.set_value(CstInputValue::Null),
            Some(member) => member.remove(),
            None => {}
        }
        Ok(())
    }

    fn inner(&self, outer: &str) -> Result<Option<CstObject>, Report> {
        let Some(member) = self.find(outer)? else {
            return Ok(None);
        };
        if member
            .value()
            .is_some_and(|value| value.as_null_keyword().is_some())
        {
            return Ok(None);
        }
        let inner = member
            .object_value()
            .ok_or_else(|| invalid(&format!("{outer} is not an object")))?;
        check_names(&inner)?;
        Ok(Some(inner))
    }

    /// Returns the member that Go's JSON takes for this name: letter case makes no
    /// difference (encoding/json, Unmarshal).
    fn find(&self, name: &str) -> Result<Option<CstObjectProp>, Report> {
        let is_it = |member: &CstObjectProp| {
            let other = member.decoded_name();
            other.is_some_and(|other| folded(&other) == folded(name))
        };
        let mut same = self.object.properties().into_iter().filter(is_it);
        let first = same.next();
        // Go would merge the two members.
        match same.next() {
            Some(_) => Err(twice()),
            None => Ok(first),
        }
    }
}

/// Refuses an object with a duplicate name: it is undefined which one counts.
fn check_names(object: &CstObject) -> Result<(), Report> {
    let mut names = Vec::new();
    for member in object.properties() {
        let name = member.decoded_name();
        names.push(name.ok_or_else(|| invalid("not JSON"))?);
    }
    names.sort();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(twice());
    }
    Ok(())
}

fn value_of(member: &CstObjectProp) -> Option<Value> {
    serde_json::from_str(&member.value()?.to_string()).ok()
}

/// Returns a name as Go folds it: the long s counts as an s.
fn folded(name: &str) -> String {
    name.to_lowercase().replace('\u{17f}', "s")
}

fn twice() -> Report {
    Report::new("duplicate key").hint("keep one of the two")
}

fn invalid(reason: &str) -> Report {
    Report::new(format!("invalid docker configuration: {reason}"))
        .hint("correct it, or move it away; nothing was changed")
}

#[cfg(test)]
mod tests;
