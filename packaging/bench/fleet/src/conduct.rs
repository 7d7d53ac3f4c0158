//! Runs one scenario: an issuer, a store, and the fleet in a few processes.

use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::issuer::{Issuer, Kind};
use crate::outcome::Outcome;
use crate::proxy;
use crate::scenario::{Behaviour, Scenario};
use crate::store::{self, Store};
use crate::swarm::{self, Call, Plan, Runner};

const USER: &str = "100507859606888466";

/// Number of processes that share the runners: threads of one process contend for memory.
const SWARMS: usize = 32;

/// Calls of a herd that run at once, if nothing else is asked for. Each takes two
/// milliseconds of a processor, which it has for itself in a real fleet: 10,000 at once
/// would wait for each other here.
pub const AT_ONCE: usize = 256;

/// The parameters of a simulation.
pub struct Fleet {
    pub runners: usize,
    /// Number of runners that are processes of the program.
    pub processes: usize,
    pub over: Duration,
    /// Number of a herd's calls that run at once.
    pub at_once: usize,
    pub program: PathBuf,
    /// The server that is the store.
    pub server: String,
    pub scratch: PathBuf,
    /// Whether a scenario that was only late runs again: a stall of the machine delays one
    /// run, a fault delays each.
    pub has_second_runs: bool,
}

/// Runs a scenario to its end.
pub fn run(fleet: &Fleet, scenario: &Scenario) -> io::Result<Outcome> {
    let directory = fleet.scratch.join(scenario.name);
    fs::create_dir(&directory)?;
    fs::set_permissions(&directory, Permissions::from_mode(0o700))?;
    let issuer = Issuer::start(scenario.issuer, USER, public_key(&fleet.scratch)?)?;
    let (store, port) = start_store(fleet, scenario, &directory)?;
    let config = write_config(fleet, scenario, &directory, &issuer, port)?;
    let runners = runners(fleet, scenario);
    let (asked, over) = (runners.len(), fleet.over.mul_f64(scenario.spread));
    let mut swarms = Swarms::start(fleet, &config, &directory, runners, over)?;

    let killed = match scenario.leader_killed {
        true => Some(kill_a_leader(fleet, &config, &directory, &issuer)?),
        false => None,
    };
    let zero = swarms.go(Duration::from_millis(300))?;
    if let (Behaviour::KilledMidway, Some(store)) = (scenario.store, &store) {
        thread::sleep((zero + over / 2).saturating_duration_since(Instant::now()));
        store.kill()?;
    }
    let calls = swarms.results(zero + over + Duration::from_secs(180))?;
    drop(store);
    fs::remove_dir_all(&directory)?;
    Ok(Outcome {
        scenario: *scenario,
        asked,
        calls,
        seen: issuer.seen(),
        granted: issuer.granted(),
        bans: issuer.bans(),
        zero,
        leader_killed_at: killed,
        load: load(),
    })
}

fn start_store(
    fleet: &Fleet,
    scenario: &Scenario,
    directory: &Path,
) -> io::Result<(Option<Store>, u16)> {
    if scenario.store == Behaviour::Absent {
        return Ok((None, 0));
    }
    let more = match scenario.store {
        Behaviour::Full => "maxmemory 1\nmaxmemory-policy noeviction",
        _ => "",
    };
    let store = Store::start(&fleet.server, &directory.join("store"), more)?;
    let mut port = store.address.port();
    match scenario.store {
        Behaviour::Slow(delay) => {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            port = proxy::start(address, delay)?;
        }
        Behaviour::Hung => store.hang()?,
        Behaviour::Down => store.kill()?,
        _ => {}
    }
    Ok((Some(store), port))
}

fn write_config(
    fleet: &Fleet,
    scenario: &Scenario,
    directory: &Path,
    issuer: &Issuer,
    port: u16,
) -> io::Result<PathBuf> {
    let mut text = format!(
        "default-profile = \"ci\"\n\n[profiles.ci]\nissuer = \"{}\"\nkey-file = \"{}\"\n",
        issuer.url(),
        fleet.scratch.join("key.json").display()
    );
    if scenario.store != Behaviour::Absent {
        let password = directory.join("password");
        fs::write(&password, store::PASSWORD)?;
        fs::set_permissions(&password, Permissions::from_mode(0o600))?;
        let on_failure = if scenario.fails { "fail" } else { "mint" };
        text += &format!(
            "\n[profiles.ci.shared]\nurl = \"redis://127.0.0.1:{port}/0\"\nusername = \"{}\"\n\
             password-file = \"{}\"\non-failure = \"{on_failure}\"\n",
            store::USER,
            password.display()
        );
    }
    let path = directory.join("config.toml");
    fs::write(&path, text)?;
    Ok(path)
}

/// Creates the fleet's key, for one simulation.
pub fn make_key(scratch: &Path) -> io::Result<()> {
    let pem = scratch.join("key.pem");
    openssl(&["genrsa", "-traditional", "-out"], &pem, &["2048"])?;
    let key = serde_json::json!({
        "type": "serviceaccount", "keyId": "100509901696068329",
        "key": fs::read_to_string(&pem)?, "userId": USER,
    });
    let path = scratch.join("key.json");
    fs::write(&path, key.to_string())?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))
}

/// Returns the key's public half (DER, PKCS#1).
fn public_key(scratch: &Path) -> io::Result<Vec<u8>> {
    let pem = scratch.join("key.pem");
    let form = ["-RSAPublicKey_out", "-outform", "DER"];
    openssl(&["rsa", "-in"], &pem, &form)
}

#[expect(clippy::disallowed_methods, reason = "openssl waits for nothing here")]
fn openssl(before: &[&str], path: &Path, after: &[&str]) -> io::Result<Vec<u8>> {
    let mut command = Command::new("openssl");
    let output = command.args(before).arg(path).args(after).output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(io::Error::other(error))
}

fn runners(fleet: &Fleet, scenario: &Scenario) -> Vec<Runner> {
    let count = (fleet.runners as f64 * scenario.part).ceil() as usize;
    let processes = (fleet.processes as f64 * scenario.part).ceil() as usize;
    let over = fleet.over.mul_f64(scenario.spread).as_millis() as u64;
    let one_in = count.checked_div(processes).unwrap_or(usize::MAX);
    let runner = |id: usize| {
        let at = over * id as u64 / count as u64;
        let skew = match id % 100 {
            50 if scenario.skewed && id % 200 == 50 => -7200,
            50 if scenario.skewed => 7200,
            _ => 0,
        };
        Runner {
            id,
            // A wrong clock affects later calls too.
            calls: if scenario.skewed {
                vec![at, at + 5000]
            } else {
                vec![at]
            },
            skew,
            // A process uses the machine's clock.
            is_process: skew == 0 && id % one_in == one_in - 1,
        }
    };
    (0..count).map(runner).collect()
}

/// Starts a runner, and kills it while it waits for its token. Returns the time.
fn kill_a_leader(
    fleet: &Fleet,
    config: &Path,
    directory: &Path,
    issuer: &Issuer,
) -> io::Result<Instant> {
    let cache = directory.join("caches/leader");
    let words = [
        "--config".as_ref(),
        config.as_os_str(),
        "--cache-dir".as_ref(),
    ];
    let words = words
        .into_iter()
        .chain([cache.as_os_str(), "token".as_ref()]);
    let words = words.map(ToOwned::to_owned).collect();
    let mut leader = swarm::command(&fleet.program, words).spawn()?;
    let start = Instant::now();
    while !issuer.seen().iter().any(|seen| seen.kind == Kind::Token) {
        if start.elapsed() > Duration::from_secs(20) {
            leader.kill()?;
            return Err(io::Error::other("the leader has not asked for a token"));
        }
        thread::sleep(Duration::from_millis(5));
    }
    leader.kill()?;
    let killed = Instant::now();
    leader.wait()?;
    Ok(killed)
}

/// The processes with the runners.
struct Swarms {
    children: Vec<Child>,
    lines: Receiver<io::Result<String>>,
}

impl Swarms {
    /// Starts all runners, which wait.
    fn start(
        fleet: &Fleet,
        config: &Path,
        directory: &Path,
        runners: Vec<Runner>,
        over: Duration,
    ) -> io::Result<Self> {
        let (sender, lines) = mpsc::channel();
        let mut swarms = Self {
            children: Vec::new(),
            lines,
        };
        let caches = directory.join("caches");
        fs::create_dir_all(&caches)?;
        fs::set_permissions(&caches, Permissions::from_mode(0o700))?;
        for n in 0..SWARMS {
            let runners = runners.iter().filter(|runner| runner.id % SWARMS == n);
            let plan = Plan {
                config: config.to_owned(),
                caches: caches.clone(),
                program: fleet.program.clone(),
                at_once: if over.is_zero() {
                    fleet.at_once.div_ceil(SWARMS)
                } else {
                    usize::MAX
                },
                runners: runners.cloned().collect(),
            };
            let child = Command::new(std::env::current_exe()?)
                .arg("swarm")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            swarms.children.push(child);
            let child = &mut swarms.children[n];
            if let Some(stdin) = &mut child.stdin {
                writeln!(stdin, "{}", serde_json::to_string(&plan)?)?;
            }
            if let Some(stdout) = child.stdout.take() {
                let sender: Sender<_> = sender.clone();
                thread::spawn(move || {
                    for line in BufReader::new(stdout).lines() {
                        let _ = sender.send(line);
                    }
                });
            }
        }
        let end = Instant::now() + Duration::from_secs(120);
        for _ in 0..SWARMS {
            swarms.line(end)?;
        }
        Ok(swarms)
    }

    /// Starts them after a moment, and returns that time.
    fn go(&mut self, lead: Duration) -> io::Result<Instant> {
        let zero = Instant::now() + lead;
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let at = since.map_err(io::Error::other)? + lead;
        for child in &mut self.children {
            if let Some(mut stdin) = child.stdin.take() {
                writeln!(stdin, "{}", at.as_micros())?;
            }
        }
        Ok(zero)
    }

    /// Returns all calls, after the last has ended.
    fn results(&mut self, end: Instant) -> io::Result<Vec<Call>> {
        let mut calls = Vec::new();
        while let Some(line) = self.line(end)? {
            calls.push(serde_json::from_str(&line)?);
        }
        Ok(calls)
    }

    /// Returns the next line; `None` after all have ended.
    fn line(&self, end: Instant) -> io::Result<Option<String>> {
        let left = end.saturating_duration_since(Instant::now());
        match self.lines.recv_timeout(left) {
            Ok(line) => line.map(Some),
            Err(mpsc::RecvTimeoutError::Disconnected) => Ok(None),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Err(io::Error::other("the fleet has not ended in time"))
            }
        }
    }
}

impl Drop for Swarms {
    fn drop(&mut self) {
        for child in &mut self.children {
            // It has ended, but after an error.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Returns the machine's load average over the last minute.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
