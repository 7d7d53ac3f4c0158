//! A host gets a token if and only if a host rule allows it. The first line is the
//! requested URL, each other line a rule.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::host::{HostPattern, HostRule, HostRules, Miss};
use zitadel_credential::url::{Origin, Scheme};
use zitadel_credential_fuzz as plain;

fuzz_target!(|input: &str| {
    let mut lines = input.split('\n');
    let asked = lines.next().unwrap_or_default();
    let mut rules = HostRules::default();
    let mut texts = Vec::new();
    for line in lines.take(8) {
        let Some(pattern) = HostPattern::parse(line) else {
            continue;
        };
        assert_eq!(
            HostPattern::parse(&pattern.to_string()),
            Some(pattern.clone())
        );
        if rules.add(HostRule::of_caller(pattern)).is_ok() {
            texts.push(line);
        }
    }
    let Some((origin, _)) = Origin::parse_url(asked) else {
        return;
    };
    let (host, port) = (origin.host.as_str(), origin.port);
    let fits = |text: &str| plain::is_for(text, host, port);
    match rules.find(&origin, None) {
        Ok(rule) => {
            assert_eq!(origin.scheme, Scheme::Https);
            let chosen = rule.pattern.to_string();
            assert!(fits(&chosen), "{chosen} for {asked}");
            let closest = texts
                .iter()
                .filter(|text| fits(text))
                .map(|text| closeness(text));
            assert_eq!(
                Some(closeness(&chosen)),
                closest.max(),
                "{chosen} for {asked}"
            );
        }
        Err(Miss::PlainHttp(_)) => assert_eq!(origin.scheme, Scheme::Http),
        Err(_) if origin.scheme == Scheme::Https => {
            assert!(!texts.iter().any(|text| fits(text)), "{asked}");
        }
        Err(_) => {}
    }
});

/// A host is closer than a wildcard, a longer wildcard closer than a shorter one.
fn closeness(rule: &str) -> (bool, usize) {
    let host = rule.strip_prefix("*.").unwrap_or(rule);
    let (name, _) = plain::host_and_port(host).expect("a host");
    (host == rule, name.len())
}
