//! The assertions of the recorded cases.

use rsa::sha2::{Sha384, Sha512};
use serde_json::{Value, json};

use super::scene::{Scene, header};
use crate::support::jwt::{compact, sign, sign_pss};
use crate::support::{Endpoint, ServiceUser};

impl Scene {
    /// Returns an assertion that differs from a valid one as the case says.
    pub fn bent(&self, case: &str) -> Option<String> {
        self.issuer.stop_clock(self.second * 1000);
        self.signed(case)
            .or_else(|| self.named_otherwise(case))
            .or_else(|| self.timed(case))
            .or_else(|| self.of_another(case))
    }

    fn with(&self, changes: &[(&str, Value)]) -> String {
        let mut claims = self.claims(&self.jwt);
        for (claim, value) in changes {
            claims[*claim] = value.clone();
        }
        sign(&self.jwt.private, &header(&self.jwt), &claims)
    }

    fn without(&self, claim: &str) -> String {
        let mut claims = self.claims(&self.jwt);
        claims.as_object_mut().unwrap().remove(claim);
        sign(&self.jwt.private, &header(&self.jwt), &claims)
    }

    fn header_with(&self, changes: &[(&str, Value)]) -> Value {
        let mut header = header(&self.jwt);
        for (field, value) in changes {
            header[*field] = value.clone();
        }
        header
    }

    /// Changes the header or signature.
    fn signed(&self, case: &str) -> Option<String> {
        let user = &self.jwt;
        let claims = self.claims(user);
        Some(match case {
            "alg: RS384" => compact(
                &self.header_with(&[("alg", "RS384".into())]),
                &claims,
                |signed| user.private.pkcs1v15_sign::<Sha384>(signed).unwrap(),
            ),
            "alg: RS512" => compact(
                &self.header_with(&[("alg", "RS512".into())]),
                &claims,
                |signed| user.private.pkcs1v15_sign::<Sha512>(signed).unwrap(),
            ),
            "alg: PS256" => sign_pss(
                &user.private,
                &self.header_with(&[("alg", "PS256".into())]),
                &claims,
            ),
            "alg: ES256 with a foreign key" => compact(
                &self.header_with(&[("alg", "ES256".into())]),
                &claims,
                |_| vec![7; 64],
            ),
            "alg: none" => compact(
                &self.header_with(&[("alg", "none".into())]),
                &claims,
                |_| Vec::new(),
            ),
            "kid: missing" => sign(
                &user.private,
                &json!({ "alg": "RS256", "typ": "JWT" }),
                &claims,
            ),
            "kid: unknown" => sign(
                &user.private,
                &self.header_with(&[("kid", "310000000000000000".into())]),
                &claims,
            ),
            "kid: another user's" => {
                let theirs = self.opaque.key_id.as_str();
                sign(
                    &user.private,
                    &self.header_with(&[("kid", theirs.into())]),
                    &claims,
                )
            }
            "typ: missing" => {
                let header = json!({ "alg": "RS256", "kid": user.key_id });
                sign(&user.private, &header, &claims)
            }
            "typ: other" => sign(
                &user.private,
                &self.header_with(&[("typ", "other".into())]),
                &claims,
            ),
            "signature: broken" => {
                let good = self.assertion(user);
                let (signed, _) = good.rsplit_once('.').unwrap();
                format!("{signed}.{}", "A".repeat(342))
            }
            _ => return None,
        })
    }

    /// Changes `iss`, `sub` or `aud`.
    fn named_otherwise(&self, case: &str) -> Option<String> {
        let user = &self.jwt;
        let aud = |aud: Value| self.with(&[("aud", aud)]);
        let [name, host, port] = [self.name(), self.host(), self.issuer.port().to_string()];
        Some(match case {
            "iss: unknown user" => self.assertion(&user.clone().with_user_id("310000000000000000")),
            "iss and sub: the user name" => self.assertion(&user.clone().with_user_id("jwt")),
            "iss: differs from sub" => self.with(&[("iss", self.opaque.user_id.clone().into())]),
            "sub: missing" => self.without("sub"),
            "iss: missing" => self.without("iss"),
            "aud: array of one" => aud(json!([name])),
            "aud: array with others" => aud(json!(["https://other.example", name])),
            "aud: trailing slash" => aud(format!("{name}/").into()),
            "aud: other host" => aud(format!("https://other.example:{port}").into()),
            "aud: token endpoint" => aud(format!("{name}{}", Endpoint::TOKEN_PATH).into()),
            "aud: no port" => aud("https://acme.example".into()),
            "aud: http" => aud(format!("http://{host}").into()),
            "aud: upper case" => aud(format!("https://ACME.example:{port}").into()),
            "aud: second domain" => aud(format!("https://second.example:{port}").into()),
            "aud: empty" => aud("".into()),
            "aud: missing" => self.without("aud"),
            _ => return None,
        })
    }

    /// Changes a time.
    fn timed(&self, case: &str) -> Option<String> {
        let now = self.second;
        let iat = |iat: i64| self.with(&[("iat", iat.into())]);
        let exp = |exp: i64| self.with(&[("exp", exp.into())]);
        Some(match case {
            "time: iat 59 min old" => iat(now - 59 * 60),
            "time: iat 61 min old" => iat(now - 61 * 60),
            "time: iat 2 h old" => iat(now - 7200),
            "time: exp 1 day ahead" => exp(now + 86_400),
            "time: exp 10 years ahead" => exp(now + 3652 * 86_400),
            "time: exp passed 1 min" => exp(now - 60),
            "time: exp passed, iat 10 min old" => {
                self.with(&[("exp", (now - 60).into()), ("iat", (now - 600).into())])
            }
            "time: nbf 10 min ahead" => self.with(&[("nbf", (now + 600).into())]),
            "time: iat a text" => self.with(&[("iat", now.to_string().into())]),
            "time: exp a text" => self.with(&[("exp", (now + 3600).to_string().into())]),
            "time: iat a fraction" => self.with(&[("iat", half_after(now - 11))]),
            "time: iat 0.5 s ahead, sent at the full second" => {
                self.with(&[("iat", half_after(now))])
            }
            "time: iat 1 s ahead, sent at the full second" => iat(now + 1),
            "time: iat 2 s ahead, sent at the full second" => iat(now + 2),
            "time: iat 3 s ahead, sent at the full second" => iat(now + 3),
            "time: iat 5 s ahead, sent at the full second" => iat(now + 5),
            "time: iat 60 s ahead, sent at the full second" => iat(now + 60),
            "time: iat 2 s ahead, sent at .9 of a second" => {
                self.issuer.stop_clock(now * 1000 + 900);
                iat(now + 2)
            }
            "time: exp 0 s ahead" => exp(now),
            "time: exp 1 s ahead" => exp(now + 1),
            "time: exp 2 s ahead" => exp(now + 2),
            "time: exp 3 s ahead" => exp(now + 3),
            "time: iat missing" => self.without("iat"),
            "time: exp missing" => self.without("exp"),
            _ => return None,
        })
    }

    /// Returns the assertion of a user without permission, a used one, or none.
    fn of_another(&self, case: &str) -> Option<String> {
        Some(match case {
            "reuse: first" | "reuse: second" => self.reused.clone(),
            "assertion: garbage" => "garbage".to_owned(),
            "assertion: three dots of garbage" => "a.b.c.d".to_owned(),
            "user: inactive" | "user: locked" => {
                let user = self.issuer.new_user();
                self.issuer.deactivate(&user.user_id);
                self.assertion(&user)
            }
            "user: keyless" => {
                let user = self.issuer.new_user();
                self.issuer.remove_key(&user.key_id);
                self.assertion(&user)
            }
            "user: gone" => {
                let user = self.issuer.new_user();
                self.issuer.remove_user(&user.user_id);
                self.assertion(&user)
            }
            // Its `iss` is the client ID.
            "application key on this grant" => self.assertion(&ServiceUser::new()),
            _ => return None,
        })
    }
}

/// Returns a time with a fraction, which is exact.
fn half_after(second: i64) -> Value {
    serde_json::from_str(&format!("{second}.5")).unwrap()
}
