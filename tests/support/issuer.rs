//! A strict issuer on loopback that behaves as ZITADEL servers do, of older
//! and of newer versions, well and badly.

mod answers;
mod assertion;
mod faults;
mod log;
mod tokens;
mod users;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use answers::Refusal;
pub use answers::{ErrorShape, UserinfoRefusal};
use faults::Faults;
pub use faults::{Fault, Times};
pub use log::Endpoint;
use log::Log;
use rsa::PublicKey;
use rustls::ServerConfig;
use serde_json::{Value, json};
use tokens::{Grant, Tokens};
pub use tokens::{TokenKind, ZITADEL_PROJECT_ID};
use users::Users;

use super::http;
use super::http::{Reply, Request, Response, Server};
use super::keys::ServiceUser;
use super::tls::Ca;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const FORM: &str = "application/x-www-form-urlencoded";

/// A running issuer. Clones are handles to the same one; it stops with the last.
#[derive(Clone)]
pub struct Issuer {
    core: Arc<Core>,
    server: Arc<Server>,
}

/// What is fixed before an issuer starts.
pub struct Builder {
    host: String,
    address: IpAddr,
    tls: Option<Arc<ServerConfig>>,
    name: Option<String>,
}

impl Builder {
    /// The host in the URL: `127.0.0.1`, or `localhost` with TLS.
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// The address it listens on: 127.0.0.1 unless it is said otherwise.
    pub fn address(mut self, address: impl Into<IpAddr>) -> Self {
        self.address = address.into();
        self
    }

    /// Its certificate is for `localhost`, 127.0.0.1 and `issuer.test`, a name
    /// that only a proxy or a hosts file knows.
    pub fn tls(mut self, ca: &Ca) -> Self {
        self.tls = Some(ca.server_config(&["localhost", "127.0.0.1", "issuer.test"]));
        self.host("localhost")
    }

    /// The same, with this certificate of `localhost`.
    pub fn tls_of(mut self, server: Arc<ServerConfig>) -> Self {
        self.tls = Some(server);
        self.host("localhost")
    }

    /// Calls itself by another name than its address, like a server behind a
    /// proxy. The name is what assertions must be addressed to; the endpoints
    /// stay where they are.
    pub fn named(mut self, issuer: &str) -> Self {
        self.name = Some(issuer.to_owned());
        self
    }

    pub fn start(self) -> Issuer {
        let listener = http::listen_on(self.address);
        let port = listener.local_addr().unwrap().port();
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}:{port}", self.host);
        let core = Arc::new(Core {
            name: self.name.unwrap_or_else(|| url.clone()),
            url,
            state: Mutex::default(),
        });
        let answering = Arc::clone(&core);
        let server = Server::serve(listener, self.tls, move |request| answering.reply(request));
        Issuer {
            core,
            server: Arc::new(server),
        }
    }
}

impl Issuer {
    pub fn start() -> Self {
        Self::builder().start()
    }

    pub fn start_tls(ca: &Ca) -> Self {
        Self::builder().tls(ca).start()
    }

    pub fn builder() -> Builder {
        Builder {
            host: "127.0.0.1".to_owned(),
            address: Ipv4Addr::LOCALHOST.into(),
            tls: None,
            name: None,
        }
    }

    /// Where it listens, without a trailing slash.
    pub fn url(&self) -> String {
        self.core.url.clone()
    }

    pub fn port(&self) -> u16 {
        self.server.port()
    }

    // Users and their keys.

    pub fn register(&self, user: &ServiceUser) {
        self.state().users.register(user);
    }

    /// A service user that it knows.
    pub fn new_user(&self) -> ServiceUser {
        let user = ServiceUser::new();
        self.register(&user);
        user
    }

    pub fn remove_key(&self, key_id: &str) {
        self.state().users.remove_key(key_id);
    }

    pub fn expire_key(&self, key_id: &str) {
        self.state().users.expire_key(key_id);
    }

    /// Stops new tokens, on newer servers. Those that are out stay good.
    pub fn deactivate(&self, user_id: &str) {
        self.state().users.deactivate(user_id);
    }

    // How it behaves.

    pub fn set_shape(&self, shape: ErrorShape) {
        self.state().shape = shape;
    }

    pub fn set_token_kind(&self, kind: TokenKind) {
        self.state().token_kind = kind;
    }

    /// Of the tokens from now on; `expires_in` says one second less.
    pub fn set_lifetime(&self, seconds: i64) {
        self.state().lifetime_seconds = seconds;
    }

    /// How far its clock is ahead of ours, for `Date`, assertions and tokens.
    pub fn set_date_offset(&self, seconds: i64) {
        self.state().date_offset_seconds = seconds;
    }

    pub fn set_userinfo_refusal(&self, refusal: UserinfoRefusal) {
        self.state().userinfo_refusal = refusal;
    }

    pub fn fault(&self, endpoint: Endpoint, fault: Fault, times: impl Into<Times>) {
        self.state().faults.add(endpoint, fault, times.into());
    }

    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    // Its tokens.

    /// In the order of issue, also those that are revoked or have expired.
    pub fn issued_tokens(&self) -> Vec<String> {
        self.state().tokens.all()
    }

    pub fn revoke(&self, token: &str) {
        self.state().tokens.revoke(|issued| issued == token);
    }

    pub fn revoke_all(&self) {
        self.state().tokens.revoke(|_| true);
    }

    /// Makes all that are out so many seconds older.
    pub fn age_tokens(&self, seconds: i64) {
        self.state().tokens.age(seconds);
    }

    /// The same check as userinfo's, for a resource server that asks.
    pub fn accepts(&self, token: &str) -> bool {
        let state = self.state();
        state.tokens.owner(token, state.now()).is_some()
    }

    /// The key that signs the issuer's own JWTs.
    pub fn public_key() -> PublicKey {
        tokens::signing_key().to_public_key()
    }

    // What it was asked.

    pub fn requests(&self, endpoint: Endpoint) -> usize {
        self.state().log.count(endpoint)
    }

    pub fn token_requests(&self) -> usize {
        self.requests(Endpoint::Token)
    }

    pub fn total_requests(&self) -> usize {
        self.requests(Endpoint::Any)
    }

    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// The recent ones, oldest first.
    pub fn log(&self, endpoint: Endpoint) -> Vec<Request> {
        self.state().log.recent(endpoint)
    }

    pub fn last_token_request(&self) -> Request {
        self.log(Endpoint::Token).pop().expect("a token request")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.core.state.lock().unwrap()
    }
}

struct Core {
    url: String,
    name: String,
    state: Mutex<State>,
}

struct State {
    users: Users,
    tokens: Tokens,
    faults: Faults,
    log: Log,
    shape: ErrorShape,
    token_kind: TokenKind,
    userinfo_refusal: UserinfoRefusal,
    lifetime_seconds: i64,
    date_offset_seconds: i64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            users: Users::default(),
            tokens: Tokens::default(),
            faults: Faults::default(),
            log: Log::default(),
            shape: ErrorShape::default(),
            token_kind: TokenKind::default(),
            userinfo_refusal: UserinfoRefusal::default(),
            lifetime_seconds: 12 * 60 * 60,
            date_offset_seconds: 0,
        }
    }
}

impl State {
    /// Unix time by the issuer's own clock.
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(since.as_secs()).unwrap() + self.date_offset_seconds
    }
}

impl Core {
    fn reply(&self, request: &Request) -> Reply {
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
        match endpoint {
            Endpoint::Discovery => Response::json(200, &self.discovery()),
            Endpoint::Keys => Response::json(200, &tokens::key_set()),
            Endpoint::Token => match self.token(state, request) {
                Ok(answer) => Response::json(200, &answer),
                Err(refusal) => refusal.to_response(state.shape),
            },
            Endpoint::Userinfo => userinfo(state, request),
            Endpoint::Elsewhere | Endpoint::Any => Response::text(404, "404 page not found\n"),
        }
    }

    fn discovery(&self) -> Value {
        let at = |path| format!("{}{path}", self.url);
        json!({
            "issuer": self.name,
            "authorization_endpoint": at("/oauth/v2/authorize"),
            "token_endpoint": at(Endpoint::TOKEN_PATH),
            "introspection_endpoint": at("/oauth/v2/introspect"),
            "userinfo_endpoint": at(Endpoint::USERINFO_PATH),
            "revocation_endpoint": at("/oauth/v2/revoke"),
            "jwks_uri": at(Endpoint::KEYS_PATH),
            "grant_types_supported": ["authorization_code", "client_credentials", JWT_BEARER],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        })
    }

    fn token(&self, state: &mut State, request: &Request) -> Result<Value, Refusal> {
        if request.method != "POST" {
            return Err(Refusal::Method);
        }
        let content_type = request.header("content-type").unwrap_or_default();
        if content_type.split(';').next() != Some(FORM) {
            return Err(Refusal::Malformed("the request is not a form"));
        }
        let form = request.form();
        if single(&form, "grant_type")? != Some(JWT_BEARER) {
            return Err(Refusal::UnknownGrant);
        }
        let scopes = single(&form, "scope")?.unwrap_or_default();
        if scopes.trim().is_empty() {
            return Err(Refusal::NoScope);
        }
        let assertion =
            single(&form, "assertion")?.ok_or(Refusal::Malformed("assertion is missing"))?;
        let now = state.now();
        let user_id = assertion::check(assertion, &self.name, now, &state.users)?;
        if state.users.is_deactivated(&user_id) && state.shape.refuses_deactivated_users() {
            return Err(Refusal::Deactivated);
        }
        let grant = Grant {
            issuer: &self.name,
            user_id: &user_id,
            scopes,
            now,
            lifetime_seconds: state.lifetime_seconds,
        };
        Ok(state.tokens.issue(state.token_kind, &grant))
    }
}

/// A parameter that must not be repeated (RFC 6749 section 3.2).
fn single<'a>(form: &'a [(String, String)], name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = form.iter().filter(|(key, _)| key == name);
    match (values.next(), values.next()) {
        (Some(_), Some(_)) => Err(Refusal::Malformed("a parameter is repeated")),
        (first, _) => Ok(first.map(|(_, value)| value.as_str())),
    }
}

fn userinfo(state: &State, request: &Request) -> Response {
    if !matches!(request.method.as_str(), "GET" | "POST") {
        return Refusal::Method.to_response(state.shape);
    }
    let now = state.now();
    let owner = request
        .bearer()
        .and_then(|token| state.tokens.owner(token, now));
    let Some(user_id) = owner else {
        return state.userinfo_refusal.to_response();
    };
    let body = json!({
        "sub": user_id,
        "name": "A service user",
        "preferred_username": format!("service-user-{user_id}"),
        "updated_at": now,
    });
    Response::json(200, &body)
}
