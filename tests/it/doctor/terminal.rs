//! Colours at a terminal.

use std::time::Duration;

use crate::doctor::{case, without_times};
use crate::support::{Case, Running, binary};

/// Returns the output of `doctor` at a separate terminal.
fn on_a_terminal(case: &Case, variables: &[(&str, &str)]) -> String {
    let by_hand = format!("'{}' doctor", binary().display());
    let mut command = case.world.home.command("script");
    command
        .args(["-qec", &by_hand, "/dev/null"])
        .env("TERM", "xterm")
        .envs(variables.iter().copied());
    let (running, stdin) = Running::start_open(command, "");
    let output = running.output_within(Duration::from_secs(20));
    drop(stdin);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stdout).unwrap();
    without_times(&shown.replace("\r\n", "\n"))
}

/// Returns a line in a terminal's colours.
fn coloured(line: &str) -> String {
    const SIGNS: [(&str, &str, &str); 4] = [
        ("ok     ", "32", "✓"),
        ("warning", "33", "!"),
        ("failed ", "31", "✗"),
        ("skipped", "2", "-"),
    ];
    if line.starts_with(' ') {
        return format!("  {line}");
    }
    for (word, colour, symbol) in SIGNS {
        if let Some(rest) = line.strip_prefix(word) {
            return format!("\x1b[{colour}m{symbol} {word}\x1b[0m{rest}");
        }
    }
    line.to_owned()
}

#[test]
fn a_terminal_gets_colour_and_symbols_unless_they_are_disabled() {
    let case = case();
    case.world.issuer.remove_key(&case.world.user.key_id);
    let plain = without_times(&case.run(["doctor"]).stdout);
    // The terminal's lines are wrapped.
    let words = |text: &str| {
        text.split_whitespace()
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>()
    };
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let shown = on_a_terminal(&case, &[(name, value)]);
        assert_eq!(words(&shown), words(&plain), "{name}");
    }
    let lines = plain.split_inclusive('\n').map(coloured);
    let coloured: String = lines.collect();
    for variables in [[].as_slice(), &[("NO_COLOR", "")]] {
        assert_eq!(words(&on_a_terminal(&case, variables)), words(&coloured));
    }
}
