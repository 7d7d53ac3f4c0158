//! An object of a text: where it and its members stand, and what it becomes
//! where one is added or taken out.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::HELPERS;
use crate::error::Report;

/// An object in a text: where it and its members' values stand.
pub(crate) struct Object {
    /// From after its brace to before the other.
    inside: Range<usize>,
    pub(crate) members: Vec<Member>,
}

/// One of its members.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) value: Range<usize>,
}

impl Object {
    /// Reads the object that stands there.
    ///
    /// # Errors
    /// There is none, or a name stands twice in it.
    pub(crate) fn read(text: &str, range: Range<usize>) -> Result<Self, Report> {
        let Members(members) =
            serde_json::from_str(&text[range.clone()]).map_err(|_| malformed())?;
        let base = text.as_ptr() as usize;
        let members: Vec<_> = members
            .into_iter()
            .map(|(name, value)| {
                let start = value.get().as_ptr() as usize - base;
                let value = start..start + value.get().len();
                Member { name, value }
            })
            .collect();
        let mut names: Vec<_> = members.iter().map(|member| &member.name).collect();
        names.sort();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(twice());
        }
        let body = &text[range.clone()];
        let start = range.start + body.find('{').map_or(0, |at| at + 1);
        let end = range.start + body.rfind('}').unwrap_or(body.len());
        Ok(Self {
            inside: start..end,
            members,
        })
    }

    /// The member that docker takes for its list of helpers: Go's JSON holds names
    /// for the same whatever their case (encoding/json, Unmarshal).
    pub(crate) fn helpers(&self) -> Result<Option<&Member>, Report> {
        let mut same = self
            .members
            .iter()
            .filter(|member| folded(&member.name) == folded(HELPERS));
        let first = same.next();
        // It would put them together.
        if same.next().is_some() {
            return Err(twice());
        }
        Ok(first)
    }

    /// What stands before each member: a line break and blanks, or nothing.
    pub(crate) fn indent(&self, text: &str) -> Option<String> {
        let inside = &text[self.inside.clone()];
        let end = inside.find('"')?;
        Some(inside[..end].to_owned())
    }

    /// Adds a member after the last one; `outer` is the indentation of the
    /// object itself.
    pub(crate) fn add(&self, text: &str, entry: &str, outer: &str) -> String {
        if let (Some(last), Some(indent)) = (self.members.last(), self.indent(text)) {
            let blank = if indent.is_empty() { " " } else { "" };
            let end = last.value.end;
            return splice(text, end..end, &format!(",{blank}{indent}{entry}"));
        }
        let indent = format!("{outer}{}", unit(outer));
        splice(
            text,
            self.inside.clone(),
            &format!("{indent}{entry}{outer}"),
        )
    }

    /// Takes a member out.
    pub(crate) fn remove(&self, text: &str, name: &str) -> String {
        let Some(at) = self.members.iter().position(|member| member.name == name) else {
            return text.to_owned();
        };
        let end = self.members[at].value.end;
        match (at.checked_sub(1), self.members.len()) {
            (Some(before), _) => splice(text, self.members[before].value.end..end, ""),
            (None, 1) => splice(text, self.inside.clone(), ""),
            (None, _) => {
                let comma = text[end..].find(',').map_or(0, |at| at + 1);
                splice(text, self.inside.start..end + comma, "")
            }
        }
    }
}

/// An object's members in their order, their values as they are written.
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// A text with another in place of a part.
pub(crate) fn splice(text: &str, range: Range<usize>, with: &str) -> String {
    [&text[..range.start], with, &text[range.end..]].concat()
}

/// One step of an indentation: what follows its line break.
pub(crate) fn unit(indent: &str) -> &str {
    indent.trim_start_matches(['\r', '\n'])
}

/// As Go folds a name: the long s is one too.
fn folded(name: &str) -> String {
    name.to_lowercase().replace('\u{17f}', "s")
}

/// The file is not docker's.
pub(crate) fn malformed() -> Report {
    Report::new("it is no JSON that docker would read")
        .hint("see what stands in it, or move it away; nothing was changed")
}

fn twice() -> Report {
    Report::new("a name stands twice in it")
        .hint("which of them counts is for nobody to guess: keep one")
}
