//! Where a token comes from: a key signs an assertion, and an issuer exchanges it.

pub mod assertion;
pub mod issuer;
pub mod key;
