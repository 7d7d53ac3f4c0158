//! The program from the user's view: each command, each tool, each error, and the
//! documentation of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says what it expects"
)]
#![allow(clippy::needless_raw_string_hashes, reason = "snapbox writes them")]

#[path = "../support/mod.rs"]
mod support;

mod agent;
mod cache;
mod completions;
mod direct;
mod doctor;
mod errors;
mod issuer;
mod keys;
mod layers;
mod log_format;
mod look;
mod man;
mod manage;
mod negative;
mod network;
mod paths;
mod readme;
mod setup;
mod shared;
mod source;
mod terminal;
mod token_file;
mod tools;
