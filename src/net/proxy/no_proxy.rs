//! The hosts in `no_proxy`, which are reached directly.
//!
//! The rules are curl's, for IPv6 those of 8.18, because earlier versions get it wrong.
//! Three forms that curl ignores are accepted, because users write them: an entry after a
//! space without a comma (curl accepted it up to 8.8), an IPv6 address in brackets, and
//! `host:port`, which covers only that port.

use std::net::{IpAddr, SocketAddr};

use super::target::Target;

/// True if `list` excludes the target from any proxy.
///
/// The only wildcard is a list that is exactly `*`.
pub(super) fn covers(list: &str, target: &Target<'_>) -> bool {
    if list == "*" {
        return true;
    }
    let address = target.host.parse().ok();
    list.split([',', ' ', '\t']).any(|entry| match address {
        Some(address) => covers_address(entry, address, target.port),
        None => covers_name(entry, target.host, target.port),
    })
}

fn covers_name(entry: &str, host: &str, port: u16) -> bool {
    match entry.rsplit_once(':') {
        Some((domain, digits)) => port_number(digits) == Some(port) && is_within(host, domain),
        None => is_within(host, entry),
    }
}

/// Parses a port from 1 to 65535 that consists only of digits.
pub(super) fn port_number(digits: &str) -> Option<u16> {
    let all_digits = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|&port| all_digits && port != 0)
}

/// True if `host` is `domain` or a name below it.
///
/// As in curl, one dot at the end of either and one before the domain are ignored.
fn is_within(host: &str, domain: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).as_bytes();
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let domain = domain.strip_prefix('.').unwrap_or(domain).as_bytes();
    let Some(cut) = host.len().checked_sub(domain.len()) else {
        return false;
    };
    let (below, end) = host.split_at(cut);
    !domain.is_empty()
        && end.eq_ignore_ascii_case(domain)
        && (below.is_empty() || below.ends_with(b"."))
}

fn covers_address(entry: &str, host: IpAddr, port: u16) -> bool {
    if let Ok(socket) = entry.parse::<SocketAddr>() {
        return socket.ip() == host && socket.port() == port;
    }
    let (network, bits) = match entry.split_once('/') {
        Some((network, bits)) => (network, Some(bits)),
        None => (entry, None),
    };
    let network = match network.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').unwrap_or_default(),
        None => network,
    };
    network
        .parse()
        .is_ok_and(|network| is_inside(host, network, bits))
}

/// True if the first `bits` of both addresses are equal; `None` compares all bits.
fn is_inside(host: IpAddr, network: IpAddr, bits: Option<&str>) -> bool {
    let (host, network, width) = match (host, network) {
        (IpAddr::V4(host), IpAddr::V4(network)) => {
            (host.to_bits().into(), network.to_bits().into(), 32)
        }
        (IpAddr::V6(host), IpAddr::V6(network)) => (host.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let bits = match bits {
        None => width,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse() {
            // As in curl's tests, `/0` compares the whole address, not nothing.
            Ok(0) => width,
            Ok(bits) => bits,
            Err(_) => return false,
        },
        Some(_) => return false,
    };
    bits <= width && (host ^ network) >> (width - bits) == 0_u128
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(table: &[(&str, u16, &str, bool)]) {
        for &(host, port, list, expected) in table {
            let target = Target {
                https: true,
                host,
                port,
            };
            assert_eq!(covers(list, &target), expected, "{host}:{port} in {list:?}");
        }
    }

    #[test]
    fn a_name_covers_itself_and_what_is_below_it() {
        check(&[
            ("acme.dev", 443, "acme.dev", true),
            ("x.acme.dev", 443, "acme.dev", true),
            ("x.y.acme.dev", 443, "acme.dev", true),
            ("xacme.dev", 443, "acme.dev", false),
            ("acme.dev", 443, "x.acme.dev", false),
            ("acme.dev.evil.test", 443, "acme.dev", false),
            ("acme.dev", 443, "dev", true),
            ("acme.dev", 443, "ACME.Dev", true),
            ("acme.dev", 8443, "acme.dev", true),
            ("acme.dev", 443, "https://acme.dev", false),
        ]);
    }

    #[test]
    fn one_dot_at_either_end_is_ignored() {
        check(&[
            ("acme.dev", 443, ".acme.dev", true),
            ("x.acme.dev", 443, ".acme.dev", true),
            ("xacme.dev", 443, ".acme.dev", false),
            ("acme.dev", 443, "acme.dev.", true),
            ("acme.dev.", 443, "acme.dev", true),
            ("acme.dev.", 443, ".acme.dev.", true),
            ("acme.dev", 443, "..acme.dev", false),
            ("acme.dev", 443, "acme.dev..", false),
            ("acme.dev", 443, ".", false),
            ("acme.dev..", 443, ".", false),
            (".", 443, ".", false),
        ]);
    }

    #[test]
    fn an_asterisk_is_valid_only_alone() {
        check(&[
            ("acme.dev", 443, "*", true),
            ("10.1.2.3", 443, "*", true),
            ("fd00::1", 443, "*", true),
            ("acme.dev", 443, " *", false),
            ("acme.dev", 443, "*,x.test", false),
            ("acme.dev", 443, "x.test,*", false),
            ("x.acme.dev", 443, "*.acme.dev", false),
        ]);
    }

    #[test]
    fn commas_spaces_and_tabs_separate() {
        check(&[
            ("acme.dev", 443, "x.test,acme.dev", true),
            ("acme.dev", 443, "x.test acme.dev", true),
            ("acme.dev", 443, "x.test\tacme.dev", true),
            ("acme.dev", 443, ", x.test , ,, acme.dev ,", true),
            ("acme.dev", 443, "x.test\nacme.dev", false),
            ("acme.dev", 443, "", false),
            ("acme.dev", 443, ", ,", false),
        ]);
    }

    #[test]
    fn a_port_narrows_an_entry_down_to_it() {
        check(&[
            ("acme.dev", 8443, "acme.dev:8443", true),
            ("x.acme.dev", 8443, ".acme.dev:8443", true),
            ("acme.dev", 443, "acme.dev:8443", false),
            ("acme.dev", 443, "acme.dev:", false),
            ("acme.dev", 443, "acme.dev:+443", false),
            ("acme.dev", 443, ":443", false),
            ("10.1.2.3", 8443, "10.1.2.3:8443", true),
            ("10.1.2.3", 443, "10.1.2.3:8443", false),
            ("fd00::1", 8443, "[fd00::1]:8443", true),
            ("fd00::1", 443, "[fd00::1]:8443", false),
        ]);
    }

    #[test]
    fn an_address_is_compared_as_a_number() {
        check(&[
            ("10.1.2.3", 443, "10.1.2.3", true),
            ("10.1.2.3", 443, "2.3", false),
            ("10.1.2.3", 443, ".10.1.2.3", false),
            ("10.1.2.3", 443, "10.1.2.3.", false),
            ("10.1.2.3", 443, "::ffff:10.1.2.3", false),
            ("fd00::1", 443, "fd00::1", true),
            ("fd00::1", 443, "FD00:0:0::1", true),
            ("fd00::1", 443, "[fd00::1]", true),
            ("fd00::1", 443, "[fd00::1", false),
            ("fd00::1", 443, "[fd00::1]x", false),
            ("fd00::1:8443", 443, "fd00::1:8443", true),
            ("fd00::1", 8443, "fd00::1:8443", false),
        ]);
    }

    #[test]
    fn a_network_covers_its_addresses() {
        check(&[
            ("10.1.2.3", 443, "10.0.0.0/8", true),
            ("10.1.2.3", 443, "11.0.0.0/8", false),
            ("10.1.2.3", 443, "10.1.2.2/31", true),
            ("10.1.2.3", 443, "10.1.2.4/31", false),
            ("10.1.2.3", 443, "128.0.0.0/1", false),
            ("10.1.2.3", 443, "10.1.2.3/32", true),
            ("10.1.2.3", 443, "x.test,10.0.0.0/8,y.test", true),
            ("fd00::1", 443, "fd00::/8", true),
            ("fd00::1", 443, "fc00::/7", true),
            ("fd00::1", 443, "fe00::/8", false),
            ("fd00::1", 443, "f800::/7", false),
            ("fd00::1", 443, "fd00::1/128", true),
            ("fd00::1", 443, "fd00::2/128", false),
            ("fd00::1", 443, "[fd00::]/8", true),
            ("10.1.2.3", 443, "::/1", false),
            ("fd00::1", 443, "10.0.0.0/8", false),
        ]);
    }

    #[test]
    fn a_zero_prefix_is_the_whole_address_and_an_invalid_one_matches_nothing() {
        check(&[
            ("10.1.2.3", 443, "0.0.0.0/0", false),
            ("10.1.2.3", 443, "10.1.2.3/0", true),
            ("fd00::1", 443, "::/0", false),
            ("10.1.2.3", 443, "10.1.2.3/33", false),
            ("fd00::1", 443, "fd00::1/129", false),
            ("10.1.2.3", 443, "10.1.2.3/", false),
            ("10.1.2.3", 443, "10.1.2.3/8x", false),
            ("10.1.2.3", 443, "10.1.2.3/+8", false),
            ("10.1.2.3", 443, "10.1.2.3/99999999999", false),
            ("10.1.2.3", 443, "10.0.0.0/8:443", false),
        ]);
    }

    /// Few letters, so that names often have the same end.
    fn name() -> impl Strategy<Value = String> {
        let label = prop::sample::select(vec!["a", "b", "aa", "ab", "ba"]);
        prop::collection::vec(label, 1..4).prop_map(|labels| labels.join("."))
    }

    proptest! {
        #[test]
        fn a_name_is_covered_if_and_only_if_it_equals_an_entry_or_is_below_one(
            host in name(),
            entries in prop::collection::vec((name(), any::<bool>(), any::<bool>()), 0..4),
        ) {
            let target = Target { https: true, host: &host, port: 443 };
            let expected = entries
                .iter()
                .any(|(entry, ..)| host == *entry || host.ends_with(&format!(".{entry}")));
            let list: Vec<_> = entries
                .iter()
                .map(|(entry, dot, upper)| {
                    let entry = if *upper { entry.to_ascii_uppercase() } else { entry.clone() };
                    if *dot { format!(".{entry}") } else { entry }
                })
                .collect();
            prop_assert_eq!(covers(&list.join(","), &target), expected, "{:?}", list);
        }

        #[test]
        fn no_list_causes_a_panic_or_covers_an_unlisted_host(
            list in "[ -~\u{e9}]{0,30}",
        ) {
            let target = Target { https: true, host: "q.zz", port: 443 };
            let named = list == "*" || list.to_ascii_lowercase().contains("zz");
            prop_assert!(named || !covers(&list, &target));
        }
    }
}
