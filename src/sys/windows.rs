//! Windows.

pub mod access;
pub mod children;
pub mod dir;
pub mod exec;
pub mod files;
pub mod handle;
pub mod lock;
pub mod notify;
pub mod parent;
pub mod paths;
pub mod signals;
pub mod sockets;
pub mod stack;
pub mod status;
pub mod streams;
