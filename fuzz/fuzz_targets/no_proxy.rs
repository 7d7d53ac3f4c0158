//! Only hosts in NO_PROXY are reached directly. The first line is the requested host,
//! the rest is the list.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use zitadel_credential::net::proxy::{Target, resolve};

fuzz_target!(|input: &str| {
    let (asked, list) = input.split_once('\n').unwrap_or((input, ""));
    let Some((host, Some(port))) = zitadel_credential_fuzz::host_and_port(asked) else {
        return;
    };
    let host = host.trim_matches(['[', ']']);
    let target = Target {
        https: true,
        host,
        port,
    };
    let env = |name: &str| match name {
        "https_proxy" => Some("proxy.acme.dev".into()),
        "no_proxy" => Some(list.into()),
        _ => None,
    };
    let direct = resolve(&target, &env).expect("a good proxy").is_none();
    let named = |entry: &str| match host.parse::<IpAddr>() {
        Ok(address) => names_address(entry, address, port),
        Err(_) => names_host(entry, host, port),
    };
    let expected = list == "*" || list.split([',', ' ', '\t']).any(named);
    assert_eq!(direct, expected, "{host}:{port} in {list:?}");
});

/// Compares label by label, from the end.
fn names_host(entry: &str, host: &str, port: u16) -> bool {
    let (domain, only) = match entry.rfind(':') {
        Some(colon) => (&entry[..colon], Some(&entry[colon + 1..])),
        None => (entry, None),
    };
    let is_port = |digits: &str| {
        digits.trim_start_matches('0') == port.to_string() && digits.parse() == Ok(port)
    };
    if only.is_some_and(|digits| !is_port(digits)) {
        return false;
    }
    let mut domain: Vec<_> = domain.split('.').collect();
    // One dot at either end is ignored.
    if domain.len() > 1 && domain.last() == Some(&"") {
        domain.pop();
    }
    if domain.len() > 1 && domain[0].is_empty() {
        domain.remove(0);
    }
    let host: Vec<_> = host.split('.').collect();
    domain != [""]
        && domain.len() <= host.len()
        && domain
            .iter()
            .rev()
            .zip(host.iter().rev())
            .all(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// Compares bit by bit.
fn names_address(entry: &str, host: IpAddr, port: u16) -> bool {
    if let Ok(socket) = entry.parse::<std::net::SocketAddr>() {
        return (socket.ip(), socket.port()) == (host, port);
    }
    let (network, length) = entry.split_once('/').unwrap_or((entry, "0"));
    let network = match network.as_bytes() {
        [b'[', .., b']'] => &network[1..network.len() - 1],
        _ => network,
    };
    let Ok(network) = network.parse::<IpAddr>() else {
        return false;
    };
    let bits = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let (host, network) = (bits(host), bits(network));
    let is_number = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
    let Some(length) = length.parse().ok().filter(|_| is_number) else {
        return false;
    };
    let all = host.len() * 8;
    let length: usize = if length == 0 { all } else { length };
    let bit = |bytes: &[u8], n: usize| bytes[n / 8] >> (7 - n % 8) & 1;
    host.len() == network.len()
        && length <= all
        && (0..length).all(|n| bit(&host, n) == bit(&network, n))
}
