//! A failing issuer, with recorded responses of ZITADEL: a valid token stays in use, and
//! only a permanent refusal removes it.

mod bounds;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

use crate::support::entry::{age_check, files, only};
use crate::support::{Case, Endpoint, Fault, Running, Times, Version, World, side_by_side, until};

const NO_DATABASE: &str = "unable to set instance using origin &{acme.example:443  https} (ExternalDomain is acme.example): ID=QUERY-d3fas Message=An internal error occurred Parent=(failed to connect to `user=zitadel database=zitadel`: server error: FATAL: role \"zitadel\" is not permitted to log in (SQLSTATE 28000))";
const NO_INSTANCE: &str = "unable to set instance using origin &{other.example:443  https} (ExternalDomain is acme.example): ID=QUERY-1kIjX Message=Instance not found. Make sure you got the domain right. Check out https://zitadel.com/docs/apis/introduction#domains";
const INTERNAL: &str = r#"{"error":"server_error","error_description":"Errors.Internal"}"#;
const INVALID_GRANT: &str = r#"{"error":"invalid_grant","error_description":"invalid assertion"}"#;
const INVALID_TOKEN: &str =
    r#"{"error":"access_denied","error_description":"access token invalid"}"#;
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html";

fn fault(world: &World, endpoint: Endpoint, status: u16, kind: &str, body: &str) {
    let fault = Fault::status(status, kind, body);
    world.issuer.fault(endpoint, fault, Times::Forever);
}

/// An outage without a cache of instances.
fn without_database(world: &World, status: u16) {
    fault(world, Endpoint::Any, status, TEXT, NO_DATABASE);
}

/// An outage in which valid tokens are called invalid.
fn without_database_but_with_instances(world: &World, is_2025: bool) {
    if is_2025 {
        let internal = r#"{"error":"server_error","error_description":"internal server error"}"#;
        fault(world, Endpoint::Discovery, 500, JSON, internal);
        fault(world, Endpoint::Token, 500, JSON, INTERNAL);
    } else {
        fault(world, Endpoint::Token, 400, JSON, INVALID_GRANT);
    }
    fault(world, Endpoint::Userinfo, 401, JSON, INVALID_TOKEN);
}

/// Asks repeatedly from this process, like kubectl: returns the exit code, the token, and
/// stderr.
fn asked(world: &World) -> (i32, String, String) {
    let output = world.zitadel(["kubectl", "-v"]).run();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (
        output.status.code().unwrap(),
        answer["status"]["token"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Returns a world whose cache has a token that this process got.
fn world() -> (World, String) {
    let world = World::new();
    world.allow("git.acme.dev");
    let (code, token, _) = asked(&world);
    assert_eq!(code, 0);
    (world, token)
}

#[test]
fn a_database_outage_is_temporary_and_both_causes_are_named() {
    let answers = [(404, NO_DATABASE), (404, NO_INSTANCE), (500, NO_DATABASE)];
    side_by_side(answers, |(status, body)| {
        let setup = [
            "setup",
            "profile",
            "p",
            "--key-file",
            "key.json",
            "--issuer",
        ];
        for arguments in [
            &["token"][..],
            &["git", "get"],
            &["exec", "--", "true"],
            &["whoami"],
            &["agent", "--once", "--write", "token"],
            &setup,
        ] {
            let world = World::new();
            world.allow("git.acme.dev");
            fault(&world, Endpoint::Any, status, TEXT, body);
            let mut command = world.zitadel(arguments);
            if arguments == setup {
                command.arg(world.issuer.url());
            }
            command.write_stdin("protocol=https\nhost=git.acme.dev\n\n");
            let output = command.run();
            let stderr = String::from_utf8(output.stderr).unwrap();
            let code = if arguments[0] == "git" { 1 } else { 75 };
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
            if status == 404 {
                assert!(stderr.contains("not a domain of an instance"), "{stderr}");
                assert!(
                    stderr.contains("same answer for an internal error"),
                    "{stderr}"
                );
            }
            assert!(!stderr.contains("revoked"), "{stderr}");
            assert_eq!(world.issuer.total_requests(), 3, "{arguments:?}");
        }
    });
}

#[test]
fn a_valid_token_is_kept_unless_the_issuer_rejects_it() {
    let minute = |world: &World| age_check(&only(&world.home));
    let answers = [
        (404, TEXT, NO_DATABASE),
        (500, TEXT, NO_DATABASE),
        (500, JSON, INTERNAL),
        (403, HTML, "<html>blocked</html>"),
        (404, HTML, "<html>nginx</html>"),
        (404, JSON, r#"{"code":5,"message":"Not Found"}"#),
        (403, TEXT, "forbidden"),
        (407, HTML, "<html>proxy</html>"),
        (429, TEXT, "Your ZITADEL instance is blocked."),
        (200, HTML, "<html>Log in</html>"),
    ];
    side_by_side(answers, |(status, kind, body)| {
        let (world, token) = world();
        fault(&world, Endpoint::Userinfo, status, kind, body);
        for endpoint in [Endpoint::Token, Endpoint::Discovery] {
            fault(&world, endpoint, 503, TEXT, "down");
        }
        for _ in 0..3 {
            let (code, same, stderr) = asked(&world);
            assert_eq!(
                (code, same),
                (0, token.clone()),
                "{status} {kind}: {stderr}"
            );
            minute(&world);
        }
        assert!(
            world.issuer.requests(Endpoint::Userinfo) >= 3,
            "it was asked"
        );
        assert_eq!(world.issuer.token_requests(), 1, "{status} {kind}");
        let whoami = world.zitadel(["whoami", "--timeout", "2"]).assert();
        whoami.failure().stderr(contains("revoked").not());
    });
}

#[test]
fn any_401_or_equivalent_error_rejects_the_token() {
    for (status, kind, body) in [
        (401, JSON, INVALID_TOKEN),
        (401, TEXT, "no"),
        (401, HTML, "<html>"),
        (403, JSON, INVALID_TOKEN),
        (400, JSON, r#"{"error":"invalid_token"}"#),
    ] {
        let (world, token) = world();
        fault(&world, Endpoint::Userinfo, status, kind, body);
        let (code, new, stderr) = asked(&world);
        assert!(code == 0 && new != token, "{status}: {stderr}");
        assert_eq!(world.issuer.token_requests(), 2);
    }
}

#[test]
fn a_refused_token_is_used_while_no_new_one_is_available() {
    let answers = [
        (500, JSON, INTERNAL),
        (500, TEXT, NO_DATABASE),
        (404, TEXT, NO_DATABASE),
        (503, TEXT, "down"),
        (429, TEXT, "Your ZITADEL instance is blocked."),
        (403, HTML, "<html>blocked</html>"),
    ];
    side_by_side(answers, |(status, kind, body)| {
        let (world, token) = world();
        fault(&world, Endpoint::Userinfo, 401, JSON, INVALID_TOKEN);
        fault(&world, Endpoint::Token, status, kind, body);
        for _ in 0..2 {
            let (code, same, stderr) = asked(&world);
            assert_eq!((code, same), (0, token.clone()), "{status}: {stderr}");
            assert!(
                stderr.contains("the refused token, so it stays in use"),
                "{stderr}"
            );
            age_check(&only(&world.home));
        }
    });
    let (world, token) = world();
    without_database_but_with_instances(&world, true);
    let (code, same, stderr) = asked(&world);
    assert_eq!((code, same), (0, token), "{stderr}");
}

#[test]
fn a_final_refusal_removes_the_refused_token_from_the_cache() {
    let (world, _) = world();
    world.issuer.deactivate(&world.user.user_id);
    world.issuer.revoke_all();
    for _ in 0..2 {
        let (code, token, stderr) = asked(&world);
        assert_eq!((code, token.as_str()), (1, ""), "{stderr}");
        assert!(stderr.contains("Errors.User.NotActive"), "{stderr}");
        assert!(files(&world.home, "json").is_empty());
    }
    let list = world
        .zitadel(["cache", "list", "--output", "json"])
        .assert();
    list.stdout("[]\n");

    // Newer versions also send this during an outage.
    let (world, _) = self::world();
    without_database_but_with_instances(&world, false);
    assert_eq!(asked(&world).0, 1);
    assert!(files(&world.home, "json").is_empty());
}

#[test]
fn no_tool_gets_the_erased_token_of_a_deactivated_user() {
    let (world, token) = world();
    world.issuer.deactivate(&world.user.user_id);
    world.issuer.revoke_all();
    let host = "protocol=https\nhost=git.acme.dev\n";
    let erase = format!("{host}password={token}\n\n");
    let mut command = world.zitadel(["git", "erase"]);
    command.write_stdin(erase).assert().success();
    for arguments in [&["token"][..], &["git", "get"], &["docker", "get"]] {
        let mut command = world.zitadel(arguments);
        command.write_stdin(if arguments[0] == "docker" {
            "git.acme.dev".to_owned()
        } else {
            format!("{host}\n")
        });
        command.assert().code(1).stdout(contains(&*token).not());
        assert!(files(&world.home, "json").is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_refusal_takes_no_token_that_the_issuer_accepts() {
    let (world, token) = world();
    world.issuer.remove_key(&world.user.key_id);
    world.zitadel(["token", "--refresh"]).assert().code(1);
    age_check(&only(&world.home));
    let (code, same, _) = asked(&world);
    assert_eq!((code, same), (0, token), "tokens outlive their key");
}

#[test]
fn an_agent_with_a_token_survives_all_errors() {
    side_by_side(0..4, |version| {
        let world = World::new();
        world.issuer.set_lifetime(12);
        let mut command = world.home.command(crate::support::binary());
        command.args(["agent", "--write", "token"]);
        let mut agent = Running::start(command);
        let read = || std::fs::read_to_string(world.home.path().join("token"));
        until("it is written", || {
            read().is_ok_and(|text| !text.is_empty())
        });
        let asked = world.issuer.total_requests();
        match version {
            0 => without_database(&world, 404),
            1 => without_database(&world, 500),
            _ => without_database_but_with_instances(&world, version == 2),
        }
        until("it asked", || world.issuer.total_requests() > asked + 3);
        assert!(!agent.is_over());
        let held = read().unwrap();
        assert!(!held.is_empty());
        world.issuer.clear_faults();
        until("it is well again", || read().is_ok_and(|now| now != held));
    });
}

#[test]
fn a_500_of_the_token_endpoint_is_asked_once_more() {
    let world = World::new();
    let once = Fault::status(500, JSON, INTERNAL);
    world.issuer.fault(Endpoint::Token, once, 1);
    world.zitadel(["token"]).assert().success().stderr("");
    assert_eq!(world.issuer.token_requests(), 2);

    let case = Case::new();
    case.world.issuer.set_version(Version::Older);
    case.world.issuer.remove_key(&case.world.user.key_id);
    let output = case.world.zitadel(["token"]).run();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(case.world.issuer.token_requests(), 2);
    for cause in [
        "removed",
        "expired",
        "another instance",
        "active",
        "clock",
        "own",
    ] {
        assert!(stderr.contains(cause), "{cause}: {stderr}");
    }
}

#[test]
fn discoverys_500_is_tried_three_times() {
    for (kind, body) in [(JSON, INTERNAL), (TEXT, NO_DATABASE), (HTML, "<html>")] {
        let world = World::new();
        let fault = Fault::status(500, kind, body);
        world.issuer.fault(Endpoint::Discovery, fault, 2);
        world.zitadel(["token"]).assert().success().stderr("");
        assert_eq!(world.issuer.requests(Endpoint::Discovery), 3);
    }
}
