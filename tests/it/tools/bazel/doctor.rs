//! The findings of doctor in Bazel's files.

use snapbox::str;

use crate::doctor::hold_files;

#[test]
fn each_helper_of_bazel_is_compared_with_the_rules() {
    hold_files(
        "bazel",
        [
            (
                ".bazelrc",
                "common --credential_helper=a.acme.test=bazel-credential-zitadel\n\
                 common --credential_helper=b.acme.test=bazel-credential-zitadel\n\
                 common --credential_helper=*.acme.test=bazel-credential-zitadel\n\
                 common --credential_helper=ghcr.io=other\n",
                str![[r#"
ok bazel: [HOME]/.bazelrc: a.acme.test: host rule a.acme.test, profile test
ok bazel: [HOME]/.bazelrc: b.acme.test: host rule b.acme.test:8443, profile test
ok bazel: [HOME]/.bazelrc: *.acme.test: host rule a.acme.test, profile test

"#]],
            ),
            (
                ".bazelrc",
                "common --credential_helper=c.acme.test=bazel-credential-zitadel\n\
                 common --credential_helper=*.evil.test=bazel-credential-zitadel\n\
                 common --credential_helper=a/b=bazel-credential-zitadel\n\
                 common --credential_helper=a.acme.test=/nowhere/bazel-credential-zitadel\n\
                 common --credential_helper=a.acme.test=zitadel-credential\n\
                 common --credential_helper a.acme.test=~/bin/bazel-credential-zitadel\n\
                 common --credential_helper a.acme.test=~/no/bazel-credential-zitadel\n",
                str![[r#"
failed bazel: [HOME]/.bazelrc: c.acme.test: no host rule for https://c.acme.test
    zitadel-credential setup bazel c.acme.test
failed bazel: [HOME]/.bazelrc: *.evil.test: no host rule for any of these hosts
    zitadel-credential setup bazel '*.evil.test'
failed bazel: [HOME]/.bazelrc: a/b: invalid host
    write a host like acme.dev or *.acme.dev
failed bazel: [HOME]/.bazelrc: a.acme.test: helper /nowhere/bazel-credential-zitadel not found
    set the helper to bazel-credential-zitadel
failed bazel: [HOME]/.bazelrc: a.acme.test: Bazel runs zitadel-credential without the command bazel
    set the helper to bazel-credential-zitadel
ok bazel: [HOME]/.bazelrc: a.acme.test: host rule a.acme.test, profile test
failed bazel: [HOME]/.bazelrc: a.acme.test: helper ~/no/bazel-credential-zitadel not found
    set the helper to bazel-credential-zitadel

"#]],
            ),
            (
                ".bazelrc",
                "common --credential_helper=bazel-credential-zitadel\n",
                str![[r#"
ok bazel: [HOME]/.bazelrc: all hosts: those with a host rule get a token

"#]],
            ),
        ],
    );
}
