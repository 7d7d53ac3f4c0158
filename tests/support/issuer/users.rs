//! Who is known, and by which keys.

use std::collections::{HashMap, HashSet};

use rsa::PublicKey;

use crate::support::keys::ServiceUser;

#[derive(Default)]
pub(super) struct Users {
    keys: HashMap<String, Key>,
    deactivated: HashSet<String>,
}

struct Key {
    user_id: String,
    public: PublicKey,
    expired: bool,
}

impl Users {
    pub(super) fn register(&mut self, user: &ServiceUser) {
        let key = Key {
            user_id: user.user_id.clone(),
            public: user.public(),
            expired: false,
        };
        self.keys.insert(user.key_id.clone(), key);
    }

    pub(super) fn remove_key(&mut self, key_id: &str) {
        self.keys.remove(key_id).expect("a registered key");
    }

    pub(super) fn expire_key(&mut self, key_id: &str) {
        let key = self.keys.get_mut(key_id).expect("a registered key");
        key.expired = true;
    }

    pub(super) fn deactivate(&mut self, user_id: &str) {
        self.deactivated.insert(user_id.to_owned());
    }

    pub(super) fn is_deactivated(&self, user_id: &str) -> bool {
        self.deactivated.contains(user_id)
    }

    /// By key and user together: another user's key, an expired and a deleted
    /// one look alike.
    pub(super) fn public_key(&self, key_id: &str, user_id: &str) -> Option<&PublicKey> {
        let key = self.keys.get(key_id)?;
        (key.user_id == user_id && !key.expired).then_some(&key.public)
    }
}
