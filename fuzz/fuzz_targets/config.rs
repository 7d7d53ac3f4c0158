//! A config file is parsed or refused, and no error shows a value from it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zitadel_credential::config::file;
use zitadel_credential_fuzz as plain;

fuzz_target!(|text: &str| {
    if let Err(report) = file::parse(text) {
        let said = report.to_string();
        let line = said
            .strip_prefix("line ")
            .and_then(|rest| rest.split_once(':'));
        let line: usize = line.expect("a line").0.parse().expect("a number");
        assert!((1..=text.split('\n').count()).contains(&line), "{said}");
        plain::assert_shown(&report);
    }
});
