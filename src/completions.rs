//! `completions`: clap's scripts, with the two things that it cannot know.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Command, CommandFactory};
use clap_complete::generate;
use clap_complete::shells::{Bash, Elvish, Fish, PowerShell, Zsh};

use crate::cli::{Cli, Completion};
use crate::config::Config;

/// What clap writes where a profile's name is to stand.
const PROFILES: &str = "@PROFILES@";

/// Asks for the names when they are wanted; silent where there is no config.
const ASK: &str = "zitadel-credential completions profiles 2>/dev/null";

/// What stands after `--` is another program's, which clap's bash script does
/// not know. bash-completion's function completes that program's arguments too.
const AFTER_DASHES: &str = r#"
_zitadel_credential() {
    local i
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} == -- ]]; then
            if declare -F _command_offset >/dev/null; then
                _command_offset $((i + 1))
            elif ((COMP_CWORD == i + 1)); then
                COMPREPLY=($(compgen -c -- "$2"))
            fi
            return
        fi
    done
    _zitadel__credential "$@"
}
complete -F _zitadel_credential -o bashdefault -o default zitadel-credential
"#;

/// The script of a shell. None is for the names of the profiles.
pub(crate) fn script(wanted: Completion) -> Option<String> {
    let mut command = asking(Cli::command());
    let mut text = Vec::new();
    let name = "zitadel-credential";
    let names = match wanted {
        Completion::Bash => {
            generate(Bash, &mut command, name, &mut text);
            // clap_complete 4.6.11 spells a name with a dash in two ways, so that
            // no command below it is found.
            let script = String::from_utf8_lossy(&text);
            let script = script.replace("zitadel__subcmd__credential", "zitadel__credential");
            text = (script + AFTER_DASHES).into_bytes();
            format!("$({ASK})")
        }
        Completion::Zsh => {
            generate(Zsh, &mut command, name, &mut text);
            format!("$({ASK})")
        }
        Completion::Fish => {
            generate(Fish, &mut command, name, &mut text);
            format!("({ASK})")
        }
        // clap's scripts for these complete no values.
        Completion::Elvish => {
            generate(Elvish, &mut command, name, &mut text);
            String::new()
        }
        Completion::Powershell => {
            generate(PowerShell, &mut command, name, &mut text);
            String::new()
        }
        Completion::Profiles => return None,
    };
    Some(String::from_utf8_lossy(&text).replace(PROFILES, &names))
}

/// The command line with a mark in place of every profile's name, and without
/// what is hidden, which clap's bash script shows.
fn asking(mut command: Command) -> Command {
    command.build();
    walk(command)
}

fn walk(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        if arg.get_id() == "profile" {
            return arg.value_parser([PROFILES]);
        }
        let values = arg.get_possible_values();
        if values.iter().any(PossibleValue::is_hide_set) {
            let shown = values.into_iter().filter(|value| !value.is_hide_set());
            return arg.value_parser(PossibleValuesParser::new(shown));
        }
        arg
    });
    command.mut_subcommands(walk)
}

/// The names of the profiles, one a line.
pub(crate) fn profiles(config: &Config<'_>) -> String {
    // bash expands what it is given to choose from: `$(…)` would be run.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    let plain = config.profiles().filter(|name| name.chars().all(is_plain));
    plain.flat_map(|name| [name, "\n"]).collect()
}
