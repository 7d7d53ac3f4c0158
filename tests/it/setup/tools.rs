//! What the setups of all tools refuse alike.

use super::{Fixture, PROFILE};

fn fixture() -> Fixture {
    let fixture = Fixture::with_config(PROFILE);
    for name in ["zitadel-credential", "bazel-credential-zitadel"] {
        fixture.home.link(name);
    }
    fixture
}

#[test]
fn what_is_no_host_or_has_no_profile_is_refused() {
    for tool in ["bazel", "go", "terraform", "cargo"] {
        for (fixture, words, reason) in [
            (fixture(), "https://b.dev", "invalid host"),
            (
                fixture(),
                "b.dev --key-id 1",
                "--key-id is an option of setup profile",
            ),
            (
                fixture(),
                "b.dev --profile absent",
                "no profile named \"absent\"",
            ),
            (Fixture::new(), "b.dev", "no profile"),
        ] {
            let said = fixture.refused(2, &format!("{tool} {words}"));
            assert!(said.contains(reason), "{said}");
        }
    }
}
