//! Supplies the surroundings of a call, and exits with its code.

use std::alloc::System;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::{io, process};

use zeroizing_alloc::ZeroAlloc;
use zitadel_credential::config::{Directories, TIMEOUT};
use zitadel_credential::sys::parent::Parent;
use zitadel_credential::sys::streams::Stdout;
use zitadel_credential::sys::{children, exec, signals, stack, streams};
use zitadel_credential::text::clock::{Deadline, UnixTime};
use zitadel_credential::text::input::{Bounded, TimedReader};
use zitadel_credential::text::logger;
use zitadel_credential::text::stderr::Stderr;
use zitadel_credential::text::terminal::Terminal;
use zitadel_credential::text::waiting;
use zitadel_credential::{World, run};

/// Wipes freed memory, including that of libraries: JSON buffers, the signer's primes,
/// request buffers, and the old memory of strings that grow.
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

fn main() {
    stack::on_enough(call);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment and ends the process"
)]
fn call() {
    let args: Vec<_> = std::env::args_os().collect();
    if children::is_watcher(args.first()) {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        // The panic's message may quote a secret, so only its location is shown.
        let place = panic.location().map(ToString::to_string);
        let text = format!("bug at {}; please report it", place.unwrap_or_default());
        let line = if logger::is_json() {
            logger::json_line(UnixTime::now(), log::Level::Error, &text, &[]) + "\n"
        } else {
            format!("zitadel-credential: error: {text}\n")
        };
        let _ = Stderr.write_all(line.as_bytes());
        process::exit(1);
    }));
    exec::forbid_core_dumps();
    waiting::allow(|name| std::env::var_os(name));
    // Without this, a write past `ulimit -f` ends the process.
    let _ = signals::survive_file_limit();
    let mut stdin: Box<dyn Bounded> = match streams::stdin() {
        Ok(stdin) => Box::new(TimedReader::new(stdin, Deadline::after(TIMEOUT))),
        Err(_) => Box::new(io::empty()),
    };
    let code = run(World {
        args,
        environment: &|name| std::env::var_os(name),
        // A relative directory would depend on the working directory, for example a
        // git clone.
        directories: Directories {
            home: dirs::home_dir().filter(|dir| dir.is_absolute()),
            config: dirs::config_dir().filter(|dir| dir.is_absolute()),
            cache: dirs::cache_dir().filter(|dir| dir.is_absolute()),
        },
        clock: &UnixTime::now,
        parent: &Parent::current,
        program: &std::env::current_exe,
        terminal: &terminal,
        ask: &ask,
        stdin: &mut *stdin,
        stdout: &mut Stdout,
        stderr: &mut Stderr,
    });
    process::exit(code.into());
}

fn terminal() -> Terminal {
    Terminal {
        stdin: io::stdin().is_terminal(),
        stdout: io::stdout().is_terminal(),
        stderr: io::stderr().is_terminal(),
    }
}

fn ask(question: &str) -> io::Result<String> {
    /// Longer than the longest path.
    const LINE: u64 = 8 * 1024;
    let mut stderr = io::stderr();
    stderr.write_all(question.as_bytes())?;
    let mut line = String::new();
    io::stdin().lock().take(LINE).read_line(&mut line)?;
    Ok(line)
}
