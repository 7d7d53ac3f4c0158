//! Changing other programs' files: plan, backup, journal, TOML, JSON.
//!
//! | file | what it does |
//! |---|---|
//! | `setup` | what each tool's setup implements |
//! | `hosts`, `rules`, `links`, `whole` | what the setups share: host rules, links, files of our own, warnings |
//! | `plan` | the changes of one setup: shown, or applied all or none |
//! | `apply` | applies changes in order, and reverts them if one fails |
//! | `backup` | each file as it was before the first setup |
//! | `file`, `link` | one file or link, as it is and as it is to be |
//! | `tool`, `file_lock` | git and kubectl, which write their own files under their own locks |
//! | `trial` | the call that the tool makes, once the files are written |
//! | `journal`, `check`, `entry` | `setup.json`: what was put where |
//! | `toml`, `json` | editing in place |
//! | `diff` | what `--dry-run` shows |
//! | `lock`, `directory` | one setup at a time; new directories |

pub(crate) mod apply;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod directory;
pub(crate) mod entry;
pub(crate) mod file;
mod file_lock;
pub(crate) mod hosts;
pub(crate) mod journal;
pub(crate) mod json;
pub(crate) mod link;
pub(crate) mod links;
pub(crate) mod lock;
pub(crate) mod plan;
pub(crate) mod rules;
pub(crate) mod setup;
pub(crate) mod toml;
pub(crate) mod tool;
pub(crate) mod trial;
pub(crate) mod verbs;
pub(crate) mod whole;
