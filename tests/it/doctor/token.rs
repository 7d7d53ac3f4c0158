//! The kind of a token, and the tools that need it.

use snapbox::str;

use crate::doctor::{case, examine, kubeconfig};
use crate::support::issuer::TokenKind;
use crate::support::{Endpoint, Fault};

#[test]
fn the_token_kind_is_compared_with_its_uses() {
    let case = case();
    for kind in [TokenKind::Opaque, TokenKind::Jwt] {
        case.world.issuer.set_token_kind(kind);
        assert_eq!(examine(&case, &[], &[]).faults(), "", "there is no kubectl");
    }
    let found = examine(&case, &[], &[]);
    case.matches(
        &found.of("token"),
        str![[r#"
ok token: new, a JWT, audience service-user-[USER_ID], valid until [TIME]; [..]

"#]],
    );
    case.world.issuer.set_token_kind(TokenKind::Opaque);
    let found = examine(&case, &[], &[]);
    case.matches(
        &found.of("token"),
        str![[r#"
ok token: new, opaque, valid until [TIME]; servers must check it with the issuer

"#]],
    );
    kubeconfig(&case, |_| {});
    let found = examine(&case, &[], &[]);
    assert_ne!(found.status("kubectl"), "absent");
    case.matches(
        &found.of("token"),
        str![[r#"
warning token: new, opaque, valid until [TIME]: a Kubernetes API server with OIDC needs a JWT
    in ZITADEL open the service user and set its Access Token Type to JWT; then run zitadel-credential whoami --refresh --profile test

"#]],
    );

    case.world.issuer.set_token_kind(TokenKind::Jwt);
    let found = examine(&case, &[], &[]);
    case.matches(
        &found.of("token"),
        str![[r#"
[..]token: new, a JWT, audience service-user-[USER_ID], valid until [TIME][..]
...

"#]],
    );
    let found = examine(&case, &["--project", "7"], &[]);
    case.matches(
        &found.of("token"),
        str![[r#"
ok token: new, a JWT, audience 7, valid until [TIME]; a Kubernetes API server may refuse it: it has no role claim, and no rule by role can match

"#]],
    );

    let other = Fault::edit(|answer| {
        answer["access_token"] = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOlsiOCJdfQ.AAAA".into();
    });
    case.world.issuer.fault(Endpoint::Token, other, 1);
    let found = examine(&case, &["--project", "7"], &[]);
    case.matches(
        &found.of("token"),
        str![[r#"
warning token: new, a JWT, audience 8, valid until [TIME]: aud does not name the requested project 7
    check in ZITADEL that the project exists with this ID and is granted to the user's organisation

"#]],
    );
}
