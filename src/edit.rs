//! Changing other programs' files: plan, backup, journal, TOML, JSON.

pub(crate) mod acl;
pub(crate) mod carry;
pub(crate) mod copy;
pub(crate) mod desk;
pub(crate) mod diff;
pub(crate) mod fresh;
pub(crate) mod guard;
pub(crate) mod hosts;
pub(crate) mod journal;
pub(crate) mod json;
pub(crate) mod link;
pub(crate) mod rules;
pub(crate) mod setup;
pub(crate) mod target;
pub(crate) mod toml;
pub(crate) mod tool;
