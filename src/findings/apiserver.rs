//! Checks if a Kubernetes API server can use a token (OIDC token authentication).
//!
//! Source: Kubernetes' "Authenticating", kube-apiserver's `--oidc-*` flags and its
//! `AuthenticationConfiguration`.

use serde_json::{Map, Value};

use crate::scope::{ROLES, Scopes, project_of};
use crate::text::quote;
use crate::text::quote::quoted;
use crate::token::MAKE_IT_JWT;
use crate::token::jwt::Jwt;

/// The warning about a token with the scope of `zitadel-api`, and its remedy.
pub(crate) const OPENS_ZITADEL: [&str; 2] = [
    "the API server gets a token for ZITADEL's own APIs (zitadel-api): it can use it to add its own key to the user",
    "use another profile for this cluster, without zitadel-api",
];

const ADD_PROJECT: &str =
    "add the cluster's project: projects = [\"ID\"] in the profile, or --project ID";

/// A reason why an API server cannot use a token, or only some clusters can.
#[derive(Debug)]
pub(crate) struct Flaw {
    /// Completes "an API server cannot use it, because".
    pub(crate) why: String,
    pub(crate) remedy: String,
    /// True if the token works in some clusters.
    pub(crate) is_partial: bool,
}

/// Returns the flaw of a system user's token.
pub(crate) fn self_signed() -> Flaw {
    Flaw {
        why: "ZITADEL has not signed it".to_owned(),
        remedy: "use a service user's profile for the cluster".to_owned(),
        is_partial: false,
    }
}

/// Returns the reasons why an API server would refuse a token, the worst first; empty if
/// there are none. `profile` is the profile of the token's request.
pub(crate) fn flaws(scopes: &Scopes, token: &str, profile: Option<&str>) -> Vec<Flaw> {
    let jwt = Jwt::parse(token);
    let roles = without_roles(scopes, jwt.as_ref(), profile);
    let kind = unusable(scopes, jwt, profile);
    kind.into_iter().chain(roles).collect()
}

/// Returns the flaw of a token that names a project and has no role of it; judged only by
/// the scopes if the token is opaque or missing.
pub(crate) fn without_roles(
    scopes: &Scopes,
    jwt: Option<&Jwt>,
    profile: Option<&str>,
) -> Option<Flaw> {
    let project = quoted(project(scopes)?);
    let is_asked = scopes.iter().any(|scope| scope == ROLES);
    let names_one = |claims: &Value| {
        let names = claims.as_object().into_iter().flat_map(Map::keys);
        names
            .into_iter()
            .any(|name| name.starts_with("urn:zitadel:iam:org:project") && name.ends_with(":roles"))
    };
    let why = match jwt {
        Some(jwt) if names_one(&jwt.claims) => return None,
        Some(_) => "it has no role claim, and no rule by role can match",
        None if is_asked => return None,
        None => "the request asks for a project without its roles, so that a JWT has no role claim",
    };
    let grant = format!("grant the user a role of project {project}");
    Some(Flaw {
        why: why.to_owned(),
        remedy: match profile {
            _ if is_asked => format!("{grant} in ZITADEL"),
            Some(profile) => format!(
                "run zitadel-credential setup profile {} --roles, which sets roles = true, and {grant}",
                quote::word(profile)
            ),
            None => format!("add --roles to the options, and {grant}"),
        },
        is_partial: true,
    })
}

/// Returns the first project of the scopes, other than ZITADEL's own.
fn project(scopes: &Scopes) -> Option<&str> {
    let mut projects = scopes.iter().filter_map(project_of);
    projects.find(|id| *id != "zitadel")
}

/// Returns the reason why an API server cannot read the token, or not by default.
fn unusable(scopes: &Scopes, jwt: Option<Jwt>, profile: Option<&str>) -> Option<Flaw> {
    let refused = |why: String, remedy: String| {
        Some(Flaw {
            why,
            remedy,
            is_partial: false,
        })
    };
    let Some(jwt) = jwt else {
        return refused(
            "it is opaque".to_owned(),
            format!("{MAKE_IT_JWT}; then run {}", renew(profile)),
        );
    };
    let audience = jwt.audience();
    let Jwt { header, claims } = jwt;
    let alg = header["alg"].as_str().unwrap_or_default();
    let is_of_file = [
        "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512",
    ]
    .contains(&alg);
    if alg != "RS256" && !is_of_file {
        return refused(
            format!(
                "its algorithm {} is one that no API server accepts",
                quoted(alg)
            ),
            "activate a web key of type RSA or ECDSA in ZITADEL".to_owned(),
        );
    }
    if !claims["iss"].is_string() || !claims["exp"].is_number() {
        return refused("iss or exp is missing".to_owned(), MAKE_IT_JWT.to_owned());
    }
    if audience.is_empty() {
        return refused("aud names no project".to_owned(), ADD_PROJECT.to_owned());
    }
    // Without a project, ZITADEL names the user itself.
    let names = ["client_id", "sub", "username", "preferred_username"];
    let is_user = |aud: &String| names.iter().any(|name| claims[*name] == **aud);
    if audience.iter().all(is_user)
        || (project(scopes).is_none() && audience.len() == 1 && !is_id(&audience[0]))
    {
        return refused(
            "aud is the user's own name (no project was requested)".to_owned(),
            ADD_PROJECT.to_owned(),
        );
    }
    is_of_file.then(|| Flaw {
        why: format!(
            "with --oidc-* flags it accepts RS256 only by default, and this token has {alg}"
        ),
        remedy: format!(
            "add --oidc-signing-algs={alg} to the API server, or use its AuthenticationConfiguration, which accepts {alg}"
        ),
        is_partial: true,
    })
}
/// True if an audience looks like the ID of a project.
fn is_id(audience: &str) -> bool {
    !audience.is_empty() && audience.bytes().all(|b| b.is_ascii_digit())
}

/// Returns the command that replaces the cached token.
pub(crate) fn renew(profile: Option<&str>) -> String {
    let profile = profile.map(|name| format!(" --profile {}", quote::word(name)));
    format!(
        "zitadel-credential whoami --refresh{}",
        profile.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
    use serde_json::json;

    use super::*;

    fn found(alg: &str, claims: &Value, projects: &str) -> String {
        let part = |value: Value| BASE64URL.encode(value.to_string());
        let token = format!("{}.{}.x", part(json!({ "alg": alg })), part(claims.clone()));
        let scopes = Scopes::new(["openid", projects]).expect("scopes");
        let lines = flaws(&scopes, &token, Some("ci")).into_iter().map(|flaw| {
            let kind = if flaw.is_partial {
                "partial"
            } else {
                "refused"
            };
            format!("{kind}: {}: {}", flaw.why, flaw.remedy)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_flaw_is_named() {
        let project = "urn:zitadel:iam:org:project:id:7:aud";
        let base = json!({
            "iss": "https://i", "exp": 1, "aud": ["7"], "client_id": "ci-bot", "sub": "1",
            "urn:zitadel:iam:org:project:7:roles": {"deployer": {"2": "acme"}},
        });
        let with = |name: &str, value: Value| {
            let mut claims = base.clone();
            claims[name] = value;
            claims
        };
        let mut without_roles = base.clone();
        without_roles
            .as_object_mut()
            .expect("an object")
            .remove("urn:zitadel:iam:org:project:7:roles");
        for (alg, claims, scopes, expected) in [
            ("RS256", base.clone(), project.to_owned(), ""),
            (
                "ES256",
                base.clone(),
                project.to_owned(),
                "partial: with --oidc-* flags",
            ),
            (
                "PS512",
                base.clone(),
                project.to_owned(),
                "partial: with --oidc-* flags",
            ),
            (
                "EdDSA",
                base.clone(),
                project.to_owned(),
                "refused: its algorithm EdDSA",
            ),
            (
                "none",
                base.clone(),
                project.to_owned(),
                "refused: its algorithm none",
            ),
            (
                "RS256",
                with("exp", json!(null)),
                project.to_owned(),
                "refused: iss or exp",
            ),
            (
                "RS256",
                with("aud", json!([])),
                project.to_owned(),
                "refused: aud names no",
            ),
            (
                "RS256",
                with("aud", json!(["ci-bot"])),
                String::new(),
                "refused: aud is the user's own",
            ),
            (
                "RS256",
                with("aud", json!("CI Bot")),
                String::new(),
                "refused: aud is the user's own",
            ),
            (
                "RS256",
                without_roles.clone(),
                project.to_owned(),
                "partial: it has no role claim, and no rule by role can match: run zitadel-credential setup profile ci --roles",
            ),
            (
                "RS256",
                without_roles,
                format!("{project} {ROLES}"),
                "partial: it has no role claim, and no rule by role can match: grant",
            ),
        ] {
            let found = found(alg, &claims, &scopes);
            assert!(found.starts_with(expected), "{alg} {claims}: {found}");
            assert_eq!(found.is_empty(), expected.is_empty(), "{found}");
        }
        let scopes = Scopes::new(["openid"]).expect("scopes");
        let opaque = flaws(&scopes, "opaque", Some("ci"));
        assert_eq!(opaque.len(), 1);
        assert!(opaque[0].remedy.ends_with("whoami --refresh --profile ci"));
    }
    /// The user who makes the token a JWT should learn of the missing roles before.
    #[test]
    fn a_requested_project_without_roles_is_a_flaw_too() {
        let project = "urn:zitadel:iam:org:project:id:7:aud";
        let count = |scopes: &[&str]| {
            let scopes = Scopes::new(scopes.iter().copied()).expect("scopes");
            flaws(&scopes, "opaque", None).len()
        };
        assert_eq!(count(&["openid", project]), 2);
        assert_eq!(count(&["openid", project, ROLES]), 1);
        assert_eq!(
            count(&["openid", "urn:zitadel:iam:org:project:id:zitadel:aud"]),
            1
        );
    }

    /// An API server that accepts the algorithm also needs the role.
    #[test]
    fn flaws_of_algorithm_and_roles_are_both_named() {
        let claims = json!({"iss": "https://i", "exp": 1, "aud": ["7"], "sub": "1"});
        let found = found("ES256", &claims, "urn:zitadel:iam:org:project:id:7:aud");
        assert_eq!(found.lines().count(), 2, "{found}");
    }
}
