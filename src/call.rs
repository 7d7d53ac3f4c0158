//! The input and the output of every command.

mod answer;
mod helper;
pub(crate) mod login;
pub(crate) mod request;
mod world;

pub(crate) use answer::{Answer, hand_over, report, warn};
pub(crate) use helper::{Helper, Settings, usual_level};
pub use world::World;
