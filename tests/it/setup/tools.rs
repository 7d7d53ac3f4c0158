//! What the setups of all tools refuse alike.

use super::{Desk, PROFILE};

fn desk() -> Desk {
    let desk = Desk::with_config(PROFILE);
    for name in ["zitadel-credential", "bazel-credential-zitadel"] {
        desk.home.link(name);
    }
    desk
}

#[test]
fn what_is_no_host_or_has_no_profile_is_refused() {
    for tool in ["bazel", "go", "terraform", "cargo"] {
        for (desk, words, reason) in [
            (desk(), "https://b.dev", "invalid host"),
            (
                desk(),
                "b.dev --key-id 1",
                "--key-id is an option of setup profile",
            ),
            (
                desk(),
                "b.dev --profile absent",
                "no profile named \"absent\"",
            ),
            (Desk::new(), "b.dev", "no profile"),
        ] {
            let said = desk.refused(2, &format!("{tool} {words}"));
            assert!(said.contains(reason), "{said}");
        }
    }
}
