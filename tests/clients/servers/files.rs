//! Copies the files of `examples/servers` below the test's own directory, and replaces
//! the placeholders, as users do.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Home;

/// The system's directories that the files name.
const SYSTEM: [&str; 4] = ["/etc/", "/run/", "/srv/", "/var/"];

/// A directory in place of `/`.
pub struct Files<'a> {
    home: &'a Home,
    /// The placeholders and their replacements.
    placeholders: Vec<(String, String)>,
    replaced: RefCell<BTreeSet<String>>,
}

impl<'a> Files<'a> {
    pub fn new(home: &'a Home, placeholders: &[(&str, &str)]) -> Self {
        let owned = |(from, to): &(&str, &str)| ((*from).to_owned(), (*to).to_owned());
        let mut placeholders: Vec<_> = placeholders.iter().map(owned).collect();
        // `acme.dev:443` before `acme.dev`
        placeholders.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
        Self {
            home,
            placeholders,
            replaced: RefCell::default(),
        }
    }

    /// Returns the path of a system's file.
    pub fn path(&self, absolute: &str) -> PathBuf {
        let relative = absolute.strip_prefix('/').unwrap();
        self.home.path().join("system").join(relative)
    }

    /// Writes a file of the test's own.
    pub fn write(&self, absolute: &str, contents: &str) -> PathBuf {
        self.home.write(self.path(absolute), contents)
    }

    pub fn directory(&self, absolute: &str) -> PathBuf {
        let path = self.path(absolute);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// Copies a file of `examples/servers` to the path that it names itself.
    pub fn copy(&self, example: &str, to: &str) -> PathBuf {
        let mut text = example_text(example);
        assert!(text.contains(to), "{example} does not say that it is {to}");
        for (from, to) in &self.placeholders {
            if text.contains(from) {
                text = text.replace(from, to);
                self.replaced.borrow_mut().insert(from.clone());
            }
        }
        self.write(to, &self.moved(&text))
    }

    /// Asserts that every placeholder was replaced somewhere.
    pub fn assert_all_replaced(&self) {
        let replaced = self.replaced.borrow();
        for (from, _) in &self.placeholders {
            assert!(replaced.contains(from), "no file has {from}");
        }
    }

    /// Returns the text with the system's paths below the directory.
    fn moved(&self, text: &str) -> String {
        let mut moved = String::new();
        let mut rest = text;
        while let Some(at) = SYSTEM.iter().filter_map(|path| rest.find(path)).min() {
            let before = rest[..at].chars().next_back();
            moved.push_str(&rest[..at]);
            if !before.is_some_and(|c| c.is_alphanumeric() || ".-/".contains(c)) {
                moved.push_str(self.home.path().join("system").to_str().unwrap());
            }
            moved.push('/');
            rest = &rest[at + 1..];
        }
        moved + rest
    }
}

pub fn example_text(example: &str) -> String {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/servers");
    fs::read_to_string(examples.join(example)).unwrap()
}

/// Returns all files below a directory that contain one of these texts.
pub fn files_with(directory: &Path, texts: &[String]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, texts));
        } else if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let content = String::from_utf8_lossy(&bytes);
            if texts.iter().any(|text| content.contains(text.as_str())) {
                found.push(path);
            }
        }
    }
    found
}
