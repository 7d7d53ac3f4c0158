//! An argument gets a token only for the host that it names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::tools::terraform::protocol;
use zitadel_credential_fuzz as plain;

fuzz_target!(|host: &str| {
    if let Some(ask) = protocol::parse(host) {
        assert_eq!(
            plain::origin("https", host),
            Some(plain::understood(&ask.origin))
        );
        assert_eq!(ask.username, None);
    }
});
