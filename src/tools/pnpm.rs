//! The tool pnpm: prints the value of the `Authorization` header.
//!
//! Source: pnpm's documentation of `tokenHelper` (<https://pnpm.io/npmrc>), and pnpm
//! 10.34.9 and 12.21.0. pnpm does not name the registry, so there is no host rule: the
//! line in the user's own `.npmrc` is the permission, like an entry in a kubeconfig.

use clap::Args;

use super::row::{Docs, Link, Reader, Tool};
use crate::broker::Broker;
use crate::call::{Answer, Helper, Settings, World};
use crate::cli::options::{EVERY, Options};
use crate::config::Asker;
use crate::error::Error;
use crate::token::Token;

pub(super) const TOOL: Tool = Tool {
    name: "pnpm",
    about: "Answer pnpm as a token helper",
    example: "\
Example, in ~/.npmrc (pnpm 10 needs an absolute path without arguments):
  //npm.acme.dev/:tokenHelper=/usr/bin/pnpm-credential-zitadel",
    words: &["npm"],
    call: "pnpm",
    links: &[Link::packaged("pnpm-credential-zitadel")],
    docs: Docs {
        recipe: Some("pnpm"),
        way: "a token helper: a line in `~/.npmrc`",
        without_rule: "needs no host rule: the line in `.npmrc` is the permission",
        without_token: "1 or 75",
    },
    reader: Reader::<dyn Helper>::of::<Pnpm>(),
    setup: None,
    wiring: None,
};

#[derive(Args, Debug)]
struct Pnpm {
    #[command(flatten, next_help_heading = EVERY)]
    options: Options,
}

impl Helper for Pnpm {
    fn options(&mut self) -> &mut Options {
        &mut self.options
    }

    fn answer(&self, world: &mut World<'_>, settings: &Settings<'_>) -> Result<Answer, Error> {
        let request = settings.config()?.request(Asker::default())?;
        let token = Broker::new(&request, world.clock)?.token()?;
        Ok(Answer::new(answer(&token)))
    }
}

/// Returns the line that pnpm sends unchanged. It includes `Bearer`, which only pnpm 12
/// would add itself.
fn answer(token: &Token) -> String {
    format!("{}\n", token.bearer())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_these_bytes() {
        let token = Token::new("abc".into(), None).expect("a token");
        assert_eq!(answer(&token), "Bearer abc\n");
    }
}
