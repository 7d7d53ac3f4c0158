//! Reads and compares kubeconfigs in the JSON of `kubectl config view`.

use serde_json::Value;

/// Returns the item of a list with this name.
pub(crate) fn named<'v>(view: &'v Value, list: &str, name: &str) -> Option<&'v Value> {
    view[list]
        .as_array()?
        .iter()
        .find(|item| item["name"] == name)
}

/// True if a user has exactly this `exec` entry: no token and no variables. The entry's
/// installHint may differ.
pub(crate) fn same_user(there: &Value, exec: &Value) -> bool {
    let user = there["user"].as_object();
    let is_alone = user.is_some_and(|user| user.keys().all(|key| key == "exec"));
    let there = &there["user"]["exec"];
    let is_plain = there["env"].as_array().is_none_or(Vec::is_empty);
    let same = |key: &str| there[key] == exec[key];
    // kubectl shows this value for an entry of v1beta1 without interactiveMode.
    let text = |exec: &Value| {
        let mode = exec["interactiveMode"].as_str();
        mode.unwrap_or("IfAvailable").to_owned()
    };
    let same_mode = text(there) == text(exec);
    is_alone && is_plain && same_mode && same("apiVersion") && same("command") && same("args")
}

/// Returns the user of a context, empty if the context has no user; `None` if there is
/// no such context.
pub(crate) fn user_of<'v>(view: &'v Value, context: &str) -> Option<&'v str> {
    let context = &named(view, "contexts", context)?["context"];
    Some(context["user"].as_str().unwrap_or_default())
}

/// True if two views are equal except for the item of a list with this name.
pub(crate) fn same_but_for(one: &Value, other: &Value, list: &str, name: &str) -> bool {
    let rest = |view: &Value| {
        let mut view = view.clone();
        // kubectl shows an empty list as null.
        let items = view[list].as_array().cloned().unwrap_or_default();
        let others = items.into_iter().filter(|item| item["name"] != name);
        let others = others.collect();
        if let Some(view) = view.as_object_mut() {
            view.insert(list.to_owned(), others);
        }
        view
    };
    rest(one) == rest(other)
}

/// True if two views are equal except for a context's user.
pub(crate) fn same_but_for_user_of(one: &Value, other: &Value, context: &str) -> bool {
    let rest = |view: &Value| {
        let mut context = named(view, "contexts", context)?["context"].clone();
        context.as_object_mut()?.remove("user");
        Some(context)
    };
    rest(one) == rest(other) && same_but_for(one, other, "contexts", context)
}

/// Returns the parts of a kubeconfig's text that kubectl drops when it writes the file:
/// unknown keys at the top, and documents after the first. Finds nothing in JSON.
pub(super) fn lost(text: &str) -> Vec<String> {
    // k8s.io/client-go/tools/clientcmd/api/v1, type Config.
    const KNOWN: [&str; 8] = [
        "apiVersion",
        "clusters",
        "contexts",
        "current-context",
        "extensions",
        "kind",
        "preferences",
        "users",
    ];
    let mut lost = Vec::new();
    let mut has_content = false;
    for line in text.lines() {
        if line.trim_end() == "---" && has_content {
            lost.push("the documents after the first".to_owned());
            break;
        }
        let is_content =
            !line.trim().is_empty() && !line.starts_with(['#', '%']) && line.trim_end() != "---";
        has_content |= is_content;
        let key = line
            .split_once(':')
            .map(|(key, _)| key.trim_matches(['"', '\'']));
        let is_key = |key: &&str| {
            let mut bytes = key.bytes();
            key.len() < 64 && bytes.all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        if let Some(key) = key.filter(is_key)
            && !key.is_empty()
            && !KNOWN.contains(&key)
        {
            lost.push(format!("the key {key}"));
        }
    }
    lost
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn two_views_are_equal_except_for_the_named_item() {
        let user = |name: &str, token: &str| json!({ "name": name, "user": { "token": token } });
        let view = |users: Value| json!({ "users": users, "current-context": "c" });
        let one = view(json!([user("a", "1")]));
        let same = |other: &Value| same_but_for(&one, other, "users", "b");
        assert!(same(&view(json!([user("a", "1"), user("b", "2")]))));
        assert!(!same(&view(json!([user("a", "2"), user("b", "2")]))));
        assert!(!same(&view(json!([user("b", "2")]))));
        for other in [Value::Null, json!([]), json!("")] {
            assert!(!same(&other));
        }
        let none = view(Value::Null);
        assert!(same_but_for(&one, &none, "users", "a"));
        assert!(!same_but_for(&one, &json!({ "users": null }), "users", "a"));
    }

    #[test]
    fn two_views_are_equal_except_for_a_contexts_user() {
        let context = |name: &str, cluster: &str, user: &str| json!({ "contexts": [{ "name": name, "context": { "cluster": cluster, "user": user } }] });
        let one = context("c", "k", "a");
        assert!(same_but_for_user_of(&one, &context("c", "k", "b"), "c"));
        assert!(!same_but_for_user_of(&one, &context("c", "l", "b"), "c"));
        assert!(!same_but_for_user_of(&one, &context("d", "k", "b"), "c"));
        let none = json!({ "contexts": [{ "name": "c", "context": "" }] });
        assert!(!same_but_for_user_of(&one, &none, "c"));
        assert_eq!(user_of(&one, "c"), Some("a"));
        assert_eq!(user_of(&one, "d"), None);
    }
}
