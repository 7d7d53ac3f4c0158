//! The claims of tokens, userinfo and introspection.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use rsa::sha2::{Digest, Sha256};
use serde_json::{Value, json};

use super::answers::Version;
use super::users::{Roles, User};

/// The project behind `urn:zitadel:iam:org:project:id:zitadel:aud`.
pub const ZITADEL_PROJECT_ID: &str = "310000000000000001";

/// The organisation of all users, which owns all projects.
pub const ORGANIZATION_ID: &str = "310000000000000003";
const ORGANIZATION: &str = "ACME";
pub const DOMAIN: &str = "acme.zitadel.example";

/// An organisation to which each project is granted, so that it can grant the roles, too.
pub const OTHER_ORGANIZATION_ID: &str = "310000000000000004";
const OTHER_DOMAIN: &str = "other.zitadel.example";

/// The parameters of a token's issue.
pub(super) struct Grant {
    pub(super) issuer: String,
    pub(super) user_id: String,
    pub(super) scopes: String,
    pub(super) jti: String,
    /// The issuer's Unix time at the issue.
    pub(super) issued_at: i64,
    pub(super) lifetime_seconds: i64,
}

impl Grant {
    fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.split(' ').filter(|scope| !scope.is_empty())
    }

    pub(super) fn asks_for(&self, scope: &str) -> bool {
        self.scopes().any(|asked| asked == scope)
    }

    /// Returns the projects that the scopes name.
    pub(super) fn projects(&self) -> Vec<&str> {
        self.scopes()
            .filter_map(|scope| scope.strip_prefix("urn:zitadel:iam:org:project:id:"))
            .filter_map(|project| project.strip_suffix(":aud"))
            .map(|project| match project {
                "zitadel" => ZITADEL_PROJECT_ID,
                project => project,
            })
            .collect()
    }

    /// Returns the projects whose roles a JWT and userinfo have. One role's scope brings
    /// all roles.
    fn role_projects(&self) -> Vec<&str> {
        let asks = self.scopes().any(|scope| {
            scope == "urn:zitadel:iam:org:projects:roles"
                || scope.starts_with("urn:zitadel:iam:org:project:role:")
        });
        if asks { self.projects() } else { Vec::new() }
    }

    pub(super) fn expires_at(&self) -> i64 {
        self.issued_at + self.lifetime_seconds
    }

    pub(super) fn access_token(&self, user: &User, version: Version) -> Value {
        let mut claims = self.about_token(user);
        add_roles(&mut claims, user, version, &self.role_projects());
        self.add_organization(&mut claims);
        claims
    }

    /// Returns an ID token that is already expired, as from many versions
    /// (zitadel#12779).
    pub(super) fn id_token(&self, user: &User, access_token: &str) -> Value {
        let hash = Sha256::digest(access_token);
        json!({
            "iss": self.issuer,
            "sub": user.id,
            "aud": [user.username],
            "azp": user.username,
            "client_id": user.username,
            "at_hash": BASE64URL.encode(&hash[..16]),
            "auth_time": self.issued_at,
            "iat": self.issued_at,
            "exp": self.issued_at,
        })
    }

    pub(super) fn userinfo(&self, user: &User, version: Version) -> Value {
        let mut claims = json!({ "sub": user.id });
        self.add_profile(&mut claims, user);
        add_roles(&mut claims, user, version, &self.role_projects());
        self.add_organization(&mut claims);
        claims
    }

    /// Returns the claims for a project's application: that project's roles, whatever the
    /// scopes. `None` if the token is not for that project.
    pub(super) fn introspection(
        &self,
        user: &User,
        version: Version,
        project: &str,
    ) -> Option<Value> {
        if !self.projects().contains(&project) {
            return None;
        }
        let mut claims = self.about_token(user);
        claims["active"] = true.into();
        claims["token_type"] = "Bearer".into();
        claims["scope"] = self.scopes.clone().into();
        claims["auth_time"] = self.issued_at.into();
        self.add_profile(&mut claims, user);
        if self.asks_for("profile") {
            claims["username"] = user.username.clone().into();
        }
        add_roles(&mut claims, user, version, &[project]);
        if let Some(roles) = claims.get(project_claim(project)) {
            claims["urn:zitadel:iam:org:project:roles"] = roles.clone();
        }
        self.add_organization(&mut claims);
        Some(claims)
    }

    fn about_token(&self, user: &User) -> Value {
        let mut audience = self.projects();
        if audience.is_empty() {
            audience.push(&user.username);
        }
        json!({
            "iss": self.issuer,
            "sub": user.id,
            "aud": audience,
            "client_id": user.username,
            "iat": self.issued_at,
            "nbf": self.issued_at,
            "exp": self.expires_at(),
            "jti": self.jti,
        })
    }

    fn add_profile(&self, claims: &mut Value, user: &User) {
        if self.asks_for("profile") {
            claims["name"] = user.name.clone().into();
            claims["preferred_username"] = user.username.clone().into();
            claims["updated_at"] = self.issued_at.into();
        }
    }

    fn add_organization(&self, claims: &mut Value) {
        if self.asks_for("urn:zitadel:iam:user:resourceowner") {
            for (name, value) in [
                ("id", ORGANIZATION_ID),
                ("name", ORGANIZATION),
                ("primary_domain", DOMAIN),
            ] {
                claims[format!("urn:zitadel:iam:user:resourceowner:{name}")] = value.into();
            }
        }
    }
}

fn add_roles(claims: &mut Value, user: &User, version: Version, projects: &[&str]) {
    let mut merged = Roles::new();
    for project in projects {
        let Some(roles) = user.roles.get(*project) else {
            continue;
        };
        for (role, organizations) in roles {
            let all = merged.entry(role.clone()).or_default();
            all.extend(organizations.iter().cloned());
        }
        claims[project_claim(project)] = role_object(roles);
    }
    if !merged.is_empty() && version != Version::V2026 {
        claims["urn:zitadel:iam:org:projects:roles"] = role_object(&merged);
    }
}

fn project_claim(project: &str) -> String {
    format!("urn:zitadel:iam:org:project:{project}:roles")
}

/// Returns each role with the organisations that granted it, each of these with its
/// primary domain.
fn role_object(roles: &Roles) -> Value {
    let object = |organizations: &BTreeSet<String>| {
        let pairs = organizations
            .iter()
            .map(|id| (id.clone(), domain(id).into()));
        Value::Object(pairs.collect())
    };
    let pairs = roles
        .iter()
        .map(|(role, organizations)| (role.clone(), object(organizations)));
    Value::Object(pairs.collect())
}

fn domain(organization: &str) -> &'static str {
    match organization {
        ORGANIZATION_ID => DOMAIN,
        OTHER_ORGANIZATION_ID => OTHER_DOMAIN,
        other => panic!("no organisation {other}"),
    }
}
