//! Setups that are killed at any moment: the next one continues.

use std::thread;
use std::time::{Duration, Instant};

use super::files::{fixture, start};
use crate::support::machine::has_time;
use crate::support::tree::Node;

const ROUNDS: usize = 60;

/// Kills calls at any moment, each followed by an undo that finishes: it restores all
/// files, and leaves nothing.
fn kill(tool: &str, is_undo: bool) {
    let fixture = &fixture();
    let setup = &format!("{tool} r.dev");
    let undo = &format!("{setup} --undo");
    let call = if is_undo { undo } else { setup };
    let begin = || is_undo.then(|| fixture.done(setup));
    let files = || {
        let mut files = fixture.files();
        files.retain(|_, node| *node != Node::Directory);
        files
    };
    let before = files();
    let one = (0..3).map(|_| {
        begin();
        let start_of_it = Instant::now();
        start(fixture, call).output();
        let taken = start_of_it.elapsed();
        fixture.done(undo);
        taken
    });
    // The quickest call counts: after a slow one, the kill would be too late.
    let one = one.min().unwrap_or(Duration::ZERO);
    let rounds = if has_time() { 10 * ROUNDS } else { ROUNDS };
    let mut killed = 0;
    for _ in 0..rounds {
        begin();
        let mut running = start(fixture, call);
        thread::sleep(one.mul_f64(fastrand::f64()));
        killed += usize::from(!running.is_over());
        drop(running);
        fixture.done(undo);
        assert_eq!(files(), before);
    }
    fixture.done(setup);
    fixture.done(undo);
    assert_eq!(files(), before);
    assert!(killed > rounds / 10, "{killed} of {rounds} were killed");
}

#[test]
fn an_undo_that_is_killed_can_be_done_again() {
    kill("docker", true);
}

#[test]
fn a_setup_that_is_killed_can_be_undone() {
    kill("docker", false);
}

/// Its setup also makes a link.
#[test]
fn a_killed_setup_of_terraform_can_be_undone_and_its_undo_repeated() {
    kill("terraform", false);
    kill("terraform", true);
}
