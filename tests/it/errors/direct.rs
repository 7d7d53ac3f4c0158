//! Errors of `token --write`, `exec`, `whoami` and `cache`, as the user reads them.

use snapbox::{Data, str};

use crate::support::{Case, Endpoint, Fault, Times};

/// Runs the binary with these arguments, in a world that has a token.
#[track_caller]
fn call(arguments: &[&str], code: i32, stderr: impl Into<Data>) {
    Case::new().run(arguments).fails(code, stderr);
}

#[test]
fn a_file_that_cannot_be_written() {
    call(
        &["token", "--write", "none/token"],
        1,
        str![[r#"
zitadel-credential: error: none/token: token not written: there is no directory none
  hint: create it, or choose another directory

"#]],
    );
    call(
        &["token", "--write", "."],
        1,
        str![[r#"
zitadel-credential: error: .: token not written: not a regular file
  hint: give a file's name, in a directory that you can write to

"#]],
    );
}

#[test]
fn a_command_that_cannot_be_run() {
    call(
        &["exec", "--", "no-such-program"],
        127,
        str![[r#"
zitadel-credential: error: cannot run no-such-program: no such file or directory
  hint: name a program on PATH, or its path, after --

"#]],
    );
    call(
        &["exec", "--", "./key.json"],
        126,
        str![[r#"
zitadel-credential: error: cannot run ./key.json: permission denied
  hint: name a program that you may execute, after --

"#]],
    );
}

#[test]
fn an_invalid_variable_name() {
    call(
        &["exec", "--env", "1A", "--", "true"],
        2,
        str![[r#"
zitadel-credential: error: --env: invalid variable name 1A
  hint: use letters, digits and _, and do not begin with a digit

"#]],
    );
}

#[test]
fn a_token_that_is_refused() {
    let case = Case::new();
    let no = Fault::status(401, "text/plain", "no\u{1b}[31m");
    case.world
        .issuer
        .fault(Endpoint::Userinfo, no, Times::Forever);
    case.run(["whoami"]).fails(1, str![[r#"
zitadel-credential: error: the issuer refused the token: HTTP 401: no\u{1b}[31m
  with: key ID [KEY_ID], user ID [USER_ID], issuer [ISSUER]
  hint: run zitadel-credential whoami --refresh to try a new token: this one was revoked, its user was deactivated, or ZITADEL has an internal error

"#]]);
}

#[test]
fn an_invalid_cache_directory() {
    call(
        &["cache", "list", "--cache-dir", "key.json"],
        1,
        str![[r#"
zitadel-credential: error: cache key.json: not a directory
  hint: make the directory yours, with mode 0700, or choose another with --cache-dir

"#]],
    );
    call(
        &["cache", "clear", "--cache-dir", "key.json"],
        1,
        str![[r#"
zitadel-credential: error: cache key.json: not a directory
  hint: make the directory yours, with mode 0700, or choose another with --cache-dir

"#]],
    );
}
