//! Text and time: reading within limits, quoting what comes from outside, what a
//! person sees.

pub mod clock;
pub mod digest;
pub mod input;
pub mod logger;
pub mod near;
pub mod object;
pub mod quote;
pub mod span;
pub mod stderr;
pub mod terminal;
pub mod version;
pub mod waiting;
pub mod wrap;
