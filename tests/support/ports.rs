//! Ports for programs that need a fixed one.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the system's range for ephemeral ports: a server of another test could get the
/// port between its choice and its use.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// Returns a loopback port that no process listens on, and that no other call here
/// returns soon.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(process::id() % u32::from(COUNT)).unwrap();
    for _ in 0..COUNT {
        let next = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + next) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    unreachable!("all ports are in use");
}

/// As [`free_port`], for several ports.
pub fn free_ports<const N: usize>() -> [u16; N] {
    [(); N].map(|()| free_port())
}
