//! The settings that every request needs.

/// A required setting.
#[derive(Clone, Copy, Debug)]
pub(super) enum Setting {
    Issuer,
    Key,
}

impl Setting {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Key => "key",
        }
    }

    /// Returns how a caller sets it.
    pub(super) const fn ways(self) -> &'static str {
        match self {
            Self::Issuer => "give --issuer or set ZITADEL_CREDENTIAL_ISSUER",
            Self::Key => {
                "give --key-file, set ZITADEL_CREDENTIAL_KEY_FILE or ZITADEL_CREDENTIAL_KEY"
            }
        }
    }

    /// Returns the profile's key for it.
    pub(super) const fn line(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Key => "key-file or key-command",
        }
    }
}
