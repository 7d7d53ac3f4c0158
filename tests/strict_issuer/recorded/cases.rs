//! The request of each recorded case.

use serde_json::json;

use super::scene::{PROJECT, Scene, header, query};
use crate::support::jwt::sign;
use crate::support::{Answer, Endpoint, Jwt, TokenKind};

pub use crate::support::exchange::GRANT;
pub const USEFUL_SCOPES: &str = "openid profile email urn:zitadel:iam:org:project:id:PROJECT:aud urn:zitadel:iam:org:projects:roles urn:zitadel:iam:user:resourceowner urn:zitadel:iam:user:metadata offline_access";

/// The recorded result of a case.
pub enum Outcome {
    Answer(Answer),
    /// The first of several responses, without its headers.
    First(Answer),
    Claims(Jwt),
    HeaderAndClaims(Jwt),
    LifeAndClaims(Jwt),
}

impl Scene {
    /// Returns the outcome; `None` for a case without a request here.
    pub fn outcome(&mut self, case: &str) -> Option<Outcome> {
        if let Some(assertion) = self.bent(case) {
            return Some(Outcome::Answer(self.exchange(&assertion)));
        }
        if let Some(jwt) = self.token_of(case) {
            return Some(jwt);
        }
        if let Some(answer) = self.api(case) {
            return Some(Outcome::Answer(answer));
        }
        let answer = match case.split_once(':').map_or("", |(kind, _)| kind) {
            "good" | "scope" => self.scope(case),
            "assertion" | "grant" | "path" | "request" => self.request(case),
            "introspect" => self.introspected(case),
            "userinfo" | "revoke" => self.with_token(case),
            "key" | "user deactivated" | "user reactivated" => self.ended(case),
            _ => self.elsewhere(case),
        }?;
        Some(match case {
            "key: delay until a new key works" => Outcome::First(answer),
            _ => Outcome::Answer(answer),
        })
    }

    /// Returns the claims of a token.
    fn token_of(&mut self, case: &str) -> Option<Outcome> {
        let user = self.jwt.clone();
        let project = format!("urn:zitadel:iam:org:project:id:{PROJECT}:aud");
        let jwt = |token: &str| Jwt::parse(token).unwrap();
        Some(match case {
            "claims: JWT access token, openid" => {
                Outcome::HeaderAndClaims(jwt(&self.mint(&user, "openid")))
            }
            "claims: id_token" => {
                let answer = self.scoped(&user, "openid").json();
                Outcome::LifeAndClaims(jwt(answer["id_token"].as_str().unwrap()))
            }
            "claims: JWT access token, project aud only" => {
                Outcome::Claims(jwt(&self.mint(&user, &project)))
            }
            "claims: JWT access token, all useful scopes" => Outcome::Claims(jwt(&self.useful())),
            _ => return None,
        })
    }

    fn scope(&mut self, case: &str) -> Option<Answer> {
        let (jwt, opaque) = (self.jwt.clone(), self.opaque.clone());
        let project = format!("urn:zitadel:iam:org:project:id:{PROJECT}:aud");
        let useful = USEFUL_SCOPES.replace("PROJECT", PROJECT);
        let (user, scope) = match case {
            "good: JWT user, openid" => (jwt, "openid"),
            "good: opaque user, openid" => (opaque, "openid"),
            "good: without openid, project aud only" => (jwt, project.as_str()),
            "good: all useful scopes" => (jwt, useful.as_str()),
            "scope: none given" => {
                let assertion = self.assertion(&jwt);
                return Some(self.post(&[("grant_type", GRANT), ("assertion", &assertion)]));
            }
            "scope: empty" => (jwt, ""),
            "scope: unknown word" => (jwt, "unknown"),
            "scope: openid and unknown word" => (jwt, "openid unknown"),
            "scope: aud of an unknown project" => {
                (jwt, "openid urn:zitadel:iam:org:project:id:1:aud")
            }
            "scope: an organisation that does not exist" => {
                (jwt, "openid urn:zitadel:iam:org:id:1")
            }
            "scope: a domain that does not exist" => {
                (jwt, "openid urn:zitadel:iam:org:domain:primary:no.example")
            }
            "scope: a role that does not exist" => {
                (jwt, "openid urn:zitadel:iam:org:project:role:none")
            }
            "scope: zitadel's own APIs" => {
                (opaque, "openid urn:zitadel:iam:org:project:id:zitadel:aud")
            }
            _ => return None,
        };
        Some(self.scoped(&user, scope))
    }

    fn request(&mut self, case: &str) -> Option<Answer> {
        let assertion = self.assertion(&self.jwt);
        self.issuer.set_token_kind(TokenKind::Jwt);
        let grant = ("grant_type", GRANT);
        let scope = ("scope", "openid");
        let signed = ("assertion", assertion.as_str());
        let form = [grant, signed, scope];
        let long = format!("openid {}", "x".repeat(2 * 1024 * 1024));
        let json_body = json!({ "grant_type": GRANT, "assertion": assertion, "scope": "openid" });
        Some(match case {
            "assertion: empty" => self.post(&[grant, ("assertion", ""), scope]),
            "assertion: absent" => self.post(&[grant, scope]),
            "grant: unknown" => self.post(&[("grant_type", "urn:example:nothing"), signed, scope]),
            "grant: absent" => self.post(&[signed, scope]),
            "grant: client_credentials with an assertion" => {
                self.post(&[("grant_type", "client_credentials"), signed, scope])
            }
            "path: wrong" => self.post_with(&form, "/oauth/token", &[]),
            "path: trailing slash" => self.post_with(&form, "/oauth/v2/token/", &[]),
            "request: field twice" => self.post(&[grant, signed, ("assertion", "garbage"), scope]),
            "request: JSON body" => {
                let body = json_body.to_string();
                let headers = [("Content-Type", "application/json"), ("body", &*body)];
                self.ask("POST", Endpoint::TOKEN_PATH, &headers)
            }
            "request: GET with a query" => {
                let path = format!("{}?{}", Endpoint::TOKEN_PATH, query(&form));
                self.ask("GET", &path, &[])
            }
            "request: query on POST" => {
                let path = format!("{}?{}", Endpoint::TOKEN_PATH, query(&form));
                self.ask("POST", &path, &[])
            }
            "request: 2 MB of scope" => self.post(&[grant, signed, ("scope", &long)]),
            "request: a foreign Authorization beside it is ignored?" => {
                let foreign = [("Authorization", "Bearer foreign")];
                self.post_with(&form, Endpoint::TOKEN_PATH, &foreign)
            }
            _ => return None,
        })
    }

    fn with_token(&mut self, case: &str) -> Option<Answer> {
        let (jwt, opaque) = (self.jwt.clone(), self.opaque.clone());
        Some(match case {
            "userinfo: JWT token" => {
                let token = self.useful();
                self.bearer(&token)
            }
            "userinfo: JWT token by POST" => {
                let token = self.useful();
                self.userinfo("POST", &format!("Bearer {token}"))
            }
            "userinfo: opaque token" => {
                let token = self.mint(&opaque, "openid");
                self.bearer(&token)
            }
            "userinfo: JWT without openid" => {
                let project = format!("urn:zitadel:iam:org:project:id:{PROJECT}:aud");
                let token = self.mint(&jwt, &project);
                self.bearer(&token)
            }
            "userinfo: no token" => self.ask("GET", Endpoint::USERINFO_PATH, &[]),
            "userinfo: garbage" => self.bearer("garbage"),
            "userinfo: Basic" => self.userinfo("GET", "Basic Y2k6Y2k="),
            "userinfo: the assertion itself" => {
                let assertion = self.assertion(&jwt);
                self.bearer(&assertion)
            }
            "revoke: without a client" => {
                self.token = self.mint(&opaque, "openid");
                let token = self.token.clone();
                self.post_with(&[("token", &token)], Endpoint::REVOCATION_PATH, &[])
            }
            "revoke: userinfo afterwards" => self.bearer(&self.token.clone()),
            _ => return None,
        })
    }

    /// Expired keys, deactivated users, and their tokens.
    fn ended(&mut self, case: &str) -> Option<Answer> {
        let (rotator, leaver) = (self.rotator.clone(), self.leaver.clone());
        Some(match case {
            "key: delay until a new key works" => self.scoped(&rotator, "openid"),
            "key: after its expirationDate" => {
                self.token = self.mint(&rotator, "openid");
                self.issuer.expire_key(&rotator.key_id);
                self.scoped(&rotator, "openid")
            }
            "key: after removal" => {
                self.issuer.register(&rotator);
                self.token = self.mint(&rotator, "openid");
                self.issuer.remove_key(&rotator.key_id);
                self.scoped(&rotator, "openid")
            }
            "key: a token of a key that has expired since"
            | "key: a token of a key removed since" => self.bearer(&self.token.clone()),
            "user deactivated: userinfo with a living token" => {
                self.token = self.mint(&leaver, "openid");
                self.issuer.deactivate(&leaver.user_id);
                self.bearer(&self.token.clone())
            }
            "user deactivated: mint" => self.scoped(&leaver, "openid"),
            "user reactivated: the same token" => {
                self.issuer.reactivate(&leaver.user_id);
                self.bearer(&self.token.clone())
            }
            _ => return None,
        })
    }

    fn elsewhere(&mut self, case: &str) -> Option<Answer> {
        let port = self.issuer.port();
        let host = match case {
            "(mint without openid)" => {
                let project = format!("urn:zitadel:iam:org:project:id:{PROJECT}:aud");
                return Some(self.scoped(&self.jwt.clone(), &project));
            }
            "(opaque token with the project's aud)" => {
                let scope = format!("openid urn:zitadel:iam:org:project:id:{PROJECT}:aud");
                return Some(self.scoped(&self.opaque.clone(), &scope));
            }
            "(opaque token without it)" => {
                return Some(self.scoped(&self.opaque.clone(), "openid"));
            }
            "second domain: its own aud" | "second domain: first domain's aud" => {
                format!("second.example:{port}")
            }
            "unknown domain of this server" => format!("localhost:{port}"),
            _ => return None,
        };
        let mut claims = self.claims(&self.jwt);
        if case == "second domain: its own aud" {
            claims["aud"] = format!("https://{host}").into();
        }
        let assertion = sign(&self.jwt.private, &header(&self.jwt), &claims);
        self.issuer.set_token_kind(TokenKind::Jwt);
        let form = [
            ("grant_type", GRANT),
            ("assertion", &*assertion),
            ("scope", "openid"),
        ];
        Some(self.post_with(&form, Endpoint::TOKEN_PATH, &[("Host", &*host)]))
    }
}
