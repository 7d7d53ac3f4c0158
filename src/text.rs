//! Text and time: reads with limits, quotes untrusted text, and formats text for users.

pub mod clock;
pub mod digest;
pub mod input;
pub mod logger;
pub mod near;
pub mod object;
pub mod quote;
pub mod redactor;
pub mod span;
pub mod stderr;
pub mod terminal;
pub mod version;
pub mod waiting;
pub mod wrap;
