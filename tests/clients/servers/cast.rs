//! An issuer over TLS, the service users of a server's tests, and their tokens.

use std::ops::Deref;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64URL};

use crate::support::exchange::{GRANT, assertion};
use crate::support::issuer::{
    Application, DOMAIN as ORGANISATION_DOMAIN, ORGANIZATION_ID, OTHER_ORGANIZATION_ID,
};
use crate::support::{Ca, Client, Endpoint, Home, Issuer, ServiceUser, TokenKind, World};

/// The server's project, in which only the roles granted by `ORGANISATION` count.
pub const PROJECT: &str = "317240000000000042";
pub const ORGANISATION: &str = ORGANIZATION_ID;
pub const DOMAIN: &str = ORGANISATION_DOMAIN;
pub const OTHER_PROJECT: &str = "317240000000000043";
const ROLES_SCOPE: &str = "urn:zitadel:iam:org:projects:roles";

/// A service user, with a profile in the world's config file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Deployer,
    Viewer,
    /// A user without any role.
    Nobody,
    /// A deployer of another project, whose tokens name the server's project too.
    OtherProject,
    /// A deployer of the project, with a role granted by another organisation.
    OtherOrganisation,
}

impl Who {
    pub const ALL: [Self; 5] = [
        Self::Deployer,
        Self::Viewer,
        Self::Nobody,
        Self::OtherProject,
        Self::OtherOrganisation,
    ];

    pub fn profile(self) -> &'static str {
        match self {
            Self::Deployer => "test",
            Self::Viewer => "viewer",
            Self::Nobody => "nobody",
            Self::OtherProject => "other-project",
            Self::OtherOrganisation => "other-organisation",
        }
    }
}

/// An issuer over TLS, and a home with a profile for each of its users.
pub struct Scene {
    pub ca: Arc<Ca>,
    pub world: World,
}

impl Scene {
    /// Creates a scene without profiles; these lines begin the config file.
    pub fn new(config: &str) -> Self {
        let ca = Ca::new();
        let world = World::with(Issuer::start_tls(&ca));
        world.home.write("issuer.pem", ca.pem());
        world.home.write_config(config);
        let ca = Arc::new(ca);
        Self { ca, world }
    }

    pub fn issuer(&self) -> &Issuer {
        &self.world.issuer
    }

    /// Adds a user with a profile of this name and these settings.
    pub fn add_user(&self, profile: &str, settings: &str) -> ServiceUser {
        let World { issuer, home, .. } = &self.world;
        let user = issuer.new_user();
        home.write(format!("{profile}.json"), user.key_json());
        home.append_config(&format!(
            "[profiles.{profile}]\n\
             issuer = \"{}\"\n\
             key-file = \"~/{profile}.json\"\n\
             ca-file = \"~/issuer.pem\"\n\
             {settings}\n",
            issuer.url()
        ));
        user
    }
}

/// Returns the settings of a profile that requests a project and the roles in it.
pub fn of_project(project: &str) -> String {
    format!("projects = [\"{project}\"]\nroles = true")
}

/// The scene of a server behind a gate, with each kind of user.
pub struct Cast {
    scene: Scene,
    /// The server's application, which may introspect.
    pub application: Application,
    users: Vec<ServiceUser>,
}

impl Deref for Cast {
    type Target = Scene;

    fn deref(&self) -> &Scene {
        &self.scene
    }
}

impl Cast {
    /// Creates the cast. Its profiles have the project, and `roles = true`.
    pub fn new() -> Self {
        let scene = Scene::new("default-profile = \"test\"\n");
        scene.world.home.write("ca.pem", scene.ca.pem());
        let issuer = scene.issuer().clone();
        let mut users = Vec::new();
        for who in Who::ALL {
            let user = scene.add_user(who.profile(), &of_project(PROJECT));
            let id = &user.user_id;
            match who {
                Who::Deployer => issuer.add_role(id, PROJECT, "deployer"),
                Who::Viewer => issuer.add_role(id, PROJECT, "viewer"),
                Who::Nobody => {}
                Who::OtherProject => issuer.add_role(id, OTHER_PROJECT, "deployer"),
                Who::OtherOrganisation => {
                    issuer.add_role_of(OTHER_ORGANIZATION_ID, id, PROJECT, "deployer");
                }
            }
            users.push(user);
        }
        Self {
            application: issuer.new_application(PROJECT),
            scene,
            users,
        }
    }

    /// Returns a separate home for one of the cast, with one profile.
    pub fn home_of(&self, who: Who) -> World {
        let (home, user) = (Home::new(), self.user(who).clone());
        let key_file = home.write("key.json", user.key_json());
        home.write("issuer-ca.pem", self.ca.pem());
        let issuer = self.issuer().clone();
        home.write_config(&format!(
            "[profiles.test]\n\
             issuer = \"{}\"\n\
             key-file = \"~/key.json\"\n\
             ca-file = \"~/issuer-ca.pem\"\n\
             projects = [\"{PROJECT}\"]\n\
             roles = true\n",
            issuer.url()
        ));
        World {
            home,
            issuer,
            user,
            key_file,
        }
    }

    /// Returns the issuer's `HOST:PORT`.
    pub fn issuer_host(&self) -> String {
        format!("localhost:{}", self.issuer().port())
    }

    pub fn user(&self, who: Who) -> &ServiceUser {
        &self.users[who as usize]
    }

    /// Returns a token for the projects, with the scope for the roles.
    pub fn token(&self, who: Who, kind: TokenKind) -> String {
        let projects = match who {
            Who::OtherProject => vec![PROJECT, OTHER_PROJECT],
            _ => vec![PROJECT],
        };
        self.token_for(who, kind, &projects, true)
    }

    /// Returns a token as [`Cast::token`], without the scope for the roles.
    pub fn token_without_roles(&self, who: Who, kind: TokenKind) -> String {
        self.token_for(who, kind, &[PROJECT], false)
    }

    /// Returns a token that does not name the server's project.
    pub fn token_of_another_project(&self, kind: TokenKind) -> String {
        self.token_for(Who::OtherProject, kind, &[OTHER_PROJECT], true)
    }

    pub fn token_of_both_projects(&self, who: Who, kind: TokenKind) -> String {
        self.token_for(who, kind, &[PROJECT, OTHER_PROJECT], true)
    }

    pub fn token_of(&self, who: Who, kind: TokenKind, projects: &[&str]) -> String {
        self.token_for(who, kind, projects, true)
    }

    fn token_for(&self, who: Who, kind: TokenKind, projects: &[&str], roles: bool) -> String {
        let issuer = self.issuer();
        issuer.set_token_kind(kind);
        let projects = projects
            .iter()
            .map(|project| format!("urn:zitadel:iam:org:project:id:{project}:aud"));
        let mut scopes: Vec<_> = projects.collect();
        scopes.push("openid".to_owned());
        if roles {
            scopes.push(ROLES_SCOPE.to_owned());
        }
        let assertion = assertion(self.user(who), issuer);
        let form = [
            ("grant_type", GRANT),
            ("scope", &scopes.join(" ")),
            ("assertion", &assertion),
        ];
        let mut client = Client::https(issuer.port(), &self.ca.client_config());
        let answer = client.post(Endpoint::TOKEN_PATH, &form).unwrap();
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Returns texts that must be in no log: a part of each token or secret, plain and in
    /// base64.
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = self.issuer().issued_tokens();
        secrets.push(self.application.secret.clone());
        let mut parts = Vec::new();
        for secret in secrets {
            // A single claim of a JWT is not a secret.
            let end = secret[secret.len() - 40..].to_owned();
            parts.extend(in_base64(&end));
            parts.push(end);
        }
        parts
    }
}

/// Returns a text in base64 at each possible offset, without characters that depend on
/// other text.
fn in_base64(text: &str) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let encoded = BASE64_STANDARD.encode(format!("{}{text}", &"::"[..before]));
        let (start, end) = ([0, 2, 3][before], encoded.len() - 4);
        encoded[start..end].to_owned()
    })
}

/// Returns the base64 of a user name and a password.
pub fn basic(username: &str, password: &str) -> String {
    BASE64_STANDARD.encode(format!("{username}:{password}"))
}

/// Returns a JWT with the same signature and another subject.
pub fn with_another_subject(jwt: &str, subject: &str) -> String {
    let mut parts: Vec<_> = jwt.split('.').map(str::to_owned).collect();
    let claims = BASE64URL.decode(&parts[1]).unwrap();
    let mut claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    claims["sub"] = subject.into();
    parts[1] = BASE64URL.encode(claims.to_string());
    parts.join(".")
}

/// Returns a JWT with the same claims that is marked as unsigned.
pub fn unsigned(jwt: &str) -> String {
    let claims = jwt.split('.').nth(1).unwrap();
    let header = BASE64URL.encode(r#"{"alg":"none","typ":"JWT"}"#);
    format!("{header}.{claims}.")
}
