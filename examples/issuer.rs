//! Runs the tests' issuer on loopback until its stdin ends, for programs that are started
//! by other means than a test:
//!
//! ```sh
//! cargo run --example issuer -- DIRECTORY
//! ```
//!
//! Writes a user's `key.json` and a `config.toml` with two host rules to the directory,
//! and then prints the issuer's URL. Each line of stdin is answered by the number of
//! token requests so far.
#![allow(clippy::print_stdout, reason = "its purpose is its output")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::error::Error;
use std::io::BufRead;
use std::path::PathBuf;
use std::{env, fs, io};

use support::{Endpoint, Issuer};

const CONFIG: &str = r#"[profiles.prod]
issuer   = "ISSUER"
key-file = "key.json"

[hosts."git.acme.dev"]
profile  = "prod"
username = "ci"

[hosts."registry.acme.dev:5000"]
profile  = "prod"
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = PathBuf::from(env::args_os().nth(1).ok_or("name a directory")?);
    let issuer = Issuer::start();
    fs::write(dir.join("key.json"), issuer.new_user().key_json())?;
    let config = CONFIG.replace("ISSUER", &issuer.url());
    fs::write(dir.join("config.toml"), config)?;
    println!("{}", issuer.url());
    for line in io::stdin().lock().lines() {
        line?;
        println!("{}", issuer.requests(Endpoint::Token));
    }
    Ok(())
}
