//! docker's JSON, changed in place: only the bytes of what is ours change.

mod object;

use object::{Member, Object, malformed, splice, unit};

use crate::error::Report;

/// The object whose members name the helper of one registry each.
const HELPERS: &str = "credHelpers";

/// The helper of a registry, where the file names one.
///
/// # Errors
/// The file is not docker's JSON.
pub(crate) fn helper(text: &str, registry: &str) -> Result<Option<String>, Report> {
    let Some(helpers) = helpers(text)? else {
        return Ok(None);
    };
    let Some(member) = find(&helpers.members, registry) else {
        return Ok(None);
    };
    let value = &text[member.value.clone()];
    serde_json::from_str(value).map_err(|_| malformed())
}

/// Names the helper of a registry: in its place, or after the others.
///
/// # Errors
/// The file is not docker's JSON.
pub(crate) fn set_helper(text: &str, registry: &str, name: &str) -> Result<String, Report> {
    let entry = format!("{}: {}", quote(registry), quote(name));
    if text.trim().is_empty() {
        return Ok(format!("{{\n\t\"{HELPERS}\": {{\n\t\t{entry}\n\t}}\n}}\n"));
    }
    let changed = if let Some(helpers) = helpers(text)? {
        match find(&helpers.members, registry) {
            Some(member) => splice(text, member.value.clone(), &quote(name)),
            None => helpers.add(text, &entry, &outer_indent(text)?),
        }
    } else {
        let object = Object::read(text, 0..text.len())?;
        let indent = object.indent(text).unwrap_or_default();
        let unit = unit(&indent);
        let helpers = format!("{{{indent}{unit}{entry}{indent}}}");
        match object.helpers()? {
            Some(null) => splice(text, null.value.clone(), &helpers),
            None => object.add(text, &format!("\"{HELPERS}\": {helpers}"), ""),
        }
    };
    checked(changed, registry, Some(name))
}

/// Takes the registry's helper out.
///
/// # Errors
/// The file is not docker's JSON.
pub(crate) fn remove_helper(text: &str, registry: &str) -> Result<String, Report> {
    match helpers(text)? {
        Some(helpers) => checked(helpers.remove(text, registry), registry, None),
        None => Ok(text.to_owned()),
    }
}

/// Takes out the list of helpers, where none is in it, or puts back what stood
/// in its place.
///
/// # Errors
/// The file is not docker's JSON.
pub(crate) fn remove_empty(text: &str, former: Option<&str>) -> Result<String, Report> {
    if !helpers(text)?.is_some_and(|helpers| helpers.members.is_empty()) {
        return Ok(text.to_owned());
    }
    let object = Object::read(text, 0..text.len())?;
    Ok(match (object.helpers()?, former) {
        (Some(helpers), Some(former)) => splice(text, helpers.value.clone(), former),
        (Some(helpers), None) => object.remove(text, &helpers.name),
        (None, _) => text.to_owned(),
    })
}

/// What the file has where its list of helpers would be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum List {
    /// Nothing.
    Absent,
    /// `null`, which docker reads as nothing.
    Null,
    /// A list, which may be empty.
    There,
}

/// Looks for the list of helpers.
///
/// # Errors
/// The file is not docker's JSON.
pub(crate) fn list(text: &str) -> Result<List, Report> {
    if helpers(text)?.is_some() {
        return Ok(List::There);
    }
    if text.trim().is_empty() {
        return Ok(List::Absent);
    }
    let object = Object::read(text, 0..text.len())?;
    Ok(match object.helpers()? {
        Some(_) => List::Null,
        None => List::Absent,
    })
}

/// The file with this change, if it reads as that.
fn checked(text: String, registry: &str, expected: Option<&str>) -> Result<String, Report> {
    if helper(&text, registry)?.as_deref() == expected {
        Ok(text)
    } else {
        Err(malformed())
    }
}

fn helpers(text: &str) -> Result<Option<Object>, Report> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let object = Object::read(text, 0..text.len())?;
    let member = object.helpers()?;
    member
        .filter(|member| &text[member.value.clone()] != "null")
        .map(|member| Object::read(text, member.value.clone()))
        .transpose()
}

fn outer_indent(text: &str) -> Result<String, Report> {
    let object = Object::read(text, 0..text.len())?;
    Ok(object.indent(text).unwrap_or_default())
}

fn find<'m>(members: &'m [Member], name: &str) -> Option<&'m Member> {
    members.iter().find(|member| member.name == name)
}

fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const DOCKERS: &str = "{\n\t\"auths\": {\n\t\t\"a.dev\": {}\n\t},\n\t\"credsStore\": \"x\"\n}";

    #[test]
    fn a_helper_is_added_in_the_files_own_layout() {
        let set = |text: &str| set_helper(text, "r.dev:5000", "zitadel").expect("set");
        let member = "\"r.dev:5000\": \"zitadel\"";
        assert_eq!(
            set(""),
            format!("{{\n\t\"credHelpers\": {{\n\t\t{member}\n\t}}\n}}\n")
        );
        assert_eq!(
            set(DOCKERS),
            DOCKERS.replace(
                "\"x\"\n}",
                &format!("\"x\",\n\t\"credHelpers\": {{\n\t\t{member}\n\t}}\n}}")
            )
        );
        assert_eq!(set("{}"), format!("{{\"credHelpers\": {{{member}}}}}"));
        let two = "{\n  \"credHelpers\" : {\n    \"a\":\"b\"\n  }\n}\n";
        assert_eq!(
            set(two),
            two.replace("\"b\"", &format!("\"b\",\n    {member}"))
        );
        let empty = "{\n  \"credHelpers\": {}\n}\n";
        assert_eq!(
            set(empty),
            empty.replace("{}", &format!("{{\n    {member}\n  }}"))
        );
        assert_eq!(
            set("{\"credHelpers\": {\"r.dev:5000\":\"old\"}}"),
            "{\"credHelpers\": {\"r.dev:5000\":\"zitadel\"}}"
        );
    }

    #[test]
    fn a_list_in_another_case_is_the_list_and_null_is_none() {
        let text = "{\"credhelpers\": {\"a.dev\": \"b\"}}";
        let after = set_helper(text, "r.dev", "zitadel").expect("set");
        let both = "{\"a.dev\": \"b\", \"r.dev\": \"zitadel\"}";
        assert_eq!(after, format!("{{\"credhelpers\": {both}}}"));
        assert_eq!(remove_helper(&after, "r.dev").ok().as_deref(), Some(text));
        for null in [
            "{\"credHelpers\":null}",
            "{\n  \"a\": 1,\n  \"CredHelpers\": null\n}\n",
        ] {
            assert_eq!(list(null).ok(), Some(List::Null));
            let after = set_helper(null, "r.dev", "zitadel").expect("set");
            assert_eq!(
                helper(&after, "r.dev").ok().flatten().as_deref(),
                Some("zitadel")
            );
            let empty = remove_helper(&after, "r.dev").expect("removed");
            let back = remove_empty(&empty, Some("null")).ok();
            assert_eq!(back.as_deref(), Some(null));
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for bad in [
            "[]",
            "{",
            "{\"a\":}",
            "x",
            "1",
            "{\"credHelpers\": []}",
            "{\"credHelpers\": {\"r\": 1}}",
            "{\"a\": 1, \"a\": 2}",
            "{} {}",
            "{\"credHelpers\": {}, \"credHelpers\": {}}",
            "{\"credHelpers\": {}, \"CREDhelpers\": {}}",
            "{\"credHelpers\": null, \"credHelper\u{17f}\": {}}",
        ] {
            let read = helper(bad, "r").and_then(|_| set_helper(bad, "r", "zitadel"));
            assert!(read.is_err(), "{bad}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z\"{},:\\\\]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::hash_map("[a-z\"{},]{1,4}", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_set_is_read_back_and_taken_out_to_the_byte(
            others in prop::collection::hash_map("[a-z\"{},]{1,4}", json(), 0..4),
            helpers in prop::option::of(prop::collection::hash_map("[a-z.:{}\"]{1,4}", "[a-z]{1,3}", 0..3)),
            pretty: bool,
        ) {
            let mut file: serde_json::Map<_, _> = others.into_iter().collect();
            if let Some(helpers) = &helpers {
                let helpers = helpers.iter().map(|(k, v)| (k.clone(), v.as_str().into()));
                file.insert(HELPERS.into(), Value::Object(helpers.collect()));
            }
            let value = Value::Object(file);
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            let after = set_helper(&text, "r.dev", "zitadel").unwrap();
            let set = helper(&after, "r.dev").unwrap();
            prop_assert_eq!(set.as_deref(), Some("zitadel"));
            let before = list(&text).unwrap();
            let mut back = remove_helper(&after, "r.dev").unwrap();
            if before == List::Absent {
                back = remove_empty(&back, None).unwrap();
            }
            prop_assert_eq!(back, text);
        }
    }
}
