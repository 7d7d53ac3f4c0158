//! The user's directories, on systems with more than one.

use std::path::{Path, PathBuf};

/// Returns a configuration directory that precedes the system's default if the file
/// exists there: on macOS `~/.config`, as on Linux. `None` if that is the default.
pub fn other_config_dir(home: &Path) -> Option<PathBuf> {
    cfg!(target_os = "macos").then(|| home.join(".config"))
}
