//! The tools, each in a separate module: its protocol at the process's edge, the refused
//! requests, its errors, its setup, and doctor's findings.

mod alike;
mod askpass;
mod bazel;
mod cargo;
mod docker;
mod gcp;
mod git;
mod go;
mod keyring;
mod kubectl;
mod kubelet;
mod pnpm;
mod terraform;
