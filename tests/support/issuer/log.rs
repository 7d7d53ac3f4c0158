//! What was asked of the issuer.

use std::collections::{HashMap, VecDeque};

use crate::support::http::Request;

/// How many requests are kept whole. All are counted.
const KEPT: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    Discovery,
    Token,
    Userinfo,
    Introspection,
    Keys,
    Revocation,
    /// Whatever is not found.
    Elsewhere,
    /// All of them.
    Any,
}

impl Endpoint {
    pub const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";
    pub const TOKEN_PATH: &str = "/oauth/v2/token";
    pub const USERINFO_PATH: &str = "/oidc/v1/userinfo";
    pub const INTROSPECTION_PATH: &str = "/oauth/v2/introspect";
    pub const REVOCATION_PATH: &str = "/oauth/v2/revoke";
    pub const KEYS_PATH: &str = "/oauth/v2/keys";

    pub(super) fn at(path: &str) -> Self {
        match path {
            Self::DISCOVERY_PATH => Self::Discovery,
            Self::TOKEN_PATH => Self::Token,
            Self::USERINFO_PATH => Self::Userinfo,
            Self::INTROSPECTION_PATH => Self::Introspection,
            Self::KEYS_PATH => Self::Keys,
            Self::REVOCATION_PATH => Self::Revocation,
            _ => Self::Elsewhere,
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
