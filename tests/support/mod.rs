//! The basis of the integration tests and `examples/quickstart.rs`: a strict issuer on
//! loopback, throwaway keys, and a separate home directory.
//!
//! Only `library` uses the crate under test: the issuer reads, verifies and answers with
//! its own code, so that both sides cannot share a mistake.
//!
//! Dependencies point one way: `snapshot → {world, exchange} → {entry, issuer,
//! home, client} → {http, jwt, keys, tls}`.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses a part of this"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test world that cannot be built is a failed test"
)]

pub mod client;
pub mod command;
pub mod entry;
pub mod exchange;
pub mod fleet;
pub mod hole;
pub mod home;
pub mod http;
pub mod issuer;
pub mod jwt;
pub mod keys;
pub mod library;
pub mod machine;
pub mod patience;
pub mod ports;
pub mod program;
pub mod proxy;
pub mod running;
pub mod screen;
pub mod signals;
pub mod snapshot;
pub mod store;
pub mod tls;
pub mod tools;
pub mod trace;
pub mod tree;
pub mod world;

pub use client::{Answer, Client};
pub use command::{Command, Run};
pub use home::{Home, binary};
pub use http::{Reply, Request, Response, Server};
pub use issuer::{
    Endpoint, Fault, Issuer, ORGANIZATION_ID, OTHER_ORGANIZATION_ID, Times, TokenKind, Trouble,
    UserinfoRefusal, Version,
};
pub use jwt::Jwt;
pub use keys::ServiceUser;
pub use running::{Running, side_by_side, until};
pub use snapshot::Case;
pub use tls::Ca;
pub use tree::tree;
pub use world::World;
