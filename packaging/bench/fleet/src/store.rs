//! The store: a real server, with the access rules of docs/fleet.md.

use std::fs;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// The user of the shared cache at the store.
pub const USER: &str = "zc";

/// Its password; the store exists only during the simulation.
pub const PASSWORD: &str = "simulated";

const RULES: &str = "resetkeys ~zc1:* resetchannels -@all +auth +ping +get +mget +set +del";

/// A server that runs until it is dropped.
pub struct Store {
    child: Child,
    pub address: SocketAddr,
}

impl Store {
    /// Starts a server without persistence, with additional lines of configuration.
    pub fn start(program: &str, directory: &Path, more: &str) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        // In a session of its own, to which Linux gives a share of the processors: the store
        // stands for another machine. It ends with this process all the same.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "setsid", program, "-"])
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let settings = format!(
            "bind 127.0.0.1\nport {}\nsave \"\"\nappendonly no\nlogfile store.log\n\
             maxclients 12000\ntcp-backlog 4096\n\
             user default off\nuser {USER} on >{PASSWORD} {RULES}\n{more}\n",
            address.port()
        );
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(settings.as_bytes())?;
        }
        let store = Self { child, address };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if start.elapsed() > Duration::from_secs(20) {
                return Err(io::Error::other(format!("{program} does not listen")));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(store)
    }

    /// Kills the server.
    pub fn kill(&self) -> io::Result<()> {
        self.signal(Signal::KILL)
    }

    /// Stops the server as it is: connections stay, and new ones are queued.
    pub fn hang(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).map_err(io::Error::from)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
