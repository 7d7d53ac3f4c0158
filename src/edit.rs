//! Changing other programs' files: plan, backup, journal, TOML.
//!
//! | file | what it does |
//! |---|---|
//! | `setup` | the trait of each tool's setup |
//! | `hosts`, `rules`, `links`, `whole` | shared by the setups: host rules, links, our own files, warnings |
//! | `plan` | the changes of one setup: shown, or applied all or none |
//! | `apply` | applies changes in order, and reverts them if one fails |
//! | `backup` | each file as it was before the first setup |
//! | `file`, `link` | the current and the new state of one file or link |
//! | `moved` | a key file that moves when a plan is applied |
//! | `tool`, `file_lock` | git and kubectl, which write their own files under their own locks |
//! | `trial` | the tool's call, tested after the files are written |
//! | `journal`, `check`, `entry` | `setup.json`: every edit and its place |
//! | `toml` | editing in place |
//! | `diff` | the diff of `--dry-run` |
//! | `lock`, `directory` | one setup at a time; new directories |
//! | `verbs` | the verbs in the messages of an undo |

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
pub(crate) mod link;
pub(crate) mod links;
pub(crate) mod lock;
pub(crate) mod moved;
pub(crate) mod plan;
pub(crate) mod rules;
pub(crate) mod setup;
pub(crate) mod toml;
pub(crate) mod tool;
pub(crate) mod trial;
pub(crate) mod verbs;
pub(crate) mod whole;
