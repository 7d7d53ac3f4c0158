//! A text that must not be shown: `Debug` redacts it. Its memory is wiped when it is
//! freed, like all memory of the program.

use std::fmt;
use std::hint::black_box;

use zeroize::Zeroize;

use crate::sys::stack;

/// A private key, an assertion or a token.
///
/// There is no `Display`: every call of [`Secret::expose`] marks a place where a secret
/// leaves this type.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Creates a secret from a text that the caller does not keep.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the secret's text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// More bytes than the deepest computation with a key uses: the signer's tables of powers
/// are its largest arrays, about 20 KiB.
const STACK: usize = 128 * 1024;

/// The size of the separate stack that is wiped if this process's is too small.
const WHOLE: usize = 4 * STACK;

/// Runs a computation with a key, and then wipes the used stack: the crypto library
/// leaves a prime there.
///
/// The result must keep its secrets on the heap, all of which is wiped when it is freed.
pub fn on_wiped_stack<T: Send>(step: impl Fn() -> T + Sync) -> T {
    let wiped = || {
        let result = called(&step);
        wipe_stack();
        result
    };
    if stack::is_small() {
        return stack::on_own(WHOLE, wiped);
    }
    wiped()
}

/// Never inlined: its frame has the place of the later frame of [`wipe_stack`].
#[inline(never)]
fn called<T>(step: impl FnOnce() -> T) -> T {
    step()
}

#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "the stack is what is wiped")]
fn wipe_stack() {
    let mut stack = [0_u64; STACK / size_of::<u64>()];
    stack.zeroize();
    black_box(&mut stack);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_text() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".into())), "Secret(…)");
    }
}
