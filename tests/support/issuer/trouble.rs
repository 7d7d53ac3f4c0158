//! Failures of ZITADEL itself, with the answers of real servers.

use serde_json::json;

use super::answers::{Refusal, UserinfoRefusal, Version, uncached};
use super::log::Endpoint;
use crate::support::http::Response;

const LOST_CONNECTION: &str = "ID=QUERY-d3fas Message=An internal error occurred Parent=(failed to connect to `user=zitadel database=zitadel`: server error: FATAL: role \"zitadel\" is not permitted to log in (SQLSTATE 28000))";
const NO_INSTANCE: &str = "ID=QUERY-1kIjX Message=Instance not found. Make sure you got the domain right. Check out https://zitadel.com/docs/apis/introduction#domains";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The database is down.
    DatabaseDown,
    /// The database is down, with the instance cache switched on: valid tokens are called
    /// invalid.
    DatabaseDownCached,
    /// The database is read-only, as in a failover.
    ReadOnly,
    /// A quota is used up.
    QuotaUsed,
    /// The instance is blocked.
    Blocked,
}

impl Trouble {
    pub const ALL: [Self; 5] = [
        Self::DatabaseDown,
        Self::DatabaseDownCached,
        Self::ReadOnly,
        Self::QuotaUsed,
        Self::Blocked,
    ];

    /// Returns the answer in this failure; `None` if it is the normal one.
    pub(super) fn answer(
        self,
        version: Version,
        endpoint: Endpoint,
        host: &str,
    ) -> Option<Response> {
        let is_old = version.is_old();
        Some(match (self, endpoint) {
            (Self::DatabaseDown, _) => {
                let status = if is_old { 404 } else { 500 };
                without_instance(status, host, LOST_CONNECTION)
            }
            (Self::DatabaseDownCached, Endpoint::Discovery) if is_old => server_error(),
            (Self::DatabaseDownCached, Endpoint::Token) if is_old => internal(),
            (Self::DatabaseDownCached, Endpoint::Token) => {
                uncached(Refusal::UnknownKey.to_response(version))
            }
            (Self::DatabaseDownCached, Endpoint::Userinfo) => {
                uncached(UserinfoRefusal::Json401.to_response())
            }
            (Self::DatabaseDownCached, Endpoint::Introspection) => {
                uncached(Response::json(200, &json!({ "active": false })))
            }
            (Self::ReadOnly, Endpoint::Token) => internal(),
            (Self::QuotaUsed, Endpoint::Token | Endpoint::Userinfo) | (Self::Blocked, _) => {
                blocked()
            }
            _ => return None,
        })
    }
}

/// Returns the answer for a host name that is not a domain of an instance.
pub(super) fn unknown_domain(host: &str) -> Response {
    without_instance(404, host, NO_INSTANCE)
}

fn without_instance(status: u16, host: &str, reason: &str) -> Response {
    let text = format!(
        "unable to set instance using origin &{{{host}  https}} (ExternalDomain is acme.example): {reason}"
    );
    uncached(Response::text(status, text)).with_header("X-Content-Type-Options", "nosniff")
}

fn server_error() -> Response {
    let body = json!({ "error": "server_error", "error_description": "internal server error" });
    Response::json(500, &body)
}

fn internal() -> Response {
    uncached(Refusal::Signature.to_response(Version::V2025))
}

fn blocked() -> Response {
    Response::text(429, "Your ZITADEL instance is blocked.")
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header(
            "Set-Cookie",
            "zitadel.quota.exhausted=true; Path=/; Max-Age=300; SameSite=Lax",
        )
}
