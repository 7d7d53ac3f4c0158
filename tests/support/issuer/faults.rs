//! Deliberate faults.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::log::Endpoint;
use crate::support::http::{Reply, Request, Response};

/// The action of an endpoint in place of its work.
#[derive(Clone)]
pub enum Fault {
    /// This answer; see the constructors below for the common ones.
    Answer(Response),
    /// The right answer, late.
    Delay(Duration),
    /// No answer until the client gives up.
    Hang,
    /// Closes the connection without an answer.
    Close,
    /// Closes the connection in the middle of the right answer's body.
    CutMidBody,
    /// The right answer, its JSON changed. A refusal stays unchanged.
    Edit(Arc<dyn Fn(&mut Value) + Send + Sync>),
    /// An answer made from the request, as from a server that echoes it.
    Echo(Arc<dyn Fn(&Request) -> Response + Send + Sync>),
}

impl Fault {
    pub fn status(code: u16, content_type: &str, body: &str) -> Self {
        Self::Answer(Response::new(code).with_body(content_type, body))
    }

    /// Answers like ZITADEL Cloud: plain text, and no `Retry-After`.
    pub fn rate_limit() -> Self {
        Self::status(429, "text/plain", "rate limit exceeded\n")
    }

    pub fn retry_after(code: u16, retry_after: &str) -> Self {
        Self::Answer(
            Response::text(code, "try again later\n").with_header("Retry-After", retry_after),
        )
    }

    /// Answers 200 with any body.
    pub fn body(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer(Response::new(200).with_body(content_type, body))
    }

    pub fn redirect(location: &str) -> Self {
        Self::Answer(Response::new(302).with_header("Location", location))
    }

    pub fn edit(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::Edit(Arc::new(edit))
    }

    pub fn echo(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        Self::Echo(Arc::new(answer))
    }

    /// Returns the reply in place of the right answer.
    pub(super) fn apply(self, request: &Request, right: impl FnOnce() -> Response) -> Reply {
        match self {
            Self::Answer(response) => Reply::Response(response),
            Self::Delay(delay) => Reply::Delayed(delay, Box::new(right().into())),
            Self::Hang => Reply::Hang,
            Self::Close => Reply::Close,
            Self::CutMidBody => Reply::CutShort(right()),
            Self::Edit(edit) => Reply::Response(edited(right(), &*edit)),
            Self::Echo(answer) => Reply::Response(answer(request)),
        }
    }
}

fn edited(mut response: Response, edit: &dyn Fn(&mut Value)) -> Response {
    if response.status == 200 {
        let mut body = serde_json::from_slice(&response.body).unwrap();
        edit(&mut body);
        response.body = body.to_string().into_bytes();
    }
    response
}

/// The number of times that a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    Exactly(usize),
    Forever,
}

impl From<usize> for Times {
    fn from(times: usize) -> Self {
        Self::Exactly(times)
    }
}

/// The pending faults. The oldest that fits comes first.
#[derive(Default)]
pub(super) struct Faults(Vec<(Endpoint, Fault, Times)>);

impl Faults {
    pub(super) fn add(&mut self, endpoint: Endpoint, fault: Fault, times: Times) {
        self.0.push((endpoint, fault, times));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn take(&mut self, endpoint: Endpoint) -> Option<Fault> {
        self.0.retain(|(_, _, times)| *times != Times::Exactly(0));
        let mut faults = self.0.iter_mut();
        let (_, fault, times) = faults.find(|(at, ..)| at.covers(endpoint))?;
        if let Times::Exactly(left) = times {
            *left -= 1;
        }
        Some(fault.clone())
    }
}
