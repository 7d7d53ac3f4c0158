//! The tools, each in a room of its own: its protocol at the process's edge, who
//! must get nothing, its errors, its setup, and what doctor finds.

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
