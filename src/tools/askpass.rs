//! The tool askpass: prints one line that answers a prompt of git.
//!
//! Source: gitcredentials(7), and the prompts of git 2.39.5, 2.47.3 and git-lfs 3.3.0:
//! `Username for 'https://host[:port][/path]': `, and `Password for` with `user@` before
//! the host, percent-encoded. The prompts are never translated. git-lfs writes `"`
//! instead of `'`, and nothing after it. ssh runs the same program for passphrases and
//! to confirm a host key, so other prompts must get no answer.

use std::ffi::OsString;

use clap::Args;

use super::row::{Docs, Link, Reader, Tool};
use crate::broker::Broker;
use crate::call::login::{request_of, rule_of, username};
use crate::call::{Answer, Helper, Settings, World};
use crate::cli::options::{EVERY, Options};
use crate::error::Error;
use crate::host::Ask;

pub(super) const TOOL: Tool = Tool {
    name: "askpass",
    about: "Answer git's prompts for a username and a password",
    example: "\
Example, for a git without a credential helper:
  GIT_ASKPASS=/usr/bin/askpass-credential-zitadel git fetch",
    words: &[],
    call: "askpass PROMPT",
    links: &[Link::packaged("askpass-credential-zitadel")],
    docs: Docs {
        recipe: Some("git without a helper"),
        way: "the program of `GIT_ASKPASS`",
        without_rule: "1, and no output",
        without_token: "1 or 75",
    },
    reader: Reader::<dyn Helper>::of::<Askpass>(),
    setup: None,
    wiring: None,
};

#[derive(Args, Debug)]
struct Askpass {
    /// The prompt, as git writes it
    prompt: OsString,
    #[command(flatten, next_help_heading = EVERY)]
    options: Options,
}

impl Helper for Askpass {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error> {
        let prompt = self.prompt.to_str().and_then(parse);
        let config = settings.config()?;
        let Some(rule) = rule_of(&config, prompt.as_ref().map(|prompt| &prompt.ask)) else {
            // With exit code 0, git would use an empty line as the password.
            return Ok(Answer::new("").with_code(1));
        };
        let line = match prompt.map(|prompt| prompt.kind) {
            Some(Kind::Password) => {
                let request = request_of(&config, rule)?;
                let broker = Broker::new(&request, world.clock)?;
                // git-lfs prompts again and again if its server refuses the token.
                broker.token_for((world.parent)())?.expose().to_owned()
            }
            _ => username(world, &config, rule)?,
        };
        Ok(Answer::new(line + "\n"))
    }
}

/// A prompt that names a host.
#[derive(Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The host, and the username that the prompt names.
    pub ask: Ask,
    /// The requested value.
    pub kind: Kind,
}

/// The value that a prompt requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The username.
    Username,
    /// The token.
    Password,
}

/// Parses a prompt; `None` if it is not a prompt of git, or if its host is invalid.
pub fn parse(prompt: &str) -> Option<Prompt> {
    let (kind, rest) = match prompt.strip_prefix("Username for ") {
        Some(rest) => (Kind::Username, rest),
        None => (Kind::Password, prompt.strip_prefix("Password for ")?),
    };
    let between = |open, close| rest.strip_prefix(open)?.strip_suffix(close);
    let url: &str = between("'", "': ").or_else(|| between("\"", "\""))?;
    // git percent-encodes all other characters.
    let is_of_git = |b: u8| b.is_ascii_alphanumeric() || b"-._~%@:/[]".contains(&b);
    if !url.bytes().all(is_of_git) {
        return None;
    }
    // Without a scheme it is not a URL of git.
    let ask = Ask::of_url_with_user(url)?;
    Some(Prompt { ask, kind })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(prompt: &str) -> Option<(String, Option<String>, Kind)> {
        let Prompt { ask, kind } = parse(prompt)?;
        Some((ask.origin.to_string(), ask.username, kind))
    }

    #[test]
    fn the_prompts_of_git_and_lfs_are_read() {
        use Kind::{Password, Username};
        for (prompt, host, username, kind) in [
            (
                "Username for 'https://a.dev': ",
                "https://a.dev",
                None,
                Username,
            ),
            (
                "Password for 'https://ci@a.dev:8443': ",
                "https://a.dev:8443",
                Some("ci"),
                Password,
            ),
            (
                "Password for 'https://a.dev/it%27s.git': ",
                "https://a.dev",
                None,
                Password,
            ),
            (
                "Password for 'https://[::1]:8443': ",
                "https://[::1]:8443",
                None,
                Password,
            ),
            (
                "Password for 'https://c%40i%3Ax%2Fy%20%27@a.dev': ",
                "https://a.dev",
                Some("c@i:x/y '"),
                Password,
            ),
            (
                "Password for 'https://@a.dev': ",
                "https://a.dev",
                None,
                Password,
            ),
            (
                "Password for 'http://pu@127.0.0.1:4881': ",
                "http://127.0.0.1:4881",
                Some("pu"),
                Password,
            ),
            (
                "Username for \"https://a.dev\"",
                "https://a.dev",
                None,
                Username,
            ),
        ] {
            let expected = (host.to_owned(), username.map(ToOwned::to_owned), kind);
            assert_eq!(read(prompt), Some(expected), "{prompt}");
        }
    }

    #[test]
    fn other_prompts_are_not_read() {
        for prompt in [
            "",
            "Password for ",
            "Password for '': ",
            "Password for 'a.dev': ",
            "Password for 'https://': ",
            "Password for 'https://a.dev'",
            "Password for \"https://a.dev\": ",
            "password for 'https://a.dev': ",
            " Password for 'https://a.dev': ",
            "Passwort für 'https://a.dev': ",
            "Password for 'cert:////tmp/c.pem': ",
            "Password for 'ftp://a.dev': ",
            "Password for 'https://x@y@a.dev': ",
            "Password for 'https://%zz@a.dev': ",
            "Password for 'https://%4@a.dev': ",
            "Password for 'https://%ff@a.dev': ",
            "Password for 'https://a%0ab@a.dev': ",
            "Password for 'https://a.dev%2eevil.dev': ",
            "Password for 'https://a.dev\\@evil.dev': ",
            "Password for 'https://a.dev#@evil.dev': ",
            "Password for 'https://ci:secret@a.dev': ",
            "Password for 'https://a\u{1b}.dev': ",
            "Enter passphrase for key '/home/ci/.ssh/id': ",
            "root@a.dev's password: ",
            "Please type 'yes', 'no' or the fingerprint: ",
        ] {
            assert_eq!(read(prompt), None, "{prompt}");
        }
    }

    proptest! {
        #[test]
        fn any_prompt_parses_without_panic(prompt in "(Password for ')?(https://)?[ -~é\u{0}-\u{1f}]{0,40}(': )?") {
            let _ = parse(&prompt);
        }
    }
}
