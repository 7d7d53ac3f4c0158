//! `completions`: each script in its shell.

use std::path::PathBuf;

use crate::support::patience::{patient, within};
use crate::support::program::{client, output_of};
use crate::support::{Home, Run, binary};

/// The last profile's name contains a shell command.
const CONFIG: &str = "[profiles.prod]\n[profiles.pilot]\n[profiles.'p$(touch ran)']\n";

fn script(shell: &str) -> String {
    let home = Home::new();
    let output = home.zitadel(["completions", shell]).run();
    assert!(output.status.success() && output.stderr.is_empty());
    String::from_utf8(output.stdout).unwrap()
}

/// Returns a home with profiles, files for completion, the binary on `PATH`, and the
/// shell's script in `script`.
fn home(shell: &str) -> Home {
    let home = Home::new();
    home.write_config(CONFIG);
    home.write("keys/prod.json", "");
    home.write("keys/a b$(touch ran)", "");
    home.write("script", script(shell));
    home.link("zitadel-credential");
    home
}

/// Returns the output of a shell for these lines.
fn told(home: &Home, shell: &PathBuf, arguments: &[&str], lines: &str) -> String {
    let mut command = home.command(shell);
    command.args(arguments).env("PATH", home.path_with_bin());
    let output = output_of(command, lines.as_bytes());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(!home.path().join("ran").exists(), "a name was run");
    String::from_utf8(output.stdout).unwrap()
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn bash_completes_commands_options_profiles_files_and_programs() {
    let Some(bash) = client("bash") else { return };
    let home = home("bash");
    let complete = |line: &str| {
        let lines = format!(
            ". ./script; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
            compopt() {{ :; }}
            _clap_complete_zitadel_credential zitadel-credential \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"
            printf '%s\\n' \"${{COMPREPLY[@]}}\"; complete -p zitadel-credential >/dev/null\n"
        );
        told(&home, &bash, &["--norc", "-s"], &lines)
    };
    assert_eq!(words(&complete("zitadel-credential to")), ["token"]);
    assert_eq!(words(&complete("zitadel-credential cache li")), ["list"]);
    assert_eq!(words(&complete("zitadel-credential setup gi")), ["git"]);
    assert_eq!(
        words(&complete("zitadel-credential token --wr")),
        ["--write"]
    );
    let profiles = complete("zitadel-credential token --profile p");
    assert_eq!(words(&profiles), ["pilot", "prod"]);
    let raw = complete("zitadel-credential token --output r");
    assert_eq!(words(&raw), ["raw"]);
    let files = complete("zitadel-credential --key-file keys/p");
    assert_eq!(words(&files), ["keys/prod.json"]);
    let files = complete("zitadel-credential --key-file keys/a");
    assert_eq!(files, "keys/a\\ b\\$\\(touch\\ ran\\)\n");
    let files = complete("zitadel-credential exec -- cat keys/p");
    assert_eq!(words(&files), ["keys/prod.json"]);
    let programs = complete("zitadel-credential exec -- zitadel-cred");
    assert_eq!(words(&programs), ["zitadel-credential"]);
    let shells = complete("zitadel-credential completions ''");
    assert!(
        shells.contains("fish") && !shells.contains("profiles"),
        "{shells}"
    );
}

#[test]
fn fish_completes_commands_options_profiles_and_files() {
    let Some(fish) = client("fish") else { return };
    let home = home("fish");
    let complete = |line: &str| {
        let lines = format!("source script; complete -C '{line}'\n");
        let told = told(&home, &fish, &["--no-config"], &lines);
        let words = told.lines().map(|line| line.split('\t').next().unwrap());
        words.map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete("zitadel-credential tok"), ["token"]);
    assert_eq!(complete("zitadel-credential cache li"), ["list"]);
    assert_eq!(complete("zitadel-credential token --wri"), ["--write"]);
    let profiles = complete("zitadel-credential token --profile p");
    assert_eq!(profiles, ["pilot", "prod"]);
    assert_eq!(complete("zitadel-credential token --output ra"), ["raw"]);
    let files = complete("zitadel-credential --key-file keys/p");
    assert_eq!(files, ["keys/prod.json"]);
    let files = complete("zitadel-credential --key-file=keys/p");
    assert_eq!(files, ["--key-file=keys/prod.json"]);
    let programs = complete("zitadel-credential exec -- zitadel-cred");
    assert_eq!(programs, ["zitadel-credential"]);
}

#[test]
fn zsh_completes_commands_options_profiles_and_files() {
    let Some(zsh) = client("zsh") else { return };
    let home = home("zsh");
    home.write("functions/_zitadel-credential", script("zsh"));
    // The first is the installation by packages, the second a start file that sources the
    // script.
    let installed = "fpath=(./functions $fpath); autoload -U compinit; compinit -u -D";
    let sourced = "autoload -U compinit; compinit -u -D; . ./script";
    // Completion needs a terminal: zsh's own pseudo-terminal is one. zsh reads its
    // functions in a second, so one shell completes all lines: ^U clears a line.
    let complete = |start: &str, lines: &[(&str, &str)]| {
        let lines = lines.iter().map(|(line, end)| {
            let pattern = end.replace('\\', r"\\");
            format!(
                r"zpty -w -n shell $'\x15''{line}'$'\t'
zpty -r shell said '*{pattern}*'
print -r -- $said
"
            )
        });
        let lines = format!(
            r"zmodload zsh/zpty
zpty shell 'exec zsh -f -i'
zpty -w shell 'PS1=; {start}; echo READY$((6*7))'
zpty -r shell said '*READY42*'
{}print done
zpty -d shell
",
            lines.collect::<String>()
        );
        let told = told(&home, &zsh, &["-f"], &lines);
        assert!(told.ends_with("done\n"), "{told}");
        told
    };
    let lines = [
        ("zitadel-credential tok", "token "),
        ("zitadel-credential cache li", "list "),
        ("zitadel-credential token --wri", "--write"),
        ("zitadel-credential token --profile pi", "pilot "),
        ("zitadel-credential token --profile pr", "prod "),
        ("zitadel-credential token --output ra", "raw "),
        ("zitadel-credential --key-file keys/p", "prod.json"),
        ("zitadel-credential --key-file ~/keys/p", "~/keys/prod.json"),
        ("zitadel-credential --key-file=keys/p", "prod.json"),
        ("zitadel-credential --key-file keys/a", r"touch\ ran"),
        ("zitadel-credential exec -- zitadel-cre", "dential "),
    ];
    let told = complete(installed, &lines);
    for (line, end) in lines {
        assert!(told.contains(end), "{line}: {told}");
    }
    complete(sourced, &lines[..1]);
}

#[test]
fn elvish_completes_commands_and_options() {
    let Some(elvish) = client("elvish") else {
        return;
    };
    let home = home("elvish");
    // elvish has its editor only on a terminal.
    let script = script("elvish").replace("edit:completion:arg-completer", "completer");
    let complete = |words: &str| {
        let lines = format!(
            "var completer = [&]
            {script}
            $completer[zitadel-credential] zitadel-credential {words} ''\n"
        );
        home.write("lines", lines);
        told(&home, &elvish, &["-norc", "lines"], "")
    };
    let commands = complete("");
    assert!(words(&commands).contains(&"completions"), "{commands}");
    let commands = complete("cache");
    assert!(words(&commands).contains(&"list"), "{commands}");
    let options = complete("token");
    assert!(words(&options).contains(&"--write"), "{options}");
}

/// The same as [`elvish_completes_commands_and_options`], with elvish's own editor.
#[test]
fn elvish_on_a_terminal_completes_files_and_the_programs_of_exec() {
    let (Some(zsh), Some(_)) = (client("zsh"), client("elvish")) else {
        return;
    };
    let home = home("elvish");
    for (line, rest) in [
        ("zitadel-credential comp", "letions"),
        ("zitadel-credential --key-file keys/p", "rod.json"),
        ("zitadel-credential exec -- zitadel-cre", "dential"),
        ("zitadel-credential exec --env X -- cat keys/p", "rod.json"),
    ] {
        // Input before the editor is ready (2004h) is lost. The prompt does not tell: it is
        // `~# ` for root, and `???> ` before it if it is late. Later input is drawn letter by
        // letter, a completion at once.
        let lines = format!(
            r"zmodload zsh/zpty
zpty shell 'stty rows 40 cols 200; exec elvish -norc'
zpty -r shell said '*2004h*'
zpty -w shell 'eval (slurp < script); echo READY(* 6 7)'
zpty -r shell said '*READY42*2004h*'
zpty -w -n shell '{line}'$'\t'
zpty -r shell said '*{rest}*'
print -r -- $said
zpty -d shell
"
        );
        let told = told(&home, &zsh, &["-f"], &lines);
        assert!(told.contains(rest), "{line}: {told:?}");
    }
}

/// A call of fish's script, which also prints the description of each candidate.
fn asked<I>(home: &Home, words: I) -> crate::support::command::Command
where
    I: IntoIterator<Item: AsRef<std::ffi::OsStr>>,
{
    let mut call = home.zitadel(["--", "zitadel-credential"]);
    call.args(words).env("COMPLETE", "fish");
    call
}

/// No PowerShell is available here; its responses are fish's.
#[test]
fn the_script_for_powershell_asks_the_program_and_closes_what_it_opens() {
    let script = script("powershell");
    assert!(script.contains("& zitadel-credential -- $args"));
    assert!(script.contains("$env:COMPLETE = \"powershell\""));
    for (open, close) in ["{}", "()", "[]"].map(|pair| pair.split_at(1)) {
        let count = |mark| script.matches(mark).count();
        assert_eq!(count(open), count(close));
    }
    let home = home("powershell");
    let told = |word: &str| {
        let mut call = asked(&home, ["--key-file", word]);
        String::from_utf8(call.env("COMPLETE", "powershell").run().stdout).unwrap()
    };
    assert_eq!(told("keys/p"), "keys/prod.json\n");
    // PowerShell would run the command. Without a candidate it lists the files itself.
    assert_eq!(told("keys/a"), "");
}

#[test]
fn profile_completion_is_silent_without_a_config() {
    let home = Home::new();
    let profiles = || asked(&home, ["--profile", ""]).run();
    let mut call = asked(&home, ["tok"]);
    let told = call.env("ZITADEL_CREDENTIAL_LOG", "nonsense").run();
    assert!(told.stdout.starts_with(b"token\t") && told.stderr.is_empty());
    for config in [None, Some("[")] {
        config.map(|toml| home.write_config(toml));
        let none = profiles();
        assert!(none.status.success() && none.stdout.is_empty() && none.stderr.is_empty());
        home.zitadel(["completions", "bash"]).assert().success();
    }
    home.write_config(CONFIG);
    assert_eq!(profiles().stdout, b"pilot\tprofile\nprod\tprofile\n");
    let other = home.write("other.toml", "[profiles.other]\n");
    let mut call = asked(&home, ["--config"]);
    let named = call.arg(&other).args(["token", "--profile", "o"]).run();
    assert_eq!(named.stdout, b"other\tprofile\n");
    let mut call = asked(&home, ["--profile", "o"]);
    let named = call.env("ZITADEL_CREDENTIAL_CONFIG", other).run();
    assert_eq!(named.stdout, b"other\tprofile\n");
}

#[test]
fn a_silent_pipe_does_not_block_completion() {
    patient(|| {
        let home = Home::new();
        let mut mkfifo = home.command("mkfifo");
        mkfifo.arg("pipe");
        assert!(output_of(mkfifo, b"").status.success());
        let start = std::time::Instant::now();
        let none = asked(&home, ["--config", "pipe", "--profile", ""]).run();
        assert!(none.status.success() && none.stdout.is_empty() && none.stderr.is_empty());
        within(start.elapsed(), std::time::Duration::from_secs(10));
    });
}

#[test]
fn the_variable_alone_changes_no_answer() {
    let home = Home::new();
    for shell in ["bash", "fish"] {
        let mut call = home.zitadel(["--version"]);
        let told = call.env("COMPLETE", shell).run();
        assert!(told.stdout.starts_with(b"zitadel-credential "));
    }
    for (words, shell) in [(vec!["--", "token"], "nonsense"), (vec!["--", "token"], "")] {
        let mut call = home.zitadel(words);
        let refused = call.env("COMPLETE", shell).run();
        assert_eq!(refused.status.code(), Some(2));
    }
    // The script passes no position of the cursor.
    let mut call = home.zitadel(["--", "zitadel-credential", "tok"]);
    let none = call.env("COMPLETE", "bash").run();
    assert!(none.status.success() && none.stdout.is_empty() && none.stderr.is_empty());
}

#[test]
fn bash_completes_values_after_an_equals_sign() {
    let Some(bash) = client("bash") else { return };
    let home = home("bash");
    // readline splits words at `=` and `:`.
    let complete = |words: &str, last: &str, before: &str| {
        let lines = format!(
            ". ./script; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
            compopt() {{ :; }}
            _clap_complete_zitadel_credential zitadel-credential '{last}' '{before}'
            printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        );
        told(&home, &bash, &["--norc", "-s"], &lines)
    };
    let name = "zitadel-credential";
    for (line, last, before, expected) in [
        ("token --output = r", "r", "=", "raw"),
        ("token --output = ''", "", "=", "raw header json"),
        ("token --output =", "", "--output", "raw header json"),
        ("token --profile = pi", "pi", "=", "pilot"),
        ("--key-file = keys/p", "keys/p", "=", "keys/prod.json"),
        (
            "setup profile --issuer https : //a.dev pr",
            "pr",
            "//a.dev",
            "prod",
        ),
    ] {
        let told = complete(&format!("{name} {line}"), last, before);
        assert_eq!(words(&told), words(expected), "{line}");
    }
}

#[test]
fn a_cursor_beyond_all_words_gets_nothing() {
    let home = Home::new();
    let mut call = home.command(binary());
    call.args(["--", "zitadel-credential", "to"])
        .env("COMPLETE", "bash")
        .env("_CLAP_IFS", "\n")
        .env("_CLAP_COMPLETE_INDEX", u64::MAX.to_string());
    let output = call.run();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
}
