//! A proxy in front of the store that makes it slow.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::serve;

/// Starts a proxy that delays the store's answers by this time, and returns its port.
pub fn start(store: SocketAddr, delay: Duration) -> io::Result<u16> {
    let listener = serve::listen()?;
    let port = listener.local_addr()?.port();
    serve::on_thread(async move {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (near, _) = listener.accept().await?;
            tokio::spawn(async move {
                let Ok(far) = TcpStream::connect(store).await else {
                    return;
                };
                let ((from, to), (back, forth)) = (near.into_split(), far.into_split());
                tokio::spawn(copy(from, forth, Duration::ZERO));
                copy(back, to, delay).await;
            });
        }
    });
    Ok(port)
}

/// Copies until one side has closed its connection.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        tokio::time::sleep(delay).await;
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
