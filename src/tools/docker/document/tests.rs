use proptest::prelude::*;

use super::*;

const LIST: &str = "credHelpers";
const DOCKERS: &str = "{\n\t\"auths\": {\n\t\t\"a.dev\": {}\n\t},\n\t\"credsStore\": \"x\"\n}";

fn set(text: &str, registry: &str) -> Document {
    let mut document = Document::parse(text).expect("JSON");
    document.set(LIST, registry, "zitadel").expect("set");
    assert_eq!(
        document.inside(LIST, registry).ok().flatten(),
        Some("zitadel".to_owned())
    );
    document
}

#[test]
fn a_byte_order_mark_stays() {
    let plain = set(DOCKERS, "r.dev").text();
    let marked = set(&format!("\u{feff}{DOCKERS}"), "r.dev");
    assert_eq!(marked.text(), format!("\u{feff}{plain}"));
}

#[test]
fn a_member_is_added_in_the_layout_of_the_file() {
    let set = |text: &str| set(text, "r.dev:5000").text();
    let member = "\"r.dev:5000\": \"zitadel\"";
    assert_eq!(
        set(""),
        format!("{{\n\t\"credHelpers\": {{\n\t\t{member}\n\t}}\n}}\n")
    );
    let list = format!("\"credHelpers\": {{\n\t\t{member}\n\t}}");
    assert_eq!(
        set(DOCKERS),
        DOCKERS.replace("\"x\"\n}", &format!("\"x\",\n\t{list}\n}}"))
    );
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
    let windows = "{\r\n\t\"a\": 1\r\n}";
    let list = list.replace('\n', "\r\n");
    assert_eq!(
        set(windows),
        windows.replace('1', &format!("1,\r\n\t{list}"))
    );
}

#[test]
fn a_list_matches_in_any_case_and_null_means_absent() {
    let text = "{\n  \"credhelpers\": {\n    \"a.dev\": \"b\"\n  }\n}";
    let document = set(text, "r.dev");
    let both = "\"a.dev\": \"b\",\n    \"r.dev\": \"zitadel\"";
    assert_eq!(document.text(), text.replace("\"a.dev\": \"b\"", both));
    document.remove(LIST, "r.dev").expect("removed");
    assert_eq!(document.text(), text);
    for null in [
        "{\"credHelpers\":null}",
        "{\n  \"a\": 1,\n  \"CredHelpers\": null\n}\n",
    ] {
        let document = Document::parse(null).expect("JSON");
        assert_eq!(document.at(LIST).ok(), Some(Some(Value::Null)));
        let document = set(null, "r.dev");
        document.remove(LIST, "r.dev").expect("removed");
        document.remove_empty(LIST, true).expect("put back");
        assert_eq!(document.text(), null);
    }
}

#[test]
fn another_file_is_refused_with_the_reason() {
    let invalid = |reason: &str| format!("invalid docker configuration: {reason}");
    for (bad, reason) in [
        ("{", invalid("not JSON")),
        ("{\"a\":}", invalid("not JSON")),
        ("x", invalid("not JSON")),
        ("{} {}", invalid("not JSON")),
        ("{\"a\": 1,}", invalid("not JSON")),
        ("{} // a", invalid("not JSON")),
        ("[]", invalid("not an object")),
        ("1", invalid("not an object")),
        (
            "{\"credHelpers\": []}",
            invalid("credHelpers is not an object"),
        ),
        (
            "{\"credHelpers\": {\"r\": 1}}",
            invalid("credHelpers.r is not text"),
        ),
        ("{\"a\": 1, \"a\": 2}", "duplicate key".to_owned()),
        (
            "{\"credHelpers\": {\"r\": \"a\", \"r\": \"b\"}}",
            "duplicate key".to_owned(),
        ),
        (
            "{\"credHelpers\": {}, \"CREDhelpers\": {}}",
            "duplicate key".to_owned(),
        ),
        (
            "{\"credHelpers\": null, \"credHelper\u{17f}\": {}}",
            "duplicate key".to_owned(),
        ),
    ] {
        let read = Document::parse(bad).and_then(|it| it.inside(LIST, "r"));
        let report = read.expect_err(bad);
        assert_eq!(report.headline(), reason, "{bad}");
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
    fn a_set_value_is_read_back_and_removed_and_the_rest_stays(
        others in prop::collection::hash_map("[a-z\"{},]{1,4}", json(), 0..4),
        list in prop::option::of(prop::collection::hash_map("[a-z.:{}\"]{1,4}", "[a-z]{1,3}", 0..3)),
        pretty: bool,
    ) {
        let mut file: serde_json::Map<_, _> = others.into_iter().collect();
        if let Some(list) = &list {
            let list = list.iter().map(|(k, v)| (k.clone(), v.as_str().into()));
            file.insert(LIST.into(), Value::Object(list.collect()));
        }
        let value = Value::Object(file);
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        let document = set(&text, "r.dev");
        document.remove(LIST, "r.dev").unwrap();
        if list.is_none() {
            document.remove_empty(LIST, false).unwrap();
        }
        let back = document.text();
        prop_assert_eq!(serde_json::from_str::<Value>(&back).unwrap(), value);
        if pretty {
            prop_assert_eq!(back, text);
        }
    }
}
