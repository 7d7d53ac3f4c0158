//! A URL's host is the one that it clearly names, and that the HTTP client connects to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::url::{HttpUrl, IssuerUrl};
use zitadel_credential_fuzz as plain;

fuzz_target!(|text: &str| {
    let Some(url) = HttpUrl::parse(text) else {
        return;
    };
    assert_eq!(url.as_str(), text);
    let (scheme, authority, _) = plain::url(text).expect("a URL");
    let said = plain::origin(scheme, authority).expect("a plain origin");
    assert_eq!(said, plain::understood(url.origin()));

    let issuer = IssuerUrl::parse(text).expect("a URL without query is an issuer");
    let discovery = HttpUrl::parse(issuer.discovery().as_str()).expect("a URL below it");
    assert_eq!(discovery.origin(), url.origin());
    for url in [url, discovery] {
        if let Ok(uri) = url.as_str().parse::<http::Uri>() {
            let authority = uri.authority().expect("an authority").as_str();
            let scheme = uri.scheme_str().expect("a scheme");
            assert_eq!(
                plain::origin(scheme, authority).as_deref(),
                Some(said.as_str())
            );
        }
    }
});
