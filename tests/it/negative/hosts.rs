//! Host names of attackers, for every tool whose requests name a host.

use crate::negative::GOOD;

/// Hosts with a rule, in all spellings.
pub const GOODS: &[&str] = &[
    GOOD,
    "GIT.acme.TEST",
    "git.acme.test:443",
    "a.wild.test",
    "a.b.wild.test",
    "127.0.0.1",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
];

/// Hosts that only look like hosts with a rule, and the trick of each.
pub fn bad() -> Vec<(String, &'static str)> {
    let mut all: Vec<_> = BAD
        .iter()
        .flat_map(|(what, hosts)| hosts.iter().map(|host| ((*host).to_owned(), *what)))
        .collect();
    let long = "a".repeat(64);
    all.push((format!("{long}.wild.test"), "a label of 64 characters"));
    let many = "a.".repeat(125);
    all.push((format!("{many}wild.test"), "a name of 259 characters"));
    all.push((format!("{}{GOOD}", "a".repeat(60_000)), "a very long name"));
    all
}

/// Words that look like options, in places where a tool passes on a part of a URL.
pub const OPTIONS: &[&str] = &[
    "--host=evil.test",
    "--host=git.acme.test:443",
    "--config=evil.toml",
    "--profile=test",
    "--issuer=https://evil.test",
    "--key-file=key.json",
    "--cache-dir=evil",
    "--scope=admin",
    "--mode=creds",
    "--mode=password",
    "--output=plain",
    "--mode",
    "--host",
    "--refresh",
    "--no-cache",
    "--timeout=0",
    "--verbose",
    "--log-format=json",
    "-v",
    "-h",
    "--help",
    "--version",
    "--",
    "-",
];

const BAD: &[(&str, &[&str])] = &[
    (
        "a rule is for the whole name",
        &[
            "git.acme.test.evil.test",
            "evilgit.acme.test",
            "sub.git.acme.test",
            "acme.test",
            "test",
            "git.acme.test.",
            "git.acme.test..",
            ".git.acme.test",
            "git..acme.test",
            "git.acme.tes",
            "git-acme.test",
        ],
    ),
    (
        "a wildcard stands for whole labels and at least one",
        &[
            "wild.test",
            ".wild.test",
            "*.wild.test",
            "evilwild.test",
            "a..wild.test",
            "a.wild.test.evil.test",
            "a.wild.test.",
            "a.wild.test:444",
            "a/.wild.test",
            "evil.test\\.wild.test",
            "evil.test?.wild.test",
            "evil.test#.wild.test",
            "evil.test:80@a.wild.test",
            "evil.test%2f.wild.test",
            "evil.test%00.wild.test",
        ],
    ),
    (
        "what another reader cuts off",
        &[
            "git.acme.test%00.evil.test",
            "git.acme.test%2eevil.test",
            "git%2eacme%2etest",
            "%67it.acme.test",
            "git.acme.test#.evil.test",
            "git.acme.test?.evil.test",
            "git.acme.test;.evil.test",
            "git.acme.test,evil.test",
            "git.acme.test evil.test",
            "git.acme.test\\.evil.test",
            "git.acme.test&evil.test",
        ],
    ),
    (
        "a user before the host (CVE-2020-5260)",
        &[
            "user@git.acme.test",
            "user:password@git.acme.test",
            "git.acme.test@evil.test",
            "evil.test@git.acme.test",
            "@git.acme.test",
            "git.acme.test\\@evil.test",
            "evil.test\\@git.acme.test",
            "evil.test#@git.acme.test",
            "evil.test?@git.acme.test",
        ],
    ),
    (
        "a port has one form",
        &[
            "git.acme.test:444",
            "git.acme.test:80",
            "git.acme.test:",
            "git.acme.test:0443",
            "git.acme.test:+443",
            "git.acme.test:-443",
            "git.acme.test:0x1bb",
            "git.acme.test:443:443",
            "git.acme.test:443.",
            "git.acme.test:443 ",
            "git.acme.test: 443",
            "git.acme.test:65979",
            "git.acme.test:4294967739",
            "git.acme.test:\u{ff14}\u{ff14}\u{ff13}",
            "git.acme.test:443@evil.test",
        ],
    ),
    (
        "names in another script, and characters that are mapped away",
        &[
            "g\u{456}t.acme.test",
            "xn--gt-wjc.acme.test",
            "git\u{3002}acme\u{3002}test",
            "git.acme\u{ff0e}test",
            "\u{ff47}it.acme.test",
            "gi\u{ad}t.acme.test",
            "git.acme.test\u{200b}",
            "git.acme.test\u{feff}",
            "git.acme.te\u{17f}t",
            "G\u{130}T.acme.test",
            "git.acme.test\u{2024}evil.test",
        ],
    ),
    (
        "an IPv4 address has one form",
        &[
            "127.1",
            "127.0.1",
            "127.0.0.01",
            "127.0.0.1.",
            "0177.0.0.1",
            "0x7f.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "2130706433",
            "127.0.0.1.evil.test",
            "127.0.0.2",
            "[127.0.0.1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
        ],
    ),
    (
        "an IPv6 address stands between brackets, without a zone",
        &[
            "::1",
            "[::1",
            "::1]",
            "[::1]]",
            "[[::1]]",
            "[::1%lo]",
            "[::1%25lo]",
            "[::1].evil.test",
            "[::1]evil.test",
            "evil.test[::1]",
            "[::1]:",
            "[::1]:444",
            "[::1]@evil.test",
            "[::2]",
            "[0::0::1]",
            "[::0:0:0:0:0:0:0:1]",
            "[::01]x",
        ],
    ),
    (
        "a URL where a host belongs, and no host",
        &[
            "https://git.acme.test@evil.test",
            "file://git.acme.test",
            "ftp://git.acme.test",
            "git:git.acme.test",
            ".",
            "*",
            "-",
            "[]",
            ":",
            ":443",
            "@",
        ],
    ),
    (
        "what steers a terminal, or ends a line elsewhere (CVE-2024-50349)",
        &[
            "git.acme.test\u{1b}[31m",
            "\u{7}git.acme.test",
            "git.acme.test\u{9b}31m",
            "git.acme.test\u{202e}",
            "git.acme.test\u{61c}",
            "git.acme.test\tevil.test",
            "git.acme.test\u{b}",
            "git.acme.test\u{c}evil.test",
            "git.acme.test\u{85}",
            "git.acme.test\u{2028}evil.test",
            "git.acme.test\u{7f}",
        ],
    ),
];
