//! Draws the chart: the number of runners with a token, with and without a shared cache, and
//! the time that each scenario adds to a call.

use std::fmt::Write;

use crate::conduct::Fleet;
use crate::outcome::Outcome;

// Readable on a light and on a dark page, whichever the reader's system shows.
const STYLE: &str = "
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .axis { stroke: #8b949e; stroke-width: 1 }
  .ours, .other { fill: none; stroke-width: 2.5 }
  .ours { stroke: #1a7f64 }
  .other { stroke: #8b949e }
  .bar { fill: #1a7f64 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ours { stroke: #3fb98f }
    .bar { fill: #3fb98f }
    .other, .axis { stroke: #6e7681 }
  }
";

const WIDTH: f64 = 760.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 210.0;
const TOP: f64 = 40.0;
const HEIGHT: f64 = 190.0;
const LABEL: f64 = 330.0;
const LINE: f64 = 26.0;

/// Returns the chart in SVG.
pub fn plot(fleet: &Fleet, outcomes: &[Outcome]) -> String {
    let title = "Runners behind one address: with a token, and the time it adds to a call";
    let bars: Vec<_> = outcomes
        .iter()
        .filter(|outcome| !outcome.scenario.name.starts_with("alone"))
        .map(|outcome| (outcome.scenario.title, outcome.added(0.99).1))
        .collect();
    let second = TOP + HEIGHT + 70.0;
    let height = second + 20.0 + LINE * bars.len() as f64;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">\n<style>{STYLE}</style>\n"
    );
    lines(&mut text, fleet, outcomes);
    write_text(
        &mut text,
        "title",
        10.0,
        second - 8.0,
        "start",
        "Added to a call, 99th percentile",
    );
    let longest = bars.iter().map(|(_, ms)| *ms).fold(1.0, f64::max);
    for (n, (name, ms)) in bars.iter().enumerate() {
        let y = second + 6.0 + LINE * n as f64;
        let length = (ms * (WIDTH - LABEL - 90.0) / longest).max(1.0);
        write_text(&mut text, "", LABEL - 10.0, y + 14.0, "end", name);
        // Infallible: it is a String.
        let _ = writeln!(
            text,
            "<rect class=\"bar\" x=\"{LABEL}\" y=\"{y}\" rx=\"2\" width=\"{length:.1}\" height=\"18\"/>"
        );
        write_text(
            &mut text,
            "",
            LABEL + length + 6.0,
            y + 14.0,
            "start",
            &format!("{ms:.0} ms"),
        );
    }
    text + "</svg>\n"
}

/// Draws the runners with a token over time.
fn lines(text: &mut String, fleet: &Fleet, outcomes: &[Outcome]) {
    let over = fleet.over.as_secs_f64() * 1000.0;
    let end = over * 2.0;
    let title = format!(
        "Runners with a token, of {} that start within {} s",
        fleet.runners,
        fleet.over.as_secs()
    );
    write_text(text, "title", 10.0, 22.0, "start", &title);
    let (bottom, right) = (TOP + HEIGHT, WIDTH - RIGHT);
    let _ = writeln!(
        text,
        "<path class=\"axis\" fill=\"none\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>"
    );
    for part in [0.0, 0.5, 1.0] {
        let count = format!("{:.0}", fleet.runners as f64 * part);
        write_text(
            text,
            "",
            LEFT - 8.0,
            bottom - HEIGHT * part + 4.0,
            "end",
            &count,
        );
        let secs = format!("{:.0} s", end / 1000.0 * part);
        write_text(
            text,
            "",
            LEFT + (right - LEFT) * part,
            bottom + 18.0,
            "middle",
            &secs,
        );
    }
    for (name, class, label) in [
        ("up", "ours", "shared cache"),
        ("alone", "other", "no shared cache"),
    ] {
        let Some(outcome) = outcomes
            .iter()
            .find(|outcome| outcome.scenario.name == name)
        else {
            continue;
        };
        let served = outcome.calls.iter().filter(|call| call.code == 0);
        let mut times: Vec<_> = served.map(|call| call.to).collect();
        times.sort_by(f64::total_cmp);
        let mut path = format!("M{LEFT} {bottom}");
        let mut y = bottom;
        for step in 1..=200 {
            let at = end * f64::from(step) / 200.0;
            let count = times.partition_point(|time| *time <= at);
            y = bottom - HEIGHT * count as f64 / fleet.runners as f64;
            let _ = write!(path, "L{:.1} {y:.1}", LEFT + (right - LEFT) * at / end);
        }
        let _ = writeln!(text, "<path class=\"{class}\" d=\"{path}\"/>");
        let label = format!("{label}: {}", times.len());
        write_text(text, "", right + 8.0, y + 4.0, "start", &label);
    }
}

fn write_text(text: &mut String, class: &str, x: f64, y: f64, anchor: &str, words: &str) {
    let class = if class.is_empty() {
        String::new()
    } else {
        format!(" class=\"{class}\"")
    };
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    // Infallible: it is a String.
    let _ = writeln!(
        text,
        "<text{class} x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
    );
}
