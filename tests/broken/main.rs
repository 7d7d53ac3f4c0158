//! The program in a broken environment: disks, locks, issuers, terminals and variables
//! that fail, and processes that are killed.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

#[path = "../support/mod.rs"]
mod support;

mod broken_files;
mod children;
mod contention;
mod disks;
mod herds;
mod keys;
mod kills;
mod moods;
mod outages;
mod rotation;
mod seen;
mod store;
mod surroundings;
mod terminals;
