//! Simulates a fleet of runners with empty caches behind one address: the real broker, an
//! issuer with ZITADEL Cloud's limits, and a real store that is up, slow, hung or dead.
//!
//!     fleet [--runners 10000] [--processes 500] [--over 30] [--at-once 256]
//!           [--only NAME,…] [--small]
//!           [--program target/release/zitadel-credential] [--server redis-server]
//!           [--write DIRECTORY]
//!
//! Prints mints, refused requests and the added time, and exits with 1 if a bound does
//! not hold. `--write` puts results.md and results.svg into a directory.

mod conduct;
mod issuer;
mod knock;
mod limit;
mod outcome;
mod page;
mod plot;
mod proxy;
mod scenario;
mod serve;
mod store;
mod swarm;

use std::error::Error;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, process};

use conduct::{AT_ONCE, Fleet};
use knock::Knocks;
use outcome::Outcome;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use scenario::{ALL, Scenario};
use store::Store;

/// A fleet for CI: it has the same limits, and takes less than a minute.
const SMALL: [&str; 5] = ["up", "up-herd", "leader-killed", "hung", "killed"];

/// Limit of open files of a simulation's process, if the system allows it.
const FILES: u64 = 20_000;

struct Arguments {
    fleet: Fleet,
    scenarios: Vec<&'static Scenario>,
    write: Option<PathBuf>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    if env::args().nth(1).as_deref() == Some("swarm") {
        swarm::main()?;
        return Ok(ExitCode::SUCCESS);
    }
    let Arguments {
        fleet,
        scenarios,
        write,
    } = arguments()?;
    // Its children inherit it: each runner has a connection and a few files.
    let files = getrlimit(Resource::Nofile);
    let current = files.maximum.map_or(FILES, |most| most.min(FILES));
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(current),
            ..files
        },
    )?;
    fs::create_dir_all(&fleet.scratch)?;
    fs::set_permissions(&fleet.scratch, Permissions::from_mode(0o700))?;
    let outcomes = simulate(&fleet, &scenarios);
    fs::remove_dir_all(&fleet.scratch)?;
    let (outcomes, knocks) = outcomes?;
    if let Some(directory) = write {
        let page = page::page(&fleet, &outcomes, &knocks);
        fs::write(directory.join("results.md"), page)?;
        fs::write(directory.join("results.svg"), plot::plot(&fleet, &outcomes))?;
    }
    let bounds = outcomes.iter().flat_map(Outcome::bounds);
    let broken = bounds
        .chain([knocks.bound()])
        .filter(|(_, holds)| !holds)
        .count();
    if broken == 0 {
        println!("all bounds hold");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{broken} bounds do not hold");
    Ok(ExitCode::FAILURE)
}

fn simulate(
    fleet: &Fleet,
    scenarios: &[&Scenario],
) -> Result<(Vec<Outcome>, Knocks), Box<dyn Error>> {
    conduct::make_key(&fleet.scratch)?;
    let mut outcomes = Vec::new();
    for scenario in scenarios {
        let run = || {
            let outcome = conduct::run(fleet, scenario);
            outcome
                .inspect(|outcome| print!("{}", page::lines(outcome)))
                .map_err(|error| format!("{}: {error}", scenario.name))
        };
        let mut outcome = run()?;
        if fleet.has_second_runs && outcome.is_only_late() {
            outcome = run()?;
        }
        outcomes.push(outcome);
    }
    let store = Store::start(&fleet.server, &fleet.scratch.join("store"), "")?;
    let knocks = knock::knock(store.address, fleet.runners)?;
    println!("\n{}", page::knocks(&knocks));
    Ok((outcomes, knocks))
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    // In memory if possible: in a real fleet each runner has its own disk.
    let memory = Path::new("/dev/shm");
    let temporary = if memory.is_dir() {
        memory.to_owned()
    } else {
        env::temp_dir()
    };
    let mut fleet = Fleet {
        runners: 10_000,
        processes: 500,
        over: Duration::from_secs(30),
        at_once: AT_ONCE,
        program: root.join("target/release/zitadel-credential"),
        server: "redis-server".to_owned(),
        scratch: temporary.join(format!("fleet-{}", process::id())),
        has_second_runs: false,
    };
    let (mut only, mut write): (Option<Vec<String>>, _) = (None, None);
    let mut words = env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--small" {
            (fleet.runners, fleet.processes, fleet.over) = (300, 15, Duration::from_secs(3));
            fleet.has_second_runs = true;
            only.get_or_insert(SMALL.map(str::to_owned).to_vec());
            continue;
        }
        let value = words
            .next()
            .ok_or_else(|| format!("{word}: no such option, or no value"))?;
        match word.as_str() {
            "--runners" => fleet.runners = value.parse()?,
            "--processes" => fleet.processes = value.parse()?,
            "--over" => fleet.over = Duration::from_secs_f64(value.parse()?),
            "--program" => fleet.program = value.into(),
            "--at-once" => fleet.at_once = value.parse()?,
            "--server" => fleet.server = value,
            "--only" => only = Some(value.split(',').map(str::to_owned).collect()),
            "--write" => write = Some(PathBuf::from(value)),
            _ => return Err(format!("no such option: {word}").into()),
        }
    }
    fleet.program = fleet.program.canonicalize().map_err(|error| {
        format!(
            "{}: {error}: run cargo build --release, or name --program",
            fleet.program.display()
        )
    })?;
    if let Some(name) = only
        .iter()
        .flatten()
        .find(|name| ALL.iter().all(|one| one.name != **name))
    {
        return Err(format!("no such scenario: {name}").into());
    }
    let is_asked = |one: &&Scenario| {
        only.as_ref()
            .is_none_or(|only| only.iter().any(|name| name == one.name))
    };
    Ok(Arguments {
        fleet,
        scenarios: ALL.iter().filter(is_asked).collect(),
        write,
    })
}
