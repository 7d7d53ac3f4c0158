//! Nothing is left to check before a write: `signals::survive_file_limit` makes it
//! fail. Setup's own files still ask.

use std::io;

/// Returns `Ok`.
///
/// # Errors
/// None.
pub const fn check(_: u64) -> io::Result<()> {
    Ok(())
}
