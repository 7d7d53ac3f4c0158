//! A strict issuer on loopback that behaves as ZITADEL servers do, of older
//! and of newer versions, well and badly.

mod answers;
mod applications;
mod assertion;
mod claims;
mod clients;
mod core;
mod faults;
mod log;
mod tokens;
mod trouble;
mod user_keys;
mod users;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

pub use answers::{UserinfoRefusal, Version};
pub use applications::Application;
pub use claims::{DOMAIN, ORGANIZATION_ID, OTHER_ORGANIZATION_ID, ZITADEL_PROJECT_ID};
use core::{Core, State};
pub use faults::{Fault, Times};
pub use log::Endpoint;
use rsa::PublicKey;
use rustls::ServerConfig;
pub use tokens::TokenKind;
pub use trouble::Trouble;

use super::http;
use super::http::{Request, Server};
use super::keys::ServiceUser;
use super::tls::Ca;

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
    domains: Vec<String>,
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

    /// Answers to these host names alone, as an instance with custom domains does:
    /// each is an issuer of its own.
    pub fn domains(mut self, domains: &[&str]) -> Self {
        self.domains = domains.iter().map(|&domain| domain.to_owned()).collect();
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
            domains: self.domains,
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
            domains: Vec::new(),
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

    /// A service user whose private key is somewhere else.
    pub fn new_user_of(&self, public: PublicKey) -> ServiceUser {
        let user = ServiceUser::new();
        self.state()
            .users
            .register_key(&user.key_id, &user.user_id, public);
        user
    }

    pub fn remove_key(&self, key_id: &str) {
        self.state().users.remove_key(key_id);
    }

    pub fn expire_key(&self, key_id: &str) {
        self.state().users.expire_key(key_id);
    }

    /// The IDs of a user's keys, the oldest first.
    pub fn key_ids(&self, user_id: &str) -> Vec<String> {
        let state = self.state();
        let keys = state.users.keys();
        let mut own: Vec<_> = keys.filter(|(_, key)| key.user_id == user_id).collect();
        own.sort_by_key(|(_, key)| key.created_at);
        own.into_iter().map(|(id, _)| id.clone()).collect()
    }

    /// How many keys all users have.
    pub fn key_count(&self) -> usize {
        self.state().users.keys().count()
    }

    /// When a key ends, as Unix time.
    pub fn set_key_expiry(&self, key_id: &str, unix_seconds: i64) {
        self.state().users.set_expiry(key_id, unix_seconds);
    }

    /// Also what becomes of a user that is locked: its tokens die, and since 2.62.1 it
    /// gets no new ones.
    pub fn deactivate(&self, user_id: &str) {
        let mut state = self.state();
        state.users.set_active(user_id, false);
        state
            .tokens
            .revoke(|issued| issued.grant.user_id == user_id);
    }

    /// New tokens are possible again; those that died stay dead.
    pub fn reactivate(&self, user_id: &str) {
        self.state().users.set_active(user_id, true);
    }

    /// Its keys and tokens go with it.
    pub fn remove_user(&self, user_id: &str) {
        let mut state = self.state();
        state.users.remove(user_id);
        state
            .tokens
            .revoke(|issued| issued.grant.user_id == user_id);
    }

    pub fn set_name(&self, user_id: &str, name: &str) {
        self.state().users.set_name(user_id, name);
    }

    pub fn add_role(&self, user_id: &str, project: &str, role: &str) {
        self.add_role_of(ORGANIZATION_ID, user_id, project, role);
    }

    /// Adds a role that this organisation gives. Roles count at once at userinfo and
    /// introspection, and in the next JWT.
    pub fn add_role_of(&self, organization: &str, user_id: &str, project: &str, role: &str) {
        let mut state = self.state();
        state.users.add_role(user_id, project, role, organization);
    }

    /// Takes all roles of a user away.
    pub fn remove_roles(&self, user_id: &str) {
        self.state().users.remove_roles(user_id);
    }

    /// A new client secret of a user, whose client ID is its name: the one before is
    /// dead.
    pub fn new_client_secret(&self, user_id: &str) -> String {
        self.state().clients.renew(user_id)
    }

    pub fn remove_client_secret(&self, user_id: &str) {
        self.state().clients.remove(user_id);
    }

    /// An API application, which may introspect the tokens of its project.
    pub fn new_application(&self, project: &str) -> Application {
        self.state().applications.create(project)
    }

    // How it behaves.

    pub fn set_version(&self, version: Version) {
        self.state().version = version;
    }

    pub fn set_trouble(&self, trouble: impl Into<Option<Trouble>>) {
        self.state().trouble = trouble.into();
    }

    pub fn set_token_kind(&self, kind: TokenKind) {
        self.state().token_kind = kind;
    }

    /// Signs JWTs with another key from now on, and shows both.
    pub fn rotate_key(&self) {
        self.state().tokens.rotate_key();
    }

    /// Of the tokens from now on; `expires_in` says one second less.
    pub fn set_lifetime(&self, seconds: i64) {
        self.state().lifetime_seconds = seconds;
    }

    /// How far its clock is ahead of ours, for `Date`, assertions and tokens.
    pub fn set_date_offset(&self, seconds: i64) {
        self.state().date_offset_seconds = seconds;
    }

    /// Stops its clock at this Unix time in milliseconds.
    pub fn stop_clock(&self, unix_millis: i64) {
        self.state().stopped_at = Some(unix_millis);
    }

    pub fn set_userinfo_refusal(&self, refusal: UserinfoRefusal) {
        self.state().userinfo_refusal = refusal;
    }

    /// Keys that are added from now on work only after this time.
    pub fn set_key_delay(&self, delay: Duration) {
        let millis = i64::try_from(delay.as_millis()).unwrap();
        self.state().user_keys.delay_millis = millis;
    }

    /// Whether users need a role to manage their own keys.
    pub fn forbid_own_keys(&self, is_forbidden: bool) {
        self.state().user_keys.is_forbidden = is_forbidden;
    }

    /// Whether the texts of ZITADEL's APIs are of another language than English.
    pub fn translate(&self, is_translated: bool) {
        self.state().user_keys.is_translated = is_translated;
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
        self.state().tokens.revoke(|issued| issued.token == token);
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
        state.tokens.good(token, state.now()).is_some()
    }

    /// The key that signs the issuer's own JWTs.
    pub fn public_key() -> PublicKey {
        tokens::signing_key(tokens::Key::First).to_public_key()
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
