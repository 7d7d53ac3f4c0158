//! The servers of `docs/servers.md`: the files of `examples/servers` in the real
//! programs, which accept requests by role, with tokens of an issuer that behaves like
//! ZITADEL.

pub mod cast;
pub mod files;
pub mod gate;
pub mod person;
pub mod table;

mod action;
mod apache;
mod around;
mod caddy;
mod haproxy;
mod kubernetes;
pub mod nginx;
pub mod registry;
