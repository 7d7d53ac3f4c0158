//! The servers of `docs/servers.md`: the files of `examples/servers` in the real programs,
//! which let in by role whoever has a token of an issuer that behaves as ZITADEL does.

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
