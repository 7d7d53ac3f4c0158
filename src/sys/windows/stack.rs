//! Stacks of their own: a program's first thread has 1 MiB.

use std::thread;

/// What Linux gives a process by default.
const USUAL: usize = 8 * 1024 * 1024;

/// Runs the whole call on a stack of its own.
pub fn on_enough(call: fn()) {
    match thread::Builder::new().stack_size(USUAL).spawn(call) {
        // A call that ends exits the process itself.
        Ok(thread) => drop(thread.join()),
        Err(_) => call(),
    }
}

/// Runs a step on a stack of its own of this size; on this one if the system permits no
/// further thread.
pub fn on_own<T: Send>(size: usize, step: impl Fn() -> T + Sync) -> T {
    let result = thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(size);
        let thread = builder.spawn_scoped(scope, &step);
        thread.ok().and_then(|thread| thread.join().ok())
    });
    result.unwrap_or_else(step)
}

/// False: nobody limits it.
pub const fn is_small() -> bool {
    false
}
