//! How servers of different ages word a refusal.

use serde_json::json;

use crate::support::http::Response;

/// Which servers' errors to answer with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorShape {
    /// 500 `server_error` for whatever is wrong with the assertion.
    Older,
    /// The same, but 404 for a key that is not known.
    OlderNotFound,
    /// 400 `invalid_grant`.
    #[default]
    Newer,
    /// 400 `invalid_client`, but `invalid_grant` for a key that is not known.
    NewerInvalidClient,
}

impl ErrorShape {
    pub const ALL: [Self; 4] = [
        Self::Older,
        Self::OlderNotFound,
        Self::Newer,
        Self::NewerInvalidClient,
    ];

    fn is_older(self) -> bool {
        matches!(self, Self::Older | Self::OlderNotFound)
    }

    /// Servers before 2.62.1 did not look.
    pub(super) fn refuses_deactivated_users(self) -> bool {
        !self.is_older()
    }
}

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    // the request
    Method,
    Malformed(&'static str),
    UnknownGrant,
    NoScope,
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
    // the user
    UnknownKey,
    Deactivated,
}

impl Refusal {
    pub(super) fn to_response(self, shape: ErrorShape) -> Response {
        let (status, error, description) = match (self, shape) {
            (Self::Method, _) => return Response::text(405, "method not allowed\n"),
            (Self::Malformed(what), _) => (400, "invalid_request", what),
            (Self::UnknownGrant, _) => (400, "unsupported_grant_type", "grant not supported"),
            (Self::NoScope, _) => (
                400,
                "invalid_request",
                "The scope of your request is missing. Please ensure some scopes are requested.",
            ),
            (Self::Deactivated, _) => (400, "invalid_request", "Errors.User.NotActive"),
            (Self::UnknownKey, ErrorShape::OlderNotFound) => {
                (404, "invalid_request", "Errors.AuthNKey.NotFound")
            }
            (_, shape) if shape.is_older() => (500, "server_error", "Errors.Internal"),
            (Self::UnknownKey, _) => (400, "invalid_grant", "invalid assertion"),
            (refusal, ErrorShape::NewerInvalidClient) => (400, "invalid_client", refusal.detail()),
            (refusal, _) => (400, "invalid_grant", refusal.detail()),
        };
        let body = json!({ "error": error, "error_description": description });
        Response::json(status, &body)
    }

    /// The text that newer servers pass on from the library that checks.
    fn detail(self) -> &'static str {
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

/// How userinfo refuses a token.
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
