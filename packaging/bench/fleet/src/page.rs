//! Writes the figures as lines for a terminal, and as a page in Markdown.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use crate::conduct::Fleet;
use crate::issuer::{Kind, LATENCY};
use crate::knock::Knocks;
use crate::outcome::Outcome;

/// Returns the lines of one scenario.
pub fn lines(outcome: &Outcome) -> String {
    let ((p50, own50), (p99, own99)) = (outcome.added(0.5), outcome.added(0.99));
    let (longest, own_longest) = outcome.added(1.0);
    let mut text = format!(
        "\n== {}: {} runners, load {}\n\
         mints {}, discoveries {}, token requests {}, 429s {}, bans {}, most tries a minute {}\n\
         served {}, added ms: p50 {own50:.0}, p99 {own99:.0}, longest {own_longest:.0} \
         (with the wait for a processor: {p50:.0}, {p99:.0}, {longest:.0}; \
         processes: p50 {:.0}, p99 {:.0})\n",
        outcome.scenario.title,
        outcome.asked,
        outcome.load,
        outcome.mints(),
        outcome.requests(Kind::Discovery),
        outcome.requests(Kind::Token),
        outcome.refused(),
        outcome.bans,
        outcome.tries_a_minute(),
        outcome.served(),
        outcome.added_to_processes(0.5),
        outcome.added_to_processes(0.99),
    );
    if let Some(first) = outcome.first_token() {
        // Infallible: it is a String.
        let _ = writeln!(text, "first token granted {first:.0} ms after the start");
    }
    if let Some(recovery) = outcome.recovery() {
        // Infallible: it is a String.
        let _ = writeln!(
            text,
            "first token {recovery:.0} ms after the leader's death"
        );
    }
    for (error, count) in outcome.errors().iter().take(4) {
        let _ = writeln!(text, "{count} times {error}");
    }
    for (bound, holds) in outcome.bounds() {
        let _ = writeln!(text, "{} {bound}", word(holds));
    }
    text
}

/// Returns the lines of the connections in the same moment.
pub fn knocks(knocks: &Knocks) -> String {
    let (bound, holds) = knocks.bound();
    format!(
        "== the store alone: {} connections in the same moment, without the runners\n\
         answers ms: p50 {:.0}, p99 {:.0}, longest {:.0}\n{} {bound}",
        knocks.count(),
        knocks.percentile(0.5),
        knocks.percentile(0.99),
        knocks.percentile(1.0),
        word(holds),
    )
}

fn word(holds: bool) -> &'static str {
    if holds { "ok    " } else { "BROKEN" }
}

/// Returns the page with all scenarios.
pub fn page(fleet: &Fleet, outcomes: &[Outcome], knocks: &Knocks) -> String {
    let mut text = format!(
        "# A fleet behind one address\n\n\
         By `packaging/bench/fleet`: {} runners with empty caches, {} of them processes of the\n\
         program, that start within {} s or all at once. The issuer answers after {} ms, and\n\
         applies ZITADEL Cloud's limits: 50 requests a second averaged over a minute, and a ban\n\
         of a minute after three such minutes.\n\n{}\n\
         ![Runners with a token, and what they wait](results.svg)\n\n\
         | | runners | with a token | mints | requests | 429s | added p50, ms | p99 | longest |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        fleet.runners,
        fleet.processes,
        fleet.over.as_secs(),
        LATENCY.as_millis(),
        machine(fleet),
    );
    for outcome in outcomes {
        let [p50, p99, longest] = [0.5, 0.99, 1.0].map(|part| outcome.added(part).1);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {p50:.0} | {p99:.0} | {longest:.0} |",
            outcome.scenario.title,
            outcome.asked,
            outcome.served(),
            outcome.mints(),
            outcome.seen.len(),
            outcome.refused(),
        );
    }
    let _ = write!(
        text,
        "\nA herd's calls are as many as the processors can start, {} at once. What the\n\
         store does with {} connections in the same moment was measured without the runners:\n\
         half are answered within {:.0} ms, 99 % within {:.0} ms.\n",
        fleet.at_once,
        knocks.count(),
        knocks.percentile(0.5),
        knocks.percentile(0.99)
    );
    text += "\nAll of a call counts as added: the key, the signature and the program's start too. \
             Not\ncounted is the time in which the simulation's other runners had the processors.\n\n\
             | bound | met |\n| --- | ---: |\n";
    for outcome in outcomes {
        for (bound, holds) in outcome.bounds() {
            let met = if holds { "yes" } else { "**no**" };
            let _ = writeln!(text, "| {}: {bound} | {met} |", outcome.scenario.title);
        }
    }
    text
}

/// Returns the machine and the versions of the measurement.
fn machine(fleet: &Fleet) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "printing a version waits for nothing"
    )]
    let first = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        text.unwrap_or_default()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "- machine: {}, {cores} cores, Linux {}\n- date: {}\n- store: {}\n",
        cpu.map_or("unknown", |(_, name)| name),
        first("uname", "-r"),
        first("date", "-I"),
        first(&fleet.server, "--version"),
    )
}
