//! What doctor finds in GOAUTH.

use snapbox::str;

use crate::doctor::{case, examine, hold_files};
use crate::support::binary;

#[test]
fn goauth_is_looked_for_where_go_looks() {
    hold_files(
        "go",
        [
            (
                ".config/go/env",
                "GOPROXY=x\nGOAUTH=zitadel-credential go; netrc\n",
                str![[r#"
ok go: GOAUTH in [HOME]/.config/go/env: every host: those that a rule names are answered

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=/nowhere/zitadel-credential go\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: its command /nowhere/zitadel-credential is not there
    zitadel-credential setup go HOST tells the right value

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: it does not run our command go
    zitadel-credential setup go HOST tells the right value

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential go; off\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: Go refuses off beside another command
    zitadel-credential setup go HOST tells the right value

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential --profile go kubectl\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: it does not run our command go
    zitadel-credential setup go HOST tells the right value

"#]],
            ),
            (
                ".config/go/env",
                "GOAUTH=zitadel-credential go --config /nowhere; netrc\n",
                str![[r#"
failed go: GOAUTH in [HOME]/.config/go/env: its config file /nowhere is not there
    zitadel-credential setup go HOST tells the right value

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
failed go: the variable GOAUTH: its command zitadel-credential is not there
    zitadel-credential setup go HOST tells the right value

"#]],
    );
    let found = examine(&case, &[], &[("GOAUTH", &value)]);
    case.matches(
        &found.of("go"),
        str![[r#"
ok go: the variable GOAUTH: every host: those that a rule names are answered

"#]],
    );
}
