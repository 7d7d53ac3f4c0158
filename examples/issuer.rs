//! Runs the tests' issuer on loopback until its stdin ends, for programs that a test does
//! not start:
//!
//! ```sh
//! cargo run --example issuer -- DIRECTORY [tls]
//! ```
//!
//! Writes a user's `key.json` and a `config.toml` with two host rules to the directory,
//! with `tls` also the `ca.pem` that signed its certificate, and then prints the issuer's
//! URL. The response to each line of stdin is the number of token requests so far; the
//! line `hang` makes the next request wait forever.
#![allow(clippy::print_stdout, reason = "its purpose is its output")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::error::Error;
use std::io::BufRead;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
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
    fs::create_dir_all(&dir)?;
    let ca = env::args_os().nth(2).map(|_| Ca::new());
    let (issuer, of_ca) = match &ca {
        Some(ca) => {
            fs::write(dir.join("ca.pem"), ca.pem())?;
            (Issuer::start_tls(ca), "\nca-file  = \"ca.pem\"")
        }
        None => (Issuer::start(), ""),
    };
    let key = dir.join("key.json");
    fs::write(&key, issuer.new_user().key_json())?;
    // The program warns about a key that others can read.
    #[cfg(unix)]
    fs::set_permissions(&key, PermissionsExt::from_mode(0o600))?;
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
