//! Checks the shared cache: connection and TLS, login, rights, entry, ban.

use crate::broker::Broker;
use crate::broker::wish::Step;
use crate::findings::{Checks, failed_with, ok, skipped, warning};

const NAMES: [&str; 4] = [
    "shared cache",
    "shared login",
    "shared rights",
    "shared entry",
];

pub(super) fn check(checks: &mut Checks, broker: Option<&Broker<'_>>) {
    let Some(broker) = broker.filter(|broker| broker.is_shared()) else {
        return;
    };
    let mut names = NAMES.into_iter();
    for step in broker.try_shared() {
        let Some(name) = names.next() else { break };
        checks.push(match step {
            Ok(Step::Done(what)) => ok(name, what),
            Ok(Step::Remark(what, hint)) => warning(name, what, hint),
            Err(error) => failed_with(name, &error),
        });
    }
    for name in names {
        checks.push(skipped(name, "a check before it failed"));
    }
}
