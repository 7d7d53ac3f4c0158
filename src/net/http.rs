//! Sends HTTP requests: with limits, without redirects, through the environment's proxy,
//! with retries for temporary failures.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body as ResponseBody, Proxy};

use super::answer::Answer;
use super::failure::About;
use super::peer::Peer;
use super::phase::{Phase, Progress};
use super::proxy::{Rules, Target, Via};
use super::{connect, failure, proxy, retry, roots};
use crate::error::{Error, Report};
use crate::secret::Secret;
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::input::ReadError;
use crate::text::waiting::Wait;
use crate::text::{input, quote};
use crate::token::Token;
use crate::url::{HttpUrl, Scheme};

/// The settings for reaching an issuer.
#[derive(Clone)]
pub struct Network<'a> {
    /// PEM root certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// True to allow plain http beyond loopback.
    pub allow_http: bool,
    /// The environment with the proxy variables.
    pub environment: &'a Environment<'a>,
}

/// Returns the error of a response that may differ on a retry; `None` for any other.
pub type Judge<'j> = &'j dyn Fn(&Answer<'_>) -> Option<Error>;

/// The fields of a form.
pub type Form<'a> = &'a [(&'a str, &'a str)];

/// A change to a resource (RFC 5789).
pub struct Patch<'a> {
    /// The query of the request's URL.
    pub query: &'a str,
    /// The type of the body.
    pub content_type: &'a str,
    /// The requested type of the response.
    pub accept: &'a str,
    /// The change.
    pub body: &'a [u8],
}

/// Size limit of a response in bytes: a JWT with the roles of a user who has hundreds is
/// larger than 64 KiB.
pub const ANSWER_LIMIT: usize = 1024 * 1024;

/// An HTTP client for one call; it keeps connections alive between requests.
pub struct Http<'a> {
    network: &'a Network<'a>,
    deadline: Deadline,
    peer: &'static Peer,
    progress: Progress,
    agent: OnceCell<Agent>,
}

/// Space for the head of a request besides a token, in bytes: more than any of our URLs.
const HEAD: usize = 128 * 1024;

impl<'a> Http<'a> {
    /// Creates a client that uses `network` until `deadline`, and whose errors advise
    /// about `peer`. Does not open or read anything yet.
    pub fn new(network: &'a Network<'a>, deadline: Deadline, peer: &'static Peer) -> Self {
        Self {
            network,
            deadline,
            peer,
            progress: Progress::default(),
            agent: OnceCell::new(),
        }
    }

    /// Sends a GET request, with a bearer token if one is given.
    ///
    /// # Errors
    /// There is no response, or `judge` returns an error after the last attempt.
    pub fn get<'u>(
        &self,
        url: &'u HttpUrl,
        token: Option<&Token>,
        judge: Judge<'_>,
    ) -> Result<Answer<'u>, Error> {
        self.send(judge, url, |agent, timeout, proxy| {
            let mut request = agent.get(url.as_str());
            if let Some(token) = token {
                request = request.header("Authorization", token.bearer());
            }
            let config = request.config().timeout_global(Some(timeout)).proxy(proxy);
            // The head of a request must fit into this buffer.
            let head = HEAD + token.map_or(0, |token| token.expose().len());
            config.output_buffer_size(head).build().call()
        })
    }

    /// Posts a form, with an `Authorization` header if one is given.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub fn post<'u>(
        &self,
        url: &'u HttpUrl,
        authorization: Option<&Secret>,
        form: Form<'_>,
        judge: Judge<'_>,
    ) -> Result<Answer<'u>, Error> {
        self.send(judge, url, |agent, timeout, proxy| {
            let mut request = agent.post(url.as_str());
            if let Some(header) = authorization {
                request = request.header("Authorization", header.expose());
            }
            let config = request.config().timeout_global(Some(timeout)).proxy(proxy);
            config.build().send_form(form.iter().copied())
        })
    }

    /// Sends a PATCH request with a bearer token, and requests a response of this type.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub fn patch<'u>(
        &self,
        url: &'u HttpUrl,
        token: &Token,
        patch: &Patch<'_>,
        judge: Judge<'_>,
    ) -> Result<Answer<'u>, Error> {
        let address = format!("{url}?{}", patch.query);
        self.send(judge, url, |agent, timeout, proxy| {
            let request = agent.patch(&address);
            let request = request
                .header("Authorization", token.bearer())
                .header("Content-Type", patch.content_type)
                .header("Accept", patch.accept);
            let config = request.config().timeout_global(Some(timeout)).proxy(proxy);
            let head = HEAD + token.expose().len();
            let config = config.output_buffer_size(head).build();
            config.send(patch.body)
        })
    }

    fn about<'b>(&'b self, url: &'b HttpUrl) -> About<'b> {
        About {
            url,
            progress: &self.progress,
            deadline: &self.deadline,
            peer: self.peer,
        }
    }

    /// Sends a request with a bearer token to one of ZITADEL's APIs: JSON by POST, or a
    /// DELETE without a body.
    ///
    /// # Errors
    /// As [`Http::get`].
    pub fn call_api<'u>(
        &self,
        url: &'u HttpUrl,
        token: &Token,
        json: Option<&str>,
        judge: Judge<'_>,
    ) -> Result<Answer<'u>, Error> {
        let bearer = token.bearer();
        // The head of a request must fit into this buffer.
        let head = HEAD + bearer.len();
        self.send(judge, url, |agent, timeout, proxy| {
            if let Some(json) = json {
                let request = agent.post(url.as_str()).header("Authorization", &bearer);
                let request = request.header("Content-Type", "application/json");
                let config = request.config().timeout_global(Some(timeout)).proxy(proxy);
                config.output_buffer_size(head).build().send(json)
            } else {
                let request = agent.delete(url.as_str()).header("Authorization", &bearer);
                let config = request.config().timeout_global(Some(timeout)).proxy(proxy);
                config.output_buffer_size(head).build().call()
            }
        })
    }

    /// Checks that a request may be sent: not in plain text, and with trusted root
    /// certificates.
    ///
    /// # Errors
    /// [`Error::Usage`] with the problem.
    pub fn check(&self, url: &HttpUrl) -> Result<(), Error> {
        if url.origin().is_exposed() && !self.network.allow_http {
            return Err(Error::Usage(
                Report::new(format!(
                    "{url}: plain http would expose a secret on the network"
                ))
                .hint("use https")
                .hint("set allow-http = true in the profile if you trust the network"),
            ));
        }
        self.agent().map(drop)
    }

    /// Returns the progress of the last request.
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    fn send<'u>(
        &self,
        judge: Judge<'_>,
        url: &'u HttpUrl,
        request: impl Fn(&Agent, Duration, Option<Proxy>) -> Result<Response<ResponseBody>, ureq::Error>,
    ) -> Result<Answer<'u>, Error> {
        self.check(url)?;
        let proxy = self.proxy(url)?;
        let agent = self.agent()?;
        let _wait = Wait::of(|| url.origin().authority());
        let mut tried = 0;
        loop {
            tried += 1;
            self.progress.start();
            let timeout = self.deadline.remaining().max(Duration::from_millis(1));
            log::debug!("requesting {url}, attempt {tried}");
            let through = proxy.as_ref().map(|via| via.proxy.clone());
            let answer = request(agent, timeout, through)
                .map_err(|error| self.explain(&error, url, proxy.as_ref()))
                .and_then(|response| self.read(url, response, proxy.as_ref()));
            let (error, asked) = match answer {
                Ok(answer) => match judge(&answer) {
                    Some(error) => (error, answer.retry_after),
                    None => return Ok(answer),
                },
                Err(error @ Error::Passing(_)) => (error, None),
                Err(error) => return Err(error),
            };
            let left = self.deadline.remaining();
            match retry::pause(tried, asked, left, fastrand::f64()) {
                Some(pause) => {
                    log::info!(
                        "{}; retrying in {} ms",
                        error.report().headline(),
                        pause.as_millis()
                    );
                    thread::sleep(pause);
                }
                None => return Err(error),
            }
        }
    }

    fn read<'u>(
        &self,
        url: &'u HttpUrl,
        response: Response<ResponseBody>,
        proxy: Option<&Via>,
    ) -> Result<Answer<'u>, Error> {
        let (head, body) = response.into_parts();
        let body =
            input::read_all(body.into_reader(), ANSWER_LIMIT).map_err(|error| match error {
                ReadError::Io(error) => self.explain(&ureq::Error::from(error), url, proxy),
                other => Error::Final(
                    Report::new(format!("{url}: the response is {other}"))
                        .hint(self.peer.other_server),
                ),
            })?;
        let header = |name: &str| text_of(&head.headers, name);
        Ok(Answer::new(url, head.status.as_u16(), header, body))
    }

    fn explain(&self, error: &ureq::Error, url: &HttpUrl, proxy: Option<&Via>) -> Error {
        if failure::is_tls(error) {
            // A TLS error may surface later than the handshake.
            self.progress.enter(Phase::Handshake);
        }
        let explained = failure::explain(error, &self.about(url), proxy);
        if failure::is_without_roots(error) {
            return explained.map(|report| self.named_roots().fold(report, Report::found));
        }
        explained
    }

    /// Returns the paths that the environment sets for the system's root certificates.
    fn named_roots(&self) -> impl Iterator<Item = String> {
        ["SSL_CERT_FILE", "SSL_CERT_DIR"]
            .into_iter()
            .filter_map(|name| Some((name, (self.network.environment)(name)?)))
            .flat_map(|(name, paths)| {
                let paths: Vec<_> = std::env::split_paths(&paths).collect();
                paths.into_iter().map(move |path| (name, path))
            })
            .filter(|(_, path)| !path.as_os_str().is_empty())
            .map(|(name, path)| {
                let what = match path.metadata() {
                    Ok(_) => "has no certificate".to_owned(),
                    Err(error) => quote::system(&error),
                };
                format!("{name}: {}: {what}", quote::path(&path))
            })
    }

    /// Returns the proxy for a URL.
    ///
    /// # Errors
    /// [`Error::Usage`]: the variable's value is invalid.
    pub fn proxy(&self, url: &HttpUrl) -> Result<Option<Via>, Error> {
        let origin = url.origin();
        if origin.scheme == Scheme::Http && origin.host.is_loopback() {
            // Plain http is allowed here because it stays on this machine; through a
            // proxy it would not.
            return Ok(None);
        }
        let target = Target {
            https: origin.scheme == Scheme::Https,
            host: origin.host.as_str().trim_matches(['[', ']']),
            port: origin.port,
        };
        let resolve = match self.peer.proxy {
            Rules::Curl => proxy::resolve,
            Rules::Go => proxy::resolve_as_go,
        };
        resolve(&target, self.network.environment).map_err(|bad| {
            Error::Usage(
                Report::new(bad.to_string())
                    .hint("write a proxy like http://proxy.acme.dev:3128 or socks5://host:1080")
                    .hint(proxy::LIST_EXCEPTIONS),
            )
        })
    }

    fn agent(&self) -> Result<&Agent, Error> {
        if let Some(agent) = self.agent.get() {
            return Ok(agent);
        }
        let network = self.network;
        let ca_file = network.ca_file.as_deref();
        let trust = roots::trust(ca_file, network.environment, self.peer, &self.deadline)?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("zitadel-credential/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .proxy(None)
            .build();
        let agent = Agent::with_parts(
            config,
            connect::connector(&self.progress, self.deadline, trust),
            connect::resolver(&self.progress, self.deadline),
        );
        Ok(self.agent.get_or_init(|| agent))
    }
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
