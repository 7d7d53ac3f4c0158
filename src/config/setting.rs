//! The settings that a request needs.

/// A required setting.
#[derive(Clone, Copy, Debug)]
pub(super) enum Setting {
    Issuer,
    Key,
    /// The key ID of a sign-command.
    KeyId,
    /// The user ID of a sign-command.
    UserId,
    ClientId,
    ClientSecret,
}

impl Setting {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Key => "key",
            Self::KeyId => "key ID",
            Self::UserId => "user ID",
            Self::ClientId => "client ID",
            Self::ClientSecret => "client secret",
        }
    }

    /// Returns the ways in which a caller sets the setting.
    pub(super) const fn ways(self) -> &'static str {
        match self {
            Self::Issuer => "give --issuer or set ZITADEL_CREDENTIAL_ISSUER",
            Self::Key => {
                "give --key-file, set ZITADEL_CREDENTIAL_KEY_FILE or ZITADEL_CREDENTIAL_KEY"
            }
            Self::KeyId => "give --key-id or set ZITADEL_CREDENTIAL_KEY_ID",
            Self::UserId => "give --user-id or set ZITADEL_CREDENTIAL_USER_ID",
            Self::ClientId => "give --client-id or set ZITADEL_CREDENTIAL_CLIENT_ID",
            Self::ClientSecret => {
                "give --client-secret-file, set ZITADEL_CREDENTIAL_CLIENT_SECRET_FILE or ZITADEL_CREDENTIAL_CLIENT_SECRET"
            }
        }
    }

    /// Returns the profile's key for the setting.
    pub(super) const fn line(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Key => "key-file or key-command",
            Self::KeyId => "key-id",
            Self::UserId => "user-id",
            Self::ClientId => "client-id",
            Self::ClientSecret => "client-secret-file or client-secret-command",
        }
    }
}
