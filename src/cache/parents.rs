//! Who was handed which token: how a revoked one is noticed.
//!
//! After a 401, client-go runs its plugin again with the same input and tells
//! it nothing. But the same process asking again for a token that is still good
//! says enough: its last one was refused. A few ask for other reasons (kube three
//! times as it starts, Python's kubernetes at each call in the last five minutes),
//! which costs a check and no more.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use ring::digest;

use crate::sys::files::{open_or_create_private, read_at, write_at};
use crate::sys::parent::Parent;
use crate::text::clock::UnixTime;
use crate::token::Token;

/// How long after one check of a token the next may follow.
const PAUSE: Duration = Duration::from_secs(30);

/// A record has the length of a SHA-256.
const RECORD: usize = 32;

/// How many processes are remembered; the next with the same remainder
/// displaces one, which costs no more than a check that is not made.
const RECORDS: u32 = 128;

/// A table on disk, a record for each parent. It holds digests only; a torn or
/// lost one makes for one check too few or too many.
#[derive(Debug)]
pub struct Parents {
    path: PathBuf,
}

impl Parents {
    pub(super) const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Notes that `parent` is handed this token now.
    ///
    /// Returns whether the token should be checked: this parent was handed the
    /// very same one before, and no check was noted in the last 30 s. The check
    /// is noted then.
    ///
    /// # Errors
    /// The system's own reason; the token may be handed out all the same.
    pub fn hand_over(&self, parent: Parent, token: &Token, now: UnixTime) -> io::Result<bool> {
        let file = open_or_create_private(&self.path)?;
        let place = u64::from(parent.pid % RECORDS + 1) * RECORD as u64;
        let record = record_of(parent, token);
        if read_record(&file, place)? != record {
            write_at(&file, &record, place)?;
            return Ok(false);
        }
        let mut last = [0; 8];
        last.copy_from_slice(&read_record(&file, 0)?[..8]);
        let last = UnixTime::from_secs(u64::from_be_bytes(last));
        // A check from the future is one of a clock that was set back.
        if last <= now && now.since(last) < PAUSE {
            return Ok(false);
        }
        write_at(&file, &now.as_secs().to_be_bytes(), 0)?;
        Ok(true)
    }
}

/// The record at a place; zeros past the end.
fn read_record(file: &File, place: u64) -> io::Result<[u8; RECORD]> {
    let mut record = [0; RECORD];
    read_at(file, &mut record, place)?;
    Ok(record)
}

fn record_of(parent: Parent, token: &Token) -> [u8; RECORD] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&parent.pid.to_be_bytes());
    context.update(&parent.started.to_be_bytes());
    context.update(token.expose().as_bytes());
    let mut record = [0; RECORD];
    record.copy_from_slice(context.finish().as_ref());
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_parent_with_the_same_token_calls_for_a_check_and_not_too_often() {
        let dir = tempfile::tempdir().expect("a directory");
        let parents = Parents::at(dir.path().join("entry.parents"));
        let token = |text: &str| Token::new(text.into(), None).expect("a b64token");
        let (a, b) = (token("a"), token("b"));
        let parent = |pid, started| Parent { pid, started };
        let asked = |parent, token: &Token, at| {
            parents
                .hand_over(parent, token, UnixTime::from_secs(at))
                .expect("a table")
        };
        assert!(!asked(parent(7, 1), &a, 1000), "the first time");
        assert!(!asked(parent(8, 1), &a, 1000), "another parent");
        assert!(asked(parent(7, 1), &a, 1000), "the same again");
        assert!(!asked(parent(7, 1), &a, 1029), "again, too soon");
        assert!(!asked(parent(8, 1), &a, 1029), "too soon for any parent");
        assert!(asked(parent(7, 1), &a, 1030), "again, later");
        assert!(!asked(parent(7, 1), &b, 1100), "another token");
        assert!(!asked(parent(7, 2), &b, 1100), "the ID come back");
        assert!(asked(parent(7, 2), &b, 900), "the clock set back");
    }
}
