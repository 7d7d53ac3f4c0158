//! Records which process got which token, and the last check of a token, to notice
//! revoked tokens.
//!
//! After a 401, client-go runs its plugin again with the same input and does not mention
//! the 401. But if the same process asks again while its token is still valid, a server
//! most likely refused that token. A few clients ask again for other reasons (kube three
//! times at its start, Python's kubernetes at each call in the last five minutes), which
//! only costs a check.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ring::digest;

use crate::sys::files::{open_or_create_private, read_at, write_at};
use crate::sys::parent::Parent;
use crate::text::clock::UnixTime;
use crate::token::Token;

/// Minimum time between two checks of a token.
const PAUSE: Duration = Duration::from_secs(30);

/// Length of a record in bytes: a SHA-256 digest, whose end is replaced by the program.
const RECORD: usize = 32;

/// Offset of the parent's program in a record.
const PROGRAM: usize = 24;

/// Offset of the time of an accepted check that was not reported yet.
const ACCEPTED: usize = 8;

/// Number of records. Processes whose IDs have the same remainder share one; at worst, a
/// check is missed.
const RECORDS: u32 = 128;

/// The history of a process that asks for a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// True if it asks again for the same token, as the same program. Google's kubectl
    /// runs its plugin and then becomes another kubectl, which was refused nothing.
    pub is_again: bool,
    /// True if the token should be checked.
    pub is_to_check: bool,
}

/// A table on disk with a record for each parent process. It contains only digests. A
/// truncated or lost table means one check too few or too many.
#[derive(Debug)]
pub struct Parents {
    path: PathBuf,
}

impl Parents {
    pub(super) const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Records that `parent` gets this token now.
    ///
    /// The token should be checked if this parent got the same token before, and no check
    /// was recorded in the last 30 s. The check is recorded then.
    ///
    /// # Errors
    /// The operating system's error; the token may still be returned to the parent.
    pub fn hand_over(&self, parent: Parent, token: &Token, now: UnixTime) -> io::Result<Asks> {
        let file = open_or_create_private(&self.path)?;
        let place = u64::from(parent.pid % RECORDS + 1) * RECORD as u64;
        let record = record_of(parent, token);
        let known = read_record(&file, place)?;
        if known != record {
            write_at(&file, &record, place)?;
        }
        if known[..PROGRAM] != record[..PROGRAM] {
            return Ok(Asks::default());
        }
        Ok(Asks {
            is_again: known == record,
            is_to_check: note_check(&file, now)?,
        })
    }

    /// Records that the issuer accepts the token, for a process that became another
    /// program before its question.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn note_accepted(&self, now: UnixTime) -> io::Result<()> {
        let file = open_or_create_private(&self.path)?;
        write_at(&file, &now.as_secs().to_be_bytes(), ACCEPTED as u64)
    }

    /// Returns true once if an acceptance was recorded in the last 30 s.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn take_accepted(&self, now: UnixTime) -> io::Result<bool> {
        let file = open_or_create_private(&self.path)?;
        let mut last = [0; 8];
        last.copy_from_slice(&read_record(&file, 0)?[ACCEPTED..ACCEPTED + 8]);
        write_at(&file, &[0; 8], ACCEPTED as u64)?;
        Ok(is_recent(last, now))
    }

    /// Returns true if the token should be checked for another reason, by the rule of
    /// [`Parents::hand_over`], and records that check.
    ///
    /// # Errors
    /// The operating system's error.
    pub fn may_check(&self, now: UnixTime) -> io::Result<bool> {
        note_check(&open_or_create_private(&self.path)?, now)
    }
}

/// Records a check, unless one was recorded in the last 30 s. Returns true if it did.
fn note_check(file: &File, now: UnixTime) -> io::Result<bool> {
    let mut last = [0; 8];
    last.copy_from_slice(&read_record(file, 0)?[..8]);
    if is_recent(last, now) {
        return Ok(false);
    }
    write_at(file, &now.as_secs().to_be_bytes(), 0)?;
    Ok(true)
}

/// True for a time in the last 30 s. A future time is ignored: the clock was set back.
fn is_recent(time: [u8; 8], now: UnixTime) -> bool {
    let time = UnixTime::from_secs(u64::from_be_bytes(time));
    time <= now && now.since(time) < PAUSE
}

/// Returns the record at an offset; zeros past the file's end.
fn read_record(file: &File, place: u64) -> io::Result<[u8; RECORD]> {
    let mut record = [0; RECORD];
    read_at(file, &mut record, place)?;
    Ok(record)
}

/// True for the bytes of a table: the last check, or whole records after it.
pub(super) fn is_of_ours(bytes: &[u8]) -> bool {
    // The time has zeros there until the year 36812.
    let has_time = bytes
        .first_chunk::<3>()
        .is_none_or(|start| *start == [0; 3]);
    let length = bytes.len();
    let is_whole = length.is_multiple_of(RECORD) && length <= (RECORDS as usize + 1) * RECORD;
    has_time && (length == 8 || is_whole)
}

fn record_of(parent: Parent, token: &Token) -> [u8; RECORD] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&parent.pid.to_be_bytes());
    context.update(&parent.started.to_be_bytes());
    context.update(token.expose().as_bytes());
    let mut record = [0; RECORD];
    record.copy_from_slice(context.finish().as_ref());
    record[PROGRAM..].copy_from_slice(&parent.program.to_be_bytes());
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_parent_and_token_cause_a_check_at_a_limited_rate() {
        let dir = tempfile::tempdir().expect("a directory");
        let parents = Parents::at(dir.path().join("entry.parents"));
        let token = |text: &str| Token::new(text.into(), None).expect("a b64token");
        let (a, b) = (token("a"), token("b"));
        let parent = |pid, started| Parent {
            pid,
            started,
            program: 0,
        };
        let asked = |parent, token: &Token, at| {
            parents
                .hand_over(parent, token, UnixTime::from_secs(at))
                .expect("a table")
                .is_to_check
        };
        assert!(!asked(parent(7, 1), &a, 1000), "the first time");
        assert!(!asked(parent(8, 1), &a, 1000), "another parent");
        assert!(asked(parent(7, 1), &a, 1000), "the same again");
        assert!(!asked(parent(7, 1), &a, 1029), "again, too soon");
        assert!(!asked(parent(8, 1), &a, 1029), "too soon for any parent");
        assert!(asked(parent(7, 1), &a, 1030), "again, later");
        assert!(!asked(parent(7, 1), &b, 1100), "another token");
        assert!(!asked(parent(7, 2), &b, 1100), "a reused process ID");
        assert!(asked(parent(7, 2), &b, 900), "the clock was set back");
        let may_check = |at| parents.may_check(UnixTime::from_secs(at)).expect("a table");
        assert!(!may_check(929), "too soon, for any reason");
        assert!(may_check(930) && !may_check(959));
        assert!(
            !asked(parent(7, 2), &b, 959),
            "too soon after the other reason"
        );
        let other = Parent {
            program: 1,
            ..parent(7, 2)
        };
        let asks = |at| parents.hand_over(other, &b, UnixTime::from_secs(at));
        let [first, second] = [990, 991].map(|at| asks(at).expect("a table"));
        assert!(first.is_to_check && !first.is_again, "another program");
        assert!(!second.is_to_check && second.is_again);
        let at = UnixTime::from_secs;
        let is_noted = |secs| parents.take_accepted(at(secs)).expect("a table");
        assert!(!is_noted(991), "nothing is noted");
        parents.note_accepted(at(991)).expect("noted");
        assert!(is_noted(1020) && !is_noted(1020), "once");
        parents.note_accepted(at(991)).expect("noted");
        assert!(!is_noted(1021), "long ago");
    }
}
