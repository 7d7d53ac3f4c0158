//! The real clients: kubectl, Python's kubernetes, the crate kube, git, skopeo,
//! docker, Bazel, cargo, Go, Terraform, pip, uv, pnpm, google-auth, botocore, openssl,
//! Prometheus, `node_exporter` and the OpenTelemetry Collector,
//! against servers that let in only who shows a token that the issuer takes; the binary
//! under a clock that is off, by faketime; and the real servers of `docs/servers.md`.
//!
//! A client that is not installed is skipped, and but for Bazel is a failure where
//! `CI=true`.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

#[path = "../support/mod.rs"]
mod support;

mod agent;
mod askpass;
mod aws;
mod bazel;
mod cargo;
mod clock;
mod docker;
mod gateway;
mod gcp;
mod git;
mod go;
mod keyring;
mod kubernetes;
mod openssl;
mod otelcol;
mod pnpm;
mod prometheus;
mod registry;
mod servers;
mod setup;
mod signers;
mod store;
mod terraform;

use support::program;
