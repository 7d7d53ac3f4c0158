//! A part of the fleet: runners, each a thread with a cache directory and a clock of its
//! own that makes whole calls of the library, or that starts the real program.
//!
//! The fleet is many processes, because threads of one wait for each other's memory. Runners
//! have a low priority: the issuer and the store stand for other machines.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use log::{Level, Log, Metadata, Record};
use rustix::process::{Pid, WaitId, WaitIdOptions, setpriority_process, waitid};
use serde::{Deserialize, Serialize};
use zitadel_credential::config::Directories;
use zitadel_credential::sys::parent::Parent;
use zitadel_credential::text::clock::UnixTime;
use zitadel_credential::text::terminal::Terminal;
use zitadel_credential::{World, run};

/// The priority of runners, but of the first: it is the one for which the others wait, and
/// has a processor of its own in a real fleet.
const LOW: i32 = 5;

/// What a swarm is to do.
#[derive(Serialize, Deserialize)]
pub struct Plan {
    pub config: PathBuf,
    pub caches: PathBuf,
    /// The program of those that are processes.
    pub program: PathBuf,
    /// How many calls run at once; the others of a herd begin as these end.
    pub at_once: usize,
    pub runners: Vec<Runner>,
}

/// One machine of the fleet.
#[derive(Clone, Serialize, Deserialize)]
pub struct Runner {
    pub id: usize,
    /// When it makes its calls, in milliseconds from the start.
    pub calls: Vec<u64>,
    /// Seconds by which its clock is off.
    pub skew: i64,
    pub is_process: bool,
}

/// The result of one call.
#[derive(Clone, Serialize, Deserialize)]
pub struct Call {
    pub id: usize,
    /// 0 for the first call of a runner.
    pub number: usize,
    pub code: i32,
    pub token: String,
    /// The error's first line, or the last warning.
    pub error: String,
    /// When it began and ended, in milliseconds from the start.
    pub from: f64,
    pub to: f64,
    /// Milliseconds during which it was ready to run, and another runner had the processor.
    pub queued: f64,
    pub is_process: bool,
}

/// Reads a plan and the start from stdin, and writes a line for each call.
pub fn main() -> io::Result<()> {
    let mut lines = io::stdin().lock().lines();
    let mut line = || lines.next().unwrap_or_else(|| Ok(String::new()));
    // The library's own logger, which is one for a process, comes too late then.
    log::set_logger(&Warnings).map_err(io::Error::other)?;
    let plan: Plan = serde_json::from_str(&line()?)?;
    let (starts, results): (Vec<_>, _) = {
        let (sender, results) = mpsc::channel();
        let gate = Arc::new(Gate::of(plan.at_once));
        let start = |runner: Runner| {
            let (start, started) = mpsc::channel();
            let (plan, sender, gate) = (plan.of(&runner), sender.clone(), Arc::clone(&gate));
            // No runner waits for another one's directory: each has a disk of its own.
            fs::create_dir_all(plan.cache.with_file_name(""))?;
            let runs = move || {
                if runner.id > 0 {
                    // Without leave the figures get worse, and stay true.
                    let _ = setpriority_process(None, LOW);
                }
                // The sender is dropped if the conductor has gone.
                let Ok(zero) = started.recv() else { return };
                for (number, at) in runner.calls.iter().enumerate() {
                    let _ = sender.send(plan.call(&runner, zero, number, *at, &gate));
                }
            };
            // What std gives a thread; only what is used takes memory.
            thread::Builder::new().spawn(runs).map(|_| start)
        };
        let starts = plan.runners.iter().cloned().map(start);
        (starts.collect::<io::Result<_>>()?, results)
    };
    println!("ready");
    let start: u64 = line()?.trim().parse().map_err(io::Error::other)?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.map_err(io::Error::other)?;
    let zero = Instant::now() + Duration::from_micros(start).saturating_sub(since);
    for started in starts {
        let _ = started.send(zero);
    }
    let mut out = io::stdout().lock();
    for call in results {
        serde_json::to_writer(&mut out, &call)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

thread_local! {
    /// The last warning of this thread's runner.
    static WARNING: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps the warnings of each runner apart.
struct Warnings;

impl Log for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn && metadata.target().starts_with("zitadel_credential::")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            WARNING.set(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Lets so many calls run at once.
struct Gate {
    free: Mutex<usize>,
    is_free: Condvar,
}

impl Gate {
    fn of(count: usize) -> Self {
        Self {
            free: Mutex::new(count),
            is_free: Condvar::new(),
        }
    }

    fn enter(&self) {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.is_free.wait_while(free, |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
    }

    fn leave(&self) {
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.is_free.notify_one();
    }
}

/// What one runner needs of a plan.
struct Place {
    config: PathBuf,
    cache: PathBuf,
    program: PathBuf,
}

impl Plan {
    fn of(&self, runner: &Runner) -> Place {
        Place {
            config: self.config.clone(),
            cache: self.caches.join(format!("{}/cache", runner.id)),
            program: self.program.clone(),
        }
    }
}

impl Place {
    fn call(&self, runner: &Runner, zero: Instant, number: usize, at: u64, gate: &Gate) -> Call {
        let due = zero + Duration::from_millis(at);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        gate.enter();
        let (start, before) = (Instant::now(), queued(THREAD));
        let (code, token, error, other) = if runner.is_process {
            let ended = self.process();
            ended.unwrap_or_else(|error| (-1, String::new(), error.to_string(), 0.0))
        } else {
            let (code, token, error) = self.thread(runner.skew);
            (code, token, error, 0.0)
        };
        let (end, after) = (Instant::now(), queued(THREAD));
        gate.leave();
        let millis = |at: Instant| (at - zero).as_secs_f64() * 1000.0;
        Call {
            id: runner.id,
            number,
            code,
            token: token.trim().to_owned(),
            error: {
                let line = error.lines().next().unwrap_or_default();
                let words = ["zitadel-credential: ", "error: ", "warning: "];
                let strip = |line, word| str::strip_prefix(line, word).unwrap_or(line);
                words.into_iter().fold(line, strip).to_owned()
            },
            from: millis(start),
            to: millis(end),
            queued: (after - before).max(0.0) + other,
            is_process: runner.is_process,
        }
    }

    fn arguments(&self) -> Vec<OsString> {
        let (config, cache) = (self.config.as_os_str(), self.cache.as_os_str());
        let words = ["--config".as_ref(), config, "--cache-dir".as_ref(), cache];
        let words = words.into_iter().chain(["token".as_ref()]);
        words.map(ToOwned::to_owned).collect()
    }

    fn thread(&self, skew: i64) -> (i32, String, String) {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let name = OsString::from("zitadel-credential");
        let code = run(World {
            args: [name].into_iter().chain(self.arguments()).collect(),
            environment: &|_| None,
            directories: Directories::default(),
            clock: &move || {
                let now = UnixTime::now().as_secs();
                UnixTime::from_secs(now.saturating_add_signed(skew))
            },
            parent: &Parent::current,
            program: &|| Ok(self.program.clone()),
            terminal: &Terminal::default,
            ask: &|_| Err(io::ErrorKind::Unsupported.into()),
            stdin: &mut io::empty(),
            stdout: &mut stdout,
            stderr: &mut stderr,
        });
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let warning = WARNING.take();
        let error = if code == 0 { warning } else { text(stderr) };
        (code.into(), text(stdout), error)
    }

    /// Returns the code, both outputs, and the milliseconds in which the process waited for
    /// a processor.
    fn process(&self) -> io::Result<(i32, String, String, f64)> {
        let mut command = command(&self.program, self.arguments());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (mut token, mut errors) = (String::new(), String::new());
        // Neither fills a pipe.
        if let (Some(stdout), Some(stderr)) = (&mut child.stdout, &mut child.stderr) {
            stdout.read_to_string(&mut token)?;
            stderr.read_to_string(&mut errors)?;
        }
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&child)), options)?;
        let queued = queued(&format!("/proc/{}/schedstat", child.id()));
        let code = child.wait()?.code().unwrap_or(-1);
        let line = errors
            .lines()
            .rfind(|line| line.starts_with("zitadel-credential: "));
        Ok((code, token, line.unwrap_or_default().to_owned(), queued))
    }
}

/// Returns the real program with these arguments, and with nothing of this environment.
pub fn command(program: &Path, arguments: Vec<OsString>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

const THREAD: &str = "/proc/thread-self/schedstat";

/// Returns for how many milliseconds a thread was ready to run and did not.
fn queued(path: &str) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let nanos = text.split_whitespace().nth(1).and_then(|n| n.parse().ok());
    nanos.unwrap_or(0.0) / 1e6
}
