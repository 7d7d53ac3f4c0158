//! HOST.

use crate::examine;
use crate::support::Case;

#[test]
fn a_host_is_answered_or_told_why_not() {
    let case = Case::new();
    case.world
        .home
        .append_config("[hosts.\"git.acme.test\"]\nprofile = \"test\"\nusername = \"ci\"\n");
    for (host, [status, finding, remedy]) in [
        ("git.acme.test", ["ok", "username ci", ""]),
        (
            "https://ci@git.acme.test/a/b.git",
            ["ok", "rule git.acme.test", ""],
        ),
        (
            "evil.test",
            [
                "failed",
                "no host rule lets https://evil.test",
                "[hosts.\"evil.test\"]",
            ],
        ),
        (
            "git.acme.test:444",
            [
                "failed",
                "is for another port",
                "[hosts.\"git.acme.test:444\"]",
            ],
        ),
        (
            "http://git.acme.test",
            ["failed", "is for https", "allow-http = true"],
        ),
        (
            "me@git.acme.test",
            ["failed", "another was asked for", "ask for that username"],
        ),
        (
            "a b\u{1b}",
            ["failed", "names no host", "host:port or a URL"],
        ),
    ] {
        let found = examine(&case, &[host], &[]);
        assert!(
            found.has("host", status, finding, remedy),
            "{host}: {:#?}",
            found.0
        );
    }
    case.world.issuer.remove_key(&case.world.user.key_id);
    let found = examine(&case, &["git.acme.test"], &[]);
    assert!(found.has(
        "host",
        "failed",
        "there is no token to be had",
        "the first check that failed"
    ));
}
