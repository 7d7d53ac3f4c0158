//! The target of a request.

/// The target of a request, as proxy resolution needs it.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// True for `https`, false for `http`.
    pub https: bool,
    /// A lower-case ASCII name, or an IP literal without brackets.
    pub host: &'a str,
    /// The port; the scheme's default if the URL has none.
    pub port: u16,
}
