//! What a kubeconfig says, as kubectl shows it.

use serde_json::Value;

/// The item of a list that has a name.
pub(crate) fn named<'v>(view: &'v Value, list: &str, name: &str) -> Option<&'v Value> {
    view[list]
        .as_array()?
        .iter()
        .find(|item| item["name"] == name)
}

/// Whether a user is this `exec` entry and nothing else: no token beside it, no
/// variables; a hint for installing it may be a person's.
pub(crate) fn same_user(there: &Value, exec: &Value) -> bool {
    let user = there["user"].as_object();
    let is_alone = user.is_some_and(|user| user.keys().all(|key| key == "exec"));
    let there = &there["user"]["exec"];
    let is_plain = there["env"].as_array().is_none_or(Vec::is_empty);
    let same = |key: &str| there[key] == exec[key];
    // kubectl shows one of v1beta1 that has none as if it had this one.
    let text = |exec: &Value| {
        let mode = exec["interactiveMode"].as_str();
        mode.unwrap_or("IfAvailable").to_owned()
    };
    let same_mode = text(there) == text(exec);
    is_alone && is_plain && same_mode && same("apiVersion") && same("command") && same("args")
}

/// The user of a context, empty where it names none.
pub(crate) fn user_of<'v>(view: &'v Value, context: &str) -> Option<&'v str> {
    let context = &named(view, "contexts", context)?["context"];
    Some(context["user"].as_str().unwrap_or_default())
}

/// Whether two views say the same, but for the item of a list that has a name.
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

/// Whether two views say the same, but for a context's user.
pub(crate) fn same_but_for_user_of(one: &Value, other: &Value, context: &str) -> bool {
    let rest = |view: &Value| {
        let mut context = named(view, "contexts", context)?["context"].clone();
        context.as_object_mut()?.remove("user");
        Some(context)
    };
    rest(one) == rest(other) && same_but_for(one, other, "contexts", context)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn two_views_are_the_same_but_for_what_is_named() {
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
    fn two_views_are_the_same_but_for_a_contexts_user() {
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
