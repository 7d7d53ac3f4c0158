//! The verbs in the messages of an undo.

/// The verbs of an undo's lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verbs {
    pub(crate) removes: &'static str,
    pub(crate) restores: &'static str,
}

impl Verbs {
    /// The verbs of a dry run, which changes nothing.
    pub(crate) const PLANNED: Self = Self {
        removes: "removes",
        restores: "restores",
    };

    /// The verbs of an undo whose lines are shown after it is done.
    pub(crate) const DONE: Self = Self {
        removes: "removed",
        restores: "restored",
    };
}
