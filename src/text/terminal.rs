//! Finds out which streams are terminals, and whether to use colour.

use crate::sys::Environment;

/// The streams that are terminals.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal {
    /// True if a user can type input.
    pub stdin: bool,
    /// True if a user reads the output.
    pub stdout: bool,
    /// True if a user reads errors and prompts.
    pub stderr: bool,
}

impl Terminal {
    /// True if the output may be coloured (<https://no-color.org>: any `NO_COLOR`
    /// that is not empty switches colour off).
    pub fn has_colour(self, environment: &Environment) -> bool {
        let is_set = |name| environment(name).is_some_and(|value| !value.is_empty());
        let is_dumb = environment("TERM").is_some_and(|term| term == "dumb");
        self.stdout && !is_set("NO_COLOR") && !is_dumb
    }

    /// True if a user can read a prompt and answer it.
    pub const fn is_interactive(self) -> bool {
        self.stdin && self.stderr
    }
}

/// True if a build server runs this program: no user can watch or answer.
pub fn is_ci(environment: &Environment) -> bool {
    environment("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_that_allows_it_gets_colour() {
        let colour = |stdout, set: &'static [(&str, &str)]| {
            let terminal = Terminal {
                stdout,
                ..Terminal::default()
            };
            terminal.has_colour(&|name| {
                let value = set.iter().find(|(key, _)| *key == name);
                value.map(|(_, value)| value.into())
            })
        };
        assert!(colour(true, &[]));
        assert!(colour(true, &[("NO_COLOR", ""), ("TERM", "xterm")]));
        assert!(!colour(false, &[]));
        assert!(!colour(true, &[("NO_COLOR", "1")]));
        assert!(!colour(true, &[("TERM", "dumb")]));
    }

    #[test]
    fn a_ci_variable_marks_a_build_server() {
        let ci = |value: Option<&'static str>| is_ci(&move |_| value.map(Into::into));
        assert!(ci(Some("true")) && ci(Some("1")) && ci(Some("yes")));
        for value in [None, Some(""), Some("false"), Some("0")] {
            assert!(!ci(value), "{value:?}");
        }
    }
}
