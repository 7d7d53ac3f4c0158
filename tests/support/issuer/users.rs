//! Who is known, and by which keys.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rsa::PublicKey;

use crate::support::keys::ServiceUser;

#[derive(Default)]
pub(super) struct Users {
    keys: HashMap<String, Key>,
    inactive: HashSet<String>,
    names: HashMap<String, String>,
    /// By user and project.
    roles: HashMap<String, BTreeMap<String, Roles>>,
}

/// The roles of a user in a project, and the organisations that gave each.
pub(super) type Roles = BTreeMap<String, BTreeSet<String>>;

struct Key {
    user_id: String,
    public: PublicKey,
    expired: bool,
}

/// What tokens and userinfo say of a user.
pub(super) struct User {
    pub(super) id: String,
    /// The user name, which is the client ID, too.
    pub(super) username: String,
    pub(super) name: String,
    /// By project.
    pub(super) roles: BTreeMap<String, Roles>,
}

impl Users {
    pub(super) fn register(&mut self, user: &ServiceUser) {
        self.register_key(&user.key_id, &user.user_id, user.public());
    }

    pub(super) fn register_key(&mut self, key_id: &str, user_id: &str, public: PublicKey) {
        let key = Key {
            user_id: user_id.to_owned(),
            public,
            expired: false,
        };
        self.keys.insert(key_id.to_owned(), key);
    }

    pub(super) fn remove_key(&mut self, key_id: &str) {
        self.keys.remove(key_id).expect("a registered key");
    }

    pub(super) fn expire_key(&mut self, key_id: &str) {
        let key = self.keys.get_mut(key_id).expect("a registered key");
        key.expired = true;
    }

    pub(super) fn remove(&mut self, user_id: &str) {
        self.keys.retain(|_, key| key.user_id != user_id);
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

    /// Of those that have or had a key.
    pub(super) fn by_username(&self, name: &str) -> Option<String> {
        let mut ids = self.keys.values().map(|key| key.user_id.as_str());
        let found = ids.find(|id| self.about(id).username == name);
        found.map(ToOwned::to_owned)
    }

    /// By key and user together: another user's key, an expired and a deleted
    /// one look alike.
    pub(super) fn public_key(&self, key_id: &str, user_id: &str) -> Option<&PublicKey> {
        let key = self.keys.get(key_id)?;
        (key.user_id == user_id && !key.expired).then_some(&key.public)
    }
}
