//! The real clients: kubectl, Python's kubernetes, the crate kube, git, skopeo, docker,
//! Bazel, cargo, Go, Terraform, pip, uv, pnpm, google-auth, botocore, openssl,
//! Prometheus, `node_exporter` and the OpenTelemetry Collector, at servers that accept
//! only requests with a token that the issuer accepts; the binary with a wrong clock, by
//! faketime; and the real servers of `docs/servers.md`.
//!
//! A missing client is skipped, and is a failure with `CI=true`, except for Bazel.
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
