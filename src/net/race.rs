//! Connects to the first of several addresses that answers (Happy Eyeballs, RFC 8305): an
//! unreachable address delays the others only by a moment.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::sys::sockets::{Connecting, wait_any};

/// The wait before the next address is tried too (RFC 8305, section 8).
const DELAY: Duration = Duration::from_millis(250);

/// Time within which all addresses are tried, however many there are.
const ALL_WITHIN: Duration = Duration::from_secs(1);

/// Time for silent addresses after another one refused: the host exists, so a long wait
/// is not worth it.
const GRACE: Duration = Duration::from_secs(1);

/// Connects to one of the addresses within this time.
///
/// # Errors
/// Every address failed, or the time is over ([`io::ErrorKind::TimedOut`]).
pub fn connect(addresses: &[SocketAddr], timeout: Duration) -> io::Result<TcpStream> {
    let start = Instant::now();
    let delay = delay(addresses.len(), timeout);
    let mut waiting = interleaved(addresses).into_iter();
    let mut open = Vec::new();
    let (mut end, mut next_at) = (start + timeout, start);
    let mut failure = None;
    loop {
        let now = Instant::now();
        if (open.is_empty() || now >= next_at)
            && let Some(address) = waiting.next()
        {
            match Connecting::start(address) {
                Ok(connecting) => open.push(connecting),
                Err(error) => failure = Some(worse(failure, error)),
            }
            next_at = now + delay;
            continue;
        }
        if open.is_empty() {
            return Err(failure.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()));
        }
        let is_last = waiting.len() == 0;
        if is_last && failure.as_ref().is_some_and(is_refusal) {
            end = end.min(now + GRACE);
        }
        let until = if is_last { end } else { end.min(next_at) };
        // Also done when no time is left: on a busy machine this process may have waited
        // for a processor while an address answered.
        let ended = wait_any(&open, until.saturating_duration_since(now))?;
        if now >= end && !ended.contains(&true) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        for at in (0..ended.len()).rev().filter(|at| ended[*at]) {
            match open.remove(at).finish() {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = Some(worse(failure, error)),
            }
            next_at = now;
        }
    }
}

/// Returns the wait before each further address.
fn delay(count: usize, timeout: Duration) -> Duration {
    let further = u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX);
    DELAY.min(ALL_WITHIN.min(timeout / 2) / further.max(1))
}

/// Returns the addresses in their order, but with IPv6 and IPv4 alternating: a family
/// without a route delays the other only once.
fn interleaved(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let is_first = |address: &&SocketAddr| address.is_ipv6() == addresses[0].is_ipv6();
    let mut first = addresses.iter().filter(is_first);
    let mut other = addresses.iter().filter(|address| !is_first(address));
    let mut turns = Vec::with_capacity(addresses.len());
    while turns.len() < addresses.len() {
        turns.extend(first.next());
        turns.extend(other.next());
    }
    turns
}

/// Returns the more informative error: a host that refuses exists.
fn worse(before: Option<io::Error>, error: io::Error) -> io::Error {
    match before {
        Some(before) if is_refusal(&before) => before,
        _ => error,
    }
}

fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter()
            .map(|text| text.parse().expect("an address"))
            .collect()
    }

    #[test]
    fn the_families_take_turns() {
        let all = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "1.1.1.2:1"]);
        let expected = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "[::3]:1"]);
        assert_eq!(interleaved(&all), expected);
        assert_eq!(interleaved(&[]), []);
    }

    #[test]
    fn the_next_address_is_due_in_250_ms_and_the_last_within_a_second() {
        let long = Duration::from_secs(30);
        assert_eq!(delay(1, long), DELAY);
        assert_eq!(delay(5, long), DELAY);
        for count in 2..=16 {
            let further = u32::try_from(count - 1).expect("a small number");
            assert!(delay(count, long) * further <= ALL_WITHIN, "{count}");
            assert!(delay(count, Duration::from_secs(1)) * further <= ALL_WITHIN / 2);
        }
    }

    #[test]
    fn a_refusal_outranks_a_missing_route() {
        use io::ErrorKind::{ConnectionRefused, NetworkUnreachable};
        for pair in [
            [ConnectionRefused, NetworkUnreachable],
            [NetworkUnreachable, ConnectionRefused],
        ] {
            let [before, after] = pair.map(io::Error::from);
            assert_eq!(worse(Some(before), after).kind(), ConnectionRefused);
        }
    }

    #[test]
    fn an_answering_address_is_used_without_time_left() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let good = listener.local_addr().expect("an address");
        connect(&[good], Duration::ZERO).expect("a connection");
    }

    #[test]
    fn a_refused_address_does_not_delay_the_next() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let good = listener.local_addr().expect("an address");
        let closed = TcpListener::bind("127.0.0.2:0").expect("a port");
        let refused = closed.local_addr().expect("an address");
        drop(closed);
        let is_quick = |_| {
            let start = Instant::now();
            let stream = connect(&[refused, good], Duration::from_secs(5)).expect("a connection");
            assert_eq!(stream.peer_addr().expect("an address"), good);
            start.elapsed() < DELAY
        };
        // A busy machine may delay one of them.
        assert!((0..10).any(is_quick));
        let error = connect(&[refused], Duration::from_secs(5)).expect_err("nobody listens");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let error = connect(&[], Duration::from_secs(5)).expect_err("no address");
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }
}
