//! `key list`: the service user's keys at ZITADEL.

use serde_json::json;

use super::session::Session;
use crate::call::Answer;
use crate::cli::options::ListOutput;
use crate::error::Error;
use crate::source::issuer::user_keys::UserKey;
use crate::text::clock::UnixTime;
use crate::url::IssuerUrl;

/// Lists the keys of the session's user.
///
/// # Errors
/// As [`Session::list`].
pub(super) fn list(session: &Session<'_, '_>, output: ListOutput) -> Result<Answer, Error> {
    let keys = session.list()?;
    let now = session.now();
    Ok(Answer::new(match output {
        ListOutput::Json => document(session, &keys, now),
        ListOutput::Text if keys.is_empty() => {
            format!("no keys of user ID {}\n", session.user().as_str())
        }
        ListOutput::Text => table(session, &keys, now),
    }))
}

/// True if a key no longer works.
fn has_ended(key: &UserKey, now: UnixTime) -> bool {
    !key.end.is_never() && key.end.at <= now
}

/// Returns the expiry of a key, for messages.
pub(super) fn end(key: &UserKey) -> String {
    if key.end.is_never() {
        "never".to_owned()
    } else {
        key.end.at.to_string()
    }
}

fn document(session: &Session<'_, '_>, keys: &[UserKey], now: UnixTime) -> String {
    let grant = session.grant();
    let documents: Vec<_> = keys
        .iter()
        .map(|key| {
            json!({
                "key_id": key.id.as_str(),
                "user_id": grant.user_id.as_str(),
                "issuer": grant.issuer.as_ref().map(IssuerUrl::as_str),
                "created_at": key.created_at.to_string(),
                "expires_at": (!key.end.is_never()).then(|| key.end.at.to_string()),
                "in_use": key.id == grant.key_id,
                "expired": has_ended(key, now),
            })
        })
        .collect();
    format!("{:#}\n", json!(documents))
}

fn table(session: &Session<'_, '_>, keys: &[UserKey], now: UnixTime) -> String {
    let in_use = &session.grant().key_id;
    let row = |key: &UserKey| {
        let marks = [
            (key.id == *in_use).then_some("in use"),
            has_ended(key, now).then_some("expired"),
        ];
        let marks: Vec<_> = marks.into_iter().flatten().collect();
        [
            key.id.as_str().to_owned(),
            key.created_at.to_string(),
            end(key),
            marks.join(", "),
        ]
    };
    let head = ["KEY ID", "CREATED", "EXPIRES", ""].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(head).chain(keys.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.extend([cells.join("  ").trim_end(), "\n"]);
    }
    text
}
