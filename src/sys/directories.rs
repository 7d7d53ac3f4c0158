//! The user's directories, where systems have more than one.

use std::path::{Path, PathBuf};

/// Returns a directory of configuration that counts before the system's own, if the file
/// is there: on macOS `~/.config`, as on Linux. `None` where it is the system's own.
pub fn other_config_dir(home: &Path) -> Option<PathBuf> {
    cfg!(target_os = "macos").then(|| home.join(".config"))
}
