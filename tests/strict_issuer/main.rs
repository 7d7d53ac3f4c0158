//! Compares the tests' own issuer with ZITADEL.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects"
)]

#[path = "../support/mod.rs"]
mod support;

mod assertion;
mod faults;
mod http;
mod issuer;
mod recorded;
