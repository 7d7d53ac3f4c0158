//! All that tests take from the library under test, so that a name that changes
//! there changes here alone. The issuer and all else below `support` use none of it.

pub use zitadel_credential::cli::Cli;
pub use zitadel_credential::text::version::FULL as VERSION;
