//! The server versions, and their answers for a refusal.

use serde_json::json;

use crate::support::http::Response;

/// The server versions to imitate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// 500 `server_error` for every error in the assertion, and tokens for inactive
    /// users.
    Older,
    /// Like `Older`, but 404 for an unknown key.
    OlderNotFound,
    /// v4 of October 2025, as recorded.
    V2025,
    /// 400 `invalid_grant` with the reason.
    Between,
    /// 400 `invalid_client`, but `invalid_grant` for an unknown key.
    BetweenInvalidClient,
    /// v4 of July 2026, as recorded: one 400 for every error in the assertion, and opaque
    /// tokens of five parts.
    #[default]
    V2026,
}

impl Version {
    pub const ALL: [Self; 6] = [
        Self::Older,
        Self::OlderNotFound,
        Self::V2025,
        Self::Between,
        Self::BetweenInvalidClient,
        Self::V2026,
    ];

    /// The versions with recordings.
    pub const RECORDED: [Self; 2] = [Self::V2025, Self::V2026];

    /// True if the version answers 500 to a bad assertion.
    pub fn is_old(self) -> bool {
        matches!(self, Self::Older | Self::OlderNotFound | Self::V2025)
    }

    /// True except for servers before 2.62.1, which did not check.
    pub fn refuses_inactive_users(self) -> bool {
        !matches!(self, Self::Older | Self::OlderNotFound)
    }
}

/// The reason why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    // the request
    Method,
    NoGrant,
    UnknownGrant(String),
    NoClient,
    NoScope,
    NoAssertion,
    NoToken,
    /// An application's secret or assertion is wrong.
    Unauthorized,
    // the assertion
    Garbage,
    Audience,
    Expired,
    NoIssuedAt,
    IssuedInFuture,
    IssuedTooLongAgo,
    Delegation,
    Algorithm,
    Signature,
    // the client
    UnknownClient,
    NoSecret,
    WrongSecret,
    // the user
    UnknownKey,
    Inactive,
}

impl Refusal {
    pub(super) fn to_response(&self, version: Version) -> Response {
        let (status, error, description) = match (self, version) {
            (Self::Method, _) => return Response::text(405, "method not allowed\n"),
            (Self::UnknownGrant(name), _) => {
                let description = format!("{name} not supported");
                return oauth(400, "unsupported_grant_type", &description);
            }
            (Self::NoToken, _) => (401, "invalid_request", "access token missing"),
            (Self::Unauthorized, _) => {
                let body = json!({ "error": "unauthorized_client" });
                return Response::json(400, &body);
            }
            (Self::NoGrant, _) => (400, "invalid_request", "grant_type missing"),
            (Self::NoClient, _) => (
                400,
                "invalid_request",
                "client_id or client_assertion must be provided",
            ),
            (Self::NoScope, _) => (
                400,
                "invalid_request",
                "The scope of your request is missing. Please ensure some scopes are requested. If you have any questions, you may contact the administrator of the application.",
            ),
            (Self::UnknownClient, _) => (400, "invalid_client", "client not found"),
            (Self::NoSecret, _) => (
                400,
                "invalid_request",
                "Errors.User.Machine.Secret.NotExisting",
            ),
            (Self::WrongSecret, _) => {
                (400, "invalid_request", "Errors.User.Machine.Secret.Invalid")
            }
            (Self::NoAssertion, _) => (400, "invalid_request", "assertion missing"),
            (Self::Inactive, _) => (400, "invalid_request", "Errors.User.NotActive"),
            (Self::UnknownKey, Version::OlderNotFound) => {
                (404, "invalid_request", "Errors.AuthNKey.NotFound")
            }
            (_, version) if version.is_old() => (500, "server_error", "Errors.Internal"),
            (Self::UnknownKey, _) | (_, Version::V2026) => {
                (400, "invalid_grant", "invalid assertion")
            }
            (refusal, Version::BetweenInvalidClient) => (400, "invalid_client", refusal.detail()),
            (refusal, _) => (400, "invalid_grant", refusal.detail()),
        };
        oauth(status, error, description)
    }

    /// Returns the message of the checking library, which some servers pass on.
    fn detail(&self) -> &'static str {
        match self {
            Self::Audience => "audience is not valid: issuer is not among them",
            Self::Expired => "token has expired",
            Self::NoIssuedAt => "issuedAt of token is missing",
            Self::IssuedInFuture => "issuedAt of token is in the future: ahead of the server",
            Self::IssuedTooLongAgo => "issuedAt of token is to old: more than an hour",
            Self::Delegation => "delegation not allowed, issuer and sub must be identical",
            Self::Algorithm => "signature algorithm not supported",
            Self::Signature => "invalid signature",
            _ => "parsing of request failed",
        }
    }
}

fn oauth(status: u16, error: &str, description: &str) -> Response {
    let body = json!({ "error": error, "error_description": description });
    Response::json(status, &body)
}

/// Adds the headers of all answers of the OIDC provider.
pub(super) fn uncached(response: Response) -> Response {
    response
        .with_header("Cache-Control", "no-store")
        .with_header("Pragma", "no-cache")
}

/// The forms in which userinfo refuses a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserinfoRefusal {
    #[default]
    Json401,
    Text401,
    Json403,
}

impl UserinfoRefusal {
    pub(super) fn to_response(self) -> Response {
        let body = json!({
            "error": "access_denied",
            "error_description": "access token invalid",
        });
        match self {
            Self::Json401 => Response::json(401, &body),
            Self::Text401 => Response::text(401, "access token invalid\n"),
            Self::Json403 => Response::json(403, &body),
        }
    }
}
