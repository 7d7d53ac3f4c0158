//! What a person reads at every failure: exact stderr, exit code and stdout.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]
#![allow(clippy::needless_raw_string_hashes, reason = "snapbox writes them")]

#[path = "../support/mod.rs"]
mod support;

mod agent;
mod config;
mod direct;
mod docker;
mod helper;
mod issuer;
mod key;
mod key_source;
mod options;
mod refusal;
mod setup;
mod setup_tools;
mod table;
mod tls;
mod token;
mod usage;
