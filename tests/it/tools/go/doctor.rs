//! The findings of doctor in GOAUTH.

use snapbox::str;

use crate::doctor::{case, examine, hold_files};
use crate::support::binary;

#[test]
fn goauth_is_read_where_go_reads_it() {
    hold_files(
        "go",
        [
            (
                ".config/go/env",
                "GOPROXY=x\nGOAUTH=zitadel-credential go; netrc\n",
                str![[r#"
ok go: GOAUTH in [HOME]/.config/go/env: all hosts: those with a host rule get a token

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=/nowhere/zitadel-credential go\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: command /nowhere/zitadel-credential not found
    run zitadel-credential setup go HOST to see the right value

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: it does not run the command go
    run zitadel-credential setup go HOST to see the right value

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential go; off\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: Go refuses off together with other commands
    run zitadel-credential setup go HOST to see the right value

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential --profile go kubectl\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: it does not run the command go
    run zitadel-credential setup go HOST to see the right value

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential go --config /nowhere; netrc\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: config file /nowhere not found
    run zitadel-credential setup go HOST to see the right value

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential go --config ~/.config/zitadel-credential/config.toml\n",
                str![[r#"
ok go: GOAUTH in [HOME]/.config/go/env: all hosts: those with a host rule get a token

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential go --config /dev/null\n",
                str![[r#"
ok go: GOAUTH in [HOME]/.config/go/env: all hosts: those with a host rule get a token

"#]],
            ),
            (".config/go/env", "GOAUTH=netrc\n", str![[r#""#]]),
        ],
    );
    let case = case();
    let value = format!("{} go", binary().display());
    let found = examine(&case, &[], &[("GOAUTH", "zitadel-credential go")]);
    case.matches(
        &found.of("go"),
        str![[r#"
failed go: the variable GOAUTH: command zitadel-credential not found
    run zitadel-credential setup go HOST to see the right value

"#]],
    );
    let found = examine(&case, &[], &[("GOAUTH", &value)]);
    case.matches(
        &found.of("go"),
        str![[r#"
ok go: the variable GOAUTH: all hosts: those with a host rule get a token

"#]],
    );
}
