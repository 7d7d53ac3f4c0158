//! Makes API calls with kube, on commands from standard input: `load` reads the
//! kubeconfig and makes a client of it, `call` asks the server for its version. The
//! response to each is one line: `ok`, the version's minor number or the status of a
//! refusal, else `failed`, with the reason on stderr.

use std::error::Error;
use std::io;
use std::io::{BufRead, Write};

use kube::config::KubeConfigOptions;
use kube::{Client, Config};

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut client = None;
    for line in io::stdin().lock().lines() {
        let answer = match line?.as_str() {
            "load" => runtime.block_on(load()).map(|loaded| {
                client = Some(loaded);
                "ok".to_owned()
            }),
            "call" => match &client {
                Some(client) => runtime.block_on(call(client)),
                None => Err("there is no client".into()),
            },
            other => return Err(format!("{other}: neither load nor call").into()),
        };
        let answer = answer.unwrap_or_else(|error| {
            eprintln!("{error}");
            "failed".to_owned()
        });
        writeln!(io::stdout(), "{answer}")?;
    }
    Ok(())
}

async fn load() -> Result<Client, Box<dyn Error>> {
    let config = Config::from_kubeconfig(&KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}

async fn call(client: &Client) -> Result<String, Box<dyn Error>> {
    match client.apiserver_version().await {
        Ok(version) => Ok(version.minor),
        Err(kube::Error::Api(status)) => Ok(status.code.to_string()),
        Err(error) => Err(error.into()),
    }
}
