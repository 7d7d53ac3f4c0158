//! `completions`: a script for each shell, and the answers to the script's questions.
//!
//! `clap_complete` supplies both. At each Tab the script runs
//! `COMPLETE=SHELL zitadel-credential -- WORD…` and offers the printed candidates. No
//! network, key or cache is used.

mod bash;
mod candidates;
mod shell;

use candidates::Sources;
use clap::{Args, Command, ValueEnum};
use shell::Shell;

use crate::call::{Answer, World};
use crate::cli::options::{EVERY, Options};

/// The variable in which a script passes its shell's name.
const VARIABLE: &str = "COMPLETE";

const PROGRAM: &str = "zitadel-credential";

/// Addition to zsh's script: candidates are quoted, so that a home directory's `~` would
/// lose its meaning, and an installed script first runs as the completion itself.
const ZSH: &str = r#"
_zitadel-credential() {
    if [[ $PREFIX == (--*=|)\~* ]]; then
        compset -P '--*='
        _files
    else
        _clap_dynamic_completer_zitadel_credential "$@"
    fi
}
if [[ ${funcstack[1]} == _zitadel-credential ]]; then
    _zitadel-credential "$@"
else
    compdef _zitadel-credential zitadel-credential
fi
"#;

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// bash, elvish, fish, powershell or zsh
    #[arg(value_enum, hide_possible_values = true)]
    pub shell: Shell,
    #[command(flatten, next_help_heading = EVERY)]
    pub(crate) options: Options,
}

/// Prints a shell's script.
pub(crate) fn script(asked: &Completions) -> Answer {
    let mut script = Vec::new();
    let completer = asked.shell.completer();
    // Writing to a Vec cannot fail.
    let _ = completer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if asked.shell == Shell::Zsh {
        script += ZSH;
    }
    Answer::new(script)
}

/// Returns the shell whose script runs this call; `None` if no script does.
///
/// Every script puts `--` first, so that all other calls look up no variable.
pub(crate) fn asking_shell(world: &World<'_>) -> Option<Shell> {
    world.args.get(1).filter(|arg| *arg == "--")?;
    let name = (world.environment)(VARIABLE)?;
    Shell::from_str(name.to_str()?, false).ok()
}

/// Prints the candidates for the word at the cursor. Errors print nothing: their text
/// would appear within the line that the user types.
pub(crate) fn at_cursor(world: &World<'_>, shell: Shell, root: Command) -> Answer {
    // The line, with the name again, follows this program's name and `--`.
    let words = world.args.get(2..).unwrap_or_default().to_vec();
    if words.is_empty() {
        return Answer::new("");
    }
    if shell == Shell::Bash {
        return Answer::new(bash::answer(world, words, root).unwrap_or_default());
    }
    let mut command = Sources::of(world, shell, &words).add_to(root);
    let mut text = Vec::new();
    // The engine reads its script's other variables: the cursor's word and a separator.
    let written = shell.completer().write_complete(
        &mut command,
        words,
        Some(candidates::HERE.as_ref()),
        &mut text,
    );
    match written {
        Ok(()) => Answer::new(String::from_utf8_lossy(&text)),
        Err(_) => Answer::new(""),
    }
}
