//! The job for macOS's launchd, run as launchd runs it.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use super::{AT_ONCE, read};
use crate::support::{Run, Running, World, binary, until};

use rustix::process::Signal;

const JOB: &str = "packaging/launchd/io.github.zitadel-credential.agent.plist";

/// Prints the words of the job's command, separated by NUL.
const COMMAND: &str = "import plistlib, sys
job = plistlib.load(open(sys.argv[1], 'rb'))
assert job['Label'] + '.plist' == sys.argv[1].split('/')[-1]
assert job['KeepAlive'] and job['RunAtLoad']
sys.stdout.write('\\0'.join(job['ProgramArguments']))";

#[test]
fn the_job_keeps_a_token_and_a_log_in_the_users_library() {
    let world = World::new();
    let job = Path::new(env!("CARGO_MANIFEST_DIR")).join(JOB);
    let output = world
        .home
        .command("python3")
        .args(["-c", COMMAND])
        .arg(job)
        .run();
    assert!(output.status.success(), "{output:?}");
    let command = String::from_utf8(output.stdout).unwrap();
    let words: Vec<_> = command.split('\0').collect();

    let bin = world.home.path().join(".local/bin");
    fs::create_dir_all(&bin).unwrap();
    symlink(binary(), bin.join("zitadel-credential")).unwrap();
    let mut command = world.home.command(words[0]);
    command.args(&words[1..]);
    let running = Running::start(command);
    let token = "Library/Application Support/zitadel-credential/token";
    until("the token is there", || !read(&world, token).is_empty());
    assert!(world.issuer.accepts(read(&world, token).trim_end()));
    let meta = fs::metadata(world.home.path().join(token)).unwrap();
    assert_eq!(meta.mode() & 0o777, 0o600);

    // The signal goes to the agent itself, without a shell before it.
    running.signal(Signal::TERM);
    let output = running.output_within(AT_ONCE);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    let log = world
        .home
        .path()
        .join("Library/Logs/zitadel-credential.log");
    assert_eq!(fs::read_to_string(log).unwrap(), "");
}
