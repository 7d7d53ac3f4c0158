//! All paths below a directory, to compare states before and after.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The file at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Directory,
    Link(String),
    /// Mode and content.
    File(u32, String),
}

/// Returns every path below `root`, relative to it, except those left out and the paths
/// below them.
pub fn tree(root: &Path, left_out: &[&str]) -> BTreeMap<String, Node> {
    let mut found = BTreeMap::new();
    walk(root, root, left_out, &mut found);
    found
}

fn walk(root: &Path, dir: &Path, left_out: &[&str], found: &mut BTreeMap<String, Node>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        if left_out.contains(&name.as_str()) {
            continue;
        }
        let meta = path.symlink_metadata().unwrap();
        let node = if meta.is_symlink() {
            Node::Link(fs::read_link(&path).unwrap().display().to_string())
        } else if meta.is_dir() {
            walk(root, &path, left_out, found);
            Node::Directory
        } else {
            let bytes = fs::read(&path).unwrap();
            let mode = meta.permissions().mode() & 0o7777;
            Node::File(mode, String::from_utf8_lossy(&bytes).into_owned())
        };
        found.insert(name, node);
    }
}
