//! Separate stacks: a program's first thread has only 1 MiB.

use std::thread;

/// The default stack size of a Linux process.
const USUAL: usize = 8 * 1024 * 1024;

/// Runs the whole call on a separate stack.
pub fn on_enough(call: fn()) {
    match thread::Builder::new().stack_size(USUAL).spawn(call) {
        // A call exits the process itself when it is done.
        Ok(thread) => drop(thread.join()),
        Err(_) => call(),
    }
}

/// Runs a step on a separate stack of this size; on the current one if the system permits
/// no further thread.
pub fn on_own<T: Send>(size: usize, step: impl Fn() -> T + Sync) -> T {
    let result = thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(size);
        let thread = builder.spawn_scoped(scope, &step);
        thread.ok().and_then(|thread| thread.join().ok())
    });
    result.unwrap_or_else(step)
}

/// False: the stack has no user limit.
pub const fn is_small() -> bool {
    false
}
