//! Untrusted text is shown without control characters and without a part of a secret.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::error::Report;
use zitadel_credential::text::quote;
use zitadel_credential_fuzz as plain;

fuzz_target!(|text: &str| {
    let line = quote::printable(text);
    assert!(!line.contains(quote::is_unprintable), "{line:?}");
    assert_eq!(quote::printable(&line), line);

    let quoted = quote::quoted(text);
    assert!(!quoted.contains(quote::is_unprintable), "{quoted:?}");
    plain::assert_shown(&Report::new(quoted));
    plain::assert_shown(&Report::new(quote::redacted(text)));

    let path = quote::path(text);
    assert!(!path.contains("-----BEGIN") && !path.contains(quote::is_unprintable));
});
