//! The state of an issuer, and its answer to each request.

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::answers::{Refusal, UserinfoRefusal, Version, uncached};
use super::applications::{Applications, Unauthorized};
use super::assertion;
use super::claims::Grant;
use super::clients::Clients;
use super::faults::Faults;
use super::log::{Endpoint, Log};
use super::tokens::{self, TokenKind, Tokens};
use super::trouble::{self, Trouble};
use super::user_keys;
use super::users::Users;
use crate::support::http;
use crate::support::http::{Reply, Request, Response};

const USER_AGENT_COOKIE: &str =
    "zitadel.useragent=MTc5NTg4NjY5OQ; Path=/; HttpOnly; Secure; SameSite=Lax";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

pub(super) struct Core {
    /// The address, without a trailing slash.
    pub(super) url: String,
    /// The issuer's name if it has no domains.
    pub(super) name: String,
    /// The instance's domains. If empty, it answers to every host name.
    pub(super) domains: Vec<String>,
    pub(super) state: Mutex<State>,
}

pub(super) struct State {
    pub(super) users: Users,
    pub(super) applications: Applications,
    pub(super) clients: Clients,
    pub(super) tokens: Tokens,
    pub(super) faults: Faults,
    pub(super) log: Log,
    pub(super) version: Version,
    pub(super) trouble: Option<Trouble>,
    pub(super) token_kind: TokenKind,
    pub(super) userinfo_refusal: UserinfoRefusal,
    pub(super) user_keys: user_keys::Settings,
    pub(super) lifetime_seconds: i64,
    pub(super) date_offset_seconds: i64,
    /// Unix time in milliseconds of a stopped clock.
    pub(super) stopped_at: Option<i64>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            users: Users::default(),
            applications: Applications::default(),
            clients: Clients::default(),
            tokens: Tokens::default(),
            faults: Faults::default(),
            log: Log::default(),
            version: Version::default(),
            trouble: None,
            token_kind: TokenKind::default(),
            userinfo_refusal: UserinfoRefusal::default(),
            user_keys: user_keys::Settings::default(),
            lifetime_seconds: 12 * 60 * 60,
            date_offset_seconds: 0,
            stopped_at: None,
        }
    }
}

impl State {
    /// Returns the Unix time by the issuer's own clock, in milliseconds.
    pub(super) fn now_millis(&self) -> i64 {
        let now = || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            i64::try_from(since.as_millis()).unwrap()
        };
        self.stopped_at.unwrap_or_else(now) + self.date_offset_seconds * 1000
    }

    /// Returns the Unix time by the issuer's own clock.
    pub(super) fn now(&self) -> i64 {
        self.now_millis().div_euclid(1000)
    }
}

/// An issuer under one of its domains: each is a separate issuer.
struct Origin {
    url: String,
    name: String,
}

impl Core {
    pub(super) fn reply(&self, request: &Request) -> Reply {
        let endpoint = Endpoint::at(request.path());
        let mut state = self.state.lock().unwrap();
        state.log.add(endpoint, request);
        let date = http::date(state.now());
        let fault = state.faults.take(endpoint);
        let mut right = || self.answer(&mut state, endpoint, request);
        let reply = match fault {
            Some(fault) => fault.apply(request, right),
            None => right().into(),
        };
        reply.with_header("Date", &date)
    }

    fn answer(&self, state: &mut State, endpoint: Endpoint, request: &Request) -> Response {
        let host = request.header("host").unwrap_or_default();
        let trouble = state.trouble;
        if let Some(response) = trouble.and_then(|it| it.answer(state.version, endpoint, host)) {
            return response;
        }
        let Some(origin) = self.origin(host) else {
            return trouble::unknown_domain(host);
        };
        match endpoint {
            Endpoint::Discovery => Response::json(200, &discovery(&origin)),
            Endpoint::Keys => Response::json(200, &state.tokens.key_set()),
            Endpoint::Token => uncached(match token(state, &origin, request) {
                Ok(answer) => Response::json(200, &answer),
                Err(refusal) => refusal.to_response(state.version),
            }),
            Endpoint::Userinfo => uncached(userinfo(state, request)),
            Endpoint::Introspection => uncached(introspection(state, &origin, request)),
            Endpoint::Revocation => uncached(Refusal::NoClient.to_response(state.version)),
            Endpoint::ListKeys
            | Endpoint::AddKey
            | Endpoint::RemoveKey
            | Endpoint::OwnUser
            | Endpoint::Management => user_keys::answer(state, endpoint, request),
            Endpoint::Elsewhere | Endpoint::Any => elsewhere(request),
        }
    }

    /// Returns the issuer for a host; `None` if the host is not a domain of the instance.
    /// Letter case matters.
    fn origin(&self, host: &str) -> Option<Origin> {
        if self.domains.is_empty() {
            return Some(Origin {
                url: self.url.clone(),
                name: self.name.clone(),
            });
        }
        let domain = host.split(':').next().unwrap_or_default();
        let scheme = self.url.split(':').next().unwrap_or_default();
        let url = format!("{scheme}://{host}");
        let is_known = self.domains.iter().any(|known| known == domain);
        is_known.then(|| Origin {
            name: url.clone(),
            url,
        })
    }
}

fn discovery(origin: &Origin) -> Value {
    let at = |path| format!("{}{path}", origin.url);
    json!({
        "issuer": origin.name,
        "authorization_endpoint": at("/oauth/v2/authorize"),
        "token_endpoint": at(Endpoint::TOKEN_PATH),
        "introspection_endpoint": at(Endpoint::INTROSPECTION_PATH),
        "userinfo_endpoint": at(Endpoint::USERINFO_PATH),
        "revocation_endpoint": at(Endpoint::REVOCATION_PATH),
        "jwks_uri": at(Endpoint::KEYS_PATH),
        "grant_types_supported": ["authorization_code", "client_credentials", JWT_BEARER],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

fn token(state: &mut State, origin: &Origin, request: &Request) -> Result<Value, Refusal> {
    if !matches!(request.method.as_str(), "GET" | "POST") {
        return Err(Refusal::Method);
    }
    let parameters = request.parameters();
    // The first of two equal fields counts.
    let value = |name: &str| {
        let mut all = parameters.iter();
        all.find_map(|(key, value)| (key == name).then_some(value.as_str()))
    };
    let user_id = match value("grant_type").unwrap_or_default() {
        JWT_BEARER => {
            let assertion = value("assertion").unwrap_or_default();
            if assertion.is_empty() {
                return Err(Refusal::NoAssertion);
            }
            assertion::check(assertion, &origin.name, state.now_millis(), &state.users)?
        }
        "client_credentials" => state.clients.check(request, &state.users)?,
        "" => return Err(Refusal::NoGrant),
        other => return Err(Refusal::UnknownGrant(other.to_owned())),
    };
    if state.users.is_inactive(&user_id) && state.version.refuses_inactive_users() {
        return Err(Refusal::Inactive);
    }
    let user = state.users.about(&user_id);
    let grant = Grant {
        issuer: origin.name.clone(),
        user_id,
        // The empty scope counts as a scope.
        scopes: value("scope").ok_or(Refusal::NoScope)?.to_owned(),
        jti: tokens::random(16),
        issued_at: state.now(),
        lifetime_seconds: state.lifetime_seconds,
    };
    let (kind, version) = (state.token_kind, state.version);
    Ok(state.tokens.issue(kind, grant, &user, version))
}

fn userinfo(state: &State, request: &Request) -> Response {
    if !matches!(request.method.as_str(), "GET" | "POST") {
        return Refusal::Method.to_response(state.version);
    }
    let Some(token) = request.bearer() else {
        return Refusal::NoToken.to_response(state.version);
    };
    match state.tokens.good(token, state.now()) {
        Some(grant) => {
            let user = state.users.about(&grant.user_id);
            Response::json(200, &grant.userinfo(&user, state.version))
        }
        None => state.userinfo_refusal.to_response(),
    }
}

/// Returns the answer to an application: a token that is not for its project is inactive,
/// too.
fn introspection(state: &State, origin: &Origin, request: &Request) -> Response {
    if request.method != "POST" {
        return Refusal::Method.to_response(state.version);
    }
    let asks = state
        .applications
        .project(request, &origin.name, state.now_millis());
    let project = match asks {
        Ok(project) => project,
        Err(Unauthorized::NoClient) => return Refusal::NoClient.to_response(state.version),
        Err(Unauthorized::Credentials) => return Refusal::Unauthorized.to_response(state.version),
    };
    let token = request.form_value("token").unwrap_or_default();
    let claims = state.tokens.good(&token, state.now()).and_then(|grant| {
        let user = state.users.about(&grant.user_id);
        grant.introspection(&user, state.version, project)
    });
    let claims = claims.unwrap_or_else(|| json!({ "active": false }));
    // No cache stores an answer with a cookie unless it is configured to.
    Response::json(200, &claims).with_header("Set-Cookie", USER_AGENT_COOKIE)
}

/// Answers like ZITADEL's API, for all paths outside its OIDC provider.
fn elsewhere(request: &Request) -> Response {
    let below = ["/oauth/v2/", "/oidc/v1/", "/.well-known/"];
    if below.iter().any(|path| request.path().starts_with(path)) {
        return uncached(Response::text(404, "404 page not found\n"));
    }
    Response::json(404, &json!({ "code": 5, "message": "Not Found" }))
}
