//! `examples/servers/kubernetes` at the real kube-apiserver, with the real kubectl.

mod apiserver;
mod flags;
mod roles;
mod secrets;
mod webhook;

use std::path::Path;

use super::cast::{Scene, of_project};
use crate::support::{Home, ORGANIZATION_ID, TokenKind};

/// The project in the examples, whose roles decide.
const PROJECT: &str = "317240000000000001";

/// Another value that users replace in the examples.
const ORGANISATION: &str = "311000000000000001";
const ISSUER: &str = "https://acme.zitadel.cloud";

/// Another project.
const OTHER_PROJECT: &str = "317240000000000009";

/// Creates a scene without users, whose issuer issues this kind of token.
fn scene(kind: TokenKind) -> Scene {
    let scene = Scene::new("");
    scene.issuer().set_token_kind(kind);
    scene
}

impl Scene {
    /// Adds a user with a profile of this name and these settings. Returns the user ID.
    fn user(&self, profile: &str, settings: &str) -> String {
        self.add_user(profile, settings).user_id
    }

    /// Adds a user with this role of the project, granted by this organisation.
    fn user_with_role(&self, profile: &str, role: &str, organisation: &str) -> String {
        let id = self.user(profile, &of_project(PROJECT));
        let issuer = &self.world.issuer;
        issuer.add_role_of(organisation, &id, PROJECT, role);
        id
    }

    /// Returns the token of a profile.
    fn token(&self, profile: &str) -> String {
        let run = self.world.zitadel(["token", "--profile", profile]).run();
        assert!(run.status.success(), "{run:?}");
        String::from_utf8(run.stdout).unwrap().trim().to_owned()
    }

    /// Returns a text of the examples with the user's values.
    fn filled(&self, example: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/servers/kubernetes");
        let text = std::fs::read_to_string(path.join(example)).unwrap();
        let pem = self.ca.pem().replace('\n', "\n      ");
        let text = text.replace(ORGANISATION, ORGANIZATION_ID);
        text.replace(ISSUER, &self.world.issuer.url()).replace(
            "    # certificateAuthority: |\n",
            &format!("    certificateAuthority: |\n      {}\n", pem.trim_end()),
        )
    }

    const fn home(&self) -> &Home {
        &self.world.home
    }
}

/// Returns the part of a token that no log may contain: the signature of a JWT, else its
/// last half.
fn secret_part(token: &str) -> &str {
    let half = &token[token.len() / 2..];
    token
        .rsplit('.')
        .next()
        .filter(|part| part.len() > 20)
        .unwrap_or(half)
}
