//! Checks `.netrc`: logins for hosts with a rule, which tools send without asking this
//! program.

use super::wiring::Wirings;
use crate::findings::netrc::Netrc;
use crate::findings::wiring::{Context, NetrcReader};
use crate::findings::{Checks, warning};
use crate::text::clock::Deadline;

/// The program curl, which this program's wiring does not show.
const CURL: NetrcReader = NetrcReader {
    name: "curl -n",
    knows_variable: true,
    knows_default: true,
};

pub(super) fn check(
    checks: &mut Checks,
    context: &Context<'_>,
    wiring: &Wirings,
    deadline: &Deadline,
) {
    let netrc = Netrc::read(context.environment, context.directories, deadline);
    for entry in netrc.entries() {
        let ask = entry.ask();
        let origin = ask.as_ref().map(|ask| &ask.origin);
        let is_relevant = match origin {
            Some(origin) => context.has_rule(origin),
            None => entry.is_default(),
        };
        if !is_relevant {
            continue;
        }
        let tools = wiring.netrc(origin, context);
        let mut names: Vec<_> = tools
            .filter(|reader| netrc.is_read_by(entry, reader))
            .map(|reader| reader.name)
            .collect();
        // curl is on every machine: a `default` entry that only curl reads is not
        // reported.
        if netrc.is_read_by(entry, &CURL) && !(entry.is_default() && names.is_empty()) {
            names.push(CURL.name);
        }
        if !names.is_empty() {
            checks.push(warning("netrc", entry.line(&names), entry.remedy()));
        }
    }
}
