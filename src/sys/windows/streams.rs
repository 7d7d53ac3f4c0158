//! Open streams: waits on pipes, bounded by a thread that reads, and writes without
//! partial output.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::os::windows::io::AsHandle;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use winapi_util::console::mode;
use zeroize::Zeroizing;

/// An open stream: std's own, a file, one end of a pipe.
pub trait Stream: AsHandle {
    /// Returns std's writer, which handles a console's characters; `None` if this is not
    /// a console.
    fn console(&self) -> Option<Box<dyn Write>> {
        None
    }
}

impl Stream for io::Stdout {
    fn console(&self) -> Option<Box<dyn Write>> {
        self.is_terminal().then(|| Box::new(io::stdout()) as _)
    }
}

impl Stream for io::Stderr {
    fn console(&self) -> Option<Box<dyn Write>> {
        self.is_terminal().then(|| Box::new(io::stderr()) as _)
    }
}

impl Stream for io::Stdin {}

impl Stream for File {}

impl Stream for io::PipeWriter {}

/// Data that a reading thread has read and that was not taken yet.
#[derive(Default)]
struct Come {
    bytes: Vec<u8>,
    /// The number of bytes taken.
    taken: usize,
    end: Option<io::Result<()>>,
}

impl Come {
    fn is_ready(&self) -> bool {
        self.taken < self.bytes.len() || self.end.is_some()
    }
}

#[derive(Default)]
struct Shared {
    come: Mutex<Come>,
    changed: Condvar,
}

impl Shared {
    fn come(&self) -> MutexGuard<'_, Come> {
        self.come.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that a [`Pipe`] reads.
pub trait Piped: Read + Send + 'static {}

impl<R: Read + Send + 'static> Piped for R {}

/// A reader with bounded waits: from the first wait on, a thread reads one part ahead.
/// The thread runs until the stream's end or the process's exit.
pub struct Pipe<R> {
    stream: Mutex<Option<R>>,
    shared: Arc<Shared>,
}

impl<R: Piped> Pipe<R> {
    /// Creates the reader of a stream, which reads nothing yet.
    pub fn new(stream: R) -> Self {
        Self {
            stream: Mutex::new(Some(stream)),
            shared: Arc::default(),
        }
    }

    /// Waits until the stream has data or is at its end. Returns false after the timeout.
    ///
    /// # Errors
    /// The system permits no thread.
    pub fn wait(&self, timeout: Duration) -> io::Result<bool> {
        self.start()?;
        let come = self.shared.come();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(come, timeout, |come| !come.is_ready());
        let (come, _) = waited.unwrap_or_else(PoisonError::into_inner);
        Ok(come.is_ready())
    }

    fn is_ready(&self) -> io::Result<bool> {
        self.start()?;
        Ok(self.shared.come().is_ready())
    }

    fn start(&self) -> io::Result<()> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stream) = stream.take() else {
            return Ok(());
        };
        let shared = Arc::clone(&self.shared);
        thread::Builder::new()
            .spawn(move || read_ahead(stream, &shared))
            .map(drop)
    }
}

fn read_ahead(mut stream: impl Read, shared: &Shared) {
    let mut part = Zeroizing::new([0; 4096]);
    loop {
        let read = stream.read(&mut *part);
        let come = shared.come();
        let taken = shared
            .changed
            .wait_while(come, |come| come.taken < come.bytes.len());
        let mut come = taken.unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(0) => come.end = Some(Ok(())),
            Ok(read) => {
                come.bytes = part[..read].to_vec();
                come.taken = 0;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => come.end = Some(Err(error)),
        }
        let is_over = come.end.is_some();
        drop(come);
        shared.changed.notify_all();
        if is_over {
            return;
        }
    }
}

impl<R: Piped> Read for Pipe<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.wait(Duration::from_secs(60))? {}
        let mut come = self.shared.come();
        let left = &come.bytes[come.taken..];
        if left.is_empty() {
            // Later reads are at the end too.
            return match come.end.replace(Ok(())) {
                Some(Err(error)) => Err(error),
                _ => Ok(0),
            };
        }
        let length = left.len().min(buffer.len());
        buffer[..length].copy_from_slice(&left[..length]);
        come.taken += length;
        drop(come);
        self.shared.changed.notify_all();
        Ok(length)
    }
}

/// Maximum delay before a thread reads data that is already in a pipe.
const LATE: Duration = Duration::from_millis(250);

/// Waits as [`Pipe::wait`] does, for either of two streams, at least for a moment, and
/// returns which.
///
/// # Errors
/// The system permits no thread.
pub fn wait_either<A: Piped, B: Piped>(
    one: Option<&Pipe<A>>,
    other: Option<&Pipe<B>>,
    timeout: Duration,
) -> io::Result<[bool; 2]> {
    /// Time to wait for one stream before the other is checked.
    const TURN: Duration = Duration::from_millis(1);
    // A thread may be about to read the program's last output.
    let timeout = timeout.max(LATE);
    let start = Instant::now();
    loop {
        let ready = [
            one.map_or(Ok(false), Pipe::is_ready)?,
            other.map_or(Ok(false), Pipe::is_ready)?,
        ];
        let left = timeout.saturating_sub(start.elapsed());
        if ready != [false; 2] || left.is_zero() {
            return Ok(ready);
        }
        let turn = left.min(TURN);
        match (one, other) {
            (Some(one), None) => one.wait(left).map(drop)?,
            (None, Some(other)) => other.wait(left).map(drop)?,
            (Some(one), Some(_)) => one.wait(turn).map(drop)?,
            (None, None) => thread::sleep(left),
        }
    }
}

/// Returns true: here, a write that would wait cannot be detected.
///
/// # Errors
/// Never fails.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn wait_writable(_: &impl Stream, _: Duration) -> io::Result<bool> {
    Ok(true)
}

/// Returns the columns of a terminal; `None` if they are unknown.
pub fn columns(terminal: &impl Stream) -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(terminal.as_handle())?;
    (width.0 > 0).then_some(width.0.into())
}

/// Does nothing: typed input stays for the next question.
pub fn discard_typed(_: &impl Stream) {}

/// True while a console hides the typed input, or passes on each key at once.
pub fn is_asking(_: &impl Stream) -> bool {
    const ECHO: u32 = 0x4;
    const LINE: u32 = 0x2;
    let usual = ECHO | LINE;
    // These modes are the ones for input.
    mode(winapi_util::HandleRef::stdin()).is_ok_and(|modes| modes & usual != usual)
}

/// Returns this process's stdin without std's buffer.
///
/// # Errors
/// The operating system's error.
pub fn stdin() -> io::Result<File> {
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
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

/// Writes all of a text. If a regular file accepts only a part (a full disk), that part
/// is cut off again: it could pass for an answer.
///
/// # Errors
/// The operating system's error.
pub fn write_whole(stream: &impl Stream, bytes: &[u8]) -> io::Result<()> {
    if let Some(mut console) = stream.console() {
        console.write_all(bytes)?;
        return console.flush();
    }
    let mut file = File::from(stream.as_handle().try_clone_to_owned()?);
    let mut rest = bytes;
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                // A failure here has no remedy.
                let _ = cut_off(&file, (bytes.len() - rest.len()) as u64);
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Cuts off the text just written at the end of a regular file. Later text of another
/// process stays, and so does the part before that text.
fn cut_off(mut file: &File, written: u64) -> io::Result<()> {
    let meta = file.metadata()?;
    if written == 0 || !meta.is_file() {
        return Ok(());
    }
    let end = file.stream_position()?;
    if meta.len() == end && end >= written {
        file.set_len(end - written)?;
        file.seek(SeekFrom::Start(end - written))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_with_data_or_at_its_timeout() {
        let (reader, mut writer) = io::pipe().expect("a pipe");
        let mut reader = Pipe::new(reader);
        let soon = Duration::from_millis(100);
        assert!(!reader.wait(soon).expect("a wait"));
        write_whole(&writer, b"x").expect("written");
        assert!(reader.wait(soon).expect("a wait"));
        let either = wait_either(None::<&Pipe<File>>, Some(&reader), soon);
        assert_eq!(either.expect("a wait"), [false, true]);
        reader.read_exact(&mut [0]).expect("read");
        let either = wait_either(Some(&reader), None::<&Pipe<File>>, soon);
        assert_eq!(either.expect("a wait"), [false, false]);
        writer.write_all(&[b'y'; 10_000]).expect("written");
        drop(writer);
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).expect("read");
        assert_eq!(rest.len(), 10_000);
        assert!(reader.wait(soon).expect("a wait"), "the end stays");
    }

    #[test]
    fn only_our_last_write_is_truncated() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        let mut file = File::create(&path).expect("created");
        write_whole(&file, b"kept").expect("written");
        file.seek(SeekFrom::End(0)).expect("the end");
        file.write_all(b"part").expect("written");
        cut_off(&file, 4).expect("cut off");
        assert_eq!(std::fs::read(&path).expect("a file"), b"kept");
    }
}
