//! What is reached through a proxy.

/// What proxy resolution needs to know of the target.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Whether the scheme is `https`; it is `http` otherwise.
    pub https: bool,
    /// A lower-case ASCII name, or an IP literal without brackets.
    pub host: &'a str,
    /// The port, also where the URL leaves it to the scheme.
    pub port: u16,
}
