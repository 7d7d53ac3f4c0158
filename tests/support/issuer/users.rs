//! The known users and their keys.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rsa::PublicKey;

use crate::support::keys::ServiceUser;

#[derive(Default)]
pub(super) struct Users {
    keys: HashMap<String, Key>,
    /// All users, including those without a key.
    known: HashSet<String>,
    inactive: HashSet<String>,
    names: HashMap<String, String>,
    /// Roles by user and project.
    roles: HashMap<String, BTreeMap<String, Roles>>,
}

/// The roles of a user in a project, and the organisations that granted each.
pub(super) type Roles = BTreeMap<String, BTreeSet<String>>;

pub(super) struct Key {
    pub(super) user_id: String,
    /// `None` for a key that is not RSA, which never works.
    pub(super) public: Option<PublicKey>,
    pub(super) is_expired: bool,
    /// The issuer's Unix time in milliseconds.
    pub(super) created_at: i64,
    /// The time from which the key works, in the same unit.
    pub(super) works_from: i64,
    /// The issuer's Unix time in microseconds.
    pub(super) expires_at: i64,
}

/// The end of 9999: the expiry of a key that never expires.
const NEVER: i64 = 253_402_300_799_000_000;

/// The claims of tokens and userinfo about a user.
pub(super) struct User {
    pub(super) id: String,
    /// The user name, which is the client ID, too.
    pub(super) username: String,
    pub(super) name: String,
    /// Roles by project.
    pub(super) roles: BTreeMap<String, Roles>,
}

impl Users {
    pub(super) fn register(&mut self, user: &ServiceUser) {
        self.register_key(&user.key_id, &user.user_id, user.public());
    }

    pub(super) fn register_key(&mut self, key_id: &str, user_id: &str, public: PublicKey) {
        let key = Key {
            user_id: user_id.to_owned(),
            public: Some(public),
            is_expired: false,
            created_at: 0,
            works_from: 0,
            expires_at: NEVER,
        };
        self.add_key(key_id.to_owned(), key);
    }

    pub(super) fn add_key(&mut self, key_id: String, key: Key) {
        self.known.insert(key.user_id.clone());
        self.keys.insert(key_id, key);
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (&String, &Key)> {
        self.keys.iter()
    }

    /// Returns the owner of a key.
    pub(super) fn owner(&self, key_id: &str) -> Option<&String> {
        self.keys.get(key_id).map(|key| &key.user_id)
    }

    pub(super) fn is_known(&self, user_id: &str) -> bool {
        self.known.contains(user_id)
    }

    pub(super) fn remove_key(&mut self, key_id: &str) {
        self.keys.remove(key_id).expect("a registered key");
    }

    pub(super) fn expire_key(&mut self, key_id: &str) {
        let key = self.keys.get_mut(key_id).expect("a registered key");
        key.is_expired = true;
    }

    pub(super) fn set_expiry(&mut self, key_id: &str, expires_at: i64) {
        let key = self.keys.get_mut(key_id).expect("a registered key");
        key.expires_at = expires_at * 1_000_000;
    }

    pub(super) fn remove(&mut self, user_id: &str) {
        self.keys.retain(|_, key| key.user_id != user_id);
        self.known.remove(user_id);
    }

    pub(super) fn set_active(&mut self, user_id: &str, is_active: bool) {
        if is_active {
            self.inactive.remove(user_id);
        } else {
            self.inactive.insert(user_id.to_owned());
        }
    }

    pub(super) fn is_inactive(&self, user_id: &str) -> bool {
        self.inactive.contains(user_id)
    }

    pub(super) fn set_name(&mut self, user_id: &str, name: &str) {
        self.names.insert(user_id.to_owned(), name.to_owned());
    }

    pub(super) fn add_role(
        &mut self,
        user_id: &str,
        project: &str,
        role: &str,
        organization: &str,
    ) {
        let roles = self.roles.entry(user_id.to_owned()).or_default();
        let of_project = roles.entry(project.to_owned()).or_default();
        let organizations = of_project.entry(role.to_owned()).or_default();
        organizations.insert(organization.to_owned());
    }

    pub(super) fn remove_roles(&mut self, user_id: &str) {
        self.roles.remove(user_id);
    }

    pub(super) fn about(&self, user_id: &str) -> User {
        let given = self.names.get(user_id);
        let or = |default: String| given.cloned().unwrap_or(default);
        User {
            id: user_id.to_owned(),
            username: or(format!("service-user-{user_id}")),
            name: or("A service user".to_owned()),
            roles: self.roles.get(user_id).cloned().unwrap_or_default(),
        }
    }

    /// Returns the ID of a user who has or had a key.
    pub(super) fn by_username(&self, name: &str) -> Option<String> {
        let mut ids = self.known.iter().map(String::as_str);
        let found = ids.find(|id| self.about(id).username == name);
        found.map(ToOwned::to_owned)
    }

    /// Returns a key by its ID and its user: another user's key, an expired, a deleted
    /// and a very new one look alike. `now` is the issuer's Unix time in milliseconds.
    pub(super) fn public_key(&self, key_id: &str, user_id: &str, now: i64) -> Option<&PublicKey> {
        let key = self.keys.get(key_id)?;
        let is_expired = key.is_expired || key.expires_at <= now * 1000;
        let works = key.user_id == user_id && !is_expired && key.works_from <= now;
        key.public.as_ref().filter(|_| works)
    }
}
