//! The way to the issuer: proxy, name, connection, TLS, its clock, and the
//! document that says who it is.

use std::net::IpAddr;

use crate::broker::diagnosis::is_off;
use crate::broker::{Request, diagnosis};
use crate::call::World;
use crate::error::Error;
use crate::findings::{Checks, about, ok, skipped, warning};
use crate::source::issuer::Issuer;
use crate::source::issuer::contact::{Stage, Way};
use crate::text::clock::UnixTime;
use crate::text::quote;
use crate::url::{Endpoints, Scheme};

const STEPS: [(Stage, &str); 5] = [
    (Stage::Proxy, "proxy"),
    (Stage::Lookup, "dns"),
    (Stage::Connect, "tcp"),
    (Stage::Tls, "tls"),
    (Stage::Discovery, "discovery"),
];

/// Checks each step; returns the endpoints where all went well.
pub(super) fn check(
    checks: &mut Checks,
    request: &Result<Request<'_>, Error>,
    world: &World<'_>,
) -> Option<Endpoints> {
    let Ok(request) = request else {
        for name in ["proxy", "dns", "tcp", "tls", "clock", "discovery"] {
            checks.push(skipped(name, "no issuer is known"));
        }
        return None;
    };
    let issuer = Issuer::new(&request.issuer, &request.network, request.deadline);
    let contact = issuer.contact();
    let now = (world.clock)();
    let broken = contact.outcome.as_ref().err().map(|(stage, _)| *stage);
    for (stage, name) in STEPS {
        if stage == Stage::Discovery {
            let ends_before = broken.is_some_and(|at| at < Stage::Discovery);
            clock(checks, contact.way.date, now, ends_before);
        }
        checks.push(match &contact.outcome {
            Err((at, error)) if *at == stage => about(name, error),
            Err((at, _)) if *at < stage => skipped(name, "the way ends before"),
            // A ca-file that cannot be read is noticed before anything is sent.
            Err(_)
                if stage > Stage::Proxy
                    && contact.way.addresses.is_empty()
                    && broken != Some(Stage::Discovery) =>
            {
                skipped(name, "nothing was sent")
            }
            _ => ok(name, passed(stage, request, &contact.way)),
        });
    }
    contact.outcome.ok()
}

/// What is told of a step that went well.
fn passed(stage: Stage, request: &Request<'_>, way: &Way) -> String {
    let origin = request.issuer.origin();
    let addresses = || {
        let all: Vec<_> = way.addresses.iter().map(ToString::to_string).collect();
        all.join(", ")
    };
    match stage {
        Stage::Proxy => match &way.proxy {
            Some(proxy) => format!("by way of {proxy}"),
            None => "none: the issuer is asked directly".to_owned(),
        },
        Stage::Lookup => {
            let host = match &way.proxy {
                Some(proxy) => proxy.rsplit_once(':').map_or("", |(host, _)| host),
                None => origin.host.as_str(),
            };
            let bare = host.trim_matches(['[', ']']);
            if bare.parse::<IpAddr>().is_ok() {
                format!("none: {host} is an address")
            } else {
                format!("{host} has {}", addresses())
            }
        }
        Stage::Connect => format!(
            "connected to {}",
            way.proxy.clone().unwrap_or_else(|| origin.authority())
        ),
        Stage::Tls if origin.scheme == Scheme::Http => "none: plain http".to_owned(),
        Stage::Tls => match &request.network.ca_file {
            Some(path) => format!("its certificate is trusted by {}", quote::path(path)),
            None => "its certificate is trusted by the system's authorities".to_owned(),
        },
        Stage::Discovery => format!(
            "the issuer calls itself {}, as configured",
            request.issuer.as_str()
        ),
    }
}

fn clock(checks: &mut Checks, theirs: Option<UnixTime>, ours: UnixTime, ends_before: bool) {
    checks.push(match theirs {
        Some(theirs) if is_off(theirs, ours) => {
            let told = diagnosis::clock(theirs, ours);
            let (finding, remedy) = told.split_once(": ").unwrap_or((&told, ""));
            warning("clock", finding, remedy)
        }
        Some(_) => ok("clock", "agrees with the issuer's"),
        None if ends_before => skipped("clock", "the way ends before"),
        None => skipped("clock", "no answer with a Date came"),
    });
}
