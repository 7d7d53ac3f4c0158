//! Interprets the API server's response: the Secret was applied, or the reason and the
//! remedy. Pure.

use serde::Deserialize;

use super::content::Kind;
use crate::error::{Error, Report};
use crate::net::answer::Answer;
use crate::text::quote::quoted;
use crate::token::Token;
use crate::token::jwt::Jwt;

/// The request of a response.
pub struct Asked<'a> {
    /// The Secret's namespace.
    pub namespace: &'a str,
    /// The Secret's name.
    pub name: &'a str,
    /// The Secret's content.
    pub kind: Kind,
    /// The service account's token.
    pub account: &'a Token,
}

/// A `Status` (`k8s.io/apimachinery`, `meta/v1`), with only the fields used here.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    kind: String,
    message: String,
    reason: String,
    details: Option<Details>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Details {
    kind: String,
    causes: Option<Vec<Cause>>,
}

#[derive(Clone, Deserialize, Default)]
#[serde(default)]
struct Cause {
    reason: String,
    message: String,
    field: String,
}

impl Status {
    /// Returns the status of a response; `None` if it is another document.
    fn of(answer: &Answer<'_>) -> Option<Self> {
        let status: Self = answer.json().ok()?;
        (status.kind == "Status").then_some(status)
    }

    fn causes(&self) -> &[Cause] {
        let causes = self
            .details
            .as_ref()
            .and_then(|details| details.causes.as_ref());
        causes.map_or(&[], Vec::as_slice)
    }

    fn cause(&self, reason: &str) -> Option<&Cause> {
        self.causes().iter().find(|cause| cause.reason == reason)
    }
}

/// Another field manager owns a field.
const OWNED: &str = "FieldManagerConflict";

/// Returns the error of a response that may differ on a retry; `None` for any other.
pub fn passing(answer: &Answer<'_>, asked: &Asked<'_>) -> Option<Error> {
    let is_passing = match answer.status {
        408 | 425 | 429 | 500.. => true,
        // Another request changed the Secret meanwhile.
        409 => Status::of(answer).is_some_and(|status| status.cause(OWNED).is_none()),
        _ => false,
    };
    let report = asked.report(&headline(answer));
    let report = report.wait(answer.retry_after);
    is_passing.then(|| {
        Error::Passing(match (answer.retry_after, answer.status) {
            (Some(wait), _) => report.hint(format!(
                "try again in {} s, as the API server asks",
                wait.as_secs()
            )),
            (None, 429) => {
                report.hint("try again in a minute: the API server has too many requests")
            }
            _ => report.hint("try again later, and check the API server's log"),
        })
    })
}

/// Reads the response to an apply.
///
/// # Errors
/// The API server refused it, or the response is not from an API server.
pub fn read(answer: &Answer<'_>, asked: &Asked<'_>) -> Result<(), Error> {
    if matches!(answer.status, 200 | 201) {
        return applied(answer, asked);
    }
    let status = Status::of(answer).unwrap_or_default();
    let report = match answer.status {
        401 => asked
            .report("HTTP 401: the API server refuses the service account's token")
            .hint("check that the token is for this cluster and the API server's audience, and that the service account and the pod still exist"),
        403 => forbidden(&status, answer, asked),
        404 if status.details.as_ref().is_some_and(|details| details.kind == "namespaces") => asked
            .report("HTTP 404: the namespace does not exist")
            .hint(format!("run kubectl create namespace {}", asked.namespace)),
        409 if status.cause(OWNED).is_some() => owned(&status, asked),
        422 => invalid(&status, answer, asked),
        300..=399 => asked
            .report(&format!("HTTP {}: a redirect, which is not followed", answer.status))
            .hint(NO_API_SERVER),
        404 | 405 => asked.report(&headline(answer)).hint(NO_API_SERVER),
        _ => asked
            .report(&headline(answer))
            .hint("check the API server's log"),
    };
    Err(Error::Final(report))
}

const NO_API_SERVER: &str =
    "check KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: no API server answers there";

/// Checks that the response is about this Secret.
fn applied(answer: &Answer<'_>, asked: &Asked<'_>) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Applied {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        name: String,
        namespace: String,
    }
    let read: Result<Applied, _> = answer.json();
    let is_ours = |Applied { metadata }: Applied| {
        metadata.name == asked.name && metadata.namespace == asked.namespace
    };
    if read.is_ok_and(is_ours) {
        return Ok(());
    }
    let what = format!("HTTP {}, but not about this Secret", answer.status);
    Err(Error::Final(asked.report(&what).hint(NO_API_SERVER)))
}

/// Returns the error for a missing right, or for a policy of the cluster.
fn forbidden(status: &Status, answer: &Answer<'_>, asked: &Asked<'_>) -> Report {
    if status.cause("NamespaceTerminating").is_some() {
        let report = asked.report("HTTP 403: the namespace is being deleted");
        return report.hint("name another namespace, or wait and create it again");
    }
    // `User "…" cannot patch resource "secrets" in API group "" in the namespace "…"`
    let verb = status.message.split(" cannot ").nth(1);
    let verb = verb.and_then(|rest| rest.split_once(" resource \"secrets\""));
    let Some((verb, _)) = verb.filter(|(verb, _)| is_verb(verb)) else {
        return asked
            .report(&headline(answer))
            .hint("ask who runs the cluster: a policy or a quota refuses it");
    };
    let account = asked.service_account();
    let (namespace, name) = (asked.namespace, asked.name);
    let subject = account.as_ref().map_or("NAMESPACE:NAME", |account| account);
    let who = account.as_ref().map_or_else(
        || "the service account".to_owned(),
        |account| format!("the service account {account}"),
    );
    asked
        .report(&format!(
            "HTTP 403: {who} may not {verb} this resource of \"secrets\""
        ))
        .hint(format!(
            "give it the role: kubectl -n {namespace} create role {ROLE} --verb=create,patch --resource=secrets --resource-name={name} && kubectl -n {namespace} create rolebinding {ROLE} --role={ROLE} --serviceaccount={subject}"
        ))
}

/// The role in `packaging/kubernetes`.
const ROLE: &str = "zitadel-credential";

fn is_verb(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase())
}

/// Returns the error for our field with another manager, which would restore its value.
fn owned(status: &Status, asked: &Asked<'_>) -> Report {
    let all = status.causes().iter().filter(|cause| cause.reason == OWNED);
    let mut owners = Vec::new();
    for cause in all.take(5) {
        // `conflict with "helm" using v1`
        let manager = cause.message.split('"').nth(1).unwrap_or_default();
        owners.push(format!("{} of {}", quoted(&cause.field), quoted(manager)));
    }
    let (namespace, name) = (asked.namespace, asked.name);
    let report = asked.report(&format!(
        "HTTP 409: other field managers own these fields: {}",
        owners.join(", ")
    ));
    let report = report.hint("name a Secret of the agent's own");
    match asked.kind {
        Kind::Token => report.hint(format!(
            "remove the field from that manager's manifest, and then its value: kubectl -n {namespace} patch secret {name} --type=json -p='[{{\"op\":\"remove\",\"path\":\"/data/token\"}}]'"
        )),
        Kind::Dockerconfigjson => report.hint(format!(
            "remove the Secret from that manager's manifests, and then itself: kubectl -n {namespace} delete secret {name}"
        )),
    }
}

/// Returns the error for an immutable Secret, or one of another type.
fn invalid(status: &Status, answer: &Answer<'_>, asked: &Asked<'_>) -> Report {
    let (namespace, name) = (asked.namespace, asked.name);
    let field = |field: &str| status.causes().iter().any(|cause| cause.field == field);
    let again =
        format!("run kubectl -n {namespace} delete secret {name}: the agent makes it again");
    if field("type") {
        let report = asked.report("HTTP 422: the Secret is of another type, which cannot change");
        return report.hint("name another Secret").hint(again);
    }
    if status.message.contains("immutable") {
        return asked
            .report("HTTP 422: the Secret is immutable")
            .hint(again);
    }
    asked
        .report(&headline(answer))
        .hint("check the Secret's other fields, and the policies of the cluster")
}

/// Returns the status, and the server's reason if it cannot contain a part of the
/// request.
fn headline(answer: &Answer<'_>) -> String {
    let number = answer.status;
    let Some(status) = Status::of(answer) else {
        // The response is from another program, which may repeat the request.
        return format!("HTTP {number}");
    };
    let is_plain = |text: &str| !answer.may_hold_a_secret() && !text.is_empty();
    if is_plain(&status.message) {
        format!("HTTP {number}: {}", quoted(&status.message))
    } else if is_plain(&status.reason) {
        format!("HTTP {number}: {}", quoted(&status.reason))
    } else {
        format!("HTTP {number}")
    }
}

impl Asked<'_> {
    fn report(&self, what: &str) -> Report {
        Report::new(format!("Secret {}/{}: {what}", self.namespace, self.name))
    }

    /// Returns the service account in kubectl's format, `NAMESPACE:NAME`.
    fn service_account(&self) -> Option<String> {
        let Jwt { claims, .. } = Jwt::parse(self.account.expose())?;
        let account = claims["sub"]
            .as_str()?
            .strip_prefix("system:serviceaccount:")?;
        Some(quoted(account))
    }
}

#[cfg(test)]
mod tests;
