//! Brings the world in and the exit code out.

use std::alloc::System;
use std::fs::File;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::{io, process};

#[cfg(target_os = "linux")]
use rustix::process::DumpableBehavior;
use rustix::process::set_dumpable_behavior;
use zeroizing_alloc::ZeroAlloc;
use zitadel_credential::cache::parents::Parent;
use zitadel_credential::config::{Directories, TIMEOUT};
use zitadel_credential::sys::limit::Stream;
use zitadel_credential::text::clock::{Deadline, UnixTime};
use zitadel_credential::text::input::{Bounded, Patient};
use zitadel_credential::text::stderr::Stderr;
use zitadel_credential::text::terminal::Terminal;
use zitadel_credential::{World, run};

/// What is freed is wiped, in the libraries too: JSON's scratch, the signer's
/// primes, a request's buffers, and what a text leaves behind as it grows.
#[global_allocator]
static WIPING: ZeroAlloc<System> = ZeroAlloc(System);

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment and ends the process"
)]
fn main() {
    std::panic::set_hook(Box::new(|panic| {
        // Its message may quote anything, a secret too.
        let place = panic.location().map(ToString::to_string);
        let line = format!(
            "zitadel-credential: error: a bug at {}; please report it\n",
            place.unwrap_or_default()
        );
        let _ = Stderr.write_all(line.as_bytes());
        process::exit(1);
    }));
    // No core dump, and no debugger of this user's other programs. A command that
    // is run starts anew (execve(2)).
    #[cfg(target_os = "linux")]
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    // Without std's buffer, which would hide from a wait what has come already.
    let mut stdin: Box<dyn Bounded> = match io::stdin().as_fd().try_clone_to_owned() {
        Ok(fd) => Box::new(Patient::new(File::from(fd), Deadline::after(TIMEOUT))),
        Err(_) => Box::new(io::empty()),
    };
    let code = run(World {
        args: std::env::args_os().collect(),
        environment: &|name| std::env::var_os(name),
        // A relative one would lie wherever this is called: in a clone, say.
        directories: Directories {
            home: dirs::home_dir().filter(|dir| dir.is_absolute()),
            config: dirs::config_dir().filter(|dir| dir.is_absolute()),
            cache: dirs::cache_dir().filter(|dir| dir.is_absolute()),
        },
        clock: &UnixTime::now,
        parent: &parent,
        program: &std::env::current_exe,
        terminal: &terminal,
        ask: &ask,
        stdin: &mut *stdin,
        stdout: &mut Stream(io::stdout()),
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
    /// A path is shorter.
    const LINE: u64 = 8 * 1024;
    let mut stderr = io::stderr();
    stderr.write_all(question.as_bytes())?;
    let mut line = String::new();
    io::stdin().lock().take(LINE).read_line(&mut line)?;
    Ok(line)
}

fn parent() -> Parent {
    let pid = std::os::unix::process::parent_id();
    Parent {
        pid,
        started: started(pid).unwrap_or_default(),
    }
}

/// When a process was started, in clock ticks since boot: the 22nd field of
/// `/proc/PID/stat`, the 20th after the name, which may hold anything (proc(5)).
fn started(pid: u32) -> Option<u64> {
    // The kernel hands the line over whole, and these fields lie at its start.
    let mut stat = [0; 512];
    let mut file = File::open(format!("/proc/{pid}/stat")).ok()?;
    let length = file.read(&mut stat).ok()?;
    let stat = &stat[..length];
    let after_name = stat.iter().rposition(|b| *b == b')')? + 1;
    let fields = std::str::from_utf8(&stat[after_name..]).ok()?;
    fields.split_ascii_whitespace().nth(19)?.parse().ok()
}
