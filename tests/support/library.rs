//! All items that tests use from the library under test, so that a renamed one changes
//! only here. The issuer and the rest of `support` use none of them.

pub use zitadel_credential::cli::Cli;
pub use zitadel_credential::text::version::FULL as VERSION;
