//! Servers on loopback, each on its own thread.

use std::io;
use std::net::TcpListener;
use std::thread;

use tokio::runtime::Builder;

/// Returns a listener on a free port.
pub fn listen() -> io::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // std requests a queue of 128 connections; a herd needs the system's maximum.
    rustix::net::listen(&listener, 4096)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Runs a server until the process ends.
pub fn on_thread(server: impl Future<Output = io::Result<()>> + Send + 'static) {
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        let served = runtime.and_then(|runtime| runtime.block_on(server));
        if let Err(error) = served {
            eprintln!("a server of the simulation ended: {error}");
        }
    });
}
