//! Runs the tests' issuer on loopback until its stdin ends, for programs that are started
//! by other means than a test:
//!
//! ```sh
//! cargo run --example issuer -- DIRECTORY [tls]
//! ```
//!
//! Writes a user's `key.json` and a `config.toml` with two host rules to the directory,
//! with `tls` also the `ca.pem` that its certificate is of, and then prints the issuer's
//! URL. Each line of stdin is answered by the number of token requests so far; the line
//! `hang` has the next one wait for ever.
#![allow(clippy::print_stdout, reason = "its purpose is its output")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::error::Error;
use std::io::BufRead;
use std::path::PathBuf;
use std::{env, fs, io};

use support::{Ca, Endpoint, Fault, Issuer};

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
    let ca = env::args_os().nth(2).map(|_| Ca::new());
    let (issuer, of_ca) = match &ca {
        Some(ca) => {
            fs::write(dir.join("ca.pem"), ca.pem())?;
            (Issuer::start_tls(ca), "\nca-file  = \"ca.pem\"")
        }
        None => (Issuer::start(), ""),
    };
    fs::write(dir.join("key.json"), issuer.new_user().key_json())?;
    let settings = format!("{}\"{of_ca}", issuer.url());
    let config = CONFIG.replace("ISSUER\"", &settings);
    fs::write(dir.join("config.toml"), config)?;
    println!("{}", issuer.url());
    for line in io::stdin().lock().lines() {
        if line? == "hang" {
            issuer.fault(Endpoint::Token, Fault::Hang, 1);
        }
        println!("{}", issuer.requests(Endpoint::Token));
    }
    Ok(())
}
