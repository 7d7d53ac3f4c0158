//! The calls of each tool: the table for tests that check all tools alike, in every test
//! executable.

/// The secret that a command prints, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    Nothing,
    Token,
    /// A token that must be a JWT.
    Jwt,
    Assertion,
}

/// A command with its arguments.
#[derive(Debug)]
pub struct Row {
    /// The words; `ISSUER` stands for the issuer's URL, and `␣` for a space inside a
    /// word.
    pub words: &'static str,
    /// The stdin; `TOKEN` stands for the last token.
    pub input: &'static str,
    pub shows: Shows,
}

impl Row {
    /// Returns the command's words as they are passed.
    pub fn words(&self) -> Vec<String> {
        let words = self.words.split(' ');
        words.map(|word| word.replace('␣', " ")).collect()
    }
}

/// Creates a row of a table.
pub const fn row(words: &'static str, input: &'static str, shows: Shows) -> Row {
    Row {
        words,
        input,
        shows,
    }
}

/// The host of the calls.
pub const HOST: &str = "git.acme.dev";

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

/// Every call of every tool.
pub const CALLS: &[Row] = &[
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
];
