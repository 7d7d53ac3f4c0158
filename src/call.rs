//! What every command takes from outside, and what it gives back.

mod answer;
mod helper;
pub(crate) mod login;
pub(crate) mod question;
mod world;

pub(crate) use answer::{Answer, hand_over, report};
pub(crate) use helper::{Helper, Settings};
pub use world::World;
