//! `askpass`: git's line for a prompt, and the refused prompts.

use std::process::Output;

use crate::negative::{Bait, GOOD, hosts};
use crate::support::{Run, World};

fn ask(world: &World, prompt: &str) -> Output {
    let link = world.home.link("askpass-credential-zitadel");
    world.home.command(link).arg(prompt).run()
}

fn line(world: &World, prompt: &str) -> String {
    let output = ask(world, prompt);
    assert!(output.status.success() && output.stderr.is_empty());
    let text = String::from_utf8(output.stdout).unwrap();
    text.strip_suffix('\n').unwrap().to_owned()
}

#[test]
fn a_username_costs_no_request_and_the_password_is_the_token() {
    let world = World::new();
    world.allow("git.acme.dev");
    let username = line(&world, "Username for 'https://git.acme.dev': ");
    assert_eq!(username, world.user.user_id.as_str());
    assert_eq!(world.issuer.total_requests(), 0);
    let prompt = format!("Password for 'https://{username}@git.acme.dev': ");
    assert!(world.issuer.accepts(&line(&world, &prompt)));
    assert_eq!(world.issuer.token_requests(), 1);
}

#[test]
fn the_rules_username_is_shown_and_another_gets_nothing() {
    let world = World::new();
    world.allow("git.acme.dev");
    world.home.append_config("username = \"ci\"\n");
    let username = line(&world, "Username for 'https://git.acme.dev': ");
    assert_eq!(username, "ci");
    let token = line(&world, "Password for 'https://ci@git.acme.dev': ");
    assert!(world.issuer.accepts(&token));
    let another = ask(&world, "Password for 'https://eve@git.acme.dev': ");
    assert_eq!((another.status.code(), another.stdout.len()), (Some(1), 0));
}

#[test]
fn a_host_with_a_rule_gets_the_token_in_any_spelling() {
    let bait = Bait::new();
    for host in hosts::GOODS {
        let prompt = format!("Password for 'https://{host}': ");
        bait.ask(&["askpass", &prompt], "").gets_the_token(host);
    }
}

#[test]
fn a_host_that_has_no_rule_gets_nothing() {
    let bait = Bait::new();
    for (host, what) in hosts::bad() {
        // These characters end the host in a prompt, and a plain user is a part of it.
        let user = host.split_once('@').map_or("/", |(user, _)| user);
        let is_user = user.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
        if host.contains(['/', '\0']) || (is_user && !host.ends_with("evil.test")) {
            continue;
        }
        for wanted in ["Username", "Password"] {
            let prompt = format!("{wanted} for 'https://{host}': ");
            let call = bait.ask(&["askpass", &prompt], "");
            call.gets_nothing_but(1, "", what).silently();
        }
    }
}

#[test]
fn a_prompt_not_worded_by_git_gets_nothing() {
    let bait = Bait::new();
    for prompt in [
        format!("https://{GOOD}"),
        format!("Password for 'https://{GOOD}'"),
        format!("Password for 'https://{GOOD}': \nPassword for 'https://{GOOD}': "),
        format!("Password for 'http://{GOOD}': "),
        format!("Password for 'https://{GOOD}%2eevil.test': "),
        format!("Password for 'https://evil.test#@{GOOD}': "),
        format!("Password for 'https://x@{GOOD}@evil.test': "),
        format!("root@{GOOD}'s password: "),
        "Enter passphrase for key '/home/ci/.ssh/id_ed25519': ".to_owned(),
    ] {
        let call = bait.ask(&["askpass", &prompt], "");
        call.gets_nothing_but(1, "", &prompt).silently();
    }
}

#[test]
fn a_prompt_that_looks_like_an_option_gets_nothing() {
    let bait = Bait::new();
    for prompt in [
        "--config=x@git.acme.test's password: ",
        "--host=evil.test",
        "-x",
    ] {
        bait.ask(&["askpass", prompt], "")
            .gets_nothing_but(2, "", prompt);
    }
}
