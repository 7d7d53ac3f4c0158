//! HTTPS requests: with limits, without redirects, through the environment's proxy, with
//! retries for temporary failures. Only this module opens sockets.

pub mod answer;
mod certificate;
mod connect;
pub mod der;
mod failure;
pub mod http;
pub mod peer;
mod phase;
pub mod proxy;
mod race;
pub mod retry;
mod roots;
mod socks;
mod tcp;
mod tls;
mod trust;
pub mod wire;

pub use phase::Phase;
