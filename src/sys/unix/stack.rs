//! Separate stacks, for a process with a small one (`ulimit -s`): the first thread's
//! stack cannot grow, and an overflow ends the process with SIGABRT.

use std::{fs, thread};

/// The default stack size of std's threads. Much less is too little for an unoptimised
/// build, and for the stack that is wiped after a signature.
const ENOUGH: u64 = 2 * 1024 * 1024;

/// The default stack size of a Linux process.
const USUAL: usize = 8 * 1024 * 1024;

/// Runs the whole call: on a separate stack if the current one is small and the build is
/// unoptimised, with large frames.
pub fn on_enough(call: fn()) {
    if cfg!(debug_assertions)
        && is_small()
        && let Ok(thread) = thread::Builder::new().stack_size(USUAL).spawn(call)
    {
        // A call exits the process itself when it is done.
        let _ = thread.join();
        return;
    }
    call();
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

/// True if the stack limit is lower than usual, by Linux's data; false elsewhere.
/// getrlimit(2) would do, but some sandboxes refuse it.
pub fn is_small() -> bool {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let mut lines = limits.lines();
    let stack = lines.find_map(|line| line.strip_prefix("Max stack size"));
    let soft = stack.and_then(|limits| limits.split_whitespace().next());
    soft.and_then(|bytes| bytes.parse::<u64>().ok())
        .is_some_and(|bytes| bytes < ENOUGH)
}
