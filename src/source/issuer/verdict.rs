//! The meaning of an error response: the caller's next step. Pure, and the only code that
//! decides by a status.

/// The request that a response belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The discovery document.
    Discovery,
    /// A token for an assertion.
    Exchange,
    /// The user of a token.
    Userinfo,
    /// A user's own keys, at ZITADEL's user API.
    UserKeys,
}

/// The format of a response's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON with an `error` (RFC 6749, section 5.2; RFC 6750, section 3.1).
    OAuth,
    /// `text/plain`.
    Text,
    /// Anything else.
    Other,
}

/// The meaning of an error response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A temporary failure: the request is repeated, and an existing token stays in use.
    Passing,
    /// A refusal in older versions, and an internal error of the issuer in all versions:
    /// the request is repeated once, and an existing token stays in use.
    Unclear,
    /// The key or its user is refused: its tokens may be invalid as well.
    Refused,
    /// The token is refused: another one is needed.
    Revoked,
    /// The same request would get the same response, which says nothing about key or
    /// token.
    Final,
}

impl Verdict {
    /// Returns the meaning of a response with an error status; `code` is the `error` of
    /// [`Format::OAuth`].
    pub fn of(question: Question, status: u16, format: Format, code: &str) -> Self {
        match (question, status, code) {
            // ZITADEL also sends it for valid tokens if its database is down.
            (Question::Userinfo | Question::UserKeys, 401, _)
            | (Question::Userinfo, 400 | 403, "access_denied" | "invalid_token") => Self::Revoked,
            (Question::Exchange, 500, _) if format == Format::OAuth && code != UNAVAILABLE => {
                Self::Unclear
            }
            (_, 408 | 425 | 429 | 500.., _) | (_, 400..500, "server_error" | UNAVAILABLE) => {
                Self::Passing
            }
            // A host name that is not an instance's domain; in 2025's versions also a
            // database that is down.
            (_, 404, _) if format == Format::Text => Self::Passing,
            (
                Question::Exchange,
                400..500,
                "invalid_grant" | "invalid_client" | "invalid_request",
            ) => Self::Refused,
            _ => Self::Final,
        }
    }
}

/// The code of an overloaded server (RFC 6749, section 4.1.2.1).
const UNAVAILABLE: &str = "temporarily_unavailable";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUESTIONS: [Question; 4] = [
        Question::Discovery,
        Question::Exchange,
        Question::Userinfo,
        Question::UserKeys,
    ];

    #[test]
    fn only_a_401_or_an_equivalent_oauth_error_revokes_a_token() {
        let of = |status, format, code| Verdict::of(Question::Userinfo, status, format, code);
        for (status, format, code, expected) in [
            (401, Format::OAuth, "access_denied", Verdict::Revoked),
            (401, Format::OAuth, "invalid_request", Verdict::Revoked),
            (401, Format::Text, "", Verdict::Revoked),
            (401, Format::Other, "", Verdict::Revoked),
            (403, Format::OAuth, "access_denied", Verdict::Revoked),
            (400, Format::OAuth, "invalid_token", Verdict::Revoked),
            (403, Format::OAuth, "insufficient_scope", Verdict::Final),
            (403, Format::Other, "", Verdict::Final),
            (403, Format::Text, "", Verdict::Final),
            (404, Format::Other, "", Verdict::Final),
            (404, Format::Text, "", Verdict::Passing),
            (404, Format::OAuth, "access_denied", Verdict::Final),
            (407, Format::Other, "", Verdict::Final),
            (429, Format::Text, "", Verdict::Passing),
            (500, Format::OAuth, "server_error", Verdict::Passing),
            (503, Format::OAuth, "access_denied", Verdict::Passing),
            (204, Format::Other, "", Verdict::Final),
        ] {
            assert_eq!(of(status, format, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn a_missing_permission_or_unknown_key_does_not_revoke_the_token() {
        let of = |status, format| Verdict::of(Question::UserKeys, status, format, "");
        for (status, format, expected) in [
            (401, Format::Other, Verdict::Revoked),
            (400, Format::Other, Verdict::Final),
            (403, Format::Other, Verdict::Final),
            (404, Format::Other, Verdict::Final),
            (404, Format::Text, Verdict::Passing),
            (429, Format::Text, Verdict::Passing),
            (503, Format::Other, Verdict::Passing),
        ] {
            assert_eq!(of(status, format), expected, "{status}");
        }
    }

    #[test]
    fn only_three_errors_of_the_token_endpoint_refuse_the_key() {
        let of = |status, format, code| Verdict::of(Question::Exchange, status, format, code);
        for (status, format, code, expected) in [
            (400, Format::OAuth, "invalid_grant", Verdict::Refused),
            (400, Format::OAuth, "invalid_request", Verdict::Refused),
            (401, Format::OAuth, "invalid_client", Verdict::Refused),
            (404, Format::OAuth, "invalid_request", Verdict::Refused),
            (400, Format::OAuth, "invalid_scope", Verdict::Final),
            (400, Format::OAuth, "unsupported_grant_type", Verdict::Final),
            (401, Format::Text, "", Verdict::Final),
            (403, Format::Other, "", Verdict::Final),
            (404, Format::Other, "", Verdict::Final),
            (404, Format::Text, "", Verdict::Passing),
            (500, Format::OAuth, "server_error", Verdict::Unclear),
            (500, Format::OAuth, "invalid_grant", Verdict::Unclear),
            (500, Format::Text, "", Verdict::Passing),
            (500, Format::Other, "", Verdict::Passing),
            (503, Format::OAuth, "server_error", Verdict::Passing),
            (
                400,
                Format::OAuth,
                "temporarily_unavailable",
                Verdict::Passing,
            ),
            (201, Format::OAuth, "invalid_grant", Verdict::Final),
        ] {
            assert_eq!(of(status, format, code), expected, "{status} {code}");
        }
    }

    #[test]
    fn issuer_outages_are_temporary_for_every_request() {
        for question in QUESTIONS {
            for status in [408, 429, 502, 503, 504, 530] {
                let verdict = Verdict::of(question, status, Format::Other, "");
                assert_eq!(verdict, Verdict::Passing, "{question:?} {status}");
            }
            let unknown = Verdict::of(question, 404, Format::Text, "");
            assert_eq!(unknown, Verdict::Passing, "{question:?}");
        }
        for status in [500, 501] {
            let verdict = Verdict::of(Question::Discovery, status, Format::OAuth, "server_error");
            assert_eq!(verdict, Verdict::Passing);
        }
    }

    proptest! {
        #[test]
        fn each_request_type_has_its_own_verdicts(status in 100_u16..600, code in "[a-z_]{0,16}") {
            for format in [Format::OAuth, Format::Text, Format::Other] {
                let of = |question| Verdict::of(question, status, format, &code);
                prop_assert!(matches!(of(Question::Discovery), Verdict::Passing | Verdict::Final));
                prop_assert_ne!(of(Question::Exchange), Verdict::Revoked);
                for of_token in [Question::Userinfo, Question::UserKeys] {
                    prop_assert!(!matches!(of(of_token), Verdict::Refused | Verdict::Unclear));
                }
            }
        }
    }
}
