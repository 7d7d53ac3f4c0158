//! The input and the output of every command.

mod answer;
mod helper;
pub(crate) mod login;
pub(crate) mod request;
mod world;

pub(crate) use answer::{Answer, hand_over, report};
pub(crate) use helper::{Helper, Settings};
pub use world::World;
