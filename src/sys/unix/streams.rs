//! Open streams: bounded waits, and writes without partial output.

use std::fs::File;
use std::io;
use std::io::{Read, Write};
/// An open stream: std's own, a file, one end of a pipe.
pub use std::os::fd::AsFd as Stream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, SeekFrom, fstat, ftruncate, seek};
use rustix::io::Errno;
use rustix::termios::{LocalModes, QueueSelector, tcflush, tcgetattr, tcgetwinsize};

/// Waits until a stream has data or is at its end. Returns false after the timeout.
///
/// # Errors
/// The operating system's error.
pub fn wait_readable(stream: &impl Stream, timeout: Duration) -> io::Result<bool> {
    wait(&mut [PollFd::new(stream, PollFlags::IN)], timeout)
}

/// Waits until a stream accepts a write. Returns false after the timeout.
///
/// # Errors
/// The operating system's error.
pub fn wait_writable(stream: &impl Stream, timeout: Duration) -> io::Result<bool> {
    wait(&mut [PollFd::new(stream, PollFlags::OUT)], timeout)
}

/// A stream that a [`Pipe`] reads.
pub trait Piped: Stream + Read {}

impl<R: Stream + Read> Piped for R {}

/// A reader with bounded waits.
pub struct Pipe<R>(R);

impl<R: Piped> Pipe<R> {
    /// Creates the reader of a stream.
    pub const fn new(stream: R) -> Self {
        Self(stream)
    }

    /// Waits as [`wait_readable`] does.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn wait(&self, timeout: Duration) -> io::Result<bool> {
        wait_readable(&self.0, timeout)
    }
}

impl<R: Piped> Read for Pipe<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// Waits as [`wait_readable`] does, for either of two streams, and returns which.
///
/// # Errors
/// The operating system's error.
pub fn wait_either<A: Piped, B: Piped>(
    one: Option<&Pipe<A>>,
    other: Option<&Pipe<B>>,
    timeout: Duration,
) -> io::Result<[bool; 2]> {
    let streams = [
        one.map(|pipe| pipe.0.as_fd()),
        other.map(|pipe| pipe.0.as_fd()),
    ];
    let mut open: Vec<_> = streams
        .into_iter()
        .flatten()
        .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
        .collect();
    wait(&mut open, timeout)?;
    let mut ready = open.iter().map(|fd| !fd.revents().is_empty());
    Ok(streams.map(|stream| stream.is_some() && ready.next() == Some(true)))
}

/// Waits until one of the streams is ready.
pub(super) fn wait(streams: &mut [PollFd<'_>], timeout: Duration) -> io::Result<bool> {
    let start = Instant::now();
    loop {
        let left = timeout.saturating_sub(start.elapsed());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(streams, Some(&left)) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Returns the columns of a terminal; `None` if they are unknown.
pub fn columns(terminal: &impl Stream) -> Option<usize> {
    let size = tcgetwinsize(terminal).ok()?;
    (size.ws_col > 0).then_some(size.ws_col.into())
}

/// Discards input that was typed at a terminal and not read yet, until no more comes: a
/// paste arrives in parts.
pub fn discard_typed(terminal: &impl Stream) {
    const PAUSE: Duration = Duration::from_millis(50);
    const PARTS: usize = 40;
    for _ in 0..PARTS {
        let is_more = wait_readable(terminal, PAUSE);
        // A closed terminal, or another file, has no input to discard.
        if tcflush(terminal, QueueSelector::IFlush).is_err() || !matches!(is_more, Ok(true)) {
            return;
        }
    }
}

/// True while a terminal hides the typed input, or passes on each key at once: a program
/// asks for a password, or draws the whole screen.
pub fn is_asking(terminal: &impl Stream) -> bool {
    let usual = LocalModes::ECHO | LocalModes::ICANON;
    tcgetattr(terminal).is_ok_and(|modes| !modes.local_modes.contains(usual))
}

/// Returns this process's stdin without std's buffer, which would hide buffered input
/// from a wait.
///
/// # Errors
/// The operating system's error.
pub fn stdin() -> io::Result<File> {
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// The process's stdout, without a buffer: each write is complete, or leaves no part in a
/// file ([`write_whole`]).
pub struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_whole(&io::stdout(), bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How long a reader may leave a full non-blocking pipe unread.
const PATIENCE: Duration = Duration::from_secs(60);

/// Writes all of a text. If a regular file accepts only a part (a full disk, `ulimit
/// -f`), that part is cut off again: it could pass for an answer.
///
/// # Errors
/// The operating system's error.
pub fn write_whole(stream: &impl Stream, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(stream, rest) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            // A parent such as Node made the pipe non-blocking for itself.
            Err(Errno::AGAIN) if wait_writable(stream, PATIENCE)? => {}
            Err(errno) => {
                let written = bytes.len() - rest.len();
                // A failure here has no remedy.
                let _ = cut_off(stream, written as u64);
                return Err(errno.into());
            }
        }
    }
    Ok(())
}

/// Cuts off the text just written at the end of a regular file. Later text of another
/// process stays, and so does the part before that text.
fn cut_off(stream: &impl Stream, written: u64) -> rustix::io::Result<()> {
    let stat = fstat(stream)?;
    if written == 0 || !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Ok(());
    }
    let end = seek(stream, SeekFrom::Current(0))?;
    if u64::try_from(stat.st_size) == Ok(end) && end >= written {
        ftruncate(stream, end - written)?;
        seek(stream, SeekFrom::Start(end - written))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;

    use super::*;

    #[test]
    fn a_wait_ends_with_data_or_at_its_timeout() {
        let (reader, mut writer) = io::pipe().expect("a pipe");
        let mut reader = Pipe::new(reader);
        let soon = Duration::from_millis(10);
        assert!(!reader.wait(soon).expect("a wait"));
        assert!(wait_writable(&writer, soon).expect("a wait"));
        write_whole(&writer, b"x").expect("written");
        assert!(reader.wait(soon).expect("a wait"));
        let either = wait_either(None::<&Pipe<File>>, Some(&reader), soon);
        assert_eq!(either.expect("a wait"), [false, true]);
        reader.read_exact(&mut [0]).expect("read");
        let either = wait_either(Some(&reader), None::<&Pipe<File>>, soon);
        assert_eq!(either.expect("a wait"), [false, false]);
        writer.write_all(b"y").expect("written");
        let either = wait_either(Some(&reader), None::<&Pipe<File>>, soon);
        assert_eq!(either.expect("a wait"), [true, false]);
    }

    #[test]
    fn a_full_non_blocking_pipe_is_waited_for() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        rustix::io::ioctl_fionbio(&writer, true).expect("set");
        let text = vec![b'x'; 300_000];
        let read = std::thread::spawn(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).map(|_| all)
        });
        write_whole(&writer, &text).expect("written");
        drop(writer);
        let all = read.join().expect("no panic").expect("read");
        assert_eq!(all, text);
    }

    #[test]
    fn only_our_last_write_is_truncated() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        let options = || {
            let mut options = File::options();
            options.create(true).append(true).to_owned()
        };
        let file = options().open(&path).expect("created");
        write_whole(&file, b"kept").expect("written");
        write_whole(&file, b"part").expect("written");
        cut_off(&file, 4).expect("cut off");
        assert_eq!(fs::read(&path).expect("a file"), b"kept");
        cut_off(&file, 0).expect("nothing to do");
        write_whole(&file, b"part").expect("written");
        let other = options().open(&path).expect("opened");
        write_whole(&other, b"another's").expect("written");
        cut_off(&file, 4).expect("nothing to do");
        assert_eq!(fs::read(&path).expect("a file"), b"keptpartanother's");
    }
}
