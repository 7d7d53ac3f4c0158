//! Keys, assertions and tokens are only in the expected places.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod core_dumps;
mod echoes;
mod failing;
mod good;
mod hunt;
mod memory;
mod misplaced;
mod needles;
