//! Checks the connection to the issuer: proxy, DNS, TCP, TLS, the issuer's clock and
//! its discovery document.

use std::net::IpAddr;

use crate::broker::diagnosis::{disbelieved, is_believed, is_off};
use crate::broker::{Request, diagnosis};
use crate::call::World;
use crate::error::Error;
use crate::findings::{Checks, failed_with, ok, skipped, warning};
use crate::net::http::Network;
use crate::source::issuer::Issuer;
use crate::source::issuer::contact::{Stage, Way};
use crate::text::clock::UnixTime;
use crate::text::quote;
use crate::url::{Endpoints, IssuerUrl, Scheme};

const STEPS: [(Stage, &str); 5] = [
    (Stage::Proxy, "proxy"),
    (Stage::Lookup, "dns"),
    (Stage::Connect, "tcp"),
    (Stage::Tls, "tls"),
    (Stage::Discovery, "discovery"),
];

/// Checks each step. Returns the endpoints; `None` if a step failed.
pub(super) fn check(
    checks: &mut Checks,
    request: &Result<Request<'_>, Error>,
    world: &World<'_>,
) -> Option<Endpoints> {
    let known = request.as_ref().ok();
    let known = known.and_then(|request| Some((request, request.issuer.as_ref()?)));
    let Some((request, url)) = known else {
        for name in ["proxy", "dns", "tcp", "tls", "clock", "discovery"] {
            checks.push(skipped(name, "the issuer is unknown"));
        }
        return None;
    };
    let issuer = Issuer::new(url, &request.network, request.deadline);
    let contact = issuer.contact();
    let now = (world.clock)();
    let broken = contact.outcome.as_ref().err().map(|(stage, _)| *stage);
    for (stage, name) in STEPS {
        if stage == Stage::Discovery {
            let failed_earlier = broken.is_some_and(|at| at < Stage::Discovery);
            clock(checks, contact.way.date, now, failed_earlier);
        }
        checks.push(match &contact.outcome {
            Err((at, error)) if *at == stage => failed_with(name, error),
            Err((at, _)) if *at < stage => skipped(name, "an earlier step failed"),
            // An unreadable ca-file is an error before any connection is made.
            Err(_)
                if stage > Stage::Proxy
                    && contact.way.addresses.is_empty()
                    && broken != Some(Stage::Discovery) =>
            {
                skipped(name, "no connection was made")
            }
            _ => ok(name, passed(stage, url, &request.network, &contact.way)),
        });
    }
    contact.outcome.ok()
}

/// Describes a step that succeeded.
fn passed(stage: Stage, url: &IssuerUrl, network: &Network<'_>, way: &Way) -> String {
    let origin = url.origin();
    let addresses = || {
        let all: Vec<_> = way.addresses.iter().map(ToString::to_string).collect();
        all.join(", ")
    };
    match stage {
        Stage::Proxy => match &way.proxy {
            Some(proxy) => format!("through {proxy}"),
            None => "no proxy: direct connection to the issuer".to_owned(),
        },
        Stage::Lookup => {
            let host = match &way.proxy {
                Some(proxy) => proxy.rsplit_once(':').map_or("", |(host, _)| host),
                None => origin.host.as_str(),
            };
            let bare = host.trim_matches(['[', ']']);
            if bare.parse::<IpAddr>().is_ok() {
                format!("no lookup: {host} is an IP address")
            } else {
                format!("{host} resolves to {}", addresses())
            }
        }
        Stage::Connect => format!(
            "connected to {}",
            way.proxy.clone().unwrap_or_else(|| origin.authority())
        ),
        Stage::Tls if origin.scheme == Scheme::Http => "no TLS: plain http".to_owned(),
        Stage::Tls => match &network.ca_file {
            Some(path) => format!("certificate trusted by {}", quote::path(path)),
            None => "certificate trusted by the system's certificate authorities".to_owned(),
        },
        Stage::Discovery => format!("issuer {} matches the configuration", url.as_str()),
    }
}

fn clock(checks: &mut Checks, theirs: Option<UnixTime>, ours: UnixTime, failed_earlier: bool) {
    checks.push(match theirs {
        Some(theirs) if !is_believed(theirs, ours) => warning(
            "clock",
            disbelieved(theirs, ours),
            "synchronize the clocks (NTP), and look for a proxy that changes the Date header",
        ),
        Some(theirs) if is_off(theirs, ours) => {
            let text = diagnosis::clock(theirs, ours);
            let (finding, remedy) = text.split_once(": ").unwrap_or((&text, ""));
            warning("clock", finding, remedy)
        }
        Some(_) => ok("clock", "agrees with the issuer's clock"),
        None if failed_earlier => skipped("clock", "an earlier step failed"),
        None => skipped("clock", "no response had a Date header"),
    });
}
