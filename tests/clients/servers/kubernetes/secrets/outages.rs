//! An API server that is down for a while: the agent keeps its file fresh, asks again,
//! and reports it once.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Pod, SECRET, SHORT};
use crate::program::{client, output};
use crate::support::{Running, until};

#[test]
fn a_server_that_is_stopped_and_started_again_gets_the_newest_token() {
    let Some(mut pod) = Pod::with_rights() else {
        return;
    };
    pod.world.issuer.set_lifetime(SHORT);
    let running = Running::start(pod.agent(&[&SECRET[..], &["--write", "token"]].concat()));
    until("it is made", || !pod.value("token").is_empty());
    pod.server.stop();
    let read = |pod: &Pod| pod.world.home.read("token");
    // The file stays fresh meanwhile.
    for _ in 0..3 {
        let held = read(&pod);
        until("the file is renewed", || read(&pod) != held);
    }
    let issued = pod.world.issuer.issued_tokens();
    pod.server.serve();
    pod.until_renewed_beyond(&issued);
    let said = pod.stop(running);
    assert_eq!(said.matches("connection refused").count(), 1, "{said}");
    assert!(
        said.contains("Secret ci/zitadel-token has a fresh token again"),
        "{said}"
    );
}

/// With faketime, the agent's minute is a second.
#[test]
fn a_server_that_is_gone_for_ten_minutes_gets_a_fresh_token() {
    let Some(mut pod) = Pod::with_rights() else {
        return;
    };
    let Some(faketime) = client("faketime") else {
        return;
    };
    pod.world.issuer.set_lifetime(300);
    let mut command = pod.agent(&[&SECRET[..], &["--write", "token"]].concat());
    // faketime itself would not pass on the signal that stops the agent.
    for name in ["LD_PRELOAD", "FAKETIME"] {
        let mut asked = Command::new(&faketime);
        asked.args(["-f", "+0 x60", "printenv", name]);
        let value = String::from_utf8(output(asked).stdout).unwrap();
        command.env(name, value.trim_end());
    }
    let running = Running::start(command);
    until("it is made", || !pod.value("token").is_empty());
    pod.server.stop();
    let (gone, mut renewals) = (Instant::now(), BTreeSet::new());
    until("ten minutes of the agent's have passed", || {
        renewals.insert(pod.world.home.read("token"));
        gone.elapsed() >= Duration::from_secs(10)
    });
    assert!(renewals.len() > 2, "the file is kept fresh meanwhile");
    let issued = pod.world.issuer.issued_tokens();
    pod.server.serve();
    pod.until_renewed_beyond(&issued);
    let said = pod.stop(running);
    assert_eq!(said.matches("connection refused").count(), 1, "{said}");
    let end = "Secret ci/zitadel-token has a fresh token again";
    assert_eq!(said.matches(end).count(), 1, "{said}");
}

#[test]
fn a_server_that_is_down_at_the_start_is_waited_for() {
    let Some(mut pod) = Pod::with_rights() else {
        return;
    };
    pod.server.stop();
    let (code, said) = pod.once(&SECRET);
    assert_eq!(code, 75, "{said}");
    assert!(said.contains("check that the API server is up"), "{said}");
    let running = Running::start(pod.agent(&SECRET));
    until("a token is there", || pod.world.issuer.token_requests() > 0);
    pod.server.serve();
    until("it is made", || !pod.value("token").is_empty());
    pod.stop(running);
}
