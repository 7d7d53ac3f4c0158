//! The proxy is exactly the one in the variable, and no error shows its password.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::error::Report;
use zitadel_credential::net::proxy::{Target, resolve};
use zitadel_credential_fuzz as plain;

fuzz_target!(|value: &str| {
    let target = Target {
        https: true,
        host: "id.acme.dev",
        port: 443,
    };
    let env = |name: &str| (name == "https_proxy").then(|| value.into());
    match resolve(&target, &env) {
        Ok(None) => assert_eq!(value, ""),
        Ok(Some(via)) => {
            let proxy = via.proxy;
            let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let address = rest[..end].rsplit('@').next().unwrap_or_default();
            assert!(
                address.starts_with(proxy.host()),
                "{} in {value:?}",
                proxy.host()
            );
            let port = &address[proxy.host().len()..];
            match port.strip_prefix(':').unwrap_or_default() {
                "" => assert!([443, 1080].contains(&proxy.port())),
                digits => assert_eq!(digits.parse(), Ok(proxy.port())),
            }
        }
        Err(bad) => {
            // Only a scheme may be quoted.
            let said = bad.to_string();
            let quoted = said.split('`').nth(1).unwrap_or_default();
            assert!(
                value.starts_with(quoted) && !quoted.contains(['@', ':']),
                "{said}"
            );
            if quoted.len() < 32 {
                plain::assert_shown(&Report::new(said));
            }
        }
    }
});
