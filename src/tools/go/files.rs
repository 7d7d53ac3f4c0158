//! Go's setting GOAUTH: the commands that supply credentials.
//!
//! Source: `go help goauth`, `go help environment`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::args::Go;
use crate::call::Helper;
use crate::cli::options::{Options, read_call};
use crate::config::Directories;
use crate::findings::wiring::NetrcReader;
use crate::sys::paths;
use crate::sys::{Environment, named, process};
use crate::text::clock::Deadline;
use crate::text::{input, quote};

/// Go's way to read `.netrc`, if GOAUTH enables it.
pub(crate) const NETRC: NetrcReader = NetrcReader {
    name: "Go",
    knows_variable: true,
    knows_default: false,
};

/// The value of GOAUTH, and its source.
#[derive(Debug)]
pub(crate) struct Goauth {
    pub(crate) value: String,
    /// `None` if it is an environment variable.
    pub(crate) file: Option<PathBuf>,
}

impl Goauth {
    /// Reads GOAUTH as Go does: from the variable, otherwise from the file of
    /// `go env -w`. `None` if neither sets it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn read(
        environment: &Environment,
        directories: &Directories,
        deadline: &Deadline,
    ) -> Result<Option<Self>, String> {
        if let Some(value) = named(environment, "GOAUTH") {
            let value = value.to_string_lossy().into_owned();
            return Ok(Some(Self { value, file: None }));
        }
        let default = || Some(directories.config.as_ref()?.join("go").join("env"));
        let file = match named(environment, "GOENV") {
            Some(file) if file == Path::new("off") => None,
            Some(file) => Some(file),
            None => default(),
        };
        let Some(file) = file.filter(|file| file.exists()) else {
            return Ok(None);
        };
        let text = input::read_file(&file, input::LIMIT, deadline)
            .map_err(|error| format!("{}: {error}", quote::path(&file)))?;
        let text = String::from_utf8_lossy(&text);
        let value = text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("GOAUTH="));
        Ok(value.filter(|value| !value.is_empty()).map(|value| Self {
            value: value.to_owned(),
            file: Some(file),
        }))
    }

    /// Describes the source.
    pub(crate) fn place(&self) -> String {
        match &self.file {
            Some(file) => format!("GOAUTH in {}", quote::path(file)),
            None => "the variable GOAUTH".to_owned(),
        }
    }

    /// Returns the words of the command that runs this program; `None` if no command
    /// does.
    pub(crate) fn ours(&self) -> Option<Vec<String>> {
        self.value
            .split(';')
            .map(words)
            .find(|words| is_ours(words))
    }

    /// Returns the reason why Go gets no token although GOAUTH names this program: Go
    /// refuses the value, or the command does not work.
    pub(crate) fn fault(
        &self,
        environment: &Environment,
        directories: &Directories,
    ) -> Option<String> {
        let commands: Vec<_> = self.value.split(';').map(words).collect();
        if let Some(fault) = commands.iter().find_map(|words| refused(words)) {
            return Some(fault.to_owned());
        }
        let words = self.ours()?;
        let program = words.first().map(String::as_str).unwrap_or_default();
        let is_there = if Path::new(program).is_absolute() {
            process::is_program(program.as_ref())
        } else {
            // A relative path could resolve to a program in a git clone.
            !paths::is_path(program) && process::find(program, environment).is_some()
        };
        if !is_there {
            let program = quote::quoted(program);
            return Some(format!("command {program} not found"));
        }
        match self.options() {
            Some(options) => {
                let config = options.config?;
                let is_found = directories.finds_config(Path::new(&config));
                (!is_found).then(|| format!("config file {} not found", quote::path(&config)))
            }
            _ => Some("it does not run the command go".to_owned()),
        }
    }

    /// Returns the options of the command that runs this program; `None` if it is not the
    /// command go.
    pub(crate) fn options(&self) -> Option<Options> {
        let args: Vec<_> = self.ours()?.into_iter().map(OsString::from).collect();
        let (before, mut call) = read_call::<Go>("go", &args)?;
        let options = std::mem::take(call.options()).over(before);
        call.url.is_none().then_some(options)
    }

    /// True if Go uses a login from `.netrc` before one from this program. The first
    /// command wins, but Go asks for a wildcard's host only after a refusal.
    pub(crate) fn reads_netrc_first(&self, is_named: bool) -> bool {
        let commands: Vec<_> = self.value.split(';').map(words).collect();
        let at = |is: &dyn Fn(&[String]) -> bool| commands.iter().position(|words| is(words));
        match (at(&|words| words == ["netrc"]), at(&is_ours)) {
            (Some(netrc), Some(ours)) => netrc < ours || !is_named,
            _ => false,
        }
    }

    /// Returns the value without this program's command.
    pub(crate) fn others(&self) -> String {
        let commands = self.value.split(';').map(str::trim);
        let others = commands.filter(|command| !command.is_empty() && !is_ours(&words(command)));
        others.collect::<Vec<_>>().join("; ")
    }
}

/// Returns the reason why Go refuses a command; `None` if it accepts it.
fn refused(words: &[String]) -> Option<&'static str> {
    match words {
        [] => Some("Go refuses an empty command"),
        [name] if name == "off" => Some("Go refuses off together with other commands"),
        [name, dir] if name == "git" && Path::new(dir).is_absolute() => None,
        [name, ..] if name == "git" => Some("Go refuses git without an absolute path"),
        _ => None,
    }
}

/// True if a command's words run this program.
fn is_ours(words: &[String]) -> bool {
    let program = words.first().map(Path::new);
    program.is_some_and(|program| paths::is_called(program, "zitadel-credential"))
}

/// Splits a command into its words, which may be quoted.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = command.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = if matches!(first, '\'' | '"') {
            let inside = &rest[1..];
            inside.split_once(first).unwrap_or((inside, ""))
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            rest.split_at(end)
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    fn ours(value: &str) -> Option<String> {
        let value = value.to_owned();
        let words = Goauth { value, file: None }.ours();
        words.map(|words| words.join("|"))
    }

    #[test]
    fn our_command_is_found_among_others() {
        for (value, expected) in [
            (
                "zitadel-credential go; netrc",
                Some("zitadel-credential|go"),
            ),
            (
                "netrc;/opt/zitadel-credential go",
                Some("/opt/zitadel-credential|go"),
            ),
            (
                "\"/a b/zitadel-credential\"  go",
                Some("/a b/zitadel-credential|go"),
            ),
            ("'/a/zitadel-credential", Some("/a/zitadel-credential")),
            ("netrc", None),
            ("git zitadel-credential; off;", None),
            ("zitadel-credential2 go", None),
        ] {
            assert_eq!(ours(value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_refused_value_and_a_broken_command_are_faults() {
        let is_missing = "command zitadel-credential not found";
        for (value, expected) in [
            ("/bin/true; off", None),
            ("zitadel-credential go", Some(is_missing)),
            (
                "./zitadel-credential go",
                Some("command ./zitadel-credential not found"),
            ),
            (
                "zitadel-credential go; off",
                Some("Go refuses off together with other commands"),
            ),
            (
                "zitadel-credential go; git",
                Some("Go refuses git without an absolute path"),
            ),
            (
                "git a;zitadel-credential go",
                Some("Go refuses git without an absolute path"),
            ),
            (
                if cfg!(windows) {
                    "zitadel-credential go; git C:/a"
                } else {
                    "zitadel-credential go; git /a"
                },
                Some(is_missing),
            ),
            (
                "zitadel-credential go;",
                Some("Go refuses an empty command"),
            ),
        ] {
            let value = value.to_owned();
            let found = Goauth { value, file: None };
            let nowhere = |_: &str| Some(OsString::from("/nowhere"));
            let fault = found
                .ours()
                .and_then(|_| found.fault(&nowhere, &Directories::default()));
            assert_eq!(fault.as_deref(), expected, "{}", found.value);
        }
    }

    #[test]
    fn the_variable_overrides_the_file_and_goenv_may_be_off() {
        let home = tempfile::tempdir().expect("a directory");
        let directories = Directories {
            config: Some(home.path().to_owned()),
            ..Directories::default()
        };
        let read = |variables: &'static [(&str, &str)]| {
            let environment = move |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            let soon = Deadline::after(Duration::from_secs(1));
            let found = Goauth::read(&environment, &directories, &soon).expect("read");
            found.map(|found| (found.value.clone(), found.place()))
        };
        assert_eq!(read(&[]), None);
        let dir = home.path().join("go");
        fs::create_dir(&dir).expect("a directory");
        fs::write(dir.join("env"), "GOPROXY=x\nGOAUTH=a\nGOAUTH=b\n").expect("written");
        let file = format!("GOAUTH in {}", dir.join("env").display());
        assert_eq!(read(&[]), Some(("b".to_owned(), file.clone())));
        assert_eq!(read(&[("GOENV", "off")]), None);
        assert_eq!(read(&[("GOENV", "/nowhere")]), None);
        assert_eq!(read(&[("GOAUTH", "")]), Some(("b".to_owned(), file)));
        let variable = "the variable GOAUTH".to_owned();
        assert_eq!(read(&[("GOAUTH", "c")]), Some(("c".to_owned(), variable)));
    }
}
