//! Writes the man pages into a directory, `man1` and `man5` below it:
//!
//! ```sh
//! cargo run --example man -- target/man
//! ```
#![allow(
    clippy::expect_used,
    reason = "a developer runs it, and a panic is its error message"
)]

#[path = "../packaging/man/pages.rs"]
mod pages;

use std::fs;
use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let directory = std::env::args_os().nth(1).unwrap_or("target/man".into());
    for (name, text) in pages::pages() {
        let section = name.rsplit('.').next().unwrap_or("1");
        let directory = PathBuf::from(&directory).join(format!("man{section}"));
        fs::create_dir_all(&directory)?;
        fs::write(directory.join(&name), text)?;
    }
    Ok(())
}
