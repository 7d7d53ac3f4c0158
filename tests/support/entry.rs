//! The cache's files on disk, for tests that age or break them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::home::Home;

/// Returns the files with that extension in the home's cache, in order.
pub fn files(home: &Home, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&home.path().join(".cache"), extension, &mut found);
    found.sort();
    found
}

fn collect(directory: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, extension, found);
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
}

/// Returns the only entry of the home's cache.
pub fn only(home: &Home) -> PathBuf {
    let found = files(home, "json");
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// Changes an entry in place.
pub fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut entry = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut entry);
    fs::write(path, entry.to_string()).unwrap();
}

/// Makes an entry this many seconds older; younger, if negative.
pub fn age(path: &Path, seconds: i64) {
    edit(path, |entry| {
        for field in ["obtained_at", "expires_at"] {
            entry[field] = (entry[field].as_i64().unwrap() - seconds).into();
        }
    });
}

/// Makes the last check of an entry's token a minute older, as a running clock would.
pub fn age_check(path: &Path) {
    let path = path.with_extension("parents");
    let mut table = fs::read(&path).unwrap();
    let last = u64::from_be_bytes(table[..8].try_into().unwrap());
    table[..8].copy_from_slice(&last.saturating_sub(60).to_be_bytes());
    fs::write(&path, table).unwrap();
}
