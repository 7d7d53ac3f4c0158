//! Keys, assertions and tokens: where they are, and that they are nowhere else.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

#[path = "../support/mod.rs"]
mod support;

mod core_dumps;
mod memory;
mod needles;
