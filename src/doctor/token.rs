//! Checks a new token, which is not cached: its type, and whether the issuer accepts
//! it.

use serde_json::Value;

use super::wiring::Wirings;
use crate::broker::Broker;
use crate::error::Error;
use crate::findings::apiserver::{Flaw, OPENS_ZITADEL, flaws, self_signed};
use crate::findings::wiring::Context;
use crate::findings::{Check, Checks, failed, failed_with, ok, skipped, warning};
use crate::scope::{Scopes, open_zitadel, project_of};
use crate::source::supplier::Supplier;
use crate::text::clock::{Clock, UnixTime};
use crate::text::quote::quoted;
use crate::token::jwt::Jwt;
use crate::token::{MAKE_IT_SHORTER, Token};
use crate::url::Endpoints;

/// Mints a token and sends it to userinfo; `is_for_host` if the token is for a host that
/// is no API server. Returns true if a token was minted.
#[expect(
    clippy::too_many_arguments,
    reason = "each is another part of the call"
)]
pub(super) fn check(
    checks: &mut Checks,
    broker: Option<&Broker<'_>>,
    endpoints: Option<&Endpoints>,
    profile: Option<&str>,
    wiring: &Wirings,
    context: &Context<'_>,
    clock: &Clock,
    is_for_host: bool,
) -> bool {
    let why = match broker {
        Some(_) => "an earlier step failed",
        None => "needs a profile whose key or token can be used",
    };
    let Some(broker) = broker.filter(|broker| endpoints.is_some() || !broker.needs_issuer()) else {
        for name in ["token", "userinfo"] {
            checks.push(skipped(name, why));
        }
        return false;
    };
    let (token, end) = match broker.trial(endpoints) {
        Ok(minted) => minted,
        Err(error) => {
            checks.push(failed_with("token", &error));
            checks.push(skipped("userinfo", "no token was requested"));
            cached(checks, broker);
            return false;
        }
    };
    let reader = if is_for_host {
        Reader::Host
    } else {
        let mut needs_jwt = wiring.may_need_jwt();
        wiring.visit_jwts(context, &mut |_, _, _, request| {
            let other = Broker::new(request, clock);
            needs_jwt |= other.is_ok_and(|other| other.grant() == broker.grant());
        });
        if needs_jwt {
            Reader::ApiServer
        } else {
            Reader::Unknown
        }
    };
    kind(checks, broker, profile, &token, end, reader);
    if let Some(remark) = token.remark_on_size() {
        checks.push(warning("token", remark, MAKE_IT_SHORTER));
    }
    if let Some(why) = broker.no_userinfo() {
        checks.push(skipped("userinfo", why));
    } else {
        userinfo(checks, broker, &token);
        cached(checks, broker);
    }
    true
}

/// Warns about a cached token that the issuer refuses.
fn cached(checks: &mut Checks, broker: &Broker<'_>) {
    if let Some(cached) = broker.cached()
        && matches!(broker.userinfo(&cached.token), Ok(Err(_)))
    {
        checks.push(warning(
            "userinfo",
            "the issuer refuses the cached token, but tools still get it: it was revoked, its user was deactivated, or ZITADEL has an internal error",
            format!(
                "zitadel-credential cache clear --key-id {}",
                broker.grant().key_id.as_str()
            ),
        ));
    }
}

/// The reader of the token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// A Kubernetes API server, for which kubectl is set up.
    ApiServer,
    /// The host in doctor's arguments.
    Host,
    /// An unknown reader.
    Unknown,
}

fn kind(
    checks: &mut Checks,
    broker: &Broker<'_>,
    profile: Option<&str>,
    token: &Token,
    end: Option<UnixTime>,
    reader: Reader,
) {
    let needs_jwt = reader == Reader::ApiServer;
    let scopes = &broker.grant().scopes;
    let end = end.map_or("without a lifetime".to_owned(), |end| {
        format!("valid until {end}")
    });
    let origin = origin(broker);
    let Some(jwt) = Jwt::parse(token.expose()) else {
        let what = format!("{origin}, opaque, {end}");
        let mut flaws = flaws(scopes, token.expose(), profile).into_iter();
        checks.push(match flaws.next() {
            Some(flaw) if needs_jwt => {
                let what = format!("{what}: a Kubernetes API server with OIDC needs a JWT");
                warning("token", what, flaw.remedy)
            }
            _ => ok(
                "token",
                format!("{what}; servers must check it with the issuer"),
            ),
        });
        further(checks, flaws.filter(|_| needs_jwt));
        return;
    };
    let audience = jwt.audience();
    let shown = match audience.as_slice() {
        [] => "none".to_owned(),
        all => quoted(&all.join(", ")),
    };
    let what = format!("{origin}, a JWT, audience {shown}, {end}");
    if broker.is_self_signed() {
        let flaw = self_signed();
        checks.push(if needs_jwt {
            let what = format!("{what}: {}", verdict("it", &flaw));
            warning("token", what, flaw.remedy)
        } else {
            ok("token", what)
        });
        return;
    }
    if let Some(project) = absent_project(scopes, &audience) {
        checks.push(warning(
            "token",
            format!("{what}: aud does not name the requested project {project}"),
            "check in ZITADEL that the project exists with this ID and is granted to the user's organisation",
        ));
        return;
    }
    if reader == Reader::Host {
        checks.push(ok("token", what));
        return;
    }
    let mut flaws = flaws(scopes, token.expose(), profile).into_iter();
    checks.push(match flaws.next() {
        Some(flaw) if needs_jwt => warning(
            "token",
            format!("{what}: {}", verdict("it", &flaw)),
            flaw.remedy,
        ),
        Some(flaw) => ok("token", format!("{what}; {}", verdict("it", &flaw))),
        None => ok(
            "token",
            format!("{what}; a Kubernetes API server can use it"),
        ),
    });
    further(checks, flaws.filter(|_| needs_jwt));
}

/// Returns the token's origin, and a note if no further check follows.
fn origin(broker: &Broker<'_>) -> String {
    let Some(supplier) = broker.supplier() else {
        return "new".to_owned();
    };
    let place = match supplier {
        Supplier::File(_) => "from the file",
        Supplier::Command(_) => "from the command",
    };
    let is_checked = broker.no_userinfo().is_none();
    let unchecked = if is_checked { "" } else { ", not verified" };
    format!("{place}{unchecked}")
}

/// Adds the flaws after the first one.
fn further(checks: &mut Checks, flaws: impl Iterator<Item = Flaw>) {
    for flaw in flaws {
        checks.push(warning("token", verdict("it", &flaw), flaw.remedy));
    }
}

/// Returns the line on why an API server would refuse a token, which `token` names.
fn verdict(token: &str, flaw: &Flaw) -> String {
    let why = &flaw.why;
    if flaw.is_partial {
        format!("a Kubernetes API server may refuse {token}: {why}")
    } else {
        format!("a Kubernetes API server cannot use {token}, because {why}")
    }
}

/// Checks the tokens of tools that need a JWT, except the token of `broker`, which is
/// already checked.
pub(super) fn check_others(
    checks: &mut Checks,
    broker: Option<&Broker<'_>>,
    wiring: &Wirings,
    context: &Context<'_>,
    clock: &Clock,
) {
    wiring.visit_jwts(context, &mut |tool, place, profile, request| {
        let check = || {
            let other = Broker::new(request, clock)?;
            if broker.is_some_and(|broker| broker.grant() == other.grant()) {
                return Ok(Vec::new());
            }
            if other.is_self_signed() {
                return Ok(vec![self_signed()]);
            }
            let (token, _) = other.trial(None)?;
            let scopes = &other.grant().scopes;
            Ok(flaws(scopes, token.expose(), profile))
        };
        match check() {
            Ok(flaws) => flaws.into_iter().for_each(|flaw| {
                let what = format!("{place}: {}", verdict("its token", &flaw));
                checks.push(warning(tool, what, flaw.remedy));
            }),
            Err(error) => {
                let error = Error::map(error, |report| report.about(&place));
                checks.push(failed_with(tool, &error));
            }
        }
        if open_zitadel(&request.scopes) {
            let [what, remedy] = OPENS_ZITADEL;
            checks.push(warning(tool, format!("{place}: {what}"), remedy));
        }
    });
}

/// Returns the first project of the scopes that the audience does not name.
fn absent_project(scopes: &Scopes, audience: &[String]) -> Option<String> {
    let projects = scopes.iter().filter_map(project_of);
    // In the token, ZITADEL's own project has an ID instead of this name.
    let mut absent =
        projects.filter(|id| *id != "zitadel" && !audience.iter().any(|aud| aud == id));
    absent.next().map(quoted)
}

fn userinfo(checks: &mut Checks, broker: &Broker<'_>, token: &Token) {
    checks.push(match broker.userinfo(token) {
        Ok(Ok(claims)) => check_user(&claims, broker.user_id()),
        Ok(Err(refusal)) => failed(
            "userinfo",
            format!(
                "the issuer refused the token that it just issued: {}",
                refusal.description
            ),
            "check in ZITADEL that the user is active, and read the issuer's log",
        ),
        Err(error) => failed_with("userinfo", &error),
    });
}

/// Checks the user in the userinfo response (OpenID Connect Core 1.0, section 5.3.2:
/// `sub` is required, and must be the token's).
fn check_user(claims: &Value, user_id: Option<&str>) -> Check {
    let text = |name: &str| claims[name].as_str();
    let Some(sub) = text("sub") else {
        return failed(
            "userinfo",
            "the userinfo response has no sub",
            "check that ZITADEL answers at the issuer's userinfo_endpoint, and not a proxy",
        );
    };
    if let Some(user_id) = user_id.filter(|id| *id != sub) {
        let what = format!(
            "the token belongs to user ID {}, but the key belongs to {}",
            quoted(sub),
            quoted(user_id)
        );
        return failed(
            "userinfo",
            what,
            "check that ZITADEL answers at the issuer's userinfo_endpoint, and not a cache with another user's response",
        );
    }
    let sub = quoted(sub);
    let name = text("name").or_else(|| text("preferred_username"));
    ok(
        "userinfo",
        match name.map(quoted) {
            Some(name) => format!("the token belongs to {name}, user ID {sub}"),
            None => format!("the token belongs to user ID {sub}"),
        },
    )
}
