//! An issuer with the domains, the project and the users of the recordings.

use serde_json::{Value, json};

use super::cases::{GRANT, USEFUL_SCOPES};
use crate::support::exchange::now;
use crate::support::issuer::{Application, ORGANIZATION_ID};
use crate::support::jwt::sign;
use crate::support::{Answer, Ca, Client, Endpoint, Issuer, ServiceUser, TokenKind, Version};

pub const PROJECT: &str = "310000000000000042";
pub const OTHER_PROJECT: &str = "310000000000000043";

pub struct Scene {
    pub issuer: Issuer,
    /// The user whose tokens are JWTs; all others have opaque ones.
    pub jwt: ServiceUser,
    pub opaque: ServiceUser,
    /// A user whose keys expire.
    pub rotator: ServiceUser,
    /// A user that is deactivated in the end.
    pub leaver: ServiceUser,
    /// An application of the project.
    pub application: Application,
    /// An application of another project.
    pub other_application: Application,
    /// An assertion that is sent twice.
    pub reused: String,
    /// A token that is used in more than one case.
    pub token: String,
    /// The issuer's full second.
    pub second: i64,
    client: Client,
}

impl Scene {
    pub fn new(version: Version) -> Self {
        let ca = Ca::new();
        let issuer = Issuer::builder()
            .tls(&ca)
            .domains(&["acme.example", "second.example"])
            .start();
        issuer.set_version(version);
        let second = now();
        issuer.stop_clock(second * 1000);
        let [jwt, opaque, rotator, leaver] = [(); 4].map(|()| issuer.new_user());
        for (user, name) in [(&jwt, "jwt"), (&opaque, "opaque")] {
            issuer.set_name(&user.user_id, name);
            issuer.add_role(&user.user_id, PROJECT, "deployer");
        }
        let mut scene = Self {
            client: Client::https(issuer.port(), &ca.client_config()),
            application: issuer.new_application(PROJECT),
            other_application: issuer.new_application(OTHER_PROJECT),
            reused: String::new(),
            token: String::new(),
            issuer,
            jwt,
            opaque,
            rotator,
            leaver,
            second,
        };
        scene.reused = scene.assertion(&scene.jwt);
        scene
    }

    /// Returns the authority of the first domain.
    pub fn host(&self) -> String {
        format!("acme.example:{}", self.issuer.port())
    }

    pub fn name(&self) -> String {
        format!("https://{}", self.host())
    }

    pub fn claims(&self, user: &ServiceUser) -> Value {
        json!({
            "iss": user.user_id,
            "sub": user.user_id,
            "aud": self.name(),
            "iat": self.second,
            "exp": self.second + 3600,
        })
    }

    /// Returns a valid assertion.
    pub fn assertion(&self, user: &ServiceUser) -> String {
        sign(&user.private, &header(user), &self.claims(user))
    }

    pub fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let host = self.host();
        let mut headers = headers.to_vec();
        if !headers.iter().any(|(name, _)| *name == "Host") {
            headers.push(("Host", &host));
        }
        let body = headers.iter().position(|(name, _)| *name == "body");
        let body = body.map_or("", |at| headers.remove(at).1);
        let answer = self.client.request(method, path, &headers, body.as_bytes());
        answer.unwrap()
    }

    /// Posts a form to the token endpoint.
    pub fn post(&mut self, form: &[(&str, &str)]) -> Answer {
        self.post_with(form, Endpoint::TOKEN_PATH, &[])
    }

    pub fn post_with(
        &mut self,
        form: &[(&str, &str)],
        path: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = query(form);
        let mut all = vec![
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("body", &body),
        ];
        all.extend(headers);
        self.ask("POST", path, &all)
    }

    pub fn exchange(&mut self, assertion: &str) -> Answer {
        self.issuer.set_token_kind(TokenKind::Jwt);
        self.post(&[
            ("grant_type", GRANT),
            ("assertion", assertion),
            ("scope", "openid"),
        ])
    }

    pub fn scoped(&mut self, user: &ServiceUser, scope: &str) -> Answer {
        let is_jwt = user.user_id == self.jwt.user_id;
        let kind = if is_jwt {
            TokenKind::Jwt
        } else {
            TokenKind::Opaque
        };
        self.issuer.set_token_kind(kind);
        let assertion = self.assertion(user);
        self.post(&[
            ("grant_type", GRANT),
            ("assertion", &assertion),
            ("scope", scope),
        ])
    }

    pub fn mint(&mut self, user: &ServiceUser, scope: &str) -> String {
        let answer = self.scoped(user, scope);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Returns a JWT of all useful scopes.
    pub fn useful(&mut self) -> String {
        let scope = USEFUL_SCOPES.replace("PROJECT", PROJECT);
        self.mint(&self.jwt.clone(), &scope)
    }

    pub fn userinfo(&mut self, method: &str, authorization: &str) -> Answer {
        let headers = [("Authorization", authorization)];
        self.ask(method, Endpoint::USERINFO_PATH, &headers)
    }

    pub fn bearer(&mut self, token: &str) -> Answer {
        self.userinfo("GET", &format!("Bearer {token}"))
    }

    /// Replaces the recordings' placeholders in a text.
    pub fn named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let name = self.name();
        for (value, placeholder) in [
            (self.jwt.user_id.as_str(), "<USER jwt>"),
            (&self.opaque.user_id, "<USER opaque>"),
            (&self.rotator.user_id, "<USER rotator>"),
            (PROJECT, "<PROJECT kubernetes>"),
            (ORGANIZATION_ID, "<ORG>"),
            (&name, "<ISSUER>"),
        ] {
            text = text.replace(value, placeholder);
        }
        text
    }
}

pub fn header(user: &ServiceUser) -> Value {
    json!({ "alg": "RS256", "kid": user.key_id, "typ": "JWT" })
}

/// Returns a form's body, or a query.
pub fn query(form: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = form
        .iter()
        .map(|(name, value)| format!("{name}={}", crate::support::client::escape(value)))
        .collect();
    pairs.join("&")
}
