//! Wiring of pip and uv, which call `keyring`: no file names this program, only a link.

use crate::findings::Checks;
use crate::findings::wiring::{Context, Machine, NetrcReader, Wiring};
use crate::url::Origin;

/// pip reads `.netrc` through Python's requests; uv reads it itself.
pub(super) const NETRC: NetrcReader = NetrcReader {
    name: "pip, uv",
    knows_variable: true,
    knows_default: true,
};

struct KeyringWiring;

/// Returns the wiring.
pub(super) fn read(_machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(KeyringWiring)
}

impl Wiring for KeyringWiring {
    fn netrc(
        &self,
        _origin: Option<&Origin>,
        context: &Context<'_>,
    ) -> Option<&'static NetrcReader> {
        context.leads_here("keyring").then_some(&NETRC)
    }

    fn is_unseen(&self) -> bool {
        true
    }

    fn check(&self, _checks: &mut Checks, _context: &Context<'_>) {}
}
