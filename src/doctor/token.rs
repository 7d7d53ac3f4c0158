//! Checks a new token, which is not cached: its type, and whether the issuer accepts
//! it.

use serde_json::Value;

use super::wiring::Wirings;
use crate::broker::Broker;
use crate::findings::{Check, Checks, failed, failed_with, ok, skipped, warning};
use crate::scope::{Scopes, project_of};
use crate::text::clock::UnixTime;
use crate::text::quote::quoted;
use crate::token::jwt::Jwt;
use crate::token::{MAKE_IT_JWT, MAKE_IT_SHORTER, Token};
use crate::url::Endpoints;

/// Mints a token and sends it to userinfo. Returns true if a token was minted.
pub(super) fn check(
    checks: &mut Checks,
    broker: Option<&Broker<'_>>,
    endpoints: Option<Endpoints>,
    wiring: &Wirings,
) -> bool {
    let (Some(broker), Some(endpoints)) = (broker, endpoints) else {
        for name in ["token", "userinfo"] {
            let why = "needs an issuer and a key that can sign";
            checks.push(skipped(name, why));
        }
        return false;
    };
    let (token, end) = match broker.trial(&endpoints) {
        Ok(minted) => minted,
        Err(error) => {
            checks.push(failed_with("token", &error));
            checks.push(skipped("userinfo", "no token was requested"));
            cached(checks, broker);
            return false;
        }
    };
    kind(checks, &broker.grant().scopes, &token, end, wiring);
    if let Some(remark) = token.remark_on_size() {
        checks.push(warning("token", remark, MAKE_IT_SHORTER));
    }
    userinfo(checks, broker, &token);
    cached(checks, broker);
    true
}

/// Warns about a cached token that the issuer refuses.
fn cached(checks: &mut Checks, broker: &Broker<'_>) {
    if let Some(cached) = broker.cached()
        && matches!(broker.userinfo(&cached.token), Ok(Err(_)))
    {
        checks.push(warning(
            "userinfo",
            "the issuer refuses the cached token, but tools still get it: it was revoked, its user was deactivated, or ZITADEL has trouble of its own",
            format!(
                "zitadel-credential cache clear --key-id {}",
                broker.grant().key_id.as_str()
            ),
        ));
    }
}

fn kind(
    checks: &mut Checks,
    scopes: &Scopes,
    token: &Token,
    end: Option<UnixTime>,
    wiring: &Wirings,
) {
    let end = end.map_or("without a lifetime".to_owned(), |end| {
        format!("valid until {end}")
    });
    let Some(jwt) = Jwt::parse(token.expose()) else {
        let what = format!("new, opaque, {end}");
        checks.push(if wiring.needs_jwt() {
            let what = format!("{what}: a Kubernetes API server with OIDC needs a JWT");
            warning("token", what, MAKE_IT_JWT)
        } else {
            ok(
                "token",
                format!("{what}; servers must check it with the issuer"),
            )
        });
        return;
    };
    let audience = jwt.audience();
    let Jwt { header, claims } = jwt;
    let shown = match audience.as_slice() {
        [] => "none".to_owned(),
        all => quoted(&all.join(", ")),
    };
    let what = format!("new, a JWT, audience {shown}, {end}");
    if let Some(project) = absent_project(scopes, &audience) {
        checks.push(warning(
            "token",
            format!("{what}: aud does not name the requested project {project}"),
            "check in ZITADEL that the project exists with this ID and is granted to the user's organisation",
        ));
        return;
    }
    let flaw = if header["alg"] != "RS256" {
        Some((
            "alg is not RS256",
            "check the instance's signing keys, or --oidc-signing-algs of the API server",
        ))
    } else if !claims["iss"].is_string() || !claims["exp"].is_number() {
        Some(("iss or exp is missing", MAKE_IT_JWT))
    } else if audience.is_empty() {
        Some((
            "aud names no project",
            "add the cluster's project: projects = [\"ID\"] in the profile, or --project ID",
        ))
    } else {
        None
    };
    checks.push(match flaw {
        Some((flaw, remedy)) if wiring.needs_jwt() => {
            let what = format!("{what}: a Kubernetes API server cannot use it, because {flaw}");
            warning("token", what, remedy)
        }
        Some((flaw, _)) => ok(
            "token",
            format!("{what}; a Kubernetes API server cannot use it, because {flaw}"),
        ),
        None => ok(
            "token",
            format!("{what}; a Kubernetes API server can use it"),
        ),
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
        Ok(Ok(claims)) => check_user(&claims, broker.grant().user_id.as_str()),
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
fn check_user(claims: &Value, user_id: &str) -> Check {
    let text = |name: &str| claims[name].as_str();
    let Some(sub) = text("sub") else {
        return failed(
            "userinfo",
            "the userinfo response has no sub",
            "check what answers at the issuer's userinfo_endpoint, and the proxies before it: it must be ZITADEL's own",
        );
    };
    if sub != user_id {
        let what = format!(
            "the token belongs to user ID {}, but the key belongs to {}",
            quoted(sub),
            quoted(user_id)
        );
        return failed(
            "userinfo",
            what,
            "check what answers at the issuer's userinfo_endpoint: it must be ZITADEL's own, and no cache may answer with another user's response",
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
