//! Misspelt command lines, and the proposed spelling.

use crate::support::{Case, Command, binary};

/// Returns the error with its remedies: the proposal, or else the usage, and the help of
/// the command at the start of `of`.
fn told(error: &str, tip: &str, of: &str) -> String {
    const US: &str = "zitadel-credential";
    let words = of
        .split(' ')
        .take_while(|word| word.starts_with(|c: char| c.is_lowercase()));
    let command = [US].into_iter().chain(words).collect::<Vec<_>>().join(" ");
    let subject = if of.ends_with("<COMMAND>") {
        "commands"
    } else {
        "options"
    };
    let hint = match tip {
        "" if of.contains(' ') => format!("  hint: usage: {US} {of}\n"),
        "" => String::new(),
        tip => format!("  hint: {tip}\n"),
    };
    format!("{US}: error: {error}\n{hint}  hint: run {command} -h for the {subject}\n")
}

/// Runs the binary with these words, by a tool's name for it.
#[track_caller]
fn by_name(name: &str, words: &str, stderr: String) {
    let case = Case::new();
    let program = match name {
        "zitadel-credential" => binary(),
        _ => case.world.home.link(name),
    };
    let mut command = case.world.home.command(program);
    command.args(words.split_ascii_whitespace());
    case.end(Command::from(command)).fails(2, stderr);
    assert_eq!(case.requests(), 0);
}

#[track_caller]
fn usage(words: &str, stderr: String) {
    by_name("zitadel-credential", words, stderr);
}

#[test]
fn a_misspelt_command() {
    for (words, wrong, right, of) in [
        ("tokn", "tokn", "token", "[OPTIONS] <COMMAND>"),
        ("cache lst", "lst", "list", "cache <COMMAND>"),
        ("help tokn", "tokn", "token", "[OPTIONS] <COMMAND>"),
        ("help cache lst", "lst", "list", "cache <COMMAND>"),
        // Below `key`, the words of the root mean nothing.
        ("key rotates", "rotates", "rotate", "key <COMMAND>"),
        ("config checks", "checks", "check", "config <COMMAND>"),
        ("gti get", "gti", "git", "[OPTIONS] <COMMAND>"),
        ("setup gti a.dev", "gti", "git", "setup <COMMAND>"),
        ("help setup gti", "gti", "git", "setup <COMMAND>"),
    ] {
        let error = format!("unrecognized subcommand '{wrong}'");
        let tip = format!("did you mean '{right}'?");
        usage(words, told(&error, &tip, of));
    }
}

#[test]
fn a_word_of_other_programs() {
    const PROFILE: &str = "setup profile NAME";
    for (words, wrong, call, of) in [
        ("version", "version", "--version", "[OPTIONS] <COMMAND>"),
        ("login", "login", PROFILE, "[OPTIONS] <COMMAND>"),
        (
            "profiles",
            "profiles",
            "profile list",
            "[OPTIONS] <COMMAND>",
        ),
        ("help login", "login", PROFILE, "[OPTIONS] <COMMAND>"),
        ("-v login", "login", PROFILE, "[OPTIONS] <COMMAND>"),
        ("logout", "logout", "cache clear", "[OPTIONS] <COMMAND>"),
        ("list", "list", "cache list", "[OPTIONS] <COMMAND>"),
        (
            "podman get",
            "podman",
            "docker OPERATION",
            "[OPTIONS] <COMMAND>",
        ),
        (
            "setup podman a.dev",
            "podman",
            "setup docker HOST",
            "setup <COMMAND>",
        ),
        ("setup ls", "ls", "setup list", "setup <COMMAND>"),
        ("setup help ls", "ls", "setup list", "setup <COMMAND>"),
        (
            "setup profiles",
            "profiles",
            "profile list",
            "setup <COMMAND>",
        ),
        (
            "setup k8s",
            "k8s",
            "setup kubectl --context CONTEXT",
            "setup <COMMAND>",
        ),
        ("setup pip", "pip", "setup keyring HOST", "setup <COMMAND>"),
        ("cache rm", "rm", "cache clear", "cache <COMMAND>"),
        ("profile ls", "ls", "profile list", "profile <COMMAND>"),
        ("profile show", "show", "profile list", "profile <COMMAND>"),
        ("config ls", "ls", "config show", "config <COMMAND>"),
        ("config get", "get", "config show", "config <COMMAND>"),
        ("key ls", "ls", "key list", "key <COMMAND>"),
    ] {
        let error = format!("unrecognized subcommand '{wrong}'");
        let tip = format!("run zitadel-credential {call}");
        usage(words, told(&error, &tip, of));
    }
}

#[test]
fn a_misspelt_option() {
    const US: &str = "zitadel-credential";
    for (name, words, wrong, right, of) in [
        (
            US,
            "--porfile prod token",
            "--porfile",
            "--profile",
            "--profile <NAME> <COMMAND>",
        ),
        (
            US,
            "token --outptu json",
            "--outptu",
            "--output",
            "token --output <raw|header|json>",
        ),
        (
            US,
            "cache clear --expird",
            "--expird",
            "--expired",
            "cache clear --expired",
        ),
        (
            "git-credential-zitadel",
            "--porfile ci get",
            "--porfile",
            "--profile",
            "git --profile <NAME> <OPERATION>",
        ),
        (
            "docker-credential-zitadel",
            "--confg x get",
            "--confg",
            "--config",
            "docker --config <FILE> <OPERATION>",
        ),
    ] {
        let error = format!("unexpected argument '{wrong}' found");
        let tip = format!("did you mean '{right}'?");
        by_name(name, words, told(&error, &tip, of));
    }
}

#[test]
fn only_exec_suggests_dashes_for_an_unknown_option() {
    let error = "unexpected argument '--bogus' found";
    for (words, of) in [
        ("git get --bogus", "git <OPERATION>"),
        ("setup git --bogus", "setup git [OPTIONS] <HOST>..."),
    ] {
        usage(words, told(error, "", of));
    }
    let tip = "to pass --bogus as a value, use -- --bogus";
    usage(
        "exec --bogus",
        told(error, tip, "exec [OPTIONS] -- <CMD>..."),
    );
}

#[test]
fn a_misspelt_value() {
    for (words, wrong, place, all, right, of) in [
        (
            "token --output jsn",
            "jsn",
            "--output <raw|header|json>",
            "raw, header, json",
            "json",
            "token",
        ),
        (
            "token --output \u{1b}[31m",
            r"\u{1b}[31m",
            "--output <raw|header|json>",
            "raw, header, json",
            "",
            "token",
        ),
        (
            "completions bsh",
            "bsh",
            "<SHELL>",
            "bash, elvish, fish, powershell, zsh",
            "bash",
            "completions",
        ),
    ] {
        let error = format!("invalid value '{wrong}' for '{place}' [possible values: {all}]");
        let tip = match right {
            "" => String::new(),
            right => format!("did you mean '{right}'?"),
        };
        usage(words, told(&error, &tip, of));
    }
}

#[test]
fn missing_arguments() {
    for (words, missing, of) in [
        ("git", "<OPERATION>", "git <OPERATION>"),
        ("exec", "<CMD>...", "exec -- <CMD>..."),
        ("completions", "<SHELL>", "completions <SHELL>"),
    ] {
        let error = format!("missing argument {missing}");
        usage(words, told(&error, "", of));
    }
}

#[test]
fn invalid_arguments() {
    let error = "unexpected argument 'now' found";
    usage("token now", told(error, "", "token [OPTIONS]"));
    let error = "a value is required for '--profile <NAME>' but none was supplied";
    usage("token --profile", told(error, "", "token"));
    let error = "missing command";
    usage("--profile ci", told(error, "", "[OPTIONS] <COMMAND>"));
}
