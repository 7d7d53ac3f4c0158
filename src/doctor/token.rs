//! A token of one's own, which is not kept: what it is, and whether the issuer
//! takes it.

use serde_json::Value;

use super::jwt::Jwt;
use super::wiring::Wirings;
use crate::broker::Broker;
use crate::findings::{Check, Checks, about, failed, ok, skipped, warning};
use crate::scope::{Scopes, project_audience};
use crate::text::clock::UnixTime;
use crate::text::quote::quoted;
use crate::token::{MAKE_IT_JWT, Token};
use crate::url::Endpoints;

/// Mints one and shows it to userinfo; returns whether there was one.
pub(super) fn check(
    checks: &mut Checks,
    broker: Option<&Broker<'_>>,
    endpoints: Option<Endpoints>,
    wiring: &Wirings,
) -> bool {
    let (Some(broker), Some(endpoints)) = (broker, endpoints) else {
        for name in ["token", "userinfo"] {
            let why = "without a key that can sign and an issuer there is none";
            checks.push(skipped(name, why));
        }
        return false;
    };
    let (token, end) = match broker.trial(&endpoints) {
        Ok(minted) => minted,
        Err(error) => {
            checks.push(about("token", &error));
            checks.push(skipped("userinfo", "there is no token to show"));
            return false;
        }
    };
    kind(checks, &broker.grant().scopes, &token, end, wiring);
    userinfo(checks, broker, &token);
    if let Some(held) = broker.held()
        && matches!(broker.userinfo(&held.token), Ok(Err(_)))
    {
        checks.push(warning(
            "userinfo",
            "the token in the cache was revoked: tools are handed it still",
            format!(
                "zitadel-credential cache clear --key-id {}",
                broker.grant().key_id.as_str()
            ),
        ));
    }
    true
}

fn kind(
    checks: &mut Checks,
    scopes: &Scopes,
    token: &Token,
    end: Option<UnixTime>,
    wiring: &Wirings,
) {
    let end = end.map_or("with no lifetime told".to_owned(), |end| {
        format!("good until {end}")
    });
    let Some(Jwt { header, claims }) = Jwt::parse(token.expose()) else {
        let what = format!("minted, opaque, {end}");
        checks.push(if wiring.needs_jwt() {
            let what = format!("{what}: a Kubernetes API server with OIDC needs a JWT");
            warning("token", what, MAKE_IT_JWT)
        } else {
            ok(
                "token",
                format!("{what}; whoever gets it asks the issuer what it is"),
            )
        });
        return;
    };
    let audience = match &claims["aud"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(all) => all
            .iter()
            .filter_map(Value::as_str)
            .map(ToOwned::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    let shown = match audience.as_slice() {
        [] => "nobody".to_owned(),
        all => quoted(&all.join(", ")),
    };
    let what = format!("minted, a JWT for {shown}, {end}");
    if let Some(project) = absent_project(scopes, &audience) {
        checks.push(warning(
            "token",
            format!("{what}: project {project} was asked for, and its aud does not name it"),
            "see in ZITADEL whether the project is there under that ID, and granted to the user's organisation",
        ));
        return;
    }
    let flaw = if header["alg"] != "RS256" {
        Some((
            "its alg is not RS256",
            "see the instance's signing keys, or --oidc-signing-algs of the API server",
        ))
    } else if !claims["iss"].is_string() || !claims["exp"].is_number() {
        Some(("it has no iss or no exp", MAKE_IT_JWT))
    } else if audience.is_empty() {
        Some((
            "its aud names no project",
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
            format!("{what}; not for a Kubernetes API server: {flaw}"),
        ),
        None => ok(
            "token",
            format!("{what}; a Kubernetes API server could use it"),
        ),
    });
}

/// A project of the scopes that the audience does not name.
fn absent_project(scopes: &Scopes, audience: &[String]) -> Option<String> {
    let frame = project_audience("*");
    let (before, after) = frame.split_once('*')?;
    let projects = scopes
        .iter()
        .filter_map(|scope| scope.strip_prefix(before)?.strip_suffix(after));
    // ZITADEL's own has an ID of its own in the token.
    let mut absent =
        projects.filter(|id| *id != "zitadel" && !audience.iter().any(|aud| aud == id));
    absent.next().map(quoted)
}

fn userinfo(checks: &mut Checks, broker: &Broker<'_>, token: &Token) {
    checks.push(match broker.userinfo(token) {
        Ok(Ok(claims)) => whose(&claims, broker.grant().user_id.as_str()),
        Ok(Err(refusal)) => failed(
            "userinfo",
            format!(
                "the issuer refused a token that it had just given: {}",
                refusal.description
            ),
            "in ZITADEL see whether the user is active, and the issuer's log",
        ),
        Err(error) => about("userinfo", &error),
    });
}

/// Who userinfo says it is (OpenID Connect Core 1.0, section 5.3.2: `sub` must
/// be there, and be the token's).
fn whose(claims: &Value, user_id: &str) -> Check {
    let text = |name: &str| claims[name].as_str();
    let Some(sub) = text("sub") else {
        return failed(
            "userinfo",
            "the issuer's answer names no user",
            "its userinfo_endpoint must be ZITADEL's own: see what answers there, and what lies in between",
        );
    };
    if sub != user_id {
        let what = format!(
            "it is user ID {}, and the key is that of {}",
            quoted(sub),
            quoted(user_id)
        );
        return failed(
            "userinfo",
            what,
            "see what answers at the issuer's userinfo_endpoint: it must be ZITADEL's own, and keep no answer for another",
        );
    }
    let sub = quoted(sub);
    let name = text("name").or_else(|| text("preferred_username"));
    ok(
        "userinfo",
        match name.map(quoted) {
            Some(name) => format!("it is {name}, user ID {sub}"),
            None => format!("it is user ID {sub}"),
        },
    )
}
