use super::*;

fn asked<T>(
    status: u16,
    body: &str,
    read: impl Fn(&Answer<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let url = HttpUrl::parse("https://id.acme.dev/v2/users/7/keys").expect("a URL");
    let header = |name: &str| (name == "content-type").then_some("application/json");
    read(&Answer::new(&url, status, header, body.as_bytes().to_vec()))
}

fn user() -> UserId {
    UserId::parse("7").expect("an ID")
}

fn page(body: &str) -> Result<Page, Error> {
    asked(200, body, |answer| listed(answer, &user()))
}

#[test]
fn a_list_without_a_result_is_empty() {
    for body in [
        "{}",
        r#"{"pagination":{"appliedLimit":"100"}}"#,
        r#"{"pagination":{"totalResult":"0"},"result":[]}"#,
    ] {
        let page = page(body).expect("a list");
        assert_eq!((page.keys.len(), page.found, page.total), (0, 0, 0));
    }
    let others = page(r#"{"pagination":{"totalResult":"3"}}"#).expect("a list");
    assert_eq!((others.keys.len(), others.found, others.total), (0, 0, 3));
}

#[test]
fn only_the_users_own_keys_count_and_unknown_fields_do_not() {
    let entry = |id: &str, user: &str| {
        json!({
            "id": id, "userId": user, "creationDate": "2026-11-28T18:56:28.456577Z",
            "changeDate": "2026-11-28T18:56:28.456577Z", "organizationId": "1",
            "expirationDate": "2027-06-01T00:00:00.5Z", "more": {},
        })
    };
    let body =
        json!({ "pagination": { "totalResult": 9 }, "result": [entry("1", "7"), entry("2", "8")] });
    let page = page(&body.to_string()).expect("a list");
    assert_eq!((page.keys.len(), page.found, page.total), (1, 2, 9));
    assert_eq!(page.keys[0].id.as_str(), "1");
    assert_eq!(page.keys[0].end.to_string(), "2027-06-01T00:00:00.500000Z");
}

#[test]
fn an_invalid_list_is_an_error() {
    for body in [
        "[]",
        r#"{"result":{}}"#,
        r#"{"pagination":{"totalResult":"x"}}"#,
        r#"{"pagination":{"totalResult":-1}}"#,
        r#"{"result":[{"id":"1"}]}"#,
        r#"{"result":[{"id":"../1","userId":"7","creationDate":"2026-11-28T18:56:28Z","expirationDate":"2027-06-01T00:00:00Z"}]}"#,
        r#"{"result":[{"id":"1","userId":"7","creationDate":"soon","expirationDate":"2027-06-01T00:00:00Z"}]}"#,
    ] {
        assert!(page(body).is_err(), "{body}");
    }
}

#[test]
fn an_added_key_needs_an_id_valid_as_a_file_name() {
    let id = |body: &str| asked(200, body, added).and_then(|added| added);
    let key = id(r#"{"creationDate":"x","keyId":"31","keyContent":"hunter2"}"#);
    assert_eq!(key.expect("an ID").as_str(), "31");
    for body in [
        "{}",
        r#"{"keyId":31}"#,
        r#"{"keyId":"a/b","keyContent":"hunter2"}"#,
    ] {
        let error = id(body).expect_err("refused").to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn removing_a_missing_key_succeeds_and_other_404s_fail() {
    let gone = r#"{"code":5,"message":"Maschinenschlüssel nicht gefunden (COMMAND-4m77G)"}"#;
    assert_eq!(asked(404, gone, removed).ok(), Some(false));
    assert_eq!(asked(200, "{}", removed).ok(), Some(true));
    for (status, body) in [(404, "{}"), (403, gone), (400, gone), (404, "<html>")] {
        assert!(asked(status, body, removed).is_err(), "{status} {body}");
    }
}

#[test]
fn a_refusal_is_explained_by_its_status_and_shows_no_secret() {
    let error = |status, body| {
        let added = asked(status, body, added).and_then(|added| added);
        let error = added.expect_err("refused");
        (error.exit_code(), error.to_string())
    };
    let (code, text) = error(403, r#"{"code":7,"message":"Keine Berechtigung"}"#);
    assert_eq!(code, 1);
    assert!(text.contains("HTTP 403: Keine Berechtigung\n"), "{text}");
    assert!(text.contains("user.write"), "{text}");
    assert_eq!(error(503, "{}").0, 75);
    assert_eq!(error(429, "{}").0, 75);
    for body in [
        r#"{"message":"hunter2","access_token":"x"}"#,
        r#"{"message":"hunter2","keyContent":"x"}"#,
    ] {
        for status in [400, 401, 403, 404, 500] {
            let (_, text) = error(status, body);
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
