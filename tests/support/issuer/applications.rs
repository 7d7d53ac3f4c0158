//! API applications: the servers that may introspect tokens.

use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;

use super::assertion;
use super::tokens::random;
use super::users::Users;
use crate::support::Request;
use crate::support::keys::ServiceUser;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An API application of a project, with a secret and a key.
#[derive(Clone)]
pub struct Application {
    pub client_id: String,
    pub secret: String,
    /// Its `user_id` is the client ID.
    pub key: ServiceUser,
    project: String,
}

impl Application {
    fn new(project: &str) -> Self {
        let key = ServiceUser::new();
        Self {
            client_id: key.user_id.clone(),
            secret: random(48),
            key,
            project: project.to_owned(),
        }
    }

    /// Returns the value of an `Authorization` header.
    pub fn basic(&self) -> String {
        format!("Basic {}", self.credentials())
    }

    /// Returns `CLIENT_ID:SECRET` in base64.
    pub fn credentials(&self) -> String {
        BASE64.encode(format!("{}:{}", self.client_id, self.secret))
    }
}

/// The reason why an application may not introspect.
pub(super) enum Unauthorized {
    /// No client is named.
    NoClient,
    /// The secret or assertion is wrong.
    Credentials,
}

#[derive(Default)]
pub(super) struct Applications {
    all: Vec<Application>,
    keys: Users,
}

impl Applications {
    pub(super) fn create(&mut self, project: &str) -> Application {
        let application = Application::new(project);
        self.keys.register(&application.key);
        self.all.push(application.clone());
        application
    }

    /// Returns the project of the calling application. `issuer` and `now` are those of
    /// [`assertion::check`].
    pub(super) fn project(
        &self,
        request: &Request,
        issuer: &str,
        now: i64,
    ) -> Result<&str, Unauthorized> {
        let client_id = if let Some((client_id, secret)) = basic(request) {
            let mut all = self.all.iter();
            all.find(|known| known.client_id == client_id && known.secret == secret)
                .ok_or(Unauthorized::Credentials)?;
            client_id
        } else {
            let assertion = match request.form_value("client_assertion_type").as_deref() {
                Some(ASSERTION_TYPE) => request.form_value("client_assertion"),
                _ => None,
            };
            let assertion = assertion.ok_or(Unauthorized::NoClient)?;
            assertion::check(&assertion, issuer, now, &self.keys)
                .map_err(|_| Unauthorized::Credentials)?
        };
        let mut all = self.all.iter();
        all.find(|known| known.client_id == client_id)
            .map(|known| known.project.as_str())
            .ok_or(Unauthorized::Credentials)
    }
}

/// Returns the two halves of a `Basic` header, unchanged.
pub(super) fn basic(request: &Request) -> Option<(String, String)> {
    let (scheme, pair) = request.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64.decode(pair).ok()?).ok()?;
    let (client_id, secret) = pair.split_once(':')?;
    Some((client_id.to_owned(), secret.to_owned()))
}
