//! Wiring of the kubelet: its files belong to root, and its command line names them.

use crate::findings::Checks;
use crate::findings::wiring::{Context, Machine, Wiring};

struct KubeletWiring;

/// Returns the wiring.
pub(super) fn read(_machine: &Machine<'_>) -> Box<dyn Wiring> {
    Box::new(KubeletWiring)
}

impl Wiring for KubeletWiring {
    fn is_unseen(&self) -> bool {
        true
    }

    fn check(&self, _checks: &mut Checks, _context: &Context<'_>) {}
}
