//! Every command there is, and where on stdout it shows a secret.

use clap::{Command, CommandFactory};
use zitadel_credential::cli::Cli;

/// What a command is there to show, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    Nothing,
    Token,
    /// A token that is a JWT, and no other.
    Jwt,
    Assertion,
}

/// A command with its arguments.
#[derive(Debug)]
pub struct Row {
    /// `ISSUER` stands for the issuer's URL, and `␣` for a blank inside a word.
    pub words: &'static str,
    /// Its stdin; `TOKEN` stands for the last token.
    pub input: &'static str,
    pub shows: Shows,
}

const fn row(words: &'static str, input: &'static str, shows: Shows) -> Row {
    Row {
        words,
        input,
        shows,
    }
}

const GIT: &str = "protocol=https\nhost=git.acme.dev\n\n";
const GIT_BEARER: &str = "capability[]=authtype\nprotocol=https\nhost=git.acme.dev\n\
                          wwwauth[]=Bearer realm=\"x\"\n\n";
const GIT_REFUSED: &str = "protocol=https\nhost=git.acme.dev\nusername=ci\npassword=TOKEN\n\n";
const DOCKER: &str = "git.acme.dev";
const DOCKER_LOGIN: &str =
    "{\"ServerURL\":\"git.acme.dev\",\"Username\":\"ci\",\"Secret\":\"TOKEN\"}";
const BAZEL: &str = "{\"uri\":\"https://git.acme.dev/\"}";
const CARGO: &str = "{\"v\":1,\"kind\":\"get\",\"operation\":\"read\",\
     \"registry\":{\"index-url\":\"sparse+https://git.acme.dev/\"}}";
const CARGO_LOGIN: &str = "{\"v\":1,\"kind\":\"login\",\"token\":\"TOKEN\",\
     \"registry\":{\"index-url\":\"sparse+https://git.acme.dev/\"}}";
const GO: &str = "HTTP/1.1 401 Unauthorized\n\n";
const TERRAFORM: &str = "{\"token\":\"TOKEN\"}";
const KUBELET: &str = "{\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\
                       \"kind\":\"CredentialProviderRequest\",\"image\":\"git.acme.dev/app\",\
                       \"serviceAccountToken\":\"TOKEN\"}";

/// Where `exec`'s command writes down its arguments and its environment, and
/// the file of `--write`.
pub const EXEC_DUMP: &str = "exec.dump";
pub const WRITTEN: &str = "written";

pub const ROWS: &[Row] = &[
    row("kubectl", "", Shows::Token),
    row("git get", GIT, Shows::Token),
    row("git get", GIT_BEARER, Shows::Token),
    row("git store", GIT_REFUSED, Shows::Nothing),
    row("git erase", GIT_REFUSED, Shows::Nothing),
    row("git capability", "", Shows::Nothing),
    row("docker get", DOCKER, Shows::Token),
    row("docker store", DOCKER_LOGIN, Shows::Nothing),
    row("docker list", "", Shows::Nothing),
    row("docker version", "", Shows::Nothing),
    row("docker erase", DOCKER, Shows::Nothing),
    row("bazel get", BAZEL, Shows::Token),
    row("cargo --cargo-plugin", CARGO, Shows::Token),
    row("cargo --cargo-plugin", CARGO_LOGIN, Shows::Nothing),
    row("go https://git.acme.dev/x", GO, Shows::Token),
    row("terraform get git.acme.dev", "", Shows::Token),
    row("terraform store git.acme.dev", TERRAFORM, Shows::Nothing),
    row("terraform forget git.acme.dev", "", Shows::Nothing),
    row("kubelet", KUBELET, Shows::Token),
    row("gcp", "", Shows::Jwt),
    row("keyring get https://git.acme.dev/ ci", "", Shows::Token),
    row(
        "keyring --output plain get https://git.acme.dev/ ci",
        "",
        Shows::Token,
    ),
    row(
        "keyring --output json get https://git.acme.dev/ ci",
        "",
        Shows::Token,
    ),
    row(
        "keyring get https://git.acme.dev/ --mode creds",
        "",
        Shows::Token,
    ),
    row(
        "keyring set https://git.acme.dev/ ci",
        "TOKEN",
        Shows::Nothing,
    ),
    row("keyring del https://git.acme.dev/ ci", "", Shows::Nothing),
    row("pnpm", "", Shows::Token),
    row(
        "askpass Password␣for␣'https://git.acme.dev':␣",
        "",
        Shows::Token,
    ),
    row(
        "askpass Username␣for␣'https://git.acme.dev':␣",
        "",
        Shows::Nothing,
    ),
    row("token", "", Shows::Token),
    row("token --output raw", "", Shows::Token),
    row("token --output header", "", Shows::Token),
    row("token --output json", "", Shows::Token),
    row("token --write written", "", Shows::Nothing),
    row("exec -- ./dump exec.dump", "", Shows::Nothing),
    row(
        "exec --write-web-identity -- ./dump identity.dump",
        "",
        Shows::Nothing,
    ),
    row("agent --once --write written", "", Shows::Nothing),
    row("assertion", "", Shows::Assertion),
    row("whoami", "", Shows::Nothing),
    row(
        "setup profile ci --issuer ISSUER --key-file key.json --dry-run",
        "",
        Shows::Nothing,
    ),
    row(
        "setup profile ci --issuer ISSUER --key-file key.json",
        "",
        Shows::Nothing,
    ),
    row("setup kubectl --user ci --dry-run", "", Shows::Nothing),
    row("setup kubectl --user ci", "", Shows::Nothing),
    row("setup git git.acme.dev --dry-run", "", Shows::Nothing),
    row("setup git git.acme.dev", "", Shows::Nothing),
    row("setup git git.acme.dev --undo", "", Shows::Nothing),
    row("setup docker git.acme.dev --dry-run", "", Shows::Nothing),
    row("setup docker git.acme.dev", "", Shows::Nothing),
    row("setup bazel git.acme.dev", "", Shows::Nothing),
    row(
        "setup cargo git.acme.dev --registry a --index sparse+https://git.acme.dev/",
        "",
        Shows::Nothing,
    ),
    row("setup cargo git.acme.dev --undo", "", Shows::Nothing),
    row("setup go git.acme.dev", "", Shows::Nothing),
    row("setup terraform git.acme.dev", "", Shows::Nothing),
    row("setup terraform git.acme.dev --undo", "", Shows::Nothing),
    row("cache list", "", Shows::Nothing),
    row("cache list --output text", "", Shows::Nothing),
    row("cache list --output json", "", Shows::Nothing),
    row("doctor git.acme.dev", "", Shows::Nothing),
    row("doctor --output text", "", Shows::Nothing),
    row("doctor --output json", "", Shows::Nothing),
    row("cache clear --expired", "", Shows::Nothing),
    row("cache clear", "", Shows::Nothing),
    row("completions bash", "", Shows::Nothing),
    row("completions at -- --profile ", "", Shows::Nothing),
    row("help", "", Shows::Nothing),
    row("--help", "", Shows::Nothing),
    row("--version", "", Shows::Nothing),
];

/// The words that lead to each command without commands of its own, and what
/// `--output` takes there.
fn leaves(command: &Command, path: &str, found: &mut Vec<(String, Vec<String>)>) {
    let subcommands = command.get_subcommands();
    let mut subcommands = subcommands
        .filter(|sub| sub.get_name() != "help")
        .peekable();
    if subcommands.peek().is_none() {
        let output = command.get_arguments().find(|arg| arg.get_id() == "output");
        let values = output.map(clap::Arg::get_possible_values);
        let names = values.unwrap_or_default().into_iter();
        let names = names.map(|value| value.get_name().to_owned());
        found.push((path.trim_start().to_owned(), names.collect()));
    }
    for sub in subcommands {
        leaves(sub, &format!("{path} {}", sub.get_name()), found);
    }
}

#[test]
fn every_command_there_is_has_a_row() {
    let mut root = Cli::command();
    root.build();
    let mut found = Vec::new();
    leaves(&root, "", &mut found);
    let has_row = |start: &str| ROWS.iter().any(|row| row.words.starts_with(start));
    for (words, outputs) in &found {
        assert!(has_row(words), "no row for {words}");
        for output in outputs {
            let words = format!("{words} --output {output}");
            assert!(has_row(&words), "no row for {words}");
        }
    }
    // Their operations are words of the tool's, which clap takes as they come.
    for tool in ["git", "docker", "bazel", "terraform", "keyring"] {
        let command = root.find_subcommand(tool).unwrap();
        let mut arguments = command.get_positionals();
        let help = arguments.next().unwrap().get_help().unwrap().to_string();
        let words = help.split(';').next().unwrap().split([' ', ',']);
        for word in words.filter(|word| !word.is_empty() && *word != "or") {
            assert!(
                has_row(&format!("{tool} {word}")),
                "no row for {tool} {word}"
            );
        }
    }
}
