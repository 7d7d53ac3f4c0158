//! The requests to the issuer.

use std::collections::{HashMap, VecDeque};

use crate::support::http::Request;

/// The number of requests that are kept whole. All are counted.
const KEPT: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    Discovery,
    Token,
    Userinfo,
    Introspection,
    Keys,
    Revocation,
    /// User API v2: a user's keys.
    ListKeys,
    AddKey,
    RemoveKey,
    /// The user of the token, from the auth API.
    OwnUser,
    /// The management API, which needs a role.
    Management,
    /// Any path that is not found.
    Elsewhere,
    /// All endpoints.
    Any,
}

impl Endpoint {
    pub const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";
    pub const TOKEN_PATH: &str = "/oauth/v2/token";
    pub const USERINFO_PATH: &str = "/oidc/v1/userinfo";
    pub const INTROSPECTION_PATH: &str = "/oauth/v2/introspect";
    pub const REVOCATION_PATH: &str = "/oauth/v2/revoke";
    pub const KEYS_PATH: &str = "/oauth/v2/keys";
    pub const LIST_KEYS_PATH: &str = "/v2/users/keys/search";
    pub const OWN_USER_PATH: &str = "/auth/v1/users/me";

    pub(super) fn at(path: &str) -> Self {
        match path {
            Self::DISCOVERY_PATH => Self::Discovery,
            Self::TOKEN_PATH => Self::Token,
            Self::USERINFO_PATH => Self::Userinfo,
            Self::INTROSPECTION_PATH => Self::Introspection,
            Self::KEYS_PATH => Self::Keys,
            Self::REVOCATION_PATH => Self::Revocation,
            Self::LIST_KEYS_PATH => Self::ListKeys,
            Self::OWN_USER_PATH => Self::OwnUser,
            _ => match path.split('/').collect::<Vec<_>>()[..] {
                ["", "v2", "users", _, "keys"] => Self::AddKey,
                ["", "v2", "users", _, "keys", _] => Self::RemoveKey,
                ["", "management", "v1", ..] => Self::Management,
                _ => Self::Elsewhere,
            },
        }
    }

    pub(super) fn covers(self, endpoint: Self) -> bool {
        self == Self::Any || self == endpoint
    }
}

#[derive(Default)]
pub(super) struct Log {
    counts: HashMap<Endpoint, usize>,
    recent: VecDeque<Request>,
}

impl Log {
    pub(super) fn add(&mut self, endpoint: Endpoint, request: &Request) {
        *self.counts.entry(endpoint).or_default() += 1;
        if self.recent.len() == KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(request.clone());
    }

    pub(super) fn count(&self, endpoint: Endpoint) -> usize {
        let counts = self.counts.iter();
        counts
            .filter(|(at, _)| endpoint.covers(**at))
            .map(|(_, count)| count)
            .sum()
    }

    pub(super) fn recent(&self, endpoint: Endpoint) -> Vec<Request> {
        let requests = self.recent.iter();
        requests
            .filter(|request| endpoint.covers(Endpoint::at(request.path())))
            .cloned()
            .collect()
    }
}
