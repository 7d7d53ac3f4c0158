//! `--mode` and `--group`: the readers of a token file.

use std::ffi::OsString;

use clap::Args;

use crate::error::{Error, Report};
use crate::sys::access::{Access, group_id};
use crate::text::quote::{quoted, system};

#[derive(Args, Debug)]
pub(crate) struct AccessArgs {
    /// Mode of the file, for readers of other users [default: 0600]
    #[arg(long, value_name = "MODE", requires = "write", value_parser = mode)]
    pub mode: Option<u32>,
    /// Group of the file, by name or number
    #[arg(long, value_name = "NAME", requires = "mode")]
    pub group: Option<OsString>,
}

impl AccessArgs {
    /// Returns the mode and the group of the file.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is no such group.
    pub(crate) fn access(&self) -> Result<Access, Error> {
        let group = self.group.as_deref().map(|name| {
            let shown = quoted(&name.to_string_lossy());
            let failed = |reason: &str| {
                let report = Report::new(format!("--group {shown}: {reason}"));
                Error::Usage(report.hint("name a group of /etc/group, or give its number"))
            };
            let found = group_id(name).map_err(|error| failed(&system(&error)))?;
            found.ok_or_else(|| failed("no such group"))
        });
        let private = Ok(Access::PRIVATE);
        let group = group.transpose()?;
        self.mode
            .map_or(private, |mode| Ok(Access::of(mode, group)))
    }
}

/// Parses an octal mode with which the owner can read the file and no other user can
/// write to it. A token that others can replace is not trusted.
fn mode(text: &str) -> Result<u32, &'static str> {
    let is_octal = (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let mode = u32::from_str_radix(text, 8).ok().filter(|_| is_octal);
    match mode {
        None => Err("give an octal number, such as 0640"),
        Some(mode) if mode & !0o666 != 0 => {
            Err("give only permissions to read and to write, such as 0640")
        }
        Some(mode) if mode & 0o022 != 0 => Err("only the owner may write to a token file"),
        Some(mode) if mode & 0o400 == 0 => Err("the owner must be able to read the token file"),
        Some(mode) => Ok(mode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_lets_its_owner_read_and_nobody_else_write() {
        for (text, is_mode) in [
            ("0640", true),
            ("640", true),
            ("00640", true),
            ("0600", true),
            ("400", true),
            ("0444", true),
            ("0644", true),
            ("0604", true),
            ("", false),
            ("0", false),
            ("0040", false),
            ("0660", false),
            ("0646", false),
            ("0750", false),
            ("4640", false),
            ("2640", false),
            ("1640", false),
            ("0680", false),
            ("+640", false),
            ("-640", false),
            ("0o640", false),
            ("u=rw,g=r", false),
            ("000640", false),
        ] {
            let expected = u32::from_str_radix(text, 8).ok().filter(|_| is_mode);
            assert_eq!(mode(text).ok(), expected, "{text}");
        }
    }
}
