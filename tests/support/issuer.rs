//! A strict issuer on loopback that behaves like older and newer ZITADEL servers, in
//! health and in failure.

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

/// A running issuer. Clones are handles to the same one; it stops when the last is
/// dropped.
#[derive(Clone)]
pub struct Issuer {
    core: Arc<Core>,
    server: Arc<Server>,
}

/// The settings that are fixed before an issuer starts.
pub struct Builder {
    host: String,
    address: IpAddr,
    tls: Option<Arc<ServerConfig>>,
    name: Option<String>,
    domains: Vec<String>,
}

impl Builder {
    /// Sets the host in the URL: `127.0.0.1`, or `localhost` with TLS.
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// Sets the address to listen on, 127.0.0.1 by default.
    pub fn address(mut self, address: impl Into<IpAddr>) -> Self {
        self.address = address.into();
        self
    }

    /// Uses TLS. The certificate is for `localhost`, 127.0.0.1 and `issuer.test`, a name
    /// that only a proxy or a hosts file knows.
    pub fn tls(mut self, ca: &Ca) -> Self {
        self.tls = Some(ca.server_config(&["localhost", "127.0.0.1", "issuer.test"]));
        self.host("localhost")
    }

    /// Uses TLS with this certificate of `localhost`.
    pub fn tls_of(mut self, server: Arc<ServerConfig>) -> Self {
        self.tls = Some(server);
        self.host("localhost")
    }

    /// Sets another issuer name than the address, as for a server behind a proxy.
    /// Assertions must be addressed to this name; the endpoints keep their URLs.
    pub fn named(mut self, issuer: &str) -> Self {
        self.name = Some(issuer.to_owned());
        self
    }

    /// Answers only to these host names, like an instance with custom domains: each is a
    /// separate issuer.
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

    /// Returns the URL that the issuer listens on, without a trailing slash.
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

    /// Registers a new service user.
    pub fn new_user(&self) -> ServiceUser {
        let user = ServiceUser::new();
        self.register(&user);
        user
    }

    /// Registers a service user whose private key is elsewhere.
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

    /// Returns the IDs of a user's keys, the oldest first.
    pub fn key_ids(&self, user_id: &str) -> Vec<String> {
        let state = self.state();
        let keys = state.users.keys();
        let mut own: Vec<_> = keys.filter(|(_, key)| key.user_id == user_id).collect();
        own.sort_by_key(|(_, key)| key.created_at);
        own.into_iter().map(|(id, _)| id.clone()).collect()
    }

    /// Returns the number of all users' keys.
    pub fn key_count(&self) -> usize {
        self.state().users.keys().count()
    }

    /// Sets the expiry of a key, as Unix time.
    pub fn set_key_expiry(&self, key_id: &str, unix_seconds: i64) {
        self.state().users.set_expiry(key_id, unix_seconds);
    }

    /// Deactivates a user. A locked user is treated the same: its tokens become invalid,
    /// and since 2.62.1 it gets no new ones.
    pub fn deactivate(&self, user_id: &str) {
        let mut state = self.state();
        state.users.set_active(user_id, false);
        state
            .tokens
            .revoke(|issued| issued.grant.user_id == user_id);
    }

    /// Reactivates a user: new tokens are possible again; the former ones stay invalid.
    pub fn reactivate(&self, user_id: &str) {
        self.state().users.set_active(user_id, true);
    }

    /// Removes a user with its keys and tokens.
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

    /// Adds a role that this organisation grants. Roles count at once at userinfo and
    /// introspection, and in the next JWT.
    pub fn add_role_of(&self, organization: &str, user_id: &str, project: &str, role: &str) {
        let mut state = self.state();
        state.users.add_role(user_id, project, role, organization);
    }

    /// Removes all roles of a user.
    pub fn remove_roles(&self, user_id: &str) {
        self.state().users.remove_roles(user_id);
    }

    /// Returns a new client secret of a user, whose client ID is the user name: the
    /// former secret becomes invalid.
    pub fn new_client_secret(&self, user_id: &str) -> String {
        self.state().clients.renew(user_id)
    }

    pub fn remove_client_secret(&self, user_id: &str) {
        self.state().clients.remove(user_id);
    }

    /// Registers an API application, which may introspect the tokens of its project.
    pub fn new_application(&self, project: &str) -> Application {
        self.state().applications.create(project)
    }

    // Behaviour.

    pub fn set_version(&self, version: Version) {
        self.state().version = version;
    }

    pub fn set_trouble(&self, trouble: impl Into<Option<Trouble>>) {
        self.state().trouble = trouble.into();
    }

    pub fn set_token_kind(&self, kind: TokenKind) {
        self.state().token_kind = kind;
    }

    /// Signs JWTs with another key from now on, and publishes both.
    pub fn rotate_key(&self) {
        self.state().tokens.rotate_key();
    }

    /// Sets the lifetime of tokens from now on; `expires_in` is one second less.
    pub fn set_lifetime(&self, seconds: i64) {
        self.state().lifetime_seconds = seconds;
    }

    /// Sets how far the issuer's clock is ahead of ours, for `Date`, assertions and
    /// tokens.
    pub fn set_date_offset(&self, seconds: i64) {
        self.state().date_offset_seconds = seconds;
    }

    /// Stops the issuer's clock at this Unix time in milliseconds.
    pub fn stop_clock(&self, unix_millis: i64) {
        self.state().stopped_at = Some(unix_millis);
    }

    pub fn set_userinfo_refusal(&self, refusal: UserinfoRefusal) {
        self.state().userinfo_refusal = refusal;
    }

    /// Makes keys that are added from now on work only after this time.
    pub fn set_key_delay(&self, delay: Duration) {
        let millis = i64::try_from(delay.as_millis()).unwrap();
        self.state().user_keys.delay_millis = millis;
    }

    /// Sets if users need a role to manage their own keys.
    pub fn forbid_own_keys(&self, is_forbidden: bool) {
        self.state().user_keys.is_forbidden = is_forbidden;
    }

    /// Sets if the texts of ZITADEL's APIs are in another language than English.
    pub fn translate(&self, is_translated: bool) {
        self.state().user_keys.is_translated = is_translated;
    }

    pub fn fault(&self, endpoint: Endpoint, fault: Fault, times: impl Into<Times>) {
        self.state().faults.add(endpoint, fault, times.into());
    }

    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    // Tokens.

    /// Returns the tokens in the order of issue, including revoked and expired ones.
    pub fn issued_tokens(&self) -> Vec<String> {
        self.state().tokens.all()
    }

    pub fn revoke(&self, token: &str) {
        self.state().tokens.revoke(|issued| issued.token == token);
    }

    pub fn revoke_all(&self) {
        self.state().tokens.revoke(|_| true);
    }

    /// Makes all issued tokens so many seconds older.
    pub fn age_tokens(&self, seconds: i64) {
        self.state().tokens.age(seconds);
    }

    /// Checks a token as userinfo does, for a resource server.
    pub fn accepts(&self, token: &str) -> bool {
        let state = self.state();
        state.tokens.good(token, state.now()).is_some()
    }

    /// Returns the key that signs the issuer's own JWTs.
    pub fn public_key() -> PublicKey {
        tokens::signing_key(tokens::Key::First).to_public_key()
    }

    // Received requests.

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

    /// Returns the recent requests, oldest first.
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
