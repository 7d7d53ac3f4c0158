use std::io::PipeReader;
use std::sync::mpsc;

use super::*;

/// Returns the text that a pipe held when its last writer closed it; panics if one is left.
fn read_to_end(mut pipe: PipeReader) -> String {
    let (sender, text) = mpsc::channel();
    thread::spawn(move || sender.send(io::read_to_string(&mut pipe)));
    let text = text.recv_timeout(Duration::from_secs(10));
    text.expect("a descendant still runs").expect("text")
}

#[test]
fn a_program_that_is_missing_is_not_started() {
    let deadline = Deadline::after(Duration::from_secs(10));
    let absent = run(&mut Command::new("/nowhere/program"), &deadline);
    assert!(matches!(absent, Err(RunError::Start(_))));
}

/// Tests with the system's shell.
#[cfg(unix)]
mod unix {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    #[test]
    fn a_program_is_read_to_its_end() {
        let deadline = Deadline::after(Duration::from_secs(10));
        let ended = run(&mut shell("printf abc; exit 3"), &deadline).expect("an end");
        assert_eq!(
            (ended.status.code(), &ended.stdout[..]),
            (Some(3), &b"abc"[..])
        );
    }

    #[test]
    fn a_program_is_found_in_absolute_directories_alone() {
        let with = |path: Option<&str>| {
            let path = path.map(Into::into);
            find("sh", &move |_| path.clone())
        };
        let usual = Some(PathBuf::from("/bin/sh"));
        // From every directory in which cargo runs this, all of these are the root.
        let up = "../../../../../../../../../../../..";
        for path in [
            None,
            Some("/bin"),
            Some("::.:/nowhere:/bin"),
            Some(&*format!("{up}/usr/bin:/bin")),
        ] {
            assert_eq!(with(path), usual, "{path:?}");
        }
        for path in ["", ":", ".", &format!("{up}/bin"), "/nowhere"] {
            assert_eq!(with(Some(path)), None, "{path}");
        }
        assert_eq!(find("", &|_| Some("/bin".into())), None);
    }

    #[test]
    fn a_chatty_or_hanging_program_is_killed() {
        let start = Instant::now();
        let soon = || Deadline::after(Duration::from_millis(100));
        let chatty = run_limited(&mut shell("yes"), &Deadline::after(REAPING * 50), 10);
        assert!(matches!(
            chatty,
            Err(RunError::Output(ReadError::TooLarge(10)))
        ));
        let silent = run(&mut shell("exec sleep 60"), &soon());
        assert!(matches!(
            silent,
            Err(RunError::Output(ReadError::TimedOut(_)))
        ));
        // A busy machine may start the shell only after the first deadline.
        let is_late = |millis| {
            let deadline = Deadline::after(Duration::from_millis(millis));
            let lingering = run(&mut shell("exec >&-; exec sleep 60"), &deadline);
            matches!(lingering, Err(RunError::Late(_)))
        };
        assert!([100, 1000, 5000].into_iter().any(is_late));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn both_streams_are_read_at_once_and_each_within_its_limit() {
        let deadline = Deadline::after(Duration::from_secs(10));
        // More than fits into a pipe.
        let script = "head -c 100000 /dev/zero >&2; head -c 100000 /dev/zero; echo x >&2";
        let mut command = shell(script);
        let limit = 200_000;
        let ended = run_limited(command.stderr(Stdio::piped()), &deadline, limit).expect("an end");
        assert_eq!((ended.stdout.len(), ended.stderr.len()), (100_000, 100_002));
        let start = Instant::now();
        for stdout in ["", "exec >&-; "] {
            let mut flood = shell(&format!("{stdout}yes >&2"));
            assert!(matches!(
                run_limited(flood.stderr(Stdio::piped()), &deadline, limit),
                Err(RunError::Output(ReadError::TooLarge(200_000)))
            ));
        }
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn background_processes_are_not_waited_for() {
        let start = Instant::now();
        let deadline = Deadline::after(Duration::from_secs(10));
        let mut command = shell("sleep 20 >&- & echo said >&2");
        let ended = run_limited(command.stderr(Stdio::piped()), &deadline, 10).expect("an end");
        assert_eq!(&ended.stderr[..], b"said\n");
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_hanging_program_is_killed_with_its_children() {
        for script in ["sleep 60 & wait", "exec >&-; sleep 60 & wait"] {
            // Each descendant has this pipe as its stderr: it is closed after the last one.
            let (theirs, stderr) = io::pipe().expect("a pipe");
            let mut command = shell(&format!("(sleep 60; true) & {script}"));
            let ended = run(command.stderr(stderr), &Deadline::after(REAPING));
            assert!(ended.is_err());
            drop(command);
            read_to_end(theirs);
        }
    }
}

/// Tests with cmd, and with this program itself, which waits if another variable is set.
#[cfg(windows)]
mod windows {
    use std::ffi::OsString;
    use std::{env, fs};

    use super::*;

    const VARIABLE: &str = "ZITADEL_CREDENTIAL_TEST_WAIT";

    fn shell(line: &str) -> Command {
        let mut command = Command::new("cmd");
        command.args(["/d", "/c", line]).stdin(Stdio::null());
        command
    }

    #[test]
    fn a_program_is_read_to_its_end() {
        let deadline = Deadline::after(Duration::from_secs(30));
        let ended = run(&mut shell("echo abc& exit 3"), &deadline).expect("an end");
        assert_eq!(
            (ended.status.code(), &ended.stdout[..]),
            (Some(3), &b"abc\r\n"[..])
        );
        let mut command = shell("echo out& echo err>&2");
        let ended = run(command.stderr(Stdio::piped()), &deadline).expect("an end");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        assert_eq!(
            (text(&ended.stdout), text(&ended.stderr)),
            ("out".into(), "err".into())
        );
    }

    #[test]
    fn a_chatty_program_is_killed() {
        let deadline = Deadline::after(Duration::from_secs(30));
        let chatty = run_limited(&mut shell("for /l %i in (1,0,2) do @echo y"), &deadline, 10);
        assert!(matches!(
            chatty,
            Err(RunError::Output(ReadError::TooLarge(10)))
        ));
    }

    #[test]
    fn a_program_is_found_in_absolute_directories_alone_by_its_ending() {
        let dir = tempfile::tempdir().expect("a directory");
        let program = dir.path().join("tool.exe");
        fs::write(&program, "").expect("written");
        let with =
            |path: OsString| find("tool", &move |name| (name == "PATH").then(|| path.clone()));
        let search = env::join_paths([Path::new("."), Path::new(r"C:\nowhere"), dir.path()]);
        assert_eq!(with(search.expect("a list")), Some(program));
        assert_eq!(with(".".into()), None);
        assert_eq!(find("tool", &|_| None), None);
    }

    /// Starts a chain of two waiting processes.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the outer run says who it is")]
    fn a_hanging_program_is_killed_with_its_children() {
        const NAME: &str =
            "sys::process::tests::windows::a_hanging_program_is_killed_with_its_children";
        let again = |who: &str| {
            let mut command = Command::new(env::current_exe().expect("this program"));
            command.args(["--exact", NAME, "--nocapture"]);
            command.env(VARIABLE, who).stdin(Stdio::null());
            command
        };
        let is_killed_after = |secs| {
            // Both processes have this pipe as their stderr: it is closed after the last one.
            let (theirs, stderr) = io::pipe().expect("a pipe");
            let mut command = again("child");
            let ended = run(
                command.stderr(stderr),
                &Deadline::after(Duration::from_secs(secs)),
            );
            assert!(matches!(
                ended,
                Err(RunError::Output(ReadError::TimedOut(_)))
            ));
            drop(command);
            read_to_end(theirs).contains("the grandchild waits")
        };
        match env::var(VARIABLE).as_deref() {
            Ok("child") => {
                again("grandchild").status().expect("an end");
            }
            Ok(_) => {
                eprintln!("the grandchild waits");
                thread::sleep(Duration::from_secs(60));
            }
            // A busy machine may start the grandchild only after the first deadline.
            Err(_) => assert!([2, 20].into_iter().any(is_killed_after)),
        }
    }
}
